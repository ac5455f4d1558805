"""GraphQL over HTTP, as its clients speak it: whatever can be understood is answered with 200.

    POST /    POST /graphql    POST /t/8/graphql    GET ?query= for what only asks    GET, HEAD /files/...

Clients are not redirected and their errors not told by status: they would lose the message, or try again for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic
from typing import Any

from anyio import fail_after, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

from crowdalpha.server.callers import anybody
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.downloads import SEGMENT, Found
from crowdalpha.server.graphql.asked import Asked
from crowdalpha.server.graphql.execution import refused, run
from crowdalpha.server.graphql.ranges import ranged
from crowdalpha.server.guards import asks
from crowdalpha.server.rest.answers import problem
from crowdalpha.server.service import Service

PATIENCE = 60.0
"""Seconds until an operation is given up: clients would wait for ever."""
PLACES = ("/", "/graphql", "/t/{number:int}/graphql")


def routes() -> list[BaseRoute]:
    """Everything that this face answers."""
    post: list[BaseRoute] = [Route(path, _post, methods=["POST"], name="graphql") for path in PLACES]
    get: list[BaseRoute] = [_Query(path, _get, methods=["GET"], name="graphql") for path in PLACES]
    files = Route(f"/{SEGMENT}/{{object:path}}", _file, methods=["GET"], name="files")
    return [*post, *get, files]


class _Query(Route):
    """A route for addresses that hold a query; all others are somebody else's."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        named = [part.partition(b"=")[0] for part in scope.get("query_string", b"").split(b"&")]
        return super().matches(scope) if scope["type"] == "http" and b"query" in named else (Match.NONE, {})


async def _post(request: Request) -> Response:
    body = await request.body()
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return JSONResponse(refused(refusal("bad_request", text="The body is not JSON.")), 400)
    return await _respond(request, lambda asked: run(asked, content))


async def _get(request: Request) -> Response:
    asked_for = request.query_params
    try:
        variables = json.loads(asked_for.get("variables") or "null")
    except (ValueError, RecursionError):
        return JSONResponse(refused(refusal("bad_request", text="The variables are not JSON.")), 400)
    content = {"query": asked_for["query"], "variables": variables, "operationName": asked_for.get("operationName")}
    return await _respond(request, lambda asked: run(asked, content, only_queries=True))


async def _respond(request: Request, answer: Callable[[Asked], Any]) -> Response:
    """The answer of a thread, unless it comes too late: what was begun there is not stopped half-way."""
    try:
        with fail_after(PATIENCE):
            content = await to_thread.run_sync(_work, request, answer, abandon_on_cancel=True)
    except TimeoutError:
        content = refused(refusal("busy"))
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _work(request: Request, answer: Callable[[Asked], Any]) -> Any:
    try:
        return answer(_asked(request))
    except Exception as error:
        return refused(error)


def _asked(request: Request) -> Asked:
    """Who asks, and from where; a token that does not count is refused, also where none is needed."""
    service: Service = request.app.state.service
    request.app.state.limits.take(asks(request.scope))
    now, header = service.now(), request.headers.get("authorization")
    who = anybody(now) if header is None else service.people.by_token(header, now)
    base = service.settings.server.url or str(request.base_url)
    asked = Asked(service, who, base.rstrip("/"), monotonic() + PATIENCE)
    asked.require_tournament(request.path_params.get("number"))
    return asked


async def _file(request: Request) -> Response:
    """A file by its link, whole or in part."""
    service: Service = request.app.state.service
    try:
        found: Found = await run_in_threadpool(_open, service, request)
    except Exception as error:
        return problem(request, error)
    headers = {"Cache-Control": "private, no-transform", "X-Content-Type-Options": "nosniff"}
    if found.path is not None:
        return FileResponse(found.path, headers=headers, filename=found.filename, media_type="application/octet-stream")
    return ranged(request, found, headers)


def _open(service: Service, request: Request) -> Found:
    given = request.query_params
    link = (request.path_params["object"], given.get("expires", ""), given.get("signature", ""))
    return service.downloads.open(*link, anybody(service.now()))
