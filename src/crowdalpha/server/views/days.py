"""Day by day: a model in the rounds that are scored and not resolved. Its scores are public, and may still change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crowdalpha.diagnostics.data import Lines, Series
from crowdalpha.diagnostics.lines import draw_lines
from crowdalpha.server.callers import Caller
from crowdalpha.server.charts import Chart, Column
from crowdalpha.server.results import Performance, Results, ScoreRow
from crowdalpha.tournament.rounds import Round

CORR, MMC = "corr", "mmc2"


@dataclass(frozen=True, slots=True)
class Running:
    """A model in a round that is being scored: its scores of the last day, and those of all days, first one first."""

    round: Round
    day: int
    scores: dict[str, ScoreRow]
    days: tuple[dict[str, ScoreRow], ...]
    at_risk: int


@dataclass(frozen=True, slots=True)
class Days:
    """A model in all rounds that are being scored, the newest first."""

    running: tuple[Running, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """What any of the rounds is scored by."""
        return tuple(dict.fromkeys(name for one in self.running for name in one.round.metrics))

    @property
    def charts(self) -> tuple[Chart, ...]:
        """MMC2 of each round, a line a round, day after day; none before the first score."""
        rows = tuple(_rows(self))
        if not rows:
            return ()
        last = max(one.day for one in self.running)
        series = tuple(_line(one, last, loud=one is self.running[0]) for one in reversed(self.running))
        value = Lines("MMC2 day by day", "MMC2", tuple(str(day + 1) for day in range(last)), series)
        return (
            Chart(
                "days",
                "MMC2 day by day",
                "A line for each round, from its first scoring day on; the newest round stands out.",
                lambda name, width: draw_lines(value, name=name, width=width, height=280),
                (
                    Column("round", "whole"),
                    Column("day", "whole"),
                    Column("scored"),
                    *(Column(metric.upper(), "score") for metric in self.metrics),
                ),
                rows,
            ),
        )


def days_of(results: Results, who: Caller, model: str) -> Days:
    """The rounds of a model that are scored and not resolved: the same scores as the APIs give."""
    found = [one for one in results.performances(who, model, latest=False) if not one.state.progress.revealed]
    return Days(tuple(_running(one) for one in found if one.scores))


def _running(one: Performance) -> Running:
    last = max(row.score.day for row in one.scores)
    days = tuple(_of_day(one.scores, day + 1) for day in range(last))
    return Running(one.state.round, last, days[-1], days, one.at_risk.amount if one.at_risk else 0)


def _of_day(rows: Sequence[ScoreRow], day: int) -> dict[str, ScoreRow]:
    return {row.score.metric: row for row in rows if row.score.day == day}


def _line(one: Running, last: int, *, loud: bool) -> Series:
    values = [day[MMC].score.value if MMC in day else math.nan for day in one.days]
    values += [math.nan] * (last - len(values))
    return Series(f"round {one.round.number}", tuple(values), "metamodel" if loud else "rest")


def _rows(days: Days) -> list[tuple[Any, ...]]:
    return [
        (
            one.round.number,
            k + 1,
            one.round.scoring_times[k].date().isoformat(),
            *(day[metric].score.value if metric in day else None for metric in days.metrics),
        )
        for one in days.running
        for k, day in reversed(list(enumerate(one.days)))
        if day
    ]
