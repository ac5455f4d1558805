"""A figure and its interval, small enough for a table's cell and as wide as the cell happens to be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .axes import Scale, captions, extent, ticks
from .data import LeaderboardRow
from .svg import Svg, element

HEIGHT = 20
MIDDLE = HEIGHT / 2


def shared_scale(rows: Sequence[LeaderboardRow]) -> Scale:
    """One scale for all rows, in per cent of the cell's width.

    It shows every mean and all but the few longest intervals: those run to the edge and have no cap there,
    so that one model with three eras does not flatten the picture of all others.
    """
    means = [row.mmc2 for row in rows if math.isfinite(row.mmc2)]
    ends = [end for row in rows if row.interval for end in (row.interval.low, row.interval.high)]
    known = sorted(end for end in ends if math.isfinite(end))
    trim = len(known) // 40
    return Scale(*extent([*means, *known[trim : len(known) - trim]], margin=0.04), 0.0, 100.0)


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _rule(x1: float, x2: float, y1: float, y2: float, style: str) -> Svg:
    return element("line", x1=_percent(x1), x2=_percent(x2), y1=y1, y2=y2, class_=style)


def draw_whisker(row: LeaderboardRow, scale: Scale) -> Svg:
    """Mean (a dot, hollow where the interval covers zero) and interval (a line with caps) of MMC2.

    Hidden from screen readers: the cells beside it hold the same numbers as text.
    """
    parts = [_rule(scale(0), scale(0), 0, HEIGHT, "zero")]
    sure = row.interval is not None and row.interval.leaves_out(0.0)
    if row.interval is not None and math.isfinite(row.interval.low + row.interval.high):
        parts += _interval(row.interval.low, row.interval.high, scale)
    if math.isfinite(row.mmc2):
        style = f"dot {'plus' if row.mmc2 >= 0 else 'minus'}{'' if sure else ' hollow'}"
        parts.append(element("circle", cx=_percent(scale(row.mmc2)), cy=MIDDLE, r=4, class_=style))
    return element("svg", *parts, class_="whisker", height=HEIGHT, aria_hidden="true")


def _interval(low: float, high: float, scale: Scale) -> list[Svg]:
    """The line from low to high, and a cap at each end that lies within the cell."""
    left, right = max(0.0, scale(low)), min(100.0, scale(high))
    caps = [scale(end) for end in (low, high) if 0 <= scale(end) <= 100]
    return [_rule(left, right, MIDDLE, MIDDLE, "range")] + [_rule(c, c, 6, 14, "range cap") for c in caps]


def draw_scale(scale: Scale) -> Svg:
    """The shared scale's ticks, for the head of the column."""
    marks = [v for v in ticks(scale.low, scale.high, 5) if 4 <= scale(v) <= 96]
    names = [
        element("text", words, x=_percent(scale(v)), y=11, class_="tick", text_anchor="middle")
        for v, words in zip(marks, captions(marks), strict=True)
    ]
    return element("svg", *names, class_="whisker", height=14, aria_hidden="true")
