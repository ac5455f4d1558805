"""Scores, performances and the leaderboard: public."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Serving, Some, Who, next_link
from crowdalpha.server.rest.tournaments import known
from crowdalpha.server.results import Performance, ScoreRow
from crowdalpha.tournament.ledger import stake

routes = APIRouter(route_class=Told, tags=["results"])
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
Number = Annotated[int | None, Query(ge=1, le=10**9)]


@routes.get(
    "/models/{model}/scores",
    response_model=shapes.Page[shapes.ScoreOut],
    responses={200: {"content": {CSV: {}, PARQUET: {}}, "description": "Scores, in the form that Accept names."}},
)
def list_scores(
    model: str,
    service: Serving,
    who: Who,
    some: Some,
    request: Request,
    response: Response,
    metric: Annotated[str | None, Query(max_length=60)] = None,
    round_gte: Number = None,
    round_lte: Number = None,
    resolved: bool | None = None,
    latest: bool = False,
) -> Any:
    """The scores of a model, newest first; as CSV or Parquet all at once."""
    rounds = (round_gte or 1, round_lte or 10**9)
    rows = service.results.scores(who, model, metric=metric, rounds=rounds, resolved=resolved, latest=latest)
    accept = request.headers.get("accept", "")
    if CSV in accept or PARQUET in accept:
        return _file([_score(row).model_dump(mode="json") for row in rows], CSV if CSV in accept else PARQUET)
    items, cursor = some.of(rows, lambda row: [row.score.round, row.score.day, row.score.metric])
    next_link(request, response, cursor)
    return shapes.Page[shapes.ScoreOut](items=[_score(row) for row in items], next_cursor=cursor)


@routes.get("/models/{model}/performances")
def list_performances(
    model: str, service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.PerformanceOut]:
    """How a model did in each round: its newest scores, what it had at risk, what it was paid; newest first."""
    items, cursor = some.of(service.results.performances(who, model), lambda one: [one.state.round.number])
    next_link(request, response, cursor)
    shown = [_performance(one, one.state.stage(who.now).value) for one in items]
    return shapes.Page[shapes.PerformanceOut](items=shown, next_cursor=cursor)


@routes.get("/tournaments/{tournament}/leaderboard")
def show_leaderboard(
    tournament: int,
    service: Serving,
    who: Who,
    some: Some,
    request: Request,
    response: Response,
    metric: Annotated[str, Query(max_length=60)] = "mmc2",
    by: Literal["model", "account"] = "model",
    method: Annotated[str, Query(max_length=60)] = "mean",
    days: Annotated[int, Query(ge=0, le=36500, description="Rounds resolved in so many days; 0 for all.")] = 365,
) -> shapes.LeaderboardOut:
    """Models, or accounts by their stakes, ranked by a metric, best first."""
    known(service, tournament)
    window = timedelta(days=days) if days else None
    board = service.results.leaderboard(who, metric, method=method, window=window, by_account=by == "account")
    items, cursor = some.of(board.lines, lambda line: [line.name])
    next_link(request, response, cursor)
    models, accounts = service.results.names()
    with service.engine.store.reading() as work:
        staked = work.balances("stake:")
    if by == "account":
        held = {
            name: sum(staked.get(stake(m.id), 0) for m in models.values() if m.account == name) for name in accounts
        }
        called = {id: account.name for id, account in accounts.items()}
    else:
        held = {id: staked.get(stake(id), 0) for id in models}
        called = {id: model.name for id, model in models.items()}
    lines = [
        shapes.LineOut(
            id=line.name,
            name=called.get(line.name, line.name),
            rank=line.rank,
            value=line.value,
            low=line.low,
            high=line.high,
            best_rank=line.best_rank,
            worst_rank=line.worst_rank,
            scored=line.scored,
            missed=line.missed,
            stake=held.get(line.name, 0),
            benchmark=line.name in board.benchmarks,
        )
        for line in items
    ]
    return shapes.LeaderboardOut(
        metric=board.metric,
        method=board.method,
        by=by,
        first_round=min(board.rounds, default=None),
        last_round=max(board.rounds, default=None),
        rounds=list(board.rounds),
        lines=lines,
        equals=[(pair.one, pair.other) for pair in board.equals],
        next_cursor=cursor,
    )


def _score(row: ScoreRow) -> shapes.ScoreOut:
    score = row.score
    return shapes.ScoreOut(
        round=score.round,
        day=score.day,
        date=row.at,
        metric=score.metric,
        value=score.value,
        percentile=row.percentile,
        final=score.final,
        resolved=row.resolved,
    )


def _performance(one: Performance, stage: Any) -> shapes.PerformanceOut:
    risk, payout, round = one.at_risk, one.payout, one.state.round
    return shapes.PerformanceOut(
        round=round.number,
        stage=stage,
        open_time=round.open_time,
        resolve_time=round.resolve_time,
        at_risk=risk.amount if risk else None,
        corr_multiplier=risk.corr_multiplier if risk else None,
        mmc_multiplier=risk.mmc_multiplier if risk else None,
        paid=payout.paid if payout else None,
        scores=[_score(row) for row in one.scores],
    )


def _file(rows: list[dict[str, Any]], kind: str) -> Response:
    """Rows as a file."""
    if kind == CSV:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(shapes.ScoreOut.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return Response(text.getvalue(), media_type=CSV)
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = {"round": pa.int64(), "day": pa.int64(), "date": pa.string(), "metric": pa.string()}
    fields |= {"value": pa.float64(), "percentile": pa.float64(), "final": pa.bool_(), "resolved": pa.bool_()}
    into = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(list(fields.items()))), into)
    return Response(into.getvalue().to_pybytes(), media_type=PARQUET)
