"""The picture of docs/scaling.md: cost a model against what grows, both on scales of powers of ten."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from benchmarks.results import duration
from benchmarks.scaling import Point
from crowdalpha.diagnostics.axes import Frame, Scale
from crowdalpha.diagnostics.svg import Svg, element, group, line, picture, standalone, text

SIZE = 960, 300
PANEL, GAP, LEFT, TOP, BOTTOM = 250, 60, 60, 40, 250


def draw(points: dict[str, list[Point]]) -> Svg:
    """A panel for each thing that grows."""
    costs = [point.per_model for some in points.values() for point in some]
    low, high = floor(log10(min(costs))), ceil(log10(max(costs)))
    panels = [
        _panel(what, some, Frame(LEFT + k * (PANEL + GAP), TOP, LEFT + k * (PANEL + GAP) + PANEL, BOTTOM), low, high)
        for k, (what, some) in enumerate(points.items())
    ]
    said = "; ".join(
        f"{what}: " + ", ".join(f"{_size(what, p):,} take {duration(p.per_model)} a model" for p in some)
        for what, some in points.items()
    )
    return standalone(picture("scaling", "Cost a model against models, ids and bags", said, SIZE, *panels))


def _panel(what: str, points: Sequence[Point], frame: Frame, low: int, high: int) -> Svg:
    places = [log10(_size(what, point)) for point in points]
    x = Scale(min(places) - 0.1, max(places) + 0.1, frame.left, frame.right)
    y = Scale(low, high, frame.bottom, frame.top)
    costs = [y(log10(point.per_model)) for point in points]
    parts = [text(frame.left, TOP - 18, f"more {what}", "label")]
    for power in range(low, high + 1):
        parts.append(line(frame.left, y(power), frame.right, y(power), "grid"))
        parts.append(text(frame.left - 6, y(power) + 4, duration(10.0**power), "tick", anchor="end"))
    for place, cost, point in zip(places, costs, points, strict=True):
        parts.append(text(x(place), frame.bottom + 18, f"{_size(what, point):,}", "tick", anchor="middle"))
        parts.append(element("circle", cx=x(place), cy=cost, r=4, fill="#1f5fae"))
        parts.append(text(x(place), cost - 10, duration(point.per_model), "tick", anchor="middle"))
    track = " ".join(f"{x(place):.1f},{cost:.1f}" for place, cost in zip(places, costs, strict=True))
    parts.append(element("polyline", points=track, fill="none", stroke="#1f5fae", stroke_width=2))
    return group(*parts)


def _size(what: str, point: Point) -> int:
    found: int = getattr(point, what)
    return found
