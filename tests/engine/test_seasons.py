"""A season of overlapping rounds, played through the engine by a simulated clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from seasons import COIN, HALF_DAY, IDS, MODELS, ROUNDS, START, WEEK, new, play, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import seeds
from crowdalpha.tournament.events import check_chain
from crowdalpha.tournament.records import Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk


@pytest.fixture(scope="module")
def season() -> tuple[Engine, list[str]]:
    engine = new(MemoryStore())
    return engine, play(engine)


def test_a_season_of_overlapping_rounds_ends_with_every_round_resolved_and_no_unit_made_or_lost(
    season: tuple[Engine, list[str]],
) -> None:
    engine, done = season
    with engine.store.reading() as work:
        assert {p.stage for p in work.find(Progress)} == {Stage.RESOLVED}
        assert sum(work.balances().values()) == 0
        assert min(held for name, held in work.balances().items() if name != "external") >= 0
        assert len(done) == len(set(done)) == ROUNDS * (1 + 1 + 20 + 1)
        check_chain(work.events())


def test_the_same_season_on_sqlite_ends_with_the_same_money_scores_and_chain_to_the_last_bit(
    season: tuple[Engine, list[str]], tmp_path: Path
) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/tournament.db")
    store.create()
    engine = new(store)
    assert play(engine) == season[1]
    with engine.store.reading() as ours, season[0].store.reading() as theirs:
        assert ours.balances() == theirs.balances()
        assert ours.find(Score) == theirs.find(Score)
        assert ours.find(Payout) == theirs.find(Payout)
        assert ours.events() == theirs.events()


def test_a_clock_that_jumps_finds_what_it_jumped_over_and_pays_the_same(season: tuple[Engine, list[str]]) -> None:
    engine = new(MemoryStore())
    play(engine, step=timedelta(days=1))
    with engine.store.reading() as ours, season[0].store.reading() as theirs:
        assert ours.balances() == theirs.balances()


def test_ticking_again_does_nothing(season: tuple[Engine, list[str]]) -> None:
    engine, _ = season
    assert engine.tick(START + 20 * WEEK) == []


def test_the_stake_at_a_close_is_that_of_the_close_before_and_the_payout_of_four_rounds_ago(
    season: tuple[Engine, list[str]],
) -> None:
    with season[0].store.reading() as work:
        at_risk = {(r.round, r.model): r.amount for r in work.find(AtRisk)}
        paid = {(p.round, p.model): p.paid for p in work.find(Payout)}
    for model in MODELS:
        for n in range(2, ROUNDS + 1):
            assert at_risk[n, model] == at_risk[n - 1, model] + paid.get((n - 4, model), 0)


def test_the_revealed_secret_is_the_one_that_was_promised(season: tuple[Engine, list[str]]) -> None:
    with season[0].store.reading() as work:
        for progress in work.find(Progress):
            promised = work.get(Round, progress.round)
            assert promised is not None
            seeds.check_reveal(promised.commitment, bytes.fromhex(progress.revealed))


def test_of_several_submissions_the_last_before_the_close_counts_and_a_late_one_risks_nothing() -> None:
    engine = new(MemoryStore())
    opens = weekly(1).open_time
    engine.tick(opens)
    for k, model in enumerate(("ada", "ada", "bob")):
        engine.submit(f"early-{k}", model, upload(k + 1, model), opens + (k + 1) * timedelta(minutes=1))
    engine.tick(weekly(1).close_time)
    receipt = engine.submit("late", "cy", upload(1, "cy"), weekly(1).close_time)
    assert receipt.status == "late"
    with engine.store.reading() as work:
        amounts = {risk.model: risk.amount for risk in work.find(AtRisk, round=1)}
    assert amounts == {"ada": 100 * COIN, "bob": 100 * COIN, "cy": 0}


def test_the_same_submission_twice_is_one() -> None:
    engine = new(MemoryStore())
    engine.tick(weekly(1).open_time)
    first = engine.submit("once", "ada", upload(1, "ada"), weekly(1).open_time)
    again = engine.submit("once", "ada", upload(1, "ada"), weekly(1).open_time + HALF_DAY)
    assert first == again
    with engine.store.reading() as work:
        assert work.find(Submission) == [first]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda engine: engine.submit("x", "ada", upload(1, "ada"), START), "invalid_submission_round"),
        (lambda engine: engine.add_model("x", "nobody", "X", START), "unknown"),
        (lambda engine: engine.stake_increase("x", "ada", 5000 * COIN, START), "overdrawn"),
        (lambda engine: engine.set_target(1, None, {IDS[0]: 1.0}), "target_incomplete"),
        (lambda engine: engine.set_target(99, None, {}), "unknown"),
    ],
    ids=["no round is open", "nobody's model", "more than the wallet holds", "half a target", "no such round"],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(wrong: Callable[[Engine], object], code: str) -> None:
    engine = new(MemoryStore())
    with engine.store.reading() as work:
        before = (work.balances(), work.events())
    with pytest.raises(InputError) as refused:
        wrong(engine)
    assert refused.value.code == code
    with engine.store.reading() as work:
        assert (work.balances(), work.events()) == before
