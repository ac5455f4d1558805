"""Handing in: a file for a model, sent or only checked, with everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from crowdalpha.server.catalogue import refusal
from crowdalpha.server.pages.render import answer
from crowdalpha.server.pages.route import found, pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, Visitor, door_of, member, now_of, origin_of, upload, visitor_of
from crowdalpha.server.service import Service
from crowdalpha.server.views.rounds import running
from crowdalpha.tournament.faults import broken

router = pages()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is said of a submission that was accepted."""

    id: str
    name: str
    round: int
    status: str
    n_ids: int
    hash: str
    unknown: int = 0


@router.get("/submit")
def page(request: Request) -> Response:
    """The form."""
    return _page(request, request.query_params.get("model", ""))


@router.post("/submit")
def submit(
    request: Request, who: Annotated[Visitor, Depends(member)], sent: Annotated[Filled, Depends(upload)]
) -> Response:
    """Take a file in, or only say what would be said of it."""
    service = door_of(request).service
    if sent.file is None:
        return _page(request, sent["model"], status=422, found=found([broken("nothing", "no file")]))
    try:
        if sent["do"] == "check":
            verdict = service.submissions.validate(who.caller, sent.file)
            status = 200 if verdict.accepted else 422
            return _page(request, sent["model"], status=status, checked=verdict, found=found(verdict.faults))
        receipt = _submit(service, who, sent)
    except Exception as error:
        said = refusal_of(error)
        return _page(request, sent["model"], status=said.status, found=wrongs(said))
    return _page(request, sent["model"], status=201, receipt=receipt)


def _submit(service: Service, who: Visitor, sent: Filled) -> Receipt:
    if not sent["model"]:
        raise refusal("unknown", what="model", id="without a name")
    assert sent.file is not None
    how: dict[str, Any] = {"filename": sent.filename, "source": "page"}
    taken = service.submissions.submit(who.caller, sent["model"], sent.file, **how)
    kept = taken.submission
    return Receipt(kept.id, taken.delivery.filename, kept.round, kept.status, kept.n_ids, kept.content_hash)


def _page(request: Request, model: str, *, status: int = 200, **said: Any) -> Response:
    door, visitor = door_of(request), visitor_of(request)
    service = door.service
    open, coming = running(service.engine, now_of(request))
    models = [shown.model for shown in service.models.mine(visitor.caller)] if visitor else []
    own = [one for one in models if not one.benchmark]
    headers = service.settings.rules.headers
    return answer(
        request,
        "submit.html",
        status=status,
        models=own,
        chosen=model if any(one.id == model for one in own) else (own[0].id if own else ""),
        open=open,
        coming=coming,
        rules=service.settings.rules,
        columns=f"{headers.ids[0]} and {headers.predictions[0]}",
        asked=len(service.engine.universe(open)) if open else 0,
        origin=origin_of(request),
        **({"found": [], "receipt": None, "checked": None} | said),
    )
