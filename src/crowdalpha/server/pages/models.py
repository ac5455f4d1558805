"""The page of a model."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from crowdalpha.server.callers import anybody
from crowdalpha.server.charts import Chart
from crowdalpha.server.pages.render import answer, chart_file
from crowdalpha.server.pages.route import not_found, pages
from crowdalpha.server.pages.visitors import door_of, member, now_of, visitor_of
from crowdalpha.server.views.boards import leaders
from crowdalpha.server.views.days import days_of
from crowdalpha.server.views.exposures import exposed
from crowdalpha.server.views.models import ModelView, model_view
from crowdalpha.server.views.residuals import residual
from crowdalpha.server.views.stakes import stake_plan

router = pages()
FILES = {"days", "exposures", "residual"}
"""Charts beside those of the rounds that are over."""


@router.get("/models/{id}")
def model(request: Request, id: str) -> Response:
    """A model: its scores, what it earned and burned, how it lies to the metamodel and to the features."""
    door, who = door_of(request), anybody(now_of(request))
    engine = door.service.engine
    view = model_view(engine, id)
    if view is None:
        return not_found(request)
    board, own = leaders(engine, door.memory, now_of(request)), _owns(request, view)
    return answer(
        request,
        "model.html",
        view=view,
        board=board,
        base=f"/models/{view.model.id}",
        line=next((line for line in board.lines if line.id == id), None),
        profile=door.service.models.one(who, id).profile,
        days=days_of(door.service.results, who, id),
        exposure=exposed(engine, door.memory, view),
        residual=residual(engine, door.memory, view),
        own=own,
        plan=stake_plan(view) if own else None,
    )


@router.get("/models/{id}/{name}.{kind}")
def chart(request: Request, id: str, name: str, kind: str) -> Response:
    """One of a model's charts as a file."""
    view = model_view(door_of(request).service.engine, id)
    if view is None:
        return not_found(request)
    charts = _beside(request, view, name) if name in FILES else view.charts
    return chart_file(charts, name, kind, view.model.name) or not_found(request)


def _beside(request: Request, view: ModelView, name: str) -> tuple[Chart, ...]:
    """A chart that is computed only where it is asked for."""
    door = door_of(request)
    if name == "days":
        return days_of(door.service.results, anybody(now_of(request)), view.model.id).charts
    if name == "exposures":
        member(request)
        shown = exposed(door.service.engine, door.memory, view) if _owns(request, view) else None
        return () if shown is None else (shown.chart,)
    found = residual(door.service.engine, door.memory, view)
    return () if found is None else (found.chart,)


def _owns(request: Request, view: ModelView) -> bool:
    """Whether who looks is the model's owner."""
    visitor = visitor_of(request)
    return visitor is not None and visitor.caller.account == view.account.id
