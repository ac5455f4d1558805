"""The leaderboard, the first page of a tournament."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import Request
from starlette.responses import Response

from crowdalpha.diagnostics.glossary import MMC2_IN_THREE_SENTENCES
from crowdalpha.diagnostics.whiskers import shared_scale
from crowdalpha.server.charts import remembered
from crowdalpha.server.pages.render import answer, chart_file, csv_file
from crowdalpha.server.pages.route import not_found, pages
from crowdalpha.server.pages.visitors import door_of, now_of
from crowdalpha.server.views import boards
from crowdalpha.server.views.boards import Leaders
from crowdalpha.server.views.rounds import running

router = pages()
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks the leaderboard for; what it does not say, or says wrongly, is as usual."""

    window: str
    metric: str
    by: str
    sort: str
    order: str
    find: str
    page: int

    usual: ClassVar[Mapping[str, str]] = {
        "window": "year",
        "metric": boards.MMC,
        "by": "model",
        "sort": "rank",
        "order": "asc",
        "page": "1",
    }

    @property
    def falling(self) -> bool:
        """Whether the largest comes first."""
        return self.order == "desc"

    @property
    def words(self) -> dict[str, str]:
        """The same as words of an address."""
        named = {name: str(getattr(self, name)) for name in self.usual}
        return named | {"find": self.find}


def asked_of(request: Request) -> Asked:
    """What an address asks for."""
    said = request.query_params

    def word(name: str, known: Any) -> str:
        value = said.get(name, "")
        return value if value in known else Asked.usual[name]

    page = said.get("page", "1")
    return Asked(
        word("window", boards.WINDOWS),
        said.get("metric", boards.MMC)[:LONGEST],
        word("by", ("model", "account")),
        word("sort", boards.SORTS),
        word("order", ("asc", "desc")),
        said.get("find", "")[:LONGEST].strip(),
        int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


@router.get("/")
def leaderboard(request: Request) -> Response:
    """The leaderboard: a window of rounds, ordered, searched, a page at a time."""
    asked, board = asked_of(request), _board(request)
    open, coming = running(door_of(request).service.engine, now_of(request))
    lines = boards.chosen(board.lines, find=asked.find, sort=asked.sort, falling=asked.falling)
    n_pages = max(1, -(-len(lines) // boards.PAGE))
    page = min(max(asked.page, 1), n_pages)
    return answer(
        request,
        "leaderboard.html",
        here="/",
        asked=asked,
        board=board,
        chart_of=remembered(board.chart, door_of(request).memory, ("contribution", board.lines)),
        lines=lines[(page - 1) * boards.PAGE : page * boards.PAGE],
        total=len(lines),
        page=page,
        pages=n_pages,
        names={line.id: line.name for line in board.lines},
        scale=shared_scale([line.row for line in board.lines]),
        staked=sum(line.stake for line in board.lines),
        windows=boards.WINDOWS,
        compared=boards.COMPARED,
        mmc2_said=MMC2_IN_THREE_SENTENCES[0],
        open=open,
        coming=coming,
    )


@router.get("/leaderboard.csv")
def whole(request: Request) -> Response:
    """All lines of the leaderboard, in the order of their ranks."""
    board = _board(request)
    return csv_file(f"leaderboard-{board.metric}-{board.window}", *boards.table_of(board))


@router.get("/leaderboard/{window}/{name}.{kind}")
def chart(request: Request, window: str, name: str, kind: str) -> Response:
    """The chart of a leaderboard as a file."""
    if window not in boards.WINDOWS:
        return not_found(request)
    door = door_of(request)
    board = boards.leaders(door.service.engine, door.memory, now_of(request), window=window)
    return chart_file((board.chart,), name, kind, "leaderboard") or not_found(request)


def _board(request: Request) -> Leaders:
    asked, door = asked_of(request), door_of(request)
    how: dict[str, Any] = {"metric": asked.metric, "window": asked.window, "by_account": asked.by == "account"}
    return boards.leaders(door.service.engine, door.memory, now_of(request), **how)
