"""How the scores of a round are spread: bars from zero, one hue above and one below, a line at the middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crowdalpha.diagnostics.axes import Frame, Scale, cross_grid, ticks
from crowdalpha.diagnostics.formats import signed
from crowdalpha.diagnostics.svg import Svg, element, group, line, picture, text

ABOUT = 24
"""Bins of a wide drawing, about."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values between edges, which are round numbers; `edges` has one more than `counts`."""

    title: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    middle: float


def histogram(title: str, unit: str, values: Sequence[float], about: int = ABOUT) -> Histogram:
    """The values that are numbers, counted between round edges; zero is an edge where it is among them.

    >>> found = histogram("MMC2", "mmc2", [-0.02, 0.01, 0.012, 0.03], about=5)
    >>> found.edges, found.counts
    ((-0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.04), (1, 0, 0, 2, 0, 1))
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return Histogram(title, unit, (0.0, 1.0), (0,), math.nan)
    low, high = known[0], known[-1]
    marks = ticks(low, high if high > low else low + 0.01, about)
    step = marks[1] - marks[0] if len(marks) > 1 else 0.01
    first = math.floor(low / step + 1e-9)
    n_bins = math.floor(high / step + 1e-9) - first + 1
    counts = [0] * n_bins
    for value in known:
        counts[min(max(math.floor(value / step + 1e-9) - first, 0), n_bins - 1)] += 1
    edges = tuple(float(f"{(first + i) * step:.12g}") for i in range(n_bins + 1))
    return Histogram(title, unit, edges, tuple(counts), _median(known))


def describe(value: Histogram) -> str:
    """What the bars show, in sentences."""
    total = sum(value.counts)
    above = sum(n for left, n in zip(value.edges, value.counts, strict=False) if left >= 0)
    return f"{value.unit} of {total} models; {above} at zero or above, the middle one at {signed(value.middle)}."


def draw_histogram(value: Histogram, *, name: str, width: int = 1040, height: int = 220) -> Svg:
    """One bar a bin; a dashed line at the median."""
    frame = Frame(46, 12, width - 12, height - 32)
    x = Scale(value.edges[0], value.edges[-1], frame.left, frame.right)
    y = Scale(0, max(1, *value.counts) * 1.06, frame.bottom, frame.top)
    parts = [_levels(y, frame)]
    parts += [cross_grid(x, frame, about=6 if width > 600 else 3)]
    parts += [group(*(_bar(value, i, x, y) for i, n in enumerate(value.counts) if n))]
    if math.isfinite(value.middle):
        parts += [line(x(value.middle), frame.top, x(value.middle), frame.bottom, "average")]
    if not sum(value.counts):
        parts = [text(width / 2, height / 2, "no scores", "label", anchor="middle")]
    return picture(name, value.title, describe(value), (width, height), *parts)


def _levels(y: Scale, frame: Frame) -> Svg:
    """Rules at whole numbers of models."""
    marks = sorted({round(mark) for mark in ticks(0, y.high, 4)})
    rules = (line(frame.left, y(mark), frame.right, y(mark), "grid" if mark else "zero") for mark in marks)
    names = (text(frame.left - 8, y(mark) + 4, f"{mark:,}", "tick", anchor="end") for mark in marks)
    return group(*rules, *names)


def _bar(value: Histogram, i: int, x: Scale, y: Scale) -> Svg:
    left, right = value.edges[i], value.edges[i + 1]
    told = element("title", f"{signed(left)} to {signed(right)}: {value.counts[i]}")
    gap = min(1.0, 0.1 * (x(right) - x(left)))
    size = {"width": x(right) - x(left) - 2 * gap, "height": y(0) - y(value.counts[i])}
    style = "bar plus" if left >= 0 else "bar minus"
    return element("rect", told, x=x(left) + gap, y=y(value.counts[i]), **size, class_=style)


def _median(known: Sequence[float]) -> float:
    half = len(known) // 2
    return known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
