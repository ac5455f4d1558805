"""How answers look: JSON with an ETag, or a problem (RFC 9457) with a code from the catalogue."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from crowdalpha.scoring.problems import Problem
from crowdalpha.server.catalogue import Refusal, refusal, told
from crowdalpha.server.written import listed, zulu

PROBLEM = "application/problem+json"
FRESH = "public, max-age=5, must-revalidate"
"""What is public changes when the clock ticks; a tick is seconds away."""
OWN = "private, no-store"
LOG = logging.getLogger("crowdalpha.server")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Told(APIRoute):
    """A route that answers what is not changed with 304, and whatever is raised with a problem."""

    def get_route_handler(self) -> Handler:
        """The handler, with both around it."""
        ask = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                answer = await ask(request)
            except Exception as error:
                return problem(request, error)
            return fresh(request, answer)

        return handle


def fresh(request: Request, answer: Response) -> Response:
    """The answer to a GET with its ETag; without its content, 304, if that is what the client has."""
    if request.method not in ("GET", "HEAD") or answer.status_code != 200 or not hasattr(answer, "body"):
        return answer
    tag = f'"{sha256(bytes(answer.body)).hexdigest()[:32]}"'
    answer.headers.setdefault("ETag", tag)
    known = "authorization" in request.headers or "cookie" in request.headers
    answer.headers.setdefault("Cache-Control", OWN if known else FRESH)
    answer.headers.setdefault("Vary", "Accept, Authorization, Cookie")
    if holds(request.headers.get("if-none-match", ""), answer.headers["ETag"]):
        kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
        return Response(status_code=304, headers=kept)
    return answer


def holds(tags: str, tag: str) -> bool:
    """Whether a list of ETags, or *, holds one."""
    return tags.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in tags.split(",")]


def problem(request: Request, error: Exception) -> Response:
    """What was raised, as a problem."""
    said = seen(error)
    if said.code == "internal":
        LOG.error("%s %s", request.method, request.url.path, exc_info=error)
    content = document(said) | {"instance": request.url.path}
    headers = {"Cache-Control": "no-store"}
    if said.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in said.more or said.status == 503:
        headers["Retry-After"] = str(said.more.get("retry_after", 5))
    return Response(json.dumps(content), said.status, headers, PROBLEM)


def seen(error: Exception) -> Refusal:
    """What a caller is told, also of what the framework raises."""
    if isinstance(error, RequestValidationError):
        problems = tuple(_invalid(one) for one in error.errors())
        said = refusal("bad_request", text="; ".join(f"{one.where}: {one.found}" for one in problems[:5]))
        return Refusal(said.code, said.message, said.status, problems)
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, Refusal):  # of the guards, while the framework read the body
            return error.__cause__
        code = {401: "session_not_found", 404: "not_found", 405: "method_not_allowed"}.get(error.status_code)
        if code is None:
            return Refusal("bad_request", str(error.detail), error.status_code)
        return refusal(code, method="this verb")
    return told(error)


def document(said: Refusal) -> dict[str, Any]:
    """A refusal as RFC 9457 has it, with every problem behind it."""
    content: dict[str, Any] = {
        "type": f"urn:crowdalpha:problem:{said.code}",
        "title": said.title,
        "status": said.status,
        "detail": said.message,
        "code": said.code,
    }
    if said.problems:
        content["errors"] = [listed(one) for one in said.problems]
    return content | {name: _plain(value) for name, value in said.more.items()}


def _invalid(error: Any) -> Problem:
    where = "/".join(str(part) for part in error["loc"])
    return Problem("bad_request", "what the API's description says", str(error["msg"]), "correct it", where)


def _plain(value: Any) -> Any:
    return zulu(value) if isinstance(value, datetime) else value
