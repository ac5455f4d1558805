"""The page of a model."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from crowdalpha.server.callers import anybody
from crowdalpha.server.pages.render import answer, chart_file
from crowdalpha.server.pages.route import not_found, pages
from crowdalpha.server.pages.visitors import door_of, now_of, visitor_of
from crowdalpha.server.views.boards import leaders
from crowdalpha.server.views.models import model_view
from crowdalpha.server.views.residuals import residual

router = pages()


@router.get("/models/{id}")
def model(request: Request, id: str) -> Response:
    """A model: its scores in resolved rounds, what it earned and burned, how it lies to the metamodel."""
    door, visitor = door_of(request), visitor_of(request)
    engine = door.service.engine
    view = model_view(engine, id)
    if view is None:
        return not_found(request)
    board = leaders(engine, door.memory, now_of(request))
    return answer(
        request,
        "model.html",
        view=view,
        board=board,
        base=f"/models/{view.model.id}",
        line=next((line for line in board.lines if line.id == id), None),
        profile=door.service.models.one(anybody(now_of(request)), id).profile,
        residual=residual(engine, door.memory, view),
        own=visitor is not None and visitor.caller.account == view.account.id,
    )


@router.get("/models/{id}/{name}.{kind}")
def chart(request: Request, id: str, name: str, kind: str) -> Response:
    """One of a model's charts as a file."""
    view = model_view(door_of(request).service.engine, id)
    if view is None:
        return not_found(request)
    return chart_file(view.charts, name, kind, view.model.name) or not_found(request)
