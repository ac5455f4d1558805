"""How a page says no: every refusal becomes a page that says what is wrong, and whoever must sign in is sent there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from crowdalpha.scoring.problems import Problem
from crowdalpha.server.catalogue import Refusal, refusal, told
from crowdalpha.server.pages.render import answer
from crowdalpha.tournament.faults import Fault

LOG = logging.getLogger("crowdalpha.server.pages")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A thing that is wrong, as a page says it."""

    where: str
    words: str
    code: str
    found: str
    fix: str


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Handler:
        """The handler, with what it raises turned into a page."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return _kept_by_nobody(request, await handle(request))
            except RequestValidationError:
                return await run_in_threadpool(refused, request, refusal("not_found"))
            except Exception as error:
                said = told(error)
                if said.status >= 500:
                    LOG.exception("a page failed", exc_info=error)
                return await run_in_threadpool(refused, request, said)

        return handled


def _kept_by_nobody(request: Request, shown: Response) -> Response:
    """What was made for somebody who is signed in, files too, is left in no browser."""
    if getattr(request.state, "visitor", None) is not None:
        shown.headers["Cache-Control"] = "no-store"
    return shown


def pages() -> APIRouter:
    """A router of pages, which are no part of the API's description."""
    return APIRouter(include_in_schema=False, route_class=PageRoute)


def refused(request: Request, said: Refusal) -> Response:
    """The page of a refusal; who is not signed in and asks for a page is sent to sign in first."""
    if said.code == "session_not_found" and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)
    return answer(request, "missing.html", status=said.status, title=said.title, message=said.message)


def turned_away(request: Request, said: Refusal) -> Response:
    """The page of who is refused before anything is looked up, not even who it is."""
    request.state.visitor = None
    return refused(request, said)


def not_found(request: Request) -> Response:
    """The page of an address that leads nowhere."""
    return refused(request, refusal("not_found"))


def wrongs(said: Refusal) -> list[Wrong]:
    """What a refusal is about, one by one; the refusal itself if it lists nothing."""
    if not said.problems:
        return [Wrong("", said.message, said.code, "–", "")]
    return [_wrong(problem) for problem in said.problems]


def refusal_of(error: Exception) -> Refusal:
    """The refusal that an error is told as, if it is the caller's; else the error goes on."""
    said = told(error)
    if said.status >= 500:
        raise error
    return said


def _wrong(problem: Problem) -> Wrong:
    words = problem.text if isinstance(problem, Fault) else f"expected {problem.expected}"
    return Wrong(problem.where, words, problem.code, problem.found, problem.fix)


def found(problems: Iterable[Problem]) -> list[Wrong]:
    """Problems as a page says them."""
    return [_wrong(problem) for problem in problems]
