"""What came of submissions: scores day by day, rounds, payouts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crowdalpha.server.graphql.asked import Asked, answers, late
from crowdalpha.server.graphql.fields.rounds import TARGET, VERSION, factor_of, first_score, id_of, most, paid_on
from crowdalpha.server.graphql.scalars import number
from crowdalpha.server.results import Performance, ScoreRow
from crowdalpha.tournament.records import Model
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout

MOST = 20_000
"""Scores of one answer."""
LAST = 4000


@answers("Query.submissionScores")
def submission_scores(
    asked: Asked,
    model_id: str,
    display_name: str | None = None,
    version: str | None = None,
    day: int | None = None,
    resolved: bool | None = None,
    last_n_rounds: int | None = None,
    distinct_on_round: bool | None = None,
) -> list[dict[str, Any]]:
    """Scores of a model, newest first; only those of the newest day of each round if they shall be distinct."""
    rows = asked.service.results.scores(
        asked.who,
        model_id,
        metric=display_name,
        resolved=resolved,
        latest=bool(distinct_on_round),
        last_rounds=None if last_n_rounds is None else most(last_n_rounds, LAST),
    )
    fitting = [row for row in rows if (day is None or row.score.day == day) and version in (None, VERSION)]
    counted = asked.service.standings.counted(model_id)
    return [_score(asked, row, counted.get(row.score.round)) for row in fitting[:MOST]]


def _score(asked: Asked, row: ScoreRow, submission: str | None) -> dict[str, Any]:
    round = row.state.round
    return {
        "roundId": id_of(asked, round.number),
        "submissionId": submission,
        "roundNumber": round.number,
        "roundResolveTime": round.resolve_time,
        "roundScoreTime": first_score(round),
        "roundCloseStakingTime": round.close_time,
        "value": number(row.score.value),
        "percentile": row.percentile,
        "displayName": row.score.metric,
        "version": VERSION,
        "date": row.at,
        "day": row.score.day,
        "resolveDate": round.resolve_time,
        "resolved": row.resolved,
    }


@answers("Query.v2RoundModelPerformances")
def performances(asked: Asked, model_id: str) -> list[dict[str, Any]]:
    """How a model did, round by round, newest first."""
    done = asked.service.results.performances(asked.who, model_id, latest=False)
    return [_performance(asked, one) for one in done[:LAST]]


def _performance(asked: Asked, one: Performance) -> dict[str, Any]:
    state, round, risk = one.state, one.state.round, one.at_risk
    newest = max((row.score.day for row in one.scores), default=0)
    chosen = (risk.corr_multiplier, risk.mmc_multiplier) if risk else (None, None)
    return {
        "roundId": id_of(asked, round.number),
        "roundNumber": round.number,
        "roundOpenTime": round.open_time,
        "roundCloseTime": round.close_time,
        "roundResolveTime": round.resolve_time,
        "roundResolved": state.progress.stage is Stage.RESOLVED,
        "roundTarget": TARGET,
        "roundPayoutFactor": late(lambda: factor_of(asked, state)),
        "atRisk": risk.amount if risk else None,
        "corrMultiplier": chosen[0],
        "mmcMultiplier": chosen[1],
        "payoutMultipliers": [_multiplier(asked, round, *pair) for pair in zip(paid_on(round), chosen, strict=False)],
        "submissionScores": _paid_scores(one, (row for row in one.scores if row.score.day == newest)),
        "intraRoundSubmissionScores": _paid_scores(one, one.scores),
    }


def _multiplier(asked: Asked, round: Round, metric: str, multiplier: float | None) -> dict[str, Any]:
    return {
        "id": f"{id_of(asked, round.number)}-{metric}",
        "scoreConfigId": f"{metric}-{VERSION}",
        "name": metric,
        "version": VERSION,
        "displayName": metric,
        "multiplier": number(multiplier),
    }


def _paid_scores(one: Performance, rows: Iterable[ScoreRow]) -> list[dict[str, Any]]:
    """Scores; the payout of the round stands with one of them, the final one of the first metric that is paid on."""
    bearer = next(iter(paid_on(one.state.round)), None)
    return [
        {
            "date": row.at,
            "day": row.score.day,
            "displayName": row.score.metric,
            "payoutPending": None,
            "payoutSettled": one.payout.paid if one.payout and row.score.final and row.score.metric == bearer else None,
            "percentile": row.percentile,
            "value": number(row.score.value),
        }
        for row in rows
    ]


@answers("Query.pendingModelPayouts")
def model_payouts(asked: Asked) -> dict[str, Any]:
    """What rounds have paid, and which ones will."""
    paid = asked.service.people.payouts(asked.who)
    return {
        "actual": [_payout(asked, one.round, one.model, one.payout) for one in paid[:MOST]],
        "pending": late(lambda: _pending(asked)),
    }


def _pending(asked: Asked) -> list[dict[str, Any]]:
    """The rounds that are not over and in which a model has something at risk."""
    return [
        _payout(asked, one.state.round, shown.model, None)
        for shown in asked.service.models.mine(asked.who)
        for one in asked.service.results.performances(asked.who, shown.model.id)
        if one.payout is None and one.at_risk is not None and one.at_risk.amount
    ]


def _payout(asked: Asked, round: Round, model: Model, payout: Payout | None) -> dict[str, Any]:
    return {
        "roundId": id_of(asked, round.number),
        "roundNumber": round.number,
        "roundResolveTime": round.resolve_time,
        "modelId": model.id,
        "modelName": model.name,
        "modelDisplayName": model.name,
        "payoutNmr": payout.paid if payout else None,
    }
