"""The neutralisation picture: model, metamodel, residual and target as vectors in one plane."""

from __future__ import annotations

import math

from .data import Vectors
from .formats import MISSING, plain, signed
from .labels import Box, place
from .svg import Svg, element, group, line, picture, text

WIDTH, HEIGHT = 340.0, 296.0
CENTRE = (166.0, 150.0)
UNIT = 128.0
"""Pixels that stand for length 1."""

VANISHING = 0.005
"""A residual shorter than this cannot be seen, and is less than one per cent of the model."""

NARROW = 15.0
"""Below this many degrees from the metamodel, in degrees, or above 180 less it, a model is nearly parallel."""


def at(along: float, across: float) -> tuple[float, float]:
    """The place of a point of the plane: the metamodel to the right, the residual's direction up."""
    return CENTRE[0] + UNIT * along, CENTRE[1] - UNIT * across


def sentence(value: Vectors) -> str:
    """What the picture says, in plain words with the model's numbers."""
    degrees = f"{value.angle:.0f}°"
    if value.residual < VANISHING:
        return f"It points along the metamodel: nothing is left over to score.{_caution(value)}"
    left = f"{100 * value.residual:.0f}%"
    agrees = f"It stands {degrees} off the metamodel; {left} of its length is its own"
    if value.angle > 180 - NARROW:
        agrees = f"It points away from the metamodel ({degrees}); only {left} of its length is its own"
    elif value.angle < NARROW:
        agrees = f"It nearly follows the metamodel ({degrees}); only {left} of its length is its own"
    leaning = value.covariance / value.residual
    verdict = "towards the target: it adds." if leaning > 0 else "away from the target: it takes away."
    if signed(leaning) == ".0000":
        verdict = "neither towards the target nor away from it."
    return f"{agrees}, and that part points {verdict}{_caution(value)}"


def _caution(value: Vectors) -> str:
    """A word where the bags, each with a metamodel of its own, turn the sign that the picture shows."""
    if signed(value.mmc2) in (".0000", MISSING) or (value.covariance * value.mmc2 > 0 and value.residual >= VANISHING):
        return ""
    return f" Averaged over the bags, each with a metamodel of its own, the score is {signed(value.mmc2)} all the same."


def describe(value: Vectors) -> str:
    """What the drawing shows, with all its numbers."""
    return (
        f"Correlation of model and metamodel {signed(value.rho)}, an angle of {value.angle:.1f} degrees; residual "
        f"length {plain(value.residual)}. Correlation with the target: model {signed(value.corr_model)}, metamodel "
        f"{signed(value.corr_metamodel)}. MMC2 {signed(value.mmc2)}."
    )


def draw_vectors(value: Vectors, *, name: str) -> Svg:
    """The plane: unit circle, metamodel, model, its projection, the residual, the target's direction."""
    tip, foot = at(value.rho, value.residual), at(value.rho, 0.0)
    parts = [
        element("circle", cx=CENTRE[0], cy=CENTRE[1], r=UNIT, class_="grid unit"),
        line(*at(-1.12, 0), *at(1.12, 0), "grid"),
        _arc(value),
        line(*CENTRE, *foot, "projection"),
        _target(value),
        _arrow(CENTRE, at(1, 0), "metamodel"),
        _arrow(foot, tip, "residual") if value.residual * UNIT > 2 else Svg(""),
        _arrow(CENTRE, tip, "model"),
        element("circle", cx=CENTRE[0], cy=CENTRE[1], r=2.5, class_="origin"),
        _words(value),
    ]
    return picture(name, f"{value.model} and the metamodel", describe(value), (WIDTH, HEIGHT), *parts)


def _unit(value: Vectors) -> tuple[float, float] | None:
    """The direction of the target's shadow in the plane, or None where it has none."""
    size = math.hypot(*value.target)
    return (value.target[0] / size, value.target[1] / size) if size > 0 else None


def _target(value: Vectors) -> Svg:
    """A dotted ray: the shadow itself is short, so its direction is drawn at full length, its true end marked."""
    direction = _unit(value)
    if direction is None:
        return Svg("")
    end = at(*value.target)
    mark = element("circle", cx=end[0], cy=end[1], r=3.5, class_="target-end")
    return group(line(*CENTRE, *at(*direction), "target"), mark)


def _arrow(start: tuple[float, float], end: tuple[float, float], style: str) -> Svg:
    """A line with a head that is never longer than the line."""
    length = math.dist(start, end)
    head = min(9.0, 0.6 * length)
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    base = (end[0] - head * dx, end[1] - head * dy)
    aside = (0.42 * head * dy, 0.42 * head * dx)
    corners = [end, (base[0] - aside[0], base[1] + aside[1]), (base[0] + aside[0], base[1] - aside[1])]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    shaft = element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=style)
    return group(shaft, element("polygon", points=points, class_=f"head {style}"))


def _arc(value: Vectors) -> Svg:
    """The angle between metamodel and model."""
    size = 30.0
    x, y = CENTRE[0] + size * value.rho, CENTRE[1] - size * value.residual
    drawn = f"M{CENTRE[0] + size:.1f} {CENTRE[1]:.1f}A{size:.0f} {size:.0f} 0 0 0 {x:.1f} {y:.1f}"
    return element("path", d=drawn, class_="angle")


def _words(value: Vectors) -> Svg:
    """Names beside the tips, kept off the arrows and off one another."""
    bounds = Box(2, 2, WIDTH - 2, HEIGHT - 2)
    tip, foot = at(value.rho, value.residual), at(value.rho, 0.0)
    taken = [*_along(CENTRE, tip), *_along(CENTRE, at(1, 0)), *_along(foot, tip)]
    direction = _unit(value)
    if direction is not None:
        taken += _along(CENTRE, at(*direction))
    middle = math.radians(value.angle / 2)
    wanted = [("metamodel", at(1, 0), "metamodel"), ("model", tip, "model")]
    if direction is not None:
        wanted.append(("target", at(*direction), "target"))
    if value.residual > 0.18:
        wanted.append(("residual", ((tip[0] + foot[0]) / 2, (tip[1] + foot[1]) / 2), "residual"))
    corner = (CENTRE[0] + 34 * math.cos(middle), CENTRE[1] - 34 * math.sin(middle))
    wanted.append((f"{value.angle:.0f}°", corner, "degrees"))
    marks: list[str] = []
    for words, where, style in wanted:
        label = place(words, where, 3.0, taken, bounds, reaches=4)
        if label is not None:
            taken.append(label.box)
            marks.append(text(label.x, label.y, words, f"label halo {style}", anchor=label.anchor))
    return group(*marks)


def _along(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """Small rectangles that cover a line."""
    steps = max(2, int(math.dist(start, end) / 6))
    points = (
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(steps + 1)
    )
    return [Box(x - 3, y - 3, x + 3, y + 3) for x, y in points]
