"""What had to happen before what: a log may be unbroken, agree with every number, and still tell of a crooked round.

An operator who writes the log alone can write it as it suits. Here is what no such log may say: a round announced after
it opened, a file counted that came after the close, stakes frozen once scores were known, a final day that was never
scored, somebody at risk who sent nothing in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import Problem
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.evidence import Evidence
from crowdalpha.tournament.money import format_amount
from crowdalpha.tournament.rulesets import NONE, rule_set
from crowdalpha.tournament.scoringday import final_day
from crowdalpha.tournament.seeds import BEACONS

FIX = "do not rely on this round before its operator has explained it"
STEPS = ("round.scheduled", "round.open", "round.close", "stakes.frozen", "round.scored", "round.settled")
REVEALED = "secret.revealed"
SUBMITTED = {"submission.on_time": "on time", "submission.late": "late"}


def astray(evidence: Evidence, custom: Mapping[str, Policy] = NONE) -> Iterator[Problem]:
    """Everything in the log of a round that came too early, too late, or not at all; and stakes that may not be.

    Codes `announced_late`, `out_of_turn`, `wrong_status`, `wrong_beacon`, `risk_missing`, `risk_added`,
    `choice_not_offered`.
    """
    log = [event for event in evidence.events if event.payload.get("round") == evidence.round.number]
    yield from _announced(evidence, log)
    yield from _turns(evidence, log)
    yield from _statuses(evidence, log)
    yield from _beacons(evidence, log)
    yield from _risks(evidence, custom)


def _announced(evidence: Evidence, log: list[Event]) -> Iterator[Problem]:
    opens = evidence.round.open_time
    for event in log:
        if event.kind == "round.scheduled" and event.at > opens:
            expected = f"an announcement by {opens.isoformat()}, when it opens"
            yield Problem("announced_late", expected, event.at.isoformat(), FIX, _round(evidence))


def _turns(evidence: Evidence, log: list[Event]) -> Iterator[Problem]:
    """The first step of the round that is missing, there twice, or out of its turn."""
    days = [f"round.scored, day {day}" for day in range(1, final_day(evidence.round) + 1)]
    expected = [*STEPS[:4], *days, STEPS[5], REVEALED]
    found = [_step(event) for event in log if event.kind in (*STEPS, REVEALED)]
    for wanted, there in zip_longest(expected, found, fillvalue="nothing"):
        if wanted != there:
            yield Problem("out_of_turn", f"{wanted} next in the log", there, FIX, _round(evidence))
            return


def _step(event: Event) -> str:
    return f"{event.kind}, day {event.payload.get('day')}" if event.kind == "round.scored" else event.kind


def _statuses(evidence: Evidence, log: list[Event]) -> Iterator[Problem]:
    """Who was on time is nobody's choice: it follows from when a file came, and that it did before the close."""
    closed = next((event.number for event in log if event.kind == "round.close"), 0)
    for event in log:
        if event.kind in SUBMITTED:
            on_time = evidence.round.accepts(event.at) and event.number < closed
            expected, found = ("on time" if on_time else "late"), SUBMITTED[event.kind]
            if expected != found:
                yield Problem("wrong_status", expected, found, FIX, f"submission {event.payload.get('submission')}")


def _beacons(evidence: Evidence, log: list[Event]) -> Iterator[Problem]:
    beacon = BEACONS.get(evidence.round.beacon)
    for event in log:
        if beacon is not None and event.kind == "beacon.seen":
            expected, found = beacon.first_after(evidence.round.close_time), event.payload.get("number")
            if found != expected:
                said = f"value {expected} of {beacon.name}, the first after the close"
                yield Problem("wrong_beacon", said, f"value {found}", FIX, _round(evidence))


def _risks(evidence: Evidence, custom: Mapping[str, Policy]) -> Iterator[Problem]:
    """At risk is who sent a file in on time and is no benchmark, by a choice that the rule offers."""
    plays = {s.model for s in evidence.submissions if s.status == "on_time"} - set(evidence.benchmarks)
    frozen = {risk.model: risk for risk in evidence.at_risk}
    offered = rule_set(evidence.round.rule, custom).policy.choices
    for model in sorted(plays - frozen.keys()):
        yield Problem("risk_missing", "what it had at risk", "no record", FIX, f"stake at risk of {model}")
    for model, risk in sorted(frozen.items()):
        where, choice = f"stake at risk of {model}", (risk.corr_multiplier, risk.mmc_multiplier)
        if risk.amount and model not in plays:
            yield Problem("risk_added", "0 without a submission on time", format_amount(risk.amount), FIX, where)
        if offered and choice not in offered:
            yield Problem("choice_not_offered", f"one of {offered}", f"{choice}", FIX, where)


def _round(evidence: Evidence) -> str:
    return f"round {evidence.round.number}"
