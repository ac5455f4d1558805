"""Rounds, and what the clock did on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from crowdalpha.payouts import payout_factor
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.graphql.asked import Asked, answers, late
from crowdalpha.server.rounds import RoundState
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import RuleSet, rule_set

MOST = 4000
"""Rounds of one answer."""
TARGET = "target"
VERSION = "v1"
STATUS = {
    "UPCOMING": (Stage.SCHEDULED,),
    "OPEN": (Stage.OPEN,),
    "RESOLVING": (Stage.CLOSED, Stage.SCORING),
    "RESOLVED": (Stage.RESOLVED,),
}
CURRENT = 0


@answers("Query.tournaments")
def tournaments(asked: Asked) -> list[dict[str, Any]]:
    """The one that is here."""
    settings = asked.service.settings
    return [{"name": settings.server.tournament, "tournament": asked.number, "active": True}]


@answers("Query.rounds")
def rounds(
    asked: Asked,
    number: int | None = None,
    target: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Rounds, newest first; the current one for number 0."""
    if number == CURRENT:
        return [shown(asked, asked.service.rounds.current(asked.who))]
    states = asked.service.rounds.all(asked.who)
    found = [state for state in states if number is None or state.round.number == number]
    if status is not None:
        found = [state for state in found if state.stage(asked.who.now) in STATUS[status]]
    kept = found if target in (None, TARGET) else []
    return [shown(asked, state) for state in kept[: most(limit)]]


def most(limit: int | None, highest: int = MOST) -> int:
    """How many items are wanted, no more than there may be."""
    return highest if limit is None else max(0, min(limit, highest))


def id_of(asked: Asked, number: int) -> str:
    """A name that the round has among those of all tournaments."""
    return f"{asked.number}-{number}"


def shown(asked: Asked, state: RoundState) -> dict[str, Any]:
    """A round."""
    round, over = state.round, state.progress.stage is Stage.RESOLVED
    rule = rule_of(round)
    told = {
        "id": id_of(asked, round.number),
        "tournament": asked.number,
        "number": round.number,
        "target": TARGET,
        "openTime": round.open_time,
        "closeTime": round.close_time,
        "closeStakingTime": round.close_time,
        "scoreTime": first_score(round),
        "resolveTime": round.resolve_time,
        "resolvedGeneral": over,
        "resolvedStaking": over,
        "payoutFactor": late(lambda: factor_of(asked, state)),
        "stakeThreshold": rule.threshold if rule else None,
        "dataDatestamp": int(round.open_time.strftime("%Y%m%d")),
        "roundScoreConfigs": [_config(asked, state, rule, metric) for metric in round.metrics],
    }
    return told | _multipliers(rule, 0, "Corr") | _multipliers(rule, 1, "Mmc")


def first_score(round: Round) -> datetime:
    """When a round is scored for the first time."""
    return round.scoring_times[0] if round.scoring_times else round.resolve_time


def rule_of(round: Round) -> RuleSet | None:
    """What a round is paid by; None for a rule of the operator's own."""
    try:
        return rule_set(round.rule)
    except InputError:
        return None


def factor_of(asked: Asked, state: RoundState) -> float | None:
    """The payout factor of a round; None before it has closed, when what is at risk can still change."""
    rule = rule_of(state.round)
    if rule is None or state.progress.stage in (Stage.SCHEDULED, Stage.OPEN):
        return None
    if rule.threshold is None:
        return 1.0
    at_risk = asked.service.rounds.overview(asked.who, state.round.number).at_risk
    return float(payout_factor(at_risk / UNITS, rule.threshold))


def paid_on(round: Round) -> tuple[str, ...]:
    """The metrics that a round pays on, CORR first."""
    rule = rule_of(round)
    return (rule.corr, rule.mmc) if rule else ()


def _multipliers(rule: RuleSet | None, place: int, name: str) -> dict[str, float | None]:
    choices = [choice[place] for choice in rule.policy.choices] if rule else []
    if not choices:
        return {}
    return {
        f"min{name}Multiplier": min(choices),
        f"max{name}Multiplier": max(choices),
        f"default{name}Multiplier": choices[0],
    }


def _config(asked: Asked, state: RoundState, rule: RuleSet | None, metric: str) -> dict[str, Any]:
    """One metric of a round, as a thing of its own."""
    round, paid = state.round, paid_on(state.round)
    place = paid.index(metric) if metric in paid else None
    bounds = _multipliers(rule, place, "") if place is not None else {}
    return {
        "id": f"{id_of(asked, round.number)}-{metric}",
        "scoreConfigId": f"{metric}-{VERSION}",
        "roundNumberStart": round.number,
        "roundNumberEnd": round.number,
        "name": metric,
        "version": VERSION,
        "displayName": metric,
        "totalScoreDays": len(round.scoring_times),
        "isCanonScore": metric in paid,
        "isPayout": place is not None,
        "scoringStart": first_score(round),
        "scoringEnd": round.resolve_time,
        "minMultiplier": bounds.get("minMultiplier"),
        "maxMultiplier": bounds.get("maxMultiplier"),
        "defaultMultiplier": bounds.get("defaultMultiplier"),
        "clipThreshold": getattr(rule.policy, "clip", None) if rule and place is not None else None,
        "stakeThreshold": rule.threshold if rule else None,
        "payoutFactor": late(lambda: factor_of(asked, state)),
    }


@answers("Query.pipelineStatus")
def pipeline_status(asked: Asked, date: str | None = None) -> dict[str, Any]:
    """When rounds were opened, scored and resolved on a day."""
    day = asked.who.now.date() if date is None else _day(date)
    states = asked.service.rounds.all(asked.who)
    opened = _on(day, (state.round.open_time for state in states if state.stage(asked.who.now) is not Stage.SCHEDULED))
    scoring = _on(day, (time for state in states for time in state.round.scoring_times))
    scored = _on(day, (time for state in states for time in _scored(state)))
    over = [state.round.resolve_time for state in states if state.progress.stage is Stage.RESOLVED]
    return {
        "tournament": asked.service.settings.server.tournament,
        "isScoringDay": bool(scoring),
        "dataReadyAt": min(opened, default=None),
        "startedAt": min(scoring, default=None),
        "scoredAt": max(scored, default=None),
        "resolvedAt": max(_on(day, over), default=None),
    }


def _scored(state: RoundState) -> Iterable[datetime]:
    return (state.round.scoring_times[day - 1] for day in state.progress.scored_days if day)


def _on(day: date, times: Iterable[datetime]) -> list[datetime]:
    return [time for time in times if time.date() == day]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            Problem("bad_date", "a day such as 2026-01-31", ascii(text)[:40], "correct it", "date")
        ) from None
