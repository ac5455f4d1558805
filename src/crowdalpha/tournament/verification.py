"""Proof: a round is computed again from its evidence, and whatever differs is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament.digests import digest, digest_of
from crowdalpha.tournament.events import Event, Head, first_break_after
from crowdalpha.tournament.evidence import Evidence, numbers_of, settle
from crowdalpha.tournament.money import format_amount
from crowdalpha.tournament.records import Score, Submission
from crowdalpha.tournament.rulesets import NONE
from crowdalpha.tournament.scoringday import Scored, final_day, score_day, score_records
from crowdalpha.tournament.seeds import commitment
from crowdalpha.tournament.sequence import astray

FIX = "do not rely on this round before its operator has explained it"
WIDTHS = {"amount", "at_risk", "owed", "paid"}


def verify(evidence: Evidence, custom: Mapping[str, Policy] = NONE) -> tuple[Problem, ...]:
    """All that differs between what a round's evidence says and what follows from it; nothing if it is proven.

    Checked are the chain of the log; that the round, its ids and its secret are those that were announced before it
    opened; that every submission, and nothing else, is the one that was received; that stakes, targets, scores and
    payouts are those that were logged; that everything happened in its turn; and, from these, every score of every day
    and every payout, to the bit.

    `custom` are payout policies that are not ours, by name. Numbers that differ come first, each by its name: a metric
    of a model on a day, a payout, a stake.
    """
    found = [
        problem
        for check in (_chain, _announcement, _beacon, _submissions, _stakes, _targets, _settled)
        for problem in check(evidence)
    ]
    numbers: list[Problem] = []
    try:
        found += astray(evidence, custom)
        numbers += _numbers(evidence, custom)
    except (InputError, ValueError, IndexError, KeyError) as error:
        numbers.append(Problem("not_computable", "evidence to compute from", str(error)[:200], FIX, _round(evidence)))
    return (*numbers, *found)


def _chain(evidence: Evidence) -> Iterator[Problem]:
    if not evidence.events:
        yield Problem("log_missing", "the log of the round", "no event", FIX, _round(evidence))
        return
    first = evidence.events[0]
    broken = first_break_after(Head(first.number - 1, first.previous), evidence.events)
    if broken:
        yield broken


def _announcement(evidence: Evidence) -> Iterator[Problem]:
    round = evidence.round
    said = _event(evidence, "round.scheduled")
    yield from _same("round_changed", "the round", said.get("record"), digest([round]))
    yield from _same("universe_changed", "the universe", round.universe, _sha(evidence.universe))
    yield from _same("features_changed", "the features", round.features, _sha(evidence.features))
    for name, promised in (("promised", round.commitment), ("announced", str(said.get("commitment")))):
        yield from _same("secret_changed", f"the secret that was {name}", promised, commitment(evidence.secret))
    yield from _same(
        "secret_changed", "the secret", _event(evidence, "secret.revealed").get("secret"), evidence.secret.hex()
    )


def _beacon(evidence: Evidence) -> Iterator[Problem]:
    if evidence.round.beacon or evidence.beacon:
        said = _event(evidence, "beacon.seen").get("value")
        yield from _same("beacon_changed", "the beacon", said, evidence.beacon.hex())


def _submissions(evidence: Evidence) -> Iterator[Problem]:
    """Each that was received is there as it came, and none beside."""
    received = {
        event.payload["submission"]: event for event in _events(evidence, "submission.on_time", "submission.late")
    }
    kept = {submission.id: submission for submission in evidence.submissions}
    for id in sorted(received.keys() - kept.keys()):
        yield Problem("submission_missing", "every submission that was received", "none", FIX, f"submission {id}")
    for id, submission in sorted(kept.items()):
        if id not in received:
            yield Problem("submission_added", "only what was received", "another", FIX, f"submission {id}")
        else:
            yield from _submission(submission, received[id], evidence.ranks.get(submission.predictions, b""))


def _submission(submission: Submission, event: Event, ranks: bytes) -> Iterator[Problem]:
    where = f"predictions of {submission.model}, submission {submission.id}"
    yield from _same("predictions_changed", where, event.payload["ranks"], sha256(ranks).hexdigest())
    found = (submission.model, submission.content_hash, f"submission.{submission.status}", submission.received_at)
    said = (event.payload["model"], event.payload["file"], event.kind, event.at)
    yield from _same("submission_changed", f"submission {submission.id}", said, found)


def _stakes(evidence: Evidence) -> Iterator[Problem]:
    said = _event(evidence, "stakes.frozen").get("at_risk")
    yield from _same("stakes_changed", "the stakes at risk", said, digest(evidence.at_risk))


def _targets(evidence: Evidence) -> Iterator[Problem]:
    for event in _events(evidence, "round.scored"):
        day = event.payload["day"]
        found = _sha(evidence.targets.get(day, b""))
        yield from _same("target_changed", f"the target of {_day(evidence, day)}", event.payload["target"], found)
        scores = [score for score in evidence.scores if score.day == day]
        said, where = event.payload["scores"], f"the scores of {_day(evidence, day)}"
        yield from _same("scores_changed", where, said, digest(scores))
        if day == final_day(evidence.round):
            said = event.payload["benchmarks"]
            yield from _same("benchmarks_changed", "the benchmarks", said, sorted(evidence.benchmarks))


def _settled(evidence: Evidence) -> Iterator[Problem]:
    said = _event(evidence, "round.settled")
    yield from _same("payouts_changed", "the payouts", said.get("payouts"), digest(evidence.payouts))
    yield from _same("past_changed", "the scores of earlier rounds", said.get("past"), digest(evidence.past))
    if any(payout.paid for payout in evidence.payouts):
        found = digest_of(evidence.balances)
        yield from _same("balances_changed", "the balances before the settlement", said.get("balances"), found)


def _numbers(evidence: Evidence, custom: Mapping[str, Policy]) -> Iterator[Problem]:
    """Every number that comes out differently, in the order in which they came about."""
    round, last = evidence.round, final_day(evidence.round)
    scored: Scored | None = None
    yield from _stake_differences(evidence)
    for day in sorted({event.payload["day"] for event in _events(evidence, "round.scored")}):
        scored = score_day(evidence.inputs, day, numbers_of(evidence.targets[day]))
        kept = [score for score in evidence.scores if score.day == day]
        yield from _differences(_score_name(evidence), score_records(round, day, scored), kept)
    if scored is not None and any(score.final for score in evidence.scores) and last in evidence.targets:
        settled = settle(
            round,
            evidence.at_risk,
            scored,
            evidence.past,
            round.resolve_time,
            balances=evidence.balances,
            custom=custom,
        )
        yield from _differences(lambda payout: f"payout of {payout.model}", settled.payouts, evidence.payouts)


def _stake_differences(evidence: Evidence) -> Iterator[Problem]:
    """Stakes that are not what was paid on."""
    amounts = {risk.model: risk.amount for risk in evidence.at_risk}
    for payout in evidence.payouts:
        if amounts.get(payout.model) != payout.at_risk:
            risk = "nothing" if payout.model not in amounts else format_amount(amounts[payout.model])
            where = f"stake at risk of {payout.model}"
            yield Problem("number_differs", format_amount(payout.at_risk), risk, FIX, where)


def _differences(name: Callable[[Any], str], computed: Iterable[Any], kept: Iterable[Any]) -> Iterator[Problem]:
    """Records that differ in any field, by name: computed again and as kept."""
    expected, found = ({name(record): record for record in records} for records in (computed, kept))
    for where in [*expected, *sorted(found.keys() - expected.keys())]:
        one, other = expected.get(where), found.get(where)
        if repr(one) != repr(other):
            yield Problem("number_differs", *_values(one, other), FIX, where)


def _values(one: Any, other: Any) -> tuple[str, str]:
    """The field in which two records differ, of each, in words."""
    if one is None or other is None:
        return ("nothing", "a record") if one is None else ("a record", "nothing")
    differ = next(f.name for f in fields(one) if repr(getattr(one, f.name)) != repr(getattr(other, f.name)))
    show: Callable[[Any], str] = format_amount if differ in WIDTHS else repr
    label = "" if isinstance(one, Score) and differ == "value" else f"{differ} "
    return f"{label}{show(getattr(one, differ))}", f"{label}{show(getattr(other, differ))}"


def _score_name(evidence: Evidence) -> Callable[[Score], str]:
    return lambda score: f"{score.metric} of {score.model} on {_day(evidence, score.day)}"


def _events(evidence: Evidence, *kinds: str) -> list[Event]:
    """The events of this round of some kinds, in order."""
    number = evidence.round.number
    return [event for event in evidence.events if event.kind in kinds and event.payload.get("round") == number]


def _event(evidence: Evidence, kind: str) -> Mapping[str, Any]:
    """What the first event of a kind says of this round."""
    return next((event.payload for event in _events(evidence, kind)), {})


def _same(code: str, where: str, said: object, found: object) -> Iterator[Problem]:
    if said != found:
        yield Problem(code, f"what was logged, {said}", f"{found}", FIX, where)


def _sha(content: bytes) -> str:
    """The SHA-256 of a file, "" for one that is not there."""
    return sha256(content).hexdigest() if content else ""


def _day(evidence: Evidence, day: int) -> str:
    return "the final day" if day == final_day(evidence.round) else f"day {day}"


def _round(evidence: Evidence) -> str:
    return f"round {evidence.round.number}"
