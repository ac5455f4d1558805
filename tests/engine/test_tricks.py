"""What somebody might try: to stop a tournament, to leave one broken, or to have a crooked round proven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from seasons import COIN, HALF_DAY, IDS, MODELS, START, WEEK, new, play, target, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.tournament import bundles, ledger, seeds
from crowdalpha.tournament.digests import digest
from crowdalpha.tournament.events import Event, append
from crowdalpha.tournament.evidence import Evidence
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk
from crowdalpha.tournament.verification import verify

FIRST = weekly(1)
LAST = FIRST.resolve_time + 12 * WEEK
Rewrite = Callable[[Event], Sequence[tuple[str, datetime, dict[str, Any]]]]


def hand_in(engine: Engine, *numbers: int) -> None:
    for number in numbers:
        for day in (None, *range(1, 21)):
            engine.set_target(number, day, dict(zip(IDS, target(number), strict=True)))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(InputError) as refused:
        act()
    return refused.value.code


# to stop a tournament


def test_an_id_chosen_to_look_like_that_of_a_queued_file_does_not_keep_the_next_round_from_opening() -> None:
    engine = new(MemoryStore(), rounds=2)
    engine.submit("x:2", "ada", upload(1, "ada"), FIRST.open_time)
    engine.tick(FIRST.close_time)
    engine.submit("x", "bob", upload(2, "bob"), FIRST.close_time + HALF_DAY)
    assert "close:2" in engine.tick(LAST)
    with engine.store.reading() as work:
        assert [(sent.model, sent.id) for sent in work.find(Submission, round=2)] == [("bob", "x:2+")]


@pytest.mark.parametrize(
    ("values", "code"),
    [(np.full(len(IDS), 0.5), "constant_target"), (np.where(np.arange(len(IDS)) % 2, 1e200, 0.0), "too_large")],
    ids=["all alike", "too large to square"],
)
def test_a_target_that_nobody_can_be_scored_against_is_refused_and_leaves_its_place_free(
    values: np.ndarray, code: str
) -> None:
    engine = new(MemoryStore(), rounds=1)
    assert refusal(lambda: engine.set_target(1, None, dict(zip(IDS, values.tolist(), strict=True)))) == code
    hand_in(engine, 1)
    assert "resolve:1" in engine.tick(LAST)


def test_a_round_whose_target_is_damaged_says_so_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new(MemoryStore(), rounds=2)
    hand_in(engine, 1, 2)
    read = engine.files.read
    monkeypatch.setattr(engine.files, "read", lambda name: b"?" if name == "target/1/001" else read(name))
    with pytest.raises(ValueError, match="buffer"):
        engine.tick(LAST)
    assert engine.round_show(2).stage == "resolved"
    assert engine.round_show(1).stage == "closed"
    monkeypatch.undo()
    assert "resolve:1" in engine.tick(LAST)


def test_nobody_pays_in_more_than_stakes_can_be_scored_with() -> None:
    engine = new(MemoryStore(), rounds=1)
    with engine.store.reading() as work:
        room = ledger.ALL_MONEY + work.balance(ledger.EXTERNAL)
    assert refusal(lambda: engine.deposit("whale", room + 1, START, into="wallet:ada")) == "balance_too_large"
    assert engine.deposit("whale", room, START, into="wallet:ada")
    engine.stake_increase("all", "ada", room, START)
    for model in MODELS:
        engine.submit(model, model, upload(1, model), FIRST.open_time)
    hand_in(engine, 1)
    assert "resolve:1" in engine.tick(LAST)
    assert engine.verify(1) == ()


def test_a_target_of_a_day_that_the_round_does_not_have_is_refused() -> None:
    engine = new(MemoryStore(), rounds=1)
    for day in (0, 21):
        truth = dict(zip(IDS, target(1).tolist(), strict=True))
        assert refusal(lambda day=day, truth=truth: engine.set_target(1, day, truth)) == "unknown_day"


# to have one's way with a round


@pytest.mark.parametrize("choice", [(9.0, 9.0), (1e308, 1e308), (-1.0, 0.0)])
def test_a_payout_that_no_rule_offers_is_not_chosen(choice: tuple[float, float]) -> None:
    engine = new(MemoryStore(), rounds=1)
    assert refusal(lambda: engine.choose("ada", choice, START)) == "choice_not_offered"
    assert refusal(lambda: engine.add_model("new", "ada", "new", START, choice=choice)) == "choice_not_offered"


def test_a_round_is_announced_before_it_opens_or_not_at_all() -> None:
    engine = new(MemoryStore(), rounds=0)
    late = FIRST.open_time + HALF_DAY
    assert refusal(lambda: engine.schedule(FIRST, IDS, late)) == "announced_late"
    announced = engine.schedule(FIRST, IDS, FIRST.open_time)
    assert engine.schedule(FIRST, IDS, late) == announced


@pytest.mark.parametrize("value", [b"", b"short", bytes(33)])
def test_a_beacon_is_a_whole_value(value: bytes) -> None:
    engine = new(MemoryStore(), rounds=1, beacon="drand quicknet")
    number = seeds.QUICKNET.first_after(FIRST.close_time)
    assert refusal(lambda: engine.set_beacon(1, number, value, FIRST.resolve_time)) == "bad_beacon"


@pytest.fixture(scope="module")
def honest() -> Evidence:
    engine = new(MemoryStore(), rounds=2, beacon="drand quicknet", metrics=("corr", "mmc2"))
    for number in (1, 2):
        first = seeds.QUICKNET.first_after(weekly(number).close_time)
        engine.set_beacon(number, first, bytes(32), weekly(number).close_time)
    engine.tick(FIRST.close_time)
    engine.submit("late", "ada", upload(9, "ada"), FIRST.close_time + HALF_DAY)
    play(engine, rounds=2)
    return bundles.read(engine.bundle(2))


def forged(honest: Evidence, rewrite: Rewrite, **changed: Any) -> Evidence:
    """The round of an operator who writes the whole log anew, with everything in it agreeing."""
    first = honest.events[0]
    last = Event(first.number - 1, first.at, "before", {}, "", first.previous)
    log = [last]
    for event in honest.events:
        for kind, at, payload in rewrite(event):
            log.append(append(log[-1], at, kind, payload))
    return replace(honest, events=tuple(log[1:]), **changed)


def said(event: Event, **payload: Any) -> tuple[str, datetime, dict[str, Any]]:
    return event.kind, event.at, event.payload | payload


def of(event: Event, kind: str) -> bool:
    return event.kind == kind and event.payload.get("round") == 2


def codes(evidence: Evidence) -> set[str]:
    return {problem.code for problem in verify(evidence)}


def test_a_log_that_is_written_anew_as_it_was_is_proven(honest: Evidence) -> None:
    assert codes(forged(honest, lambda event: [said(event)])) == set()


def test_a_round_that_pays_without_a_final_score_is_not_proven(honest: Evidence) -> None:
    rest = tuple(score for score in honest.scores if not score.final)
    gifts = tuple(replace(payout, owed=COIN, paid=COIN) for payout in honest.payouts)

    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        if of(event, "round.scored") and event.payload["day"] == 21:
            return []
        return [said(event, payouts=digest(gifts)) if of(event, "round.settled") else said(event)]

    assert codes(forged(honest, rewrite, payouts=gifts, scores=rest)) == {"out_of_turn"}


def test_a_round_announced_after_it_opened_is_not_proven(honest: Evidence) -> None:
    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        at = honest.round.close_time if of(event, "round.scheduled") else event.at
        return [(event.kind, at, event.payload)]

    assert codes(forged(honest, rewrite)) == {"announced_late"}


def test_a_file_that_came_after_the_close_and_counts_is_found(honest: Evidence) -> None:
    sent = next(s for s in honest.submissions if s.model == "bob")
    late = replace(sent, received_at=honest.round.close_time)
    others = tuple(late if s is sent else s for s in honest.submissions)

    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        own = event.payload.get("submission") == sent.id
        return [(event.kind, late.received_at if own else event.at, event.payload)]

    assert "wrong_status" in codes(forged(honest, rewrite, submissions=others))


def test_a_file_that_is_backdated_stands_behind_the_close_in_the_log(honest: Evidence) -> None:
    sent = [event for event in honest.events if of(event, "submission.on_time")]

    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        if event in sent:
            return []
        return [said(event), *(map(said, sent) if of(event, "stakes.frozen") else [])]

    assert codes(forged(honest, rewrite)) == {"wrong_status"}


def test_a_file_that_was_on_time_and_is_called_late_is_found(honest: Evidence) -> None:
    sent = next(s for s in honest.submissions if s.status == "on_time")
    others = tuple(replace(s, status="late") if s is sent else s for s in honest.submissions)

    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        own = event.payload.get("submission") == sent.id
        return [("submission.late" if own else event.kind, event.at, event.payload)]

    assert "wrong_status" in codes(forged(honest, rewrite, submissions=others))


def test_stakes_that_are_frozen_when_scores_are_known_are_found(honest: Evidence) -> None:
    frozen = next(event for event in honest.events if of(event, "stakes.frozen"))

    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        if event is frozen:
            return []
        return [said(event), *([said(frozen)] if of(event, "round.scored") else [])]

    assert codes(forged(honest, rewrite)) == {"out_of_turn"}


def restaked(honest: Evidence, at_risk: tuple[AtRisk, ...], payouts: tuple[Payout, ...]) -> Evidence:
    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        if of(event, "stakes.frozen"):
            return [said(event, at_risk=digest(at_risk))]
        return [said(event, payouts=digest(payouts)) if of(event, "round.settled") else said(event)]

    return forged(honest, rewrite, at_risk=at_risk, payouts=payouts)


def test_a_stake_of_somebody_who_sent_nothing_in_is_found(honest: Evidence) -> None:
    """It would lower the payout factor of all others."""
    ghost = AtRisk(2, "zed", COIN, 1.0, 0.0)
    payouts = (*honest.payouts, Payout(2, "zed", COIN, 0.0, 0, 0))
    assert "risk_added" in codes(restaked(honest, (*honest.at_risk, ghost), payouts))


def test_somebody_whose_stake_was_forgotten_is_found(honest: Evidence) -> None:
    assert "risk_missing" in codes(restaked(honest, honest.at_risk[1:], honest.payouts[1:]))


def test_a_choice_that_the_rule_does_not_offer_is_found(honest: Evidence) -> None:
    first, *rest = honest.at_risk
    assert "choice_not_offered" in codes(
        restaked(honest, (replace(first, corr_multiplier=50.0), *rest), honest.payouts)
    )


def test_another_value_of_the_beacon_is_found(honest: Evidence) -> None:
    def rewrite(event: Event) -> list[tuple[str, datetime, dict[str, Any]]]:
        return [said(event, number=event.payload["number"] + 1) if of(event, "beacon.seen") else said(event)]

    assert codes(forged(honest, rewrite)) == {"wrong_beacon"}
