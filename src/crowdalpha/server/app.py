"""The app: one service, its faces, and the guards before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool

from crowdalpha.server import health, rest
from crowdalpha.server.catalogue import Refusal
from crowdalpha.server.clock import Clock, Ticker
from crowdalpha.server.examiner import Examiner
from crowdalpha.server.guards import Guards
from crowdalpha.server.limits import Limits
from crowdalpha.server.metrics import Metrics
from crowdalpha.server.notices.courier import Courier
from crowdalpha.server.rest.answers import problem
from crowdalpha.server.service import Service

PAGES = "crowdalpha.server.pages"
FACES = ("crowdalpha.server.graphql", PAGES)
"""Faces beside REST: each has `attach(app, service)`, which adds its routes, left out of the API's description."""
TITLE = "crowdalpha"
THREADS = 240
"""Questions that may wait for the store or for a reader at once: who reads a page does not wait for who uploads."""


def create_app(
    service: Service, *, limits: Limits | None = None, every: float | None = None, ticker: Ticker | None = None
) -> FastAPI:
    """The app of a service.

    `every` is how many seconds the clock waits between ticks (None: it has none, and neither examiner nor courier:
    somebody else ticks, works on what is handed in and tells), `ticker` who does what is due, if not this process
    (then the examiner works in one of its own). In `app.state` are `service`, `limits`, `metrics`, `clock`, `examiner`
    and `courier`.
    """
    app = FastAPI(
        title=TITLE,
        version=version("crowdalpha"),
        lifespan=_ticking,
        openapi_url=f"{rest.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.service, app.state.limits, app.state.metrics = service, limits or Limits(), Metrics()
    app.state.clock = Clock(service, app.state.metrics, every, ticker=ticker) if every is not None else None
    app.state.examiner = Examiner(service, every, apart=ticker is not None) if every is not None else None
    app.state.courier = Courier(service, every) if every is not None else None
    app.include_router(rest.router())
    app.include_router(health.routes)
    for face in FACES:
        if find_spec(face) is not None and hasattr(module := import_module(face), "attach"):
            module.attach(app, service)
    app.add_exception_handler(Exception, problem)
    for status in (404, 405):
        app.add_exception_handler(status, _nothing)
    app.add_middleware(_guards(app))
    app.openapi = _described(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _ticking(app: FastAPI) -> AsyncIterator[None]:
    """Clock, examiner and courier run while the app does, and end what they are at before the app ends."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    workers = (app.state.clock, app.state.examiner, app.state.courier)
    threads = [thread for thread in workers if thread is not None]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        await run_in_threadpool(thread.stop)


async def _nothing(request: Request, error: Exception) -> Response:
    """What is not there, as a page for people and as a problem for programs."""
    if _reads_pages(request):
        page: Response = await run_in_threadpool(import_module(PAGES).not_found, request)
        return page
    return problem(request, error)


def _reads_pages(request: Request) -> bool:
    """Whether somebody asks with a browser, for something that is no part of an API."""
    html = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(rest.PREFIX)
    return html and PAGES in FACES and find_spec(PAGES) is not None


def _said(request: Request, said: Refusal) -> Response:
    """A refusal of the guards: for browsers a page, which looks nobody up."""
    answer = problem(request, said)
    if not _reads_pages(request):
        return answer
    page: Response = import_module(PAGES).turned_away(request, said)
    if "Retry-After" in answer.headers:
        page.headers["Retry-After"] = answer.headers["Retry-After"]
    return page


def _guards(app: FastAPI) -> Any:
    return lambda inner: Guards(inner, app.state.limits, app.state.metrics, _said)


def _described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=TITLE,
                version=app.version,
                description="Tournaments, submissions, stakes and what came of them. Amounts are texts in coins.",
                routes=app.routes,
            )
            app.openapi_schema = rest.describe(document)
        return app.openapi_schema

    return describe
