"""A season of overlapping rounds, played through the engine by a simulated clock."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import seeds, submissions
from crowdalpha.tournament.events import check_chain
from crowdalpha.tournament.ports import TournamentStore
from crowdalpha.tournament.records import Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage, daily
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

START = datetime(2026, 1, 3, 12, tzinfo=UTC)
COIN = 10**9
IDS = [f"i{k:02d}" for k in range(40)]
MODELS = ("ada", "bob", "cy")
ROUNDS = 6
WEEK, HALF_DAY = timedelta(days=7), timedelta(hours=12)


def judge(content: bytes, ids: Sequence[str], rules: submissions.SubmissionRules) -> submissions.Verdict:
    """Reads a CSV in this process: what the limited one does is tested elsewhere."""
    as_text = pa.csv.ConvertOptions(column_types={"id": pa.string()})
    return submissions.check(pa.csv.read_csv(io.BytesIO(content), convert_options=as_text), ids, rules)


def new(store: TournamentStore) -> Engine:
    engine = Engine(store, MemoryFiles(), judge=judge, master=b"m" * seeds.SECRET_BYTES)
    engine.deposit("treasury", 10**6 * COIN, START, into="treasury")
    for name in MODELS:
        engine.open_account(name, name.title(), START)
        engine.add_model(name, name, f"{name}'s model", START)
        engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
        engine.stake_increase(f"stake-{name}", name, 100 * COIN, START)
    for n in range(1, ROUNDS + 1):
        engine.schedule(weekly(n), IDS, START)
    return engine


def weekly(n: int) -> Round:
    opens = START + n * WEEK
    closes = opens + timedelta(days=2)
    return Round(
        number=n,
        open_time=opens,
        close_time=closes,
        scoring_times=daily(closes, 20),
        resolve_time=closes + timedelta(days=26),
        rule="corr-or-twice-mmc",
        commitment="0" * 64,
        n_bags=3,
        final_bags=5,
    )


def target(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 5, len(IDS)) / 4


def upload(n: int, model: str) -> bytes:
    rng = np.random.default_rng([n, MODELS.index(model)])
    values = 0.1 + 0.2 * target(n) + 0.6 * rng.random(len(IDS))
    return ("id,prediction\n" + "\n".join(f"{i},{v!r}" for i, v in zip(IDS, values.tolist(), strict=True))).encode()


def play(engine: Engine, *, step: timedelta = HALF_DAY, until: timedelta = 12 * WEEK) -> list[str]:
    """Tick through a season; each round gets its submissions and targets half a day after it opens."""
    done: list[str] = []
    handed_in = set()
    now = START
    while now < START + until:
        now += step
        done += engine.tick(now)
        for n in range(1, ROUNDS + 1):
            if n not in handed_in and weekly(n).open_time + HALF_DAY <= now < weekly(n).close_time:
                handed_in.add(n)
                for day in (None, *range(1, 21)):
                    engine.set_target(n, day, dict(zip(IDS, target(n), strict=True)))
                for model in MODELS:
                    engine.submit(f"{n}-{model}", model, upload(n, model), now)
    return done


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
