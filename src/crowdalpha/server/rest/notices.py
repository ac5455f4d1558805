"""What people are told: what they wish to hear, the log of what was sent, and what of theirs was not taken."""

from __future__ import annotations

import json
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from crowdalpha.server.callers import Caller
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Some, Who, next_link
from crowdalpha.server.rest.forms import Asked, Moment, Page, Shape, Text, Wrong
from crowdalpha.server.service import Service
from crowdalpha.tournament.notices import Channel, Notice, NoticeKind, NoticeStatus, Refused, Wish

routes = APIRouter(route_class=Told, tags=["notices"])
Kind = Literal["round_open", "closing_soon", "refused", "scored", "settled"]


class WishOut(Shape):
    """What the account is told by mail and by its webhook; `mail_address` is null while none is confirmed."""

    mail: list[str]
    hook: list[str]
    webhook: str
    mail_address: str | None
    mail_is_sent: bool = Field(description="Whether the operator has set up a host for mail.")


class NewWish(Asked):
    """What shall be changed; what is left out stays."""

    mail: list[Kind] | None = None
    hook: list[Kind] | None = None
    webhook: Text | None = None


class Code(Asked):
    """The code that was mailed."""

    code: Text


class KeyOut(Shape):
    """The key that webhooks are signed with, as Standard Webhooks has it; null when the answer is given again."""

    key: str | None


class NoticeOut(Shape):
    """A message and what became of it."""

    id: str
    kind: NoticeKind
    channel: Channel
    model: str | None
    target: str
    created_at: Moment
    status: NoticeStatus
    tries: int
    tried_at: Moment | None
    next_try: Moment | None
    answer: str


class NoticesOut(Shape):
    """Messages that were asked for."""

    items: list[NoticeOut]


class RefusedOut(Shape):
    """A file that was not taken; `round` is null if none was open."""

    id: str
    model: str
    round: int | None
    received_at: Moment
    filename: str
    size: int
    sha256: str
    code: str
    detail: str
    errors: list[Wrong]


@routes.get("/account/notices")
def show_wish(service: Serving, who: Who) -> WishOut:
    """What the account is told, and where. Scope: read_user_info."""
    return _wish(service, who, service.notices.wish(who))


@routes.patch("/account/notices")
def change_wish(asked: NewWish, service: Serving, who: Who) -> WishOut:
    """Change what the account is told, and where. Who wishes for mail is mailed a code. Scope: upload_submission."""
    wish = service.notices.choose(who, mail=asked.mail, hook=asked.hook, webhook=asked.webhook)
    return _wish(service, who, wish)


@routes.post("/account/notices/confirm")
def confirm(asked: Code, service: Serving, who: Who) -> WishOut:
    """Send the code back that was mailed: from then on mail is sent there. Scope: upload_submission."""
    return _wish(service, who, service.notices.confirm(who, asked.code))


@routes.get("/account/notices/key")
def show_key(service: Serving, who: Who) -> KeyOut:
    """The key that what the account's webhooks are sent is signed with. Scope: upload_submission."""
    return KeyOut(key=service.notices.key(who))


@routes.post("/account/notices/key", status_code=201, response_model=KeyOut)
def make_key(service: Serving, who: Who, once: Asking) -> Response:
    """Sign with another key from now on. Scope: upload_submission."""
    return once.answer(201, lambda: KeyOut(key=service.notices.new_key(who)), aside=("key",))


@routes.post("/account/notices/test", status_code=202, response_model=NoticesOut)
def test(service: Serving, who: Who, once: Asking) -> Response:
    """Send a message to try it out, wherever messages go. Scope: upload_submission."""
    return once.answer(202, lambda: NoticesOut(items=[_notice(one) for one in service.notices.test(who)]))


@routes.get("/account/deliveries")
def list_deliveries(service: Serving, who: Who, some: Some, request: Request, response: Response) -> Page[NoticeOut]:
    """Every message to the account and what became of it, newest first. Scope: read_user_info."""
    items, cursor = some.of(service.notices.log(who), lambda one: [one.id])
    next_link(request, response, cursor)
    return Page[NoticeOut](items=[_notice(one) for one in items], next_cursor=cursor)


@routes.post("/models/{model}/webhook", status_code=202, response_model=NoticeOut)
def trigger(model: str, service: Serving, who: Who, once: Asking) -> Response:
    """Have the webhook of a model called, as when a round opens. Scope: upload_submission."""
    return once.answer(202, lambda: _notice(service.notices.trigger(who, model)))


@routes.get("/models/{model}/refusals")
def list_refusals(
    model: str, service: Serving, who: Who, some: Some, request: Request, response: Response
) -> Page[RefusedOut]:
    """What was sent for a model of one's own and not taken, newest first. Scope: read_submission_info."""
    items, cursor = some.of(service.refusals.of_model(who, model), lambda one: [one.id])
    next_link(request, response, cursor)
    return Page[RefusedOut](items=[_refused(one) for one in items], next_cursor=cursor)


@routes.get("/refusals/{refusal}")
def show_refusal(refusal: str, service: Serving, who: Who) -> RefusedOut:
    """A file of one's own that was not taken, and why. Scope: read_submission_info."""
    return _refused(service.refusals.one(who, refusal))


def _wish(service: Service, who: Caller, wish: Wish) -> WishOut:
    return WishOut(
        mail=list(wish.mail),
        hook=list(wish.hook),
        webhook=wish.webhook,
        mail_address=service.notices.address(who) or None,
        mail_is_sent=bool(service.settings.mail.host),
    )


def _notice(one: Notice) -> NoticeOut:
    same = ("id", "kind", "channel", "target", "created_at", "status", "tries", "tried_at", "answer")
    waits = one.next_try if one.status == "pending" else None
    return NoticeOut(**{name: getattr(one, name) for name in same}, model=one.model or None, next_try=waits)


def _refused(one: Refused) -> RefusedOut:
    return RefusedOut(
        id=one.id,
        model=one.model,
        round=one.round or None,
        received_at=one.received_at,
        filename=one.filename,
        size=one.size,
        sha256=one.content_hash,
        code=one.code,
        detail=one.message,
        errors=[Wrong(**problem) for problem in json.loads(one.problems)],
    )
