"""Who looks at a page: the cookie, the session behind it, and what a form must bring along to be taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from crowdalpha.server.auth import same
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.service import Service
from crowdalpha.server.views.logs import LogReader
from crowdalpha.server.views.memory import Memory
from crowdalpha.storage.intake import DIAGNOSTICS, LIVE
from crowdalpha.tournament.people import Session
from crowdalpha.tournament.records import Account

COOKIE = "crowdalpha_session"
SAFE = "__Host-"
"""What browsers take only from this very host, through TLS: no other host of the same domain can set such a cookie."""
FORM = 2**16
"""Bytes of a form without a file."""
FIELDS = 40
PIECE = 2**20


@dataclass(frozen=True)
class Door:
    """What the pages of one server share: the service, what has been computed, and how far the log is read."""

    service: Service
    memory: Memory
    log: LogReader

    @property
    def name(self) -> str:
        """What the tournament is called."""
        return self.service.settings.name


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in."""

    caller: Caller
    session: Session
    name: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was sent: what its fields say, and the file that came with it (None if none did)."""

    said: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    file: bytes | None = None
    filename: str = ""

    def __getitem__(self, name: str) -> str:
        """What a field says; "" if it was not sent."""
        return self.said.get(name, "")


def door_of(request: Request) -> Door:
    """What the pages share."""
    return cast(Door, request.app.state.pages)


def now_of(request: Request) -> datetime:
    """The time of the request, taken once."""
    if not hasattr(request.state, "now"):
        request.state.now = door_of(request).service.now()
    return cast(datetime, request.state.now)


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in; None for anybody else."""
    if not hasattr(request.state, "visitor"):
        request.state.visitor = _visitor(request)
    return cast("Visitor | None", request.state.visitor)


def member(request: Request) -> Visitor:
    """Who is signed in, or the refusal that nobody is."""
    visitor = visitor_of(request)
    if visitor is None:
        raise refusal("session_not_found")
    return visitor


async def form(request: Request) -> Filled:
    """A form without a file, from a page of ours."""
    return await _form(request, FORM)


async def upload(request: Request) -> Filled:
    """A form with a file of a submission, from somebody who is signed in."""
    await run_in_threadpool(member, request)
    return await _form(request, LIVE.bytes + FORM)


async def past(request: Request) -> Filled:
    """A form with a file of past eras, which goes to where such files wait; `filename` is its name there."""
    visitor = await run_in_threadpool(member, request)

    async def keep(file: UploadFile) -> str:
        return await door_of(request).service.diagnostics.keep(visitor.caller, file.filename or "", _pieces(file))

    return await _form(request, DIAGNOSTICS.bytes + FORM, keep)


def remember(request: Request, response: Response, cookie: str, session: Session) -> Response:
    """Have the browser keep the cookie of a session: for this site alone, and out of reach of scripts."""
    age = int((session.expires_at - session.created_at).total_seconds())
    response.set_cookie(
        cookie_of(request), cookie, max_age=age, httponly=True, samesite="lax", secure=_is_secure(request)
    )
    return response


def forget(request: Request, response: Response) -> Response:
    """Have the browser drop the cookie."""
    response.delete_cookie(cookie_of(request), httponly=True, samesite="lax", secure=_is_secure(request))
    return response


def cookie_of(request: Request) -> str:
    """The name of the cookie of a session."""
    return f"{SAFE}{COOKIE}" if _is_secure(request) else COOKIE


def origin_of(request: Request) -> str:
    """The server's address as others see it."""
    return door_of(request).service.settings.server.url or str(request.base_url).rstrip("/")


def _visitor(request: Request) -> Visitor | None:
    cookie = request.cookies.get(cookie_of(request), "")
    service = door_of(request).service
    found = service.people.by_cookie(cookie, now_of(request)) if cookie else None
    if found is None:
        return None
    caller, session = found
    with service.engine.store.reading() as work:
        account = work.get(Account, caller.account)
    return None if account is None else Visitor(caller, session, account.name)


async def _form(request: Request, most: int, keep: Callable[[UploadFile], Awaitable[str]] | None = None) -> Filled:
    """Fields and file, if they come from a page of ours and are not too large; `keep` takes a file away by its name."""
    size = request.headers.get("content-length", "")
    if not size.isascii() or not size.isdigit() or int(size) > most:
        raise refusal("too_large", limit=most)
    _require_same_site(request)
    visitor = await run_in_threadpool(visitor_of, request)
    async with request.form(max_files=1, max_fields=FIELDS, max_part_size=FORM) as sent:
        pairs = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
        file = next((value for _, value in sent.multi_items() if isinstance(value, UploadFile)), None)
        if visitor is not None and not same(visitor.session.csrf, dict(pairs).get("csrf", "")):
            raise refusal("csrf")
        content, filename = await _taken(file, keep)
    lists: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        lists[name] = (*lists.get(name, ()), value)
    return Filled(dict(pairs), lists, content, filename)


async def _taken(
    file: UploadFile | None, keep: Callable[[UploadFile], Awaitable[str]] | None
) -> tuple[bytes | None, str]:
    """The content of a file and its name; of one that is kept, the name it is kept by."""
    if file is None or not file.filename:
        return None, ""
    return (await file.read(), file.filename) if keep is None else (None, await keep(file))


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE):
        yield piece


def _require_same_site(request: Request) -> None:
    """Refuse a form that another site sends: browsers say where it comes from."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if origin is not None and site is None:
        foreign = urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise refusal("csrf")


def _is_secure(request: Request) -> bool:
    return origin_of(request).startswith("https://")
