"""Diagnosing: a file of past eras, looked at in its turn, and what was found in it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from crowdalpha.server.catalogue import refusal
from crowdalpha.server.pages.render import answer, chart_file
from crowdalpha.server.pages.route import found as found_problems
from crowdalpha.server.pages.route import not_found, pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, Visitor, door_of, form, member, past, visitor_of
from crowdalpha.server.views.diagnoses import Found, found_in
from crowdalpha.tournament.faults import broken

router = pages()
Member = Annotated[Visitor, Depends(member)]
LATEST = 20


@router.get("/diagnostics")
def page(request: Request) -> Response:
    """The form, and what was looked at before."""
    return _page(request)


@router.post("/diagnostics")
def hand_in(request: Request, who: Member, sent: Annotated[Filled, Depends(past)]) -> Response:
    """Take a file in, and go where it is told what became of it."""
    if not sent.filename:
        return _page(request, status=422, problems=found_problems([broken("nothing", "no file")]))
    try:
        if not sent["model"]:
            raise refusal("unknown", what="model", id="without a name")
        one = door_of(request).service.diagnostics.hand_in(who.caller, sent.filename, sent["model"])
    except Exception as error:
        said = refusal_of(error)
        return _page(request, status=said.status, problems=wrongs(said))
    return RedirectResponse(f"/diagnostics/{one.id}", 303)


@router.get("/diagnostics/{id}")
def one(request: Request, id: str, who: Member) -> Response:
    """Where it stands, or everything that was found; the page looks again by itself until it is done."""
    return answer(request, "diagnosis.html", found=_found(request, who, id), base=f"/diagnostics/{id}")


@router.post("/diagnostics/{id}/delete")
def delete(request: Request, id: str, who: Member, sent: Annotated[Filled, Depends(form)]) -> Response:
    """Forget the file and what was found."""
    door_of(request).service.diagnostics.delete(who.caller, id)
    return RedirectResponse("/diagnostics", 303)


@router.get("/diagnostics/{id}/{name}.{kind}")
def chart(request: Request, id: str, name: str, kind: str, who: Member) -> Response:
    """One of its charts as a file."""
    found = _found(request, who, id)
    return chart_file(found.charts, name, kind, f"{found.model}-past") or not_found(request)


def _found(request: Request, who: Visitor, id: str) -> Found:
    service = door_of(request).service
    one = service.diagnostics.one(who.caller, id)
    return found_in(one, service.models.own(who.caller, one.model).name)


def _page(request: Request, *, status: int = 200, problems: Any = ()) -> Response:
    service, visitor = door_of(request).service, visitor_of(request)
    models = [shown.model for shown in service.models.mine(visitor.caller)] if visitor else []
    names = {model.id: model.name for model in models}
    before = [one for id in names for one in service.diagnostics.of_model(visitor.caller, id)] if visitor else []
    before.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    headers = service.settings.rules.headers
    return answer(
        request,
        "diagnose.html",
        status=status,
        models=models,
        names=names,
        before=before[:LATEST],
        columns=f"{headers.ids[0]}, {headers.predictions[0]}",
        problems=problems,
    )
