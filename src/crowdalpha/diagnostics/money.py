"""Money over the rounds: how much was at risk, and what was paid and burned."""

from __future__ import annotations

import math

from .axes import Frame, Scale, era_names, extent, value_grid
from .bars import bar_path
from .data import Bars
from .formats import amounts, plain
from .lines import path, thinned
from .season import Flows
from .svg import Svg, element, picture


def describe_flows(value: Flows) -> str:
    """What the flows show, in sentences."""
    paid, burned = math.fsum(value.paid), math.fsum(value.burned)
    return f"{value.unit} in {len(value.eras)} rounds: {plain(paid, 2)} paid, {plain(burned, 2)} burned."


def draw_flows(value: Flows, *, name: str, width: int = 1040, height: int = 200) -> Svg:
    """What was paid as bars upwards, what was burned as bars downwards."""
    signs = (1, value.paid), (-1, value.burned)
    moved = [sign * amount for sign, values in signs for amount in values]
    frame = Frame(_margin(moved), 12, width - 12, height - 32)
    y = Scale(*extent(moved), frame.bottom, frame.top)
    x = Scale(-0.5, max(0.5, len(value.eras) - 0.5), frame.left, frame.right)
    return picture(
        name,
        value.title,
        describe_flows(value),
        (width, height),
        value_grid(y, frame, about=5),
        era_names(value.eras, x, frame),
        element("path", d=bar_path(value.paid, x, y, +1), class_="bar plus"),
        element("path", d=bar_path([-each for each in value.burned], x, y, -1), class_="bar minus"),
    )


def draw_pile(value: Bars, *, name: str, width: int = 1040, height: int = 200) -> Svg:
    """An amount over the rounds as a filled height."""
    frame = Frame(_margin(value.values), 12, width - 12, height - 32)
    y = Scale(*_from_zero(value.values), frame.bottom, frame.top)
    x = Scale(0, max(1, len(value.values) - 1), frame.left, frame.right)
    kept = thinned(len(value.values), int(x.stop - x.start))
    drawn = path([x(i) for i in kept], [y(value.values[i]) for i in kept])
    floor = f"L{x(kept[-1]):.1f} {y(0):.1f}L{x(kept[0]):.1f} {y(0):.1f}Z" if kept else ""
    return picture(
        name,
        value.title,
        _describe_pile(value),
        (width, height),
        value_grid(y, frame, about=4, plus=False),
        era_names(value.eras, x, frame),
        element("path", d=drawn + floor, class_="pile"),
        element("path", d=drawn, class_="pile-edge"),
    )


def _describe_pile(value: Bars) -> str:
    if not value.values:
        return f"{value.unit}: 0 rounds."
    first, last = amounts([value.values[0], value.values[-1]])
    return f"{value.unit} in {len(value.eras)} rounds: {first} in the first, {last} in the last."


def _from_zero(values: tuple[float, ...]) -> tuple[float, float]:
    """From 0 to a little above the largest."""
    low, high = extent(values)
    return min(0.0, low) if min(values, default=0.0) < 0 else 0.0, high


def _margin(values: list[float] | tuple[float, ...]) -> float:
    """The room at the left that the largest amount needs as a tick."""
    return 30 + 7.0 * len(plain(max(map(abs, values), default=0.0), 0))
