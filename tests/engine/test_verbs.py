"""What people ask of a tournament between its rounds, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from seasons import COIN, HALF_DAY, IDS, MODELS, START, WEEK, judge, new, play, target, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.engine.clock import looked_back
from crowdalpha.payouts import PayoutError, policy_of
from crowdalpha.scoring import bmc, corr, fnc
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.tournament import seeds
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

FINAL = 21
FIRST = weekly(1)


@pytest.fixture
def engine() -> Engine:
    return new(MemoryStore())


@pytest.fixture(scope="module")
def season() -> Engine:
    played = new(MemoryStore(), metrics=("corr", "mmc2", "bmc", "fnc"))
    played.add_model("market", "ada", "The market", START, benchmark=True)
    play(played)
    return played


def hand_in(engine: Engine, number: int, *days: int | None) -> None:
    for day in days:
        engine.set_target(number, day, dict(zip(IDS, target(number), strict=True)))


# rounds, one by one


def test_a_round_is_opened_closed_scored_and_resolved_by_hand_when_its_time_has_come(engine: Engine) -> None:
    assert engine.round_open(1, FIRST.open_time) == ["open:1"]
    for model in MODELS:
        engine.submit(model, model, upload(1, model), FIRST.open_time)
    hand_in(engine, 1, None, *range(1, 21))
    assert engine.round_close(1, FIRST.close_time) == ["close:1"]
    assert engine.round_score(1, FIRST.scoring_times[2]) == ["score:1:1", "score:1:2", "score:1:3"]
    assert len(engine.round_score(1, FIRST.resolve_time)) == 17
    assert engine.round_resolve(1, FIRST.resolve_time) == ["resolve:1"]
    shown = engine.round_show(1)
    assert (shown.stage, shown.on_time, shown.late, shown.at_risk) == (Stage.RESOLVED, 3, 0, 300 * COIN)
    assert shown.crowd["corr"] > 0
    assert engine.verify(1) == ()


@pytest.mark.parametrize(
    ("verb", "now", "code"),
    [
        (Engine.round_open, START, "not_due"),
        (Engine.round_close, FIRST.open_time, "not_due"),
        (Engine.round_resolve, FIRST.close_time, "not_due"),
        (Engine.round_score, FIRST.close_time, "not_due"),
        (Engine.round_show, None, "unknown"),
    ],
    ids=["before it opens", "before it closes", "before it is due", "before a day is due", "that does not exist"],
)
def test_a_round_is_not_hurried(engine: Engine, verb: Callable[..., object], now: datetime | None, code: str) -> None:
    with pytest.raises(InputError) as refused:
        verb(engine, 99) if now is None else verb(engine, 1, now)
    assert refused.value.code == code


def test_a_round_that_waits_for_its_target_holds_up_no_other(engine: Engine) -> None:
    hand_in(engine, 2, None, *range(1, 21))
    done = engine.tick(START + 12 * WEEK)
    assert "resolve:2" in done
    assert "close:1" in done
    assert not [key for key in done if key.startswith("score:1:")]
    hand_in(engine, 1, None, *range(1, 21))
    assert "resolve:1" in engine.tick(START + 12 * WEEK)


def test_scheduling_again_is_the_same_and_another_round_under_its_number_is_refused(engine: Engine) -> None:
    with engine.store.reading() as work:
        before = work.events()
    engine.schedule(weekly(1), IDS, START + WEEK)
    with engine.store.reading() as work:
        assert work.events() == before
    with pytest.raises(InputError) as refused:
        engine.schedule(weekly(1, n_bags=4), IDS, START)
    assert refused.value.code == "id_taken"


@pytest.mark.parametrize(
    ("rules", "ids", "code"),
    [
        ({"rule": "nobody's"}, IDS, "unknown_rule"),
        ({"metrics": ("corr", "nonsense")}, IDS, "unknown_metric"),
        ({"beacon": "the moon"}, IDS, "unknown_beacon"),
        ({}, ["a", "a"], "id_twice"),
        ({}, ["a"], "too_few_ids"),
    ],
)
def test_a_round_that_could_not_be_played_is_not_announced(
    engine: Engine, rules: dict[str, object], ids: list[str], code: str
) -> None:
    with pytest.raises(InputError) as refused:
        engine.schedule(replace(weekly(50), **rules), ids, START)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_target_that_was_handed_in_cannot_be_replaced(engine: Engine) -> None:
    hand_in(engine, 1, None)
    hand_in(engine, 1, None)
    with pytest.raises(InputError) as refused:
        engine.set_target(1, None, dict.fromkeys(IDS, 1.0))
    assert refused.value.code == "target_changed"


# submissions that come late


def test_a_late_submission_is_scored_with_nothing_at_risk_and_counts_for_the_next_round(engine: Engine) -> None:
    engine.tick(FIRST.close_time)
    receipt = engine.submit("late", "ada", upload(1, "ada"), FIRST.close_time + HALF_DAY)
    hand_in(engine, 1, 1)
    engine.tick(FIRST.scoring_times[0])
    engine.tick(weekly(2).close_time)
    with engine.store.reading() as work:
        assert [s.value for s in work.find(Score, round=1, metric="corr", model="ada")]
        assert [r.amount for r in work.find(AtRisk, round=1, model="ada")] == [0]
        (queued,) = work.find(Submission, round=2)
        assert (queued.model, queued.status, queued.content_hash) == ("ada", "on_time", receipt.content_hash)
        assert [r.amount for r in work.find(AtRisk, round=2, model="ada")] == [100 * COIN]


def test_who_was_late_is_scored_and_not_ranked_and_no_payout_looks_back_at_it(engine: Engine) -> None:
    for model in ("bob", "cy", "ada"):
        when = FIRST.close_time + HALF_DAY if model == "ada" else FIRST.open_time
        engine.tick(when)
        engine.submit(model, model, upload(1, model), when)
    hand_in(engine, 1, None, *range(1, 21))
    engine.tick(FIRST.resolve_time)
    with engine.store.reading() as work:
        assert len(work.find(Score, round=1, day=FINAL, metric="corr")) == len(MODELS) + 1
        seen = {score.model for score in looked_back(work, weekly(20), 10, ["corr"])}
        assert seen == {METAMODEL, *MODELS} - {"ada"}
    board = engine.leaderboard("corr", now=FIRST.resolve_time)
    assert {line.name for line in board.lines if line.rank is None} == {"ada"}


def test_others_are_not_measured_against_a_benchmark_that_came_late() -> None:
    def scored(late: bool) -> dict[str, float]:
        engine = new(MemoryStore(), metrics=("corr", "bmc"))
        for name in ("early", "late"):
            engine.add_model(name, "ada", name, START, benchmark=True)
        engine.tick(FIRST.open_time)
        engine.submit("early", "early", upload(1, MODELS[0]), FIRST.open_time)
        for model in MODELS:
            engine.submit(model, model, upload(1, model), FIRST.open_time)
        engine.tick(FIRST.close_time)
        if late:
            engine.submit("late", "late", upload(9, MODELS[1]), FIRST.close_time)
        hand_in(engine, 1, 1)
        engine.tick(FIRST.scoring_times[0])
        with engine.store.reading() as work:
            return {s.model: s.value for s in work.find(Score, round=1, metric="bmc") if s.model in MODELS}

    assert scored(late=True) == scored(late=False)


def test_rounds_open_and_close_by_hand_in_the_order_of_their_numbers(engine: Engine) -> None:
    second = weekly(2)
    with pytest.raises(InputError) as refused:
        engine.round_open(2, second.open_time)
    assert refused.value.code == "not_next"
    assert "open:1 first" in str(refused.value)
    engine.tick(FIRST.open_time)
    with pytest.raises(InputError) as refused:
        engine.round_open(2, second.open_time)
    assert "close:1 first" in str(refused.value)


def test_of_several_late_ones_the_last_is_queued_and_one_sent_in_for_the_round_itself_replaces_it(
    engine: Engine,
) -> None:
    engine.tick(FIRST.close_time)
    for hour, seed in enumerate((5, 6)):
        engine.submit(f"late-{hour}", "bob", upload(seed, "bob"), FIRST.close_time + timedelta(hours=hour))
    engine.tick(weekly(2).open_time)
    with engine.store.reading() as work:
        assert [s.id for s in work.find(Submission, round=2)] == ["late-1:2"]
    engine.submit("better", "bob", upload(7, "bob"), weekly(2).open_time + HALF_DAY)
    hand_in(engine, 2, None, *range(1, 21))
    engine.tick(weekly(2).resolve_time)
    with engine.store.reading() as work:
        (score,) = work.find(Score, round=2, day=FINAL, metric="corr", model="bob")
    rng = np.random.default_rng([7, MODELS.index("bob")])
    sent = 0.1 + 0.2 * target(7) + 0.6 * rng.random(len(IDS))
    assert score.value == corr(sent, target(2))


def test_a_late_submission_for_other_ids_is_not_queued() -> None:
    engine = new(MemoryStore(), rounds=1)
    engine.schedule(weekly(2), [f"other-{id}" for id in IDS], START)
    engine.tick(FIRST.close_time)
    engine.submit("late", "ada", upload(1, "ada"), FIRST.close_time)
    engine.tick(weekly(2).close_time)
    with engine.store.reading() as work:
        assert work.find(Submission, round=2) == []


def test_a_receipt_asked_for_again_is_the_same_long_after_and_an_id_is_never_used_twice(season: Engine) -> None:
    first = season.submit("1-ada", "ada", upload(1, "ada"), START + 40 * WEEK)
    assert first.round == 1
    with pytest.raises(InputError) as refused:
        season.submit("1-ada", "ada", upload(2, "ada"), START + 40 * WEEK)
    assert refused.value.code == "id_taken"


# benchmarks, features, the metamodel


def test_benchmarks_are_scored_never_staked_and_what_bmc_measures_against(season: Engine) -> None:
    with season.store.reading() as work:
        scores = {(s.metric, s.model): s.value for s in work.find(Score, round=2, day=FINAL)}
        assert work.find(AtRisk, round=2, model="market") == []
    crowd = [upload(2, model) for model in MODELS]
    columns = np.column_stack([judge_column(content) for content in [*crowd, upload(52, "ada")]])
    assert scores["corr", "market"] == corr(columns[:, 3], target(2))
    expected = bmc(columns, columns[:, 3:], target(2))
    assert [scores["bmc", model] for model in (*MODELS, "market")] == expected.tolist()
    with pytest.raises(InputError) as refused:
        season.stake_increase("no", "market", COIN, START + 40 * WEEK)
    assert refused.value.code == "benchmark_staked"


def judge_column(content: bytes) -> np.ndarray:
    from crowdalpha.tournament.submissions import CLASSIC

    return judge(content, IDS, CLASSIC).ranks()


def test_without_a_benchmark_or_features_their_metrics_are_missing_and_the_others_are_not(season: Engine) -> None:
    with season.store.reading() as work:
        scores = {(s.metric, s.model): s.value for s in work.find(Score, round=1, day=FINAL)}
    assert np.isnan([scores["bmc", "ada"], scores["fnc", "ada"]]).all()
    assert np.isfinite([scores["corr", "ada"], scores["mmc2", "ada"], scores["corr", METAMODEL]]).all()


def test_features_are_kept_with_the_round_in_whatever_order_its_ids_are_given() -> None:
    engine = new(MemoryStore(), rounds=0)
    rng = np.random.default_rng(5)
    features = rng.random((len(IDS), 3))
    order = rng.permutation(len(IDS))
    columns = {f"f{k}": features[order, k].tolist() for k in range(3)}
    engine.schedule(weekly(1, metrics=("corr", "mmc2", "fnc")), [IDS[i] for i in order], START, features=columns)
    engine.tick(FIRST.open_time)
    engine.submit("one", "ada", upload(1, "ada"), FIRST.open_time)
    hand_in(engine, 1, None, *range(1, 21))
    engine.tick(FIRST.resolve_time)
    with engine.store.reading() as work:
        (score,) = work.find(Score, round=1, day=FINAL, metric="fnc", model="ada")
    assert score.value == fnc(judge_column(upload(1, "ada")), features, target(1))
    assert engine.verify(1) == ()


def test_no_model_may_take_the_metamodels_name(engine: Engine) -> None:
    with pytest.raises(InputError) as refused:
        engine.add_model(METAMODEL, "ada", "I am the crowd", START)
    assert refused.value.code == "reserved_id"


# rules


def test_a_choice_counts_from_the_next_close_and_one_that_the_rule_does_not_offer_is_its_default(
    engine: Engine,
) -> None:
    engine.choose("ada", (0.0, 2.0), START)
    engine.choose("bob", (0.75, 2.25), START)
    engine.tick(FIRST.open_time)
    for model in MODELS:
        engine.submit(model, model, upload(1, model), FIRST.open_time)
    engine.tick(FIRST.close_time)
    engine.choose("ada", None, FIRST.close_time)
    with engine.store.reading() as work:
        frozen = {r.model: (r.corr_multiplier, r.mmc_multiplier) for r in work.find(AtRisk, round=1)}
        assert work.get(Model, "ada") == Model("ada", "ada", "ada's model", START)
    assert frozen == {"ada": (0.0, 2.0), "bob": (1.0, 0.0), "cy": (1.0, 0.0)}


@pytest.mark.parametrize("rule", ["rank-bonus", "deburner", "floor-at-zero"])
def test_a_rule_that_a_pair_can_milk_is_not_played(engine: Engine, rule: str) -> None:
    with pytest.raises(PayoutError, match="can be milked: a model p with CORR"):
        engine.schedule(weekly(50, rule=rule), IDS, START)


def test_a_policy_of_ones_own_must_be_fair_and_then_pays() -> None:
    def open_with(policy: Callable[..., object]) -> Engine:
        own = {"own": policy_of(policy, clip=0.5)}  # type: ignore[arg-type]
        return Engine(MemoryStore(), MemoryFiles(), judge=judge, master=b"m" * seeds.SECRET_BYTES, policies=own)

    with pytest.raises(PayoutError, match="can be milked"):
        open_with(lambda corr, mmc: abs(mmc))
    engine = open_with(lambda corr, mmc: 0.1 * corr)
    engine.deposit("t", COIN, START, into="treasury")
    engine.open_account("ada", "Ada", START)
    engine.add_model("ada", "ada", "Ada's", START)
    engine.deposit("ada", 100, START, into="wallet:ada")
    engine.stake_increase("ada", "ada", 100, START)
    engine.schedule(weekly(1, rule="own"), IDS, START)
    engine.tick(FIRST.open_time)
    engine.submit("one", "ada", upload(1, "ada"), FIRST.open_time)
    hand_in(engine, 1, None, *range(1, 21))
    engine.tick(FIRST.resolve_time)
    with engine.store.reading() as work:
        (payout,) = work.find(Payout)
        (score,) = work.find(Score, day=FINAL, metric="corr", model="ada")
    assert payout.fraction == 0.1 * score.value
    assert engine.verify(1) == ()


def test_a_policy_that_looks_back_pays_on_the_rounds_before_and_is_proven() -> None:
    engine = new(MemoryStore(), rule="sharpe")
    play(engine)
    with engine.store.reading() as work:
        corrs = [work.find(Score, round=n, day=FINAL, metric="corr", model="ada")[0].value for n in (1, 2, 3)]
        fraction = work.find(Payout, round=3, model="ada")[0].fraction
    missed = np.zeros(17)  # the window is twenty rounds; those before the first count 0
    window = np.concatenate([missed, corrs])
    assert fraction == pytest.approx(np.clip(0.1 * window.mean() / window.std(), -0.25, 0.25), abs=1e-12)
    assert engine.verify(3) == ()


def test_a_round_that_waits_for_public_randomness_takes_the_first_after_its_close_and_no_other() -> None:
    engine = new(MemoryStore(), rounds=1, beacon="drand quicknet")
    engine.tick(FIRST.open_time)
    for model in MODELS:
        engine.submit(model, model, upload(1, model), FIRST.open_time)
    hand_in(engine, 1, None, *range(1, 21))
    assert engine.tick(FIRST.resolve_time) == ["close:1"]
    first = seeds.QUICKNET.first_after(FIRST.close_time)
    with pytest.raises(InputError) as refused:
        engine.set_beacon(1, first - 1, bytes(32), FIRST.resolve_time)
    assert refused.value.code == "wrong_beacon"
    engine.set_beacon(1, first, b"r" * 32, FIRST.resolve_time)
    engine.set_beacon(1, first, b"r" * 32, FIRST.resolve_time)
    with pytest.raises(InputError) as refused:
        engine.set_beacon(1, first, b"b" * 32, FIRST.resolve_time)
    assert refused.value.code == "beacon_changed"
    assert "resolve:1" in engine.tick(FIRST.resolve_time)
    assert engine.verify(1) == ()


def test_an_engine_with_another_master_secret_does_not_score_a_round_it_did_not_commit_to(engine: Engine) -> None:
    other = Engine(engine.store, engine.files, judge=judge, master=b"x" * seeds.SECRET_BYTES)
    hand_in(engine, 1, None, *range(1, 21))
    with pytest.raises(InputError) as refused:
        other.tick(FIRST.scoring_times[0])
    assert refused.value.code == "secret_changed"


# accounts


def test_an_account_shows_its_wallet_its_models_what_waits_and_every_entry(engine: Engine) -> None:
    before = engine.account("ada")
    assert before.wallet == 900 * COIN
    assert [(h.model.id, h.stake, h.reserve, h.at_risk) for h in before.models] == [("ada", 0, 100 * COIN, 0)]
    assert [(change.kind, change.amount) for change in before.pending] == [("increase", 100 * COIN)]
    assert [entry.id for entry in before.entries] == ["deposit:ada", "reserve:stake-ada"]
    engine.tick(FIRST.open_time)
    engine.submit("one", "ada", upload(1, "ada"), FIRST.open_time)
    engine.tick(FIRST.close_time)
    after = engine.account("ada")
    assert [(h.stake, h.reserve, h.at_risk) for h in after.models] == [(100 * COIN, 0, 100 * COIN)]
    assert after.pending == ()


def test_a_withdrawal_happens_once_and_never_takes_more_than_there_is(engine: Engine) -> None:
    assert engine.withdraw("w", 900 * COIN, START, out_of="wallet:ada")
    assert not engine.withdraw("w", 900 * COIN, START, out_of="wallet:ada")
    with pytest.raises(InputError) as refused:
        engine.withdraw("w2", 1, START, out_of="wallet:ada")
    assert refused.value.code == "overdrawn"
    assert engine.account("ada").wallet == 0


@pytest.mark.parametrize(
    "again",
    [
        lambda engine: engine.open_account("ada", "Ada", START + WEEK),
        lambda engine: engine.add_model("ada", "ada", "ada's model", START + WEEK),
        lambda engine: engine.stake_increase("stake-ada", "ada", 100 * COIN, START + WEEK),
        lambda engine: engine.deposit("ada", 1000 * COIN, START, into="wallet:ada"),
        lambda engine: engine.deposit("ada", 1000 * COIN, START + WEEK, into="wallet:ada"),
    ],
)
def test_what_is_asked_for_twice_under_one_id_is_done_once(engine: Engine, again: Callable[[Engine], object]) -> None:
    with engine.store.reading() as work:
        before = (work.balances(), work.events())
    again(engine)
    with engine.store.reading() as work:
        assert (work.balances(), work.events()) == before


@pytest.mark.parametrize(
    "other",
    [
        lambda engine: engine.open_account("ada", "Eve", START),
        lambda engine: engine.add_model("ada", "bob", "ada's model", START),
        lambda engine: engine.stake_increase("stake-ada", "ada", 99 * COIN, START),
        lambda engine: engine.stake_increase("stake-ada", "bob", 100 * COIN, START),
        lambda engine: engine.deposit("ada", 999 * COIN, START, into="wallet:ada"),
        lambda engine: engine.deposit("ada", 1000 * COIN, START, into="wallet:bob"),
    ],
)
def test_something_else_under_an_id_that_is_taken_is_refused(engine: Engine, other: Callable[[Engine], object]) -> None:
    with pytest.raises(InputError) as refused:
        other(engine)
    assert refused.value.code == "id_taken"


@pytest.mark.parametrize("id", ["", " ", "a ", "a\nb", "a\0b", "\u202egpj", "x" * 201])
@pytest.mark.parametrize(
    "verb",
    [
        lambda engine, id: engine.open_account(id, "A", START),
        lambda engine, id: engine.add_model(id, "ada", "A", START),
        lambda engine, id: engine.stake_increase(id, "ada", 1, START),
        lambda engine, id: engine.deposit(id, 1, START, into="treasury"),
        lambda engine, id: engine.submit(id, "ada", upload(1, "ada"), FIRST.open_time),
    ],
    ids=["account", "model", "stake change", "deposit", "submission"],
)
def test_an_id_that_people_could_not_read_is_refused(
    engine: Engine, verb: Callable[[Engine, str], object], id: str
) -> None:
    with pytest.raises(InputError) as refused:
        verb(engine, id)
    assert refused.value.code == "bad_id"


# leaderboards


def test_the_leaderboard_ranks_models_by_the_mean_of_their_final_scores(season: Engine) -> None:
    board = season.leaderboard("corr", now=START + 40 * WEEK)
    with season.store.reading() as work:
        means = {
            model: np.mean([s.value for s in work.find(Score, day=FINAL, metric="corr", model=model)])
            for model in (*MODELS, "market")
        }
    assert {line.name: line.value for line in board.lines} == pytest.approx(means, abs=1e-15)
    assert [line.name for line in board.lines] == sorted(means, key=lambda name: -means[name])
    assert board.rounds == (1, 2, 3, 4, 5, 6)
    assert board.benchmarks == {"market"}
    assert METAMODEL not in {line.name for line in board.lines}


def test_a_window_counts_the_rounds_resolved_in_it_and_accounts_are_weighted_by_stake(season: Engine) -> None:
    now = weekly(4).resolve_time
    assert season.leaderboard("mmc2", now=now).rounds == (1, 2, 3, 4)
    assert season.leaderboard("mmc2", now=now, window=WEEK).rounds == (4,)
    assert season.leaderboard("mmc2", now=START + 40 * WEEK, rounds=(2, 5)).rounds == (2, 3, 4, 5)
    accounts = season.leaderboard("corr", now=START + 40 * WEEK, by_account=True)
    models = season.leaderboard("corr", now=START + 40 * WEEK)
    values = {line.name: line.value for line in models.lines}
    assert {line.name: line.value for line in accounts.lines} == pytest.approx(
        {name: values[name] for name in MODELS}, abs=1e-15
    )


def test_a_target_that_is_late_is_said_to_be_waited_for(engine: Engine) -> None:
    engine.tick(FIRST.close_time)
    with pytest.raises(InputError) as refused:
        engine.round_score(1, FIRST.scoring_times[0])
    assert refused.value.code == "waits"


def test_a_model_that_never_submitted_stands_below_all_that_did(season: Engine) -> None:
    season.add_model("absent", "cy", "Never there", START)
    last = season.leaderboard("corr", now=START + 40 * WEEK).lines[-1]
    assert (last.name, last.rank, last.missed) == ("absent", None, 6)


def test_a_metric_that_was_not_scored_is_refused_with_those_that_were(season: Engine) -> None:
    with pytest.raises(InputError, match="expected one of bmc, corr, fnc, mmc2") as refused:
        season.leaderboard("cwmm", now=START + 40 * WEEK)
    assert refused.value.code == "not_scored"


def test_before_the_first_resolution_nobody_is_ranked(engine: Engine) -> None:
    assert {line.rank for line in engine.leaderboard(now=START).lines} == {None}
    with engine.store.reading() as work:
        assert {p.stage for p in work.find(Progress)} == {Stage.SCHEDULED}
