"""The pages of rounds: all of them, and one."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from crowdalpha.server.callers import anybody
from crowdalpha.server.charts import Column
from crowdalpha.server.pages.render import answer, chart_file, csv_file, download
from crowdalpha.server.pages.route import not_found, pages
from crowdalpha.server.pages.visitors import door_of, member, now_of
from crowdalpha.server.views.rounds import RoundView, promises, round_view, running

router = pages()
PAGE = 50
"""Rounds that are listed at once."""


@router.get("/rounds")
def all_rounds(request: Request, page: int = 1) -> Response:
    """All rounds, the newest first."""
    door, now = door_of(request), now_of(request)
    numbers = [promise.round.number for promise in promises(door.service.engine)]
    n_pages = max(1, -(-len(numbers) // PAGE))
    page = min(max(page, 1), n_pages)
    open, coming = running(door.service.engine, now)
    shown = [_view(request, number) for number in numbers[(page - 1) * PAGE : page * PAGE]]
    return answer(request, "rounds.html", views=shown, page=page, pages=n_pages, open=open, coming=coming)


@router.get("/rounds/{number:int}")
def one_round(request: Request, number: int) -> Response:
    """A round: where it stands, and what everybody scored so far, and was paid once it is resolved."""
    view = _view(request, number)
    return not_found(request) if view is None else answer(request, "round.html", view=view, base=f"/rounds/{number}")


@router.get("/rounds/{number:int}/ids.csv")
def ids(request: Request, number: int) -> Response:
    """The ids of a round that has opened, with a prediction of 0.5 for each: a file to start from."""
    service = door_of(request).service
    universe = service.rounds.universe(anybody(now_of(request)), number)
    headers = service.settings.rules.headers
    columns = (Column(headers.ids[0]), Column(headers.predictions[0]))
    lines = [",".join(column.name for column in columns), *(f"{_quoted(id)},0.5" for id in universe)]
    return download(f"round-{number}.csv", "\n".join(lines) + "\n", "text/csv; charset=utf-8")


@router.get("/rounds/{number:int}/models.csv")
def models(request: Request, number: int) -> Response:
    """What every model of a round scored, provisionally until it is resolved, and was paid."""
    view = _view(request, number)
    return not_found(request) if view is None else csv_file(f"round-{number}-models", *view.table)


@router.get("/rounds/{number:int}/shares/{model}.zip")
def share(request: Request, number: int, model: str) -> Response:
    """A participant's proof of a resolved round, for the owner of the model."""
    service = door_of(request).service
    own = service.models.own(member(request).caller, model)
    content = service.engine.bundle_for(number, own.id)
    return download(f"round-{number}-{own.name}.zip", content, "application/zip")


@router.get("/rounds/{number:int}/{name}.{kind}")
def chart(request: Request, number: int, name: str, kind: str) -> Response:
    """One of a round's charts as a file."""
    view = _view(request, number)
    if view is None:
        return not_found(request)
    return chart_file(view.charts, name, kind, f"round-{number}") or not_found(request)


def _view(request: Request, number: int) -> RoundView | None:
    door = door_of(request)
    return round_view(door.service.engine, door.memory, number, now_of(request))


def _quoted(id: str) -> str:
    """An id as a cell of a CSV, letter by letter: it has to come back as it is."""
    return '"' + id.replace('"', '""') + '"' if any(c in id for c in ',"\r\n') else id
