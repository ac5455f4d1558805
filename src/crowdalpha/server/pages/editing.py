"""What owners say of themselves and of their models: name, words, link, webhook; and their password."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from crowdalpha.server.auth import LEAST
from crowdalpha.server.models import LONGEST
from crowdalpha.server.pages.render import answer
from crowdalpha.server.pages.route import pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, Visitor, door_of, forget, form, member

router = pages()
Member = Annotated[Visitor, Depends(member)]
Sent = Annotated[Filled, Depends(form)]
FIELDS = ("bio", "link_text", "link_url", "webhook")
"""What a profile says that its owner writes."""


@router.get("/account/models/{id}")
def edit(request: Request, id: str, who: Member) -> Response:
    """The form of a model of one's own."""
    return _page(request, id, who, done="done" in request.query_params)


@router.post("/account/models/{id}")
def change(request: Request, id: str, who: Member, sent: Sent) -> Response:
    """Take what is written, or show it again with what is wrong."""
    models = door_of(request).service.models
    said = {name: sent[name].strip() for name in FIELDS}
    try:
        models.describe(who.caller, id, **said)
        if sent["name"].strip() != models.own(who.caller, id).name:
            models.rename(who.caller, id, sent["name"])
    except Exception as error:
        refused = refusal_of(error)
        written = said | {"name": sent["name"]}
        return _page(request, id, who, status=refused.status, problems=wrongs(refused), written=written)
    return RedirectResponse(f"/account/models/{id}?done", 303)


@router.get("/account/password")
def password(request: Request, who: Member) -> Response:
    """The form of a new password."""
    return _password(request)


@router.post("/account/password")
def change_password(request: Request, who: Member, sent: Sent) -> Response:
    """Take a new password from who knows the old one; every session ends, this one too."""
    try:
        door_of(request).service.people.change_password(who.caller, sent["old"], sent["new"])
    except Exception as error:
        refused = refusal_of(error)
        return _password(request, status=refused.status, problems=wrongs(refused))
    return forget(request, RedirectResponse("/sign-in?changed", 303))


def _page(
    request: Request, id: str, who: Visitor, *, status: int = 200, problems: Any = (), written: Any = None, **said: Any
) -> Response:
    service = door_of(request).service
    model = service.models.own(who.caller, id)
    profile = service.models.one(who.caller, id).profile
    before = {name: getattr(profile, name) for name in FIELDS} | {"name": model.name}
    context = {"done": False} | said
    return answer(
        request,
        "edit.html",
        status=status,
        model=model,
        written=written or before,
        longest=LONGEST,
        problems=problems,
        **context,
    )


def _password(request: Request, *, status: int = 200, problems: Any = ()) -> Response:
    return answer(request, "password.html", status=status, least=LEAST, problems=problems)
