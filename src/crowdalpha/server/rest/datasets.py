"""/tournaments/{tournament}/datasets: files to work with, public."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Serving, Some, Who, next_link
from crowdalpha.server.rest.tournaments import known

routes = APIRouter(route_class=Told, tags=["datasets"], prefix="/tournaments/{tournament}/datasets")
Number = Annotated[int | None, Query(ge=1, le=10**9, description="Only what belongs to this round, or to none.")]
LINKED: dict[int | str, dict[str, Any]] = {302: {"description": "A link to the file, good for an hour."}}


@routes.get("")
def list_datasets(
    tournament: int,
    service: Serving,
    who: Who,
    some: Some,
    request: Request,
    response: Response,
    round: Number = None,
) -> shapes.Page[str]:
    """The names of all files, by name."""
    known(service, tournament)
    items, cursor = some.of(service.datasets.names(who, round), lambda name: [name])
    next_link(request, response, cursor)
    return shapes.Page[str](items=items, next_cursor=cursor)


@routes.get("/{name:path}", response_model=shapes.DatasetOut, responses=LINKED)
def show_dataset(
    tournament: int,
    name: str,
    service: Serving,
    who: Who,
    request: Request,
    round: Number = None,
    redirect: Annotated[bool, Query(description="False: say where it is and what it is, and do not go there.")] = True,
) -> Any:
    """A file: goes to a link from which it can be read, whole or from where one stopped, for an hour."""
    known(service, tournament)
    base = service.settings.server.url or str(request.base_url).rstrip("/")
    link = service.downloads.dataset(who, name, base, round)
    if redirect:
        return RedirectResponse(link.url, 302, {"Cache-Control": "no-store"})
    size, sha256 = service.datasets.fingerprint(who, name, round)
    return shapes.DatasetOut(name=name, filename=link.filename, url=link.url, size=size, sha256=sha256)
