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

    It shows every mean and all but the few longest intervals: those run to the edge and have an arrow there,
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

    Grey and dashed if it stands on too few eras.
    Hidden from screen readers: the cells beside it hold the same numbers as text.
    """
    parts = [_rule(scale(0), scale(0), 0, HEIGHT, "zero")]
    if row.interval is not None and math.isfinite(row.interval.low + row.interval.high):
        parts += _interval(row.interval.low, row.interval.high, scale)
    if math.isfinite(row.mmc2):
        style = f"dot {'plus' if row.mmc2 >= 0 else 'minus'}{'' if row.sure else ' hollow'}"
        parts.append(element("circle", cx=_percent(scale(row.mmc2)), cy=MIDDLE, r=4, class_=style))
    return element("svg", *parts, class_="whisker rough" if row.rough else "whisker", height=HEIGHT, aria_hidden="true")


def _interval(low: float, high: float, scale: Scale) -> list[Svg]:
    """The line from low to high, with a cap at each end that lies within the cell, an arrow at one that does not."""
    left, right = max(0.0, scale(low)), min(100.0, scale(high))
    caps = [scale(end) for end in (low, high) if 0 <= scale(end) <= 100]
    parts = [_rule(left, right, MIDDLE, MIDDLE, "range"), *(_rule(c, c, 6, 14, "range cap") for c in caps)]
    parts += [_arrow("0%", 1)] if scale(low) < 0 else []
    return parts + ([_arrow("100%", -1)] if scale(high) > 100 else [])


def _arrow(x: str, back: int) -> Svg:
    """A head at the cell's edge: the interval goes on beyond. Nested, because a path knows no per cent."""
    head = element("path", d=f"M{7 * back} 5L0 10L{7 * back} 15", class_="range beyond")
    return element("svg", head, x=x, y=0, width=1, height=HEIGHT, overflow="visible", aria_hidden="true")


def draw_scale(scale: Scale) -> Svg:
    """The shared scale's ticks, for the head of the column."""
    marks = [v for v in ticks(scale.low, scale.high, 5) if v == 0 or 4 <= scale(v) <= 96]
    names = [
        element("text", words, x=_percent(scale(v)), y=11, class_="tick", text_anchor="middle")
        for v, words in zip(marks, captions(marks), strict=True)
    ]
    return element("svg", *names, class_="whisker", height=14, aria_hidden="true")
