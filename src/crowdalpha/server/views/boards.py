"""The leaderboard: who adds most, over which rounds, how sure that is, and with how much staked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crowdalpha.diagnostics.data import Interval, LeaderboardRow, contribution
from crowdalpha.diagnostics.report import outcome
from crowdalpha.diagnostics.scatter import draw_scatter
from crowdalpha.engine import Board, Engine
from crowdalpha.engine.boards import COMPARED
from crowdalpha.server.charts import Chart, Column
from crowdalpha.server.views.memory import Memory
from crowdalpha.tournament import ledger
from crowdalpha.tournament.history import YEAR
from crowdalpha.tournament.leaderboard import Difference, Standing
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Account, Model, Progress, Score
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.scoringday import final_day

PAGE = 100
"""Lines of a leaderboard that are sent at once."""
WINDOWS: dict[str, tuple[str, timedelta | None]] = {
    "quarter": ("13 weeks", timedelta(weeks=13)),
    "year": ("One year", YEAR),
    "all": ("All rounds", None),
}
"""The windows of rounds that a leaderboard can be asked about: a word for the address, words for the page."""
CORR, MMC = "corr", "mmc2"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the leaderboard. `row` is what the drawings take; amounts are whole units."""

    id: str
    name: str
    account: str
    benchmark: bool
    rank: int | None
    best: int | None
    worst: int | None
    row: LeaderboardRow
    other: float
    stake: int
    share: float
    scored: int
    missed: int

    @property
    def value(self) -> float:
        """What the line is ranked by."""
        return self.row.mmc2


@dataclass(frozen=True, slots=True)
class Leaders:
    """A leaderboard as it is shown: all its lines, and which of the first ones cannot be told apart.

    `metric` is what it is ranked by, `other` what stands beside it; `crowd` is the metamodel's own mean of CORR.
    """

    metric: str
    other: str
    window: str
    by_account: bool
    rounds: tuple[int, ...]
    metrics: tuple[str, ...]
    lines: tuple[Line, ...]
    equals: tuple[Difference, ...]
    crowd: float

    @property
    def outcomes(self) -> dict[str, int]:
        """How many lines have an interval above, across and below zero, or too few rounds for one."""
        kinds = [outcome(line.row) for line in self.lines]
        return {kind: kinds.count(kind) for kind in ("above", "across", "below", "few", "unknown")}

    @property
    def chart(self) -> Chart:
        """Contribution against correlation, a point for every line that has a score of both."""
        swapped = self.metric == CORR
        rows = tuple(_both(line, swapped) for line in self.lines if line.scored)
        columns = (
            Column("model"),
            Column("mean CORR", "score"),
            Column("mean MMC2", "score"),
            Column("stake share", "share"),
        )
        return Chart(
            "contribution",
            "Contribution against correlation",
            "To the right, models that are right on their own; upwards, models that add to what the crowd says.",
            lambda name, width: draw_scatter(
                contribution(rows), name=name, width=width, height=520 if width > 600 else 420
            ),
            columns,
            tuple((row.model, row.corr, row.mmc2, row.share) for row in rows),
        )


def leaders(
    engine: Engine, memory: Memory, now: datetime, *, metric: str = MMC, window: str = "year", by_account: bool = False
) -> Leaders:
    """The leaderboard at a moment; an unknown metric or window is the default one."""
    with engine.store.reading() as work:
        rounds = _resolved(work, now, WINDOWS.get(window, WINDOWS["year"])[1])
        models = {model.id: model for model in work.find(Model)}
        accounts = {account.id: account.name for account in work.find(Account)}
        stakes = {name.partition(":")[2]: held for name, held in work.balances(ledger.stake("")).items()}
        metrics = tuple(sorted({name for round in rounds for name in round.metrics}))
        metric = metric if metric in metrics else MMC
        crowd = _mean([_crowd(work, round) for round in rounds])
    numbers = tuple(round.number for round in rounds)
    other = CORR if metric != CORR else MMC
    asked = [(name, numbers if name in metrics else ()) for name in (metric, other)]
    boards = [_board(engine, memory, now, name, of, by_account, len(models)) for name, of in asked]
    if by_account:
        held = {id: sum(stakes.get(m.id, 0) for m in models.values() if m.account == id) for id in accounts}
        told = {id: (name, name, False) for id, name in accounts.items()}
    else:
        held = stakes
        told = {id: (model.name, accounts.get(model.account, ""), model.benchmark) for id, model in models.items()}
    beside = {line.name: line.value for line in boards[1].lines} if boards[1] else {}
    total = sum(held.values())
    found = tuple(
        _line(line, told[line.name], beside.get(line.name, math.nan), held.get(line.name, 0), total)
        for line in (boards[0].lines if boards[0] else ())
        if line.name in told
    )
    equals = boards[0].equals if boards[0] else ()
    return Leaders(metric, other, window, by_account, numbers, metrics, found, equals, crowd)


def chosen(lines: Sequence[Line], *, find: str = "", sort: str = "rank", falling: bool = False) -> list[Line]:
    """The lines whose names hold the words looked for, in the order asked for; those without a number come last."""
    wanted = find.strip().casefold()
    kept = [line for line in lines if wanted in f"{line.name} {line.account}".casefold()]
    key = SORTS.get(sort, SORTS["rank"])
    known = [line for line in kept if not _missing(key(line))]
    unknown = [line for line in kept if _missing(key(line))]
    return sorted(known, key=key, reverse=falling) + unknown


SORTS: dict[str, Callable[[Line], Any]] = {
    "rank": lambda line: line.rank,
    "name": lambda line: line.name.casefold(),
    "value": lambda line: line.value,
    "other": lambda line: line.other,
    "stake": lambda line: line.stake,
    "rounds": lambda line: line.scored,
}
"""What lines can be ordered by: a word for the address."""


def table_of(board: Leaders) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
    """The whole leaderboard as columns and rows, for a file."""
    columns = (
        Column("rank", "whole"),
        Column("model" if not board.by_account else "account"),
        Column("id"),
        Column("account"),
        Column(board.metric, "score"),
        Column("low", "score"),
        Column("high", "score"),
        Column("best_rank", "whole"),
        Column("worst_rank", "whole"),
        Column(board.other, "score"),
        Column("stake", "amount"),
        Column("scored_rounds", "whole"),
        Column("missed_rounds", "whole"),
    )
    return columns, tuple(_cells(line) for line in board.lines)


def _cells(line: Line) -> tuple[Any, ...]:
    low, high = (line.row.interval.low, line.row.interval.high) if line.row.interval else (None, None)
    ranked = (line.rank, line.name, line.id, line.account, line.value, low, high, line.best, line.worst)
    return (*ranked, line.other, line.stake, line.scored, line.missed)


def _board(
    engine: Engine, memory: Memory, now: datetime, metric: str, rounds: tuple[int, ...], by_account: bool, n: int
) -> Board | None:
    """A leaderboard over these rounds, or None where none of them has the metric."""
    if not rounds:
        return None
    key = ("board", metric, rounds, by_account, n)
    span = (rounds[0], rounds[-1])
    return memory.recall(
        key, lambda: engine.leaderboard(metric, now=now, window=None, rounds=span, by_account=by_account)
    )


def _resolved(work: Reading, now: datetime, window: timedelta | None) -> list[Round]:
    """The resolved rounds of a window that ends now."""
    over = {progress.round for progress in work.find(Progress, stage=Stage.RESOLVED)}
    rounds = [round for round in work.find(Round) if round.number in over and round.resolve_time <= now]
    return [round for round in rounds if window is None or round.resolve_time > now - window]


def _crowd(work: Reading, round: Round) -> float:
    found = work.get(Score, round.number, round.rule_set, final_day(round), CORR, METAMODEL)
    return math.nan if found is None else found.value


def _line(line: Standing, told: tuple[str, str, bool], other: float, stake: int, total: int) -> Line:
    name, account, benchmark = told
    interval = Interval(line.low, line.high) if math.isfinite(line.low + line.high) else None
    share = stake / total if total else 0.0
    row = LeaderboardRow(name, stake / UNITS, share, other, line.value, interval, eras=line.scored)
    ranks = (line.rank, line.best_rank, line.worst_rank)
    return Line(line.name, name, account, benchmark, *ranks, row, other, stake, share, line.scored, line.missed)


def _both(line: Line, swapped: bool) -> LeaderboardRow:
    """The row with CORR and MMC2 in their places, whichever of the two it is ranked by."""
    corr, mmc = (line.value, line.other) if swapped else (line.other, line.value)
    return LeaderboardRow(line.name, line.row.stake, line.share, corr, mmc)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


__all__ = ["COMPARED", "PAGE", "SORTS", "WINDOWS", "Leaders", "Line", "chosen", "leaders", "table_of"]
