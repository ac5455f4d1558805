"""What stands before every face: a limit on what is sent and how often, headers that keep browsers safe, a line in the
log and numbers for the operator.

Plain ASGI: nothing is read ahead, so a stream stays one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from crowdalpha.server.auth import parse_token
from crowdalpha.server.catalogue import Refusal, refusal
from crowdalpha.server.limits import COMING_IN, Left, Limits
from crowdalpha.server.metrics import Metrics
from crowdalpha.storage.intake import DIAGNOSTICS, LIVE

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("crowdalpha.requests")
SMALL = 2**20
"""Bytes of any body that is no file."""
FORM = 2**16
"""What a form adds to a file."""
FILES = ("/submissions", "/submissions/validate", "/submit")
"""Where files are sent to."""
PAST = "/diagnostics"
"""Where predictions of past eras are sent to, which are large."""
COMING = ("/sign-in", "/sign-up", "/account/password")
"""Where people come in, or say a password."""
UNLIMITED = ("/health/", "/metrics", "/static/")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""No script, style or frame but our own, and none inside a page."""
SECURE = "max-age=31536000"


@dataclass(frozen=True)
class Guards:
    """An app behind its guards."""

    app: App
    limits: Limits
    metrics: Metrics
    say: Callable[[Request, Refusal], Response]
    """How a refusal is answered: as a problem for programs, as a page for people."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watch = _Watch(scope, send, self.metrics)
        try:
            watch.left = self._take(scope)
            await self.app(scope, _Counted(receive, most(scope)), watch)
        except Refusal as said:
            if watch.status:
                raise
            await self.say(Request(scope), said)(scope, receive, watch)
        finally:
            watch.done()

    def _take(self, scope: Scope) -> Left | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most(scope):
            raise refusal("too_large", limit=most(scope))
        if scope["path"].startswith(UNLIMITED) or speaks_graphql(scope):
            return None  # whose own face says it in its own way
        if scope["path"] in COMING and scope["method"] == "POST":
            return self.limits.take(address(scope), COMING_IN)
        return self.limits.take(asks(scope))


class _Counted:
    """What comes in, up to a limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit, self._seen = receive, limit, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise refusal("too_large", limit=self._limit)
        return message


class _Watch:
    """What goes out: with the headers that every answer has, and counted."""

    def __init__(self, scope: Scope, send: Send, metrics: Metrics) -> None:
        self._scope, self._send, self._metrics = scope, send, metrics
        self._began, self.status, self.left = perf_counter(), 0, None  # type: tuple[float, int, Left | None]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._scope["scheme"] == "https":
                headers.setdefault("Strict-Transport-Security", SECURE)
            for name, value in (self.left.headers() if self.left else {}).items():
                headers.setdefault(name, value)
        await self._send(message)

    def done(self) -> None:
        """Write down what it was and how long it took; a route by its pattern, never with what was filled in."""
        seconds = perf_counter() - self._began
        route = pattern(self._scope)
        self._metrics.saw(self._scope["method"], route, self.status or 500, seconds)
        told = {"method": self._scope["method"], "route": route, "status": self.status or 500}
        LOG.info("request", extra={"told": told | {"ms": round(seconds * 1000, 1), "from": address(self._scope)}})


def pattern(scope: Scope) -> str:
    """The address that a request came to, with the names of its parts for what was filled in; "none" if it led nowhere.

    A route knows its pattern from where it was included on; what stands before that is fixed.
    """
    form: str | None = getattr(scope.get("route"), "path_format", None)
    if form is None:
        return "none"
    filled = form.format_map(scope.get("path_params", {}))
    path: str = scope["path"]
    return path.removesuffix(filled) + form if path.endswith(filled) else form


def most(scope: Scope) -> int:
    """The most bytes that a request may have."""
    path: str = scope["path"]
    if "/uploads/past/" in path or path.endswith(PAST):
        return DIAGNOSTICS.bytes + FORM
    takes = path.endswith(FILES) or "/uploads/files/" in path
    return LIVE.bytes + FORM if takes else SMALL


def asks(scope: Scope) -> str:
    """Whose bucket a request is taken from: that of its token, or of its address."""
    token = parse_token(Headers(scope=scope).get("authorization", ""))
    return f"{address(scope)} {token[0]}" if token else address(scope)


def address(scope: Scope) -> str:
    """Where a request comes from."""
    client = scope.get("client")
    return str(client[0]) if client else "nowhere"


def speaks_graphql(scope: Scope) -> bool:
    """Whether a request is for the face that says everything with 200."""
    path: str = scope["path"]
    return path.endswith("/graphql") or (path == "/" and scope["method"] == "POST")
