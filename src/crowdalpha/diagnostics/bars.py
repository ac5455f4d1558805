"""Bars from zero: one score per era, and one exposure per feature."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .axes import Frame, Scale, cross_grid, era_names, extent, value_grid
from .data import Bars, Exposures
from .formats import pinch, shorten, signed
from .svg import Svg, element, group, line, picture, text

WORST = 20
"""How many features the exposure chart names."""

WIDEST = 48.0
"""Pixels of an era's bar where eras are few."""


def mean(values: Sequence[float]) -> float:
    """The mean of the values that are there, or NaN."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def describe_bars(value: Bars) -> str:
    """What the bars show, in sentences."""
    known = [v for v in value.values if not math.isnan(v)]
    above = sum(v > 0 for v in known)
    return f"{value.unit} in {len(known)} eras: mean {signed(mean(known))}, above zero in {above} of them."


def bar_path(values: Sequence[float], x: Scale, y: Scale, sign: int) -> str:
    """All bars of one sign as one path: light to send, quick to draw."""
    half = min(WIDEST / 2, max(0.5, 0.36 * abs(x(1) - x(0))))
    places = ((x(i), y(v)) for i, v in enumerate(values) if v * sign > 0)
    return "".join(f"M{at - half:.1f} {y(0):.1f}V{top:.1f}h{2 * half:.1f}V{y(0):.1f}z" for at, top in places)


def draw_bars(value: Bars, *, name: str, width: int = 1040, height: int = 190) -> Svg:
    """One bar per era, up in one hue and down in another, with a dashed rule at the mean."""
    frame = Frame(50, 12, width - 12, height - 32)
    y = Scale(*extent(value.values), frame.bottom, frame.top)
    x = Scale(-0.5, max(0.5, len(value.values) - 0.5), frame.left, frame.right)
    average = mean(value.values)
    return picture(
        name,
        value.title,
        describe_bars(value),
        (width, height),
        value_grid(y, frame, about=5),
        era_names(value.eras, x, frame),
        element("path", d=bar_path(value.values, x, y, +1), class_="bar plus"),
        element("path", d=bar_path(value.values, x, y, -1), class_="bar minus"),
        Svg("") if math.isnan(average) else line(frame.left, y(average), frame.right, y(average), "average"),
    )


def draw_exposures(value: Exposures, *, name: str, width: int = 1040) -> Svg:
    """The worst features, largest first: a bar left or right of zero, its figure at its end."""
    worst = value.worst(WORST)
    limit = 30 if width > 600 else 14
    frame = Frame(
        min(230.0, 8 + 7 * max((len(f[:limit]) for f, _ in worst), default=0)), 8, width - 14, 18 + 24 * len(worst)
    )
    reach = (1.22 if width > 600 else 1.55) * max((abs(v) for _, v in worst), default=1.0) or 1.0
    x = Scale(-reach, reach, frame.left + 8, frame.right)
    rows = [_exposure_row(i, pinch(f, limit), v, x, frame) for i, (f, v) in enumerate(worst)]
    described = f"The {len(worst)} features of {len(value.names)} with the largest exposure; "
    leader = f"first {shorten(worst[0][0], 40)} at {signed(worst[0][1])}." if worst else "none is known."
    size = (width, frame.bottom + 28)
    return picture(name, "Feature exposure", described + leader, size, cross_grid(x, frame), group(*rows))


def _exposure_row(index: int, feature: str, value: float, x: Scale, frame: Frame) -> Svg:
    middle = frame.top + 17 + 24 * index
    left, right = sorted((x(0), x(value)))
    sign = "plus" if value >= 0 else "minus"
    return group(
        text(frame.left, middle + 4, feature, "label", anchor="end"),
        element("rect", x=left, y=middle - 7, width=right - left, height=14, class_=f"bar {sign}"),
        text(
            x(value) + math.copysign(6, value),
            middle + 4,
            signed(value, 3),
            "tick halo",
            anchor="start" if value >= 0 else "end",
        ),
    )
