"""What one is told: which notices, by mail or by a webhook, how to know they are ours, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from crowdalpha.server.models import LONGEST
from crowdalpha.server.notices.sending import MOST
from crowdalpha.server.pages.render import answer
from crowdalpha.server.pages.route import pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, Visitor, door_of, form, member
from crowdalpha.server.service import Service
from crowdalpha.tournament.notices import KINDS, NoticeKind

router = pages()
Member = Annotated[Visitor, Depends(member)]
Sent = Annotated[Filled, Depends(form)]
HOME = "/account/notices"
LATEST = 50
WORDS: dict[NoticeKind, str] = {
    "round_open": "A round has opened",
    "closing_soon": "A round closes soon, and something of mine is missing",
    "refused": "A file of mine was not taken",
    "scored": "A day of a round was scored",
    "settled": "A round is over: what was paid and what burned",
    "confirm": "The code that confirms the address",
    "test": "A message to try it out",
    "trigger": "A call of a model’s webhook",
}
DONE = {
    "kept": "Kept. What happens from now on is told as you chose.",
    "confirmed": "The address is confirmed: mail goes there from now on.",
    "key": "What is sent from now on is signed with the new key.",
    "asked": "On its way. What became of it stands below, in a moment.",
}
"""What is said after a form was taken, by the word in the address."""


@router.get(HOME)
def notices(request: Request, who: Member) -> Response:
    """What the visitor is told, where, and what became of it."""
    return _page(request, who, done=DONE.get(request.query_params.get("done", ""), ""))


@router.post(HOME)
def choose(request: Request, who: Member, sent: Sent) -> Response:
    """Take what is chosen, or show it again with what is wrong. Where no mail can go, its choice stays as it is."""
    service = door_of(request).service
    hook, webhook = sent.lists.get("hook", ()), sent["webhook"].strip()
    mail = sent.lists.get("mail", ()) if _may_mail(service, who) else None
    written = {"mail": mail or (), "hook": hook, "webhook": webhook}
    return _do(
        request, who, "kept", lambda: service.notices.choose(who.caller, mail=mail, hook=hook, webhook=webhook), written
    )


@router.post(f"{HOME}/confirm")
def confirm(request: Request, who: Member, sent: Sent) -> Response:
    """Take the code that was mailed."""
    return _do(request, who, "confirmed", lambda: door_of(request).service.notices.confirm(who.caller, sent["code"]))


@router.post(f"{HOME}/key")
def new_key(request: Request, who: Member, sent: Sent) -> Response:
    """Sign with another key."""
    return _do(request, who, "key", lambda: door_of(request).service.notices.new_key(who.caller))


@router.post(f"{HOME}/test")
def test(request: Request, who: Member, sent: Sent) -> Response:
    """Send a message to try it out; with a model, by the webhook of that model."""
    service, model = door_of(request).service.notices, sent["model"]
    ask = (lambda: service.trigger(who.caller, model)) if model else (lambda: service.test(who.caller))
    return _do(request, who, "asked", ask)


def _do(request: Request, who: Visitor, done: str, act: Callable[[], Any], written: Any = None) -> Response:
    """Do it, and show the page anew; or show it with what is wrong."""
    try:
        act()
    except Exception as error:
        said = refusal_of(error)
        return _page(request, who, status=said.status, problems=wrongs(said), written=written)
    return RedirectResponse(f"{HOME}?done={done}", 303)


def _page(
    request: Request, who: Visitor, *, status: int = 200, problems: Any = (), done: str = "", written: Any = None
) -> Response:
    service = door_of(request).service
    wish, models = service.notices.wish(who.caller), service.models.mine(who.caller)
    log = service.notices.log(who.caller)
    return answer(
        request,
        "notices.html",
        status=status,
        wish=wish,
        written=written or {"mail": wish.mail, "hook": wish.hook, "webhook": wish.webhook},
        kinds=[(kind, WORDS[kind]) for kind in KINDS],
        words=WORDS,
        email=service.people.me(who.caller).email,
        confirmed=service.notices.address(who.caller),
        sends_mail=bool(service.settings.mail.host),
        key=service.notices.key(who.caller),
        models=[one for one in models if one.profile.webhook],
        names={one.model.id: one.model.name for one in models},
        log=log[:LATEST],
        count=len(log),
        most=MOST,
        longest=LONGEST["webhook"],
        problems=problems,
        done=done,
    )


def _may_mail(service: Service, who: Visitor) -> bool:
    """Whether there is a host for mail, and an address to send it to."""
    return bool(service.settings.mail.host and service.people.me(who.caller).email)
