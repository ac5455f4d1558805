"""Models in a plane: area for stake, words for the notable, quadrants that say what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .axes import Frame, Scale, cross_grid, extent, value_grid
from .data import Point, Scatter
from .formats import percent, pinch, shorten, signed
from .labels import LINE, Box, Label, breadth, disc, place
from .svg import Svg, element, group, line, picture, text

LARGEST = 15.0
SMALLEST = 3.5


def notable(points: Sequence[Point]) -> list[Point]:
    """The points worth a name: both ends upwards and sideways and the largest stakes, most notable first."""
    by_height = sorted(points, key=lambda p: (-p.y, p.name))
    by_side = sorted(points, key=lambda p: (-p.x, p.name))
    by_stake = sorted((p for p in points if p.share > 0), key=lambda p: (-p.share, p.name))
    wanted = [*by_height[:1], *by_height[-1:], *by_side[:1], *by_side[-1:], *by_stake[:1]]
    wanted += [*by_height[1:5], *by_height[-4:-1], *by_stake[1:4], *by_side[1:3]]
    return list(dict.fromkeys(wanted))


def radius(share: float, largest: float) -> float:
    """A disc's radius: its area grows with the share, but a small one can still be seen."""
    return max(SMALLEST, LARGEST * math.sqrt(share / largest)) if share > 0 and largest > 0 else SMALLEST + 0.5


def describe(value: Scatter) -> str:
    """What the plane shows, in sentences."""
    points = _known(value.points)
    up = sum(p.y > 0 for p in points)
    told = f"{len(points)} models; {value.x_title} across, {value.y_title} upwards; {up} lie above zero. "
    if not points:
        return told
    low, high = min(points, key=lambda p: p.y), max(points, key=lambda p: p.y)
    ends = [f"{shorten(p.name, 40)} at {signed(p.y)}" for p in (high, low)]
    return f"{told}Highest: {ends[0]}; lowest: {ends[1]}."


def _known(points: Iterable[Point]) -> list[Point]:
    return [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)]


def draw_scatter(value: Scatter, *, name: str, width: int = 1040, height: int = 560) -> Svg:
    """The points as a drawing, largest discs first so that small ones stay visible."""
    points = sorted(_known(value.points), key=lambda p: -p.share)
    frame = Frame(54, 16, width - 14, height - 52)
    x = Scale(*extent((p.x for p in points), margin=0.08), frame.left, frame.right)
    y = Scale(*extent((p.y for p in points), margin=0.1), frame.bottom, frame.top)
    largest = max((p.share for p in points), default=0.0)
    discs = [disc(x(p.x), y(p.y), radius(p.share, largest)) for p in points]
    corners, boxes = _corners(value, x, y, frame, discs)
    return picture(
        name,
        value.title,
        describe(value),
        (width, height),
        value_grid(y, frame),
        cross_grid(x, frame, about=6 if width > 600 else 4),
        corners,
        _diagonal(x, y) if value.diagonal else Svg(""),
        group(*(_disc(p, x(p.x), y(p.y), radius(p.share, largest)) for p in points)),
        _names(points, x, y, largest, [*boxes, *discs], frame),
        text((frame.left + frame.right) / 2, height - 8, value.x_title + " →", "axis", anchor="middle"),
        element("text", value.y_title + " →", class_="axis", text_anchor="middle", transform=_upright(frame)),
    )


def _upright(frame: Frame) -> str:
    return f"translate(11 {(frame.top + frame.bottom) / 2:.0f}) rotate(-90)"


def _disc(point: Point, x: float, y: float, size: float) -> Svg:
    staked = f", {percent(point.share)} of stake" if point.share > 0 else ", no stake"
    told = element("title", f"{point.name}: {signed(point.x)}, {signed(point.y)}{staked}")
    style = f"dot {'plus' if point.y >= 0 else 'minus'}{'' if point.share > 0 else ' hollow'}"
    return element("circle", told, cx=x, cy=y, r=size, class_=style)


def _corners(value: Scatter, x: Scale, y: Scale, frame: Frame, discs: Sequence[Box]) -> tuple[Svg, list[Box]]:
    """What the quadrants mean, in their outer corners, where there is room that no disc needs."""
    if value.corners is None:
        return Svg(""), []
    marks: list[Svg] = []
    boxes: list[Box] = []
    size = 11 if frame.right > 600 else 10
    for words, (right, upper) in zip(value.corners, ((1, 1), (0, 1), (0, 0), (1, 0)), strict=True):
        room = frame.right - x(0) if right else x(0) - frame.left
        tall = y(0) - frame.top if upper else frame.bottom - y(0)
        lines = _wrapped(words, room - 16, size)
        if not 0 < len(lines) <= 3 or tall < len(lines) * LINE + 8:
            continue
        top = frame.top + 14 if upper else frame.bottom - 8 - LINE * (len(lines) - 1)
        edge, anchor = (frame.right - 6, "end") if right else (frame.left + 8, "start")
        wide = max(breadth(part, size) for part in lines)
        left = edge - wide if right else edge
        box = Box(left, top - 12, left + wide, top + LINE * (len(lines) - 1) + 4)
        if any(box.touches(other) for other in discs):
            continue
        boxes.append(box)
        marks += [text(edge, top + LINE * i, part, "corner", anchor=anchor) for i, part in enumerate(lines)]
    return group(*marks), boxes


def _wrapped(words: str, room: float, size: float) -> list[str]:
    """Words on as many lines as the room asks for; none if a single word does not fit."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and breadth(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines if all(breadth(part, size) <= room for part in lines) else []


def _diagonal(x: Scale, y: Scale) -> Svg:
    """Where both numbers are equal."""
    low, high = max(x.low, y.low), min(x.high, y.high)
    return line(x(low), y(low), x(high), y(high), "diagonal") if low < high else Svg("")


def _names(points: Sequence[Point], x: Scale, y: Scale, largest: float, taken: Sequence[Box], frame: Frame) -> Svg:
    """Names beside the notable points, as many as find a free place."""
    bounds = Box(frame.left + 2, frame.top, frame.right, frame.bottom)
    wide = frame.right > 600
    boxes = list(taken)
    marks: list[Svg] = []
    for point in notable(points)[: 16 if wide else 7]:
        at, size = (x(point.x), y(point.y)), radius(point.share, largest)
        label = place(pinch(point.name, 26 if wide else 14), at, size, boxes, bounds)
        if label is not None:
            boxes.append(label.box)
            marks.append(_label(label, at))
    return group(*marks)


def _label(label: Label, at: tuple[float, float]) -> Svg:
    words = text(label.x, label.y, label.words, "label halo", anchor=label.anchor)
    if not label.far:
        return words
    x = min(max(at[0], label.box.left), label.box.right)
    y = min(max(at[1], label.box.top), label.box.bottom)
    return group(line(*at, x, y, "leader"), words)
