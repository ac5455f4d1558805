"""Pairwise correlations as a field of squares: hue and a minus for the sign, depth for the size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .data import Heatmap
from .formats import plain, shorten, signed
from .labels import breadth
from .svg import Svg, element, group, picture, text

SHADES = 10
"""Depths on either side of zero."""

SPELLED_OUT = 28.0
"""Squares of this many pixels or more carry their numbers."""


SPACED = 30
"""Up to this many models squares stand apart."""

UNKNOWN = "never in the same era"
"""What a hatched square means."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The models most and least like one model, with their correlations."""

    model: str
    mean: float
    nearest: str
    nearest_value: float
    furthest: str
    furthest_value: float


def shade(value: float) -> int:
    """The depth of a correlation: 1..10 for positive, -1..-10 for negative, 0 for exactly zero or unknown.

    >>> shade(0.95), shade(-0.31), shade(1.0), shade(0.0)
    (10, -4, 10, 0)
    """
    if math.isnan(value) or value == 0:
        return 0
    depth = min(SHADES, math.ceil(abs(value) * SHADES - 1e-9))
    return int(math.copysign(depth, value))


def has_gaps(value: Heatmap) -> bool:
    """Whether some pair has no correlation: two models that were never in the same era."""
    return any(math.isnan(v) for i, row in enumerate(value.values) for v in row[:i])


def neighbours(value: Heatmap) -> tuple[Neighbours, ...]:
    """Each model's nearest and furthest other model: the heat map as a table that can be read."""
    found: list[Neighbours] = []
    for i, name in enumerate(value.names):
        others = [(v, j) for j, v in enumerate(value.values[i]) if j != i and not math.isnan(v)]
        if others:
            (high, best), (low, worst) = max(others), min(others)
            mean = math.fsum(v for v, _ in others) / len(others)
            found.append(Neighbours(name, mean, value.names[best], high, value.names[worst], low))
    return tuple(found)


def describe(value: Heatmap) -> str:
    """What the field shows, in sentences."""
    pairs = [v for i, row in enumerate(value.values) for v in row[:i] if not math.isnan(v)]
    if not pairs:
        return f"{len(value.names)} models, no pair to compare."
    mean = math.fsum(pairs) / len(pairs)
    return (
        f"{len(value.names)} models, {len(pairs)} pairs: mean correlation {signed(mean, 2)}, "
        f"from {signed(min(pairs), 2)} to {signed(max(pairs), 2)}. Alike models stand side by side."
    )


def draw_heatmap(value: Heatmap, *, name: str, width: int = 1040) -> Svg:
    """The lower triangle, names at the left and along the diagonal, legend in the empty corner."""
    count = max(1, len(value.names))
    margin = 8 + max((breadth(shorten(n, 24), 11) for n in value.names), default=0.0)
    cell = max(4.0, float(int(min(44.0, (width - 2 * margin - 8) / count))))
    edge = (margin + 4, 8.0)
    height = edge[1] + cell * count + 12
    return picture(
        name,
        value.title,
        describe(value),
        (width, height),
        group(*_squares(value, edge, cell)),
        _hatching(value, edge, cell),
        group(*_figures(value, edge, cell)) if cell >= SPELLED_OUT else _minus_signs(value, edge, cell),
        group(*_names(value, edge, cell)),
        _legend(width - 300, 18.0, gaps=has_gaps(value)) if count > 3 else Svg(""),
    )


def spaced(value: Heatmap) -> bool:
    """Whether squares are few enough to stand apart; many of them make one field."""
    return len(value.names) <= SPACED


def _runs(value: Heatmap) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of equal shade in the lower triangle, as (shade, row, first column, length)."""
    for i, row in enumerate(value.values):
        start, current = 0, None
        for j in range(i + 2):
            depth = shade(row[j]) if j <= i and not math.isnan(row[j]) else None
            if depth != current or spaced(value):
                if current is not None:
                    yield current, i, start, j - start
                start, current = j, depth


def _squares(value: Heatmap, edge: tuple[float, float], cell: float) -> Iterator[Svg]:
    """One path for every shade: three thousand squares cost a few thousand characters."""
    paths: dict[int, list[str]] = {}
    gap = 1.0 if spaced(value) else 0.0
    for depth, i, first, length in _runs(value):
        x, y = edge[0] + cell * first, edge[1] + cell * i
        paths.setdefault(depth, []).append(
            f"M{x:.1f} {y:.1f}h{length * cell - gap:.1f}v{cell - gap:.1f}h{gap - length * cell:.1f}z"
        )
    for depth in sorted(paths):
        sign = "h0" if depth == 0 else f"{'hp' if depth > 0 else 'hn'} d{abs(depth)}"
        yield element("path", d="".join(paths[depth]), class_=sign)


def _hatching(value: Heatmap, edge: tuple[float, float], cell: float) -> Svg:
    """Diagonals through the squares of pairs that were never seen together, so that they are not taken for zeros."""
    blank = ((i, j) for i, row in enumerate(value.values) for j, v in enumerate(row[:i]) if math.isnan(v))
    drawn = "".join(_diagonals(edge[0] + cell * j, edge[1] + cell * i, cell) for i, j in blank)
    return element("path", d=drawn, class_="hatch") if drawn else Svg("")


def _diagonals(x: float, y: float, side: float) -> str:
    """A square's diagonal and, in a large one, a parallel on either side; those of neighbours meet."""
    lines = f"M{x:.1f} {y + side:.1f}l{side:.1f} {-side:.1f}"
    if side > 8:
        half = side / 2
        lines += f"M{x:.1f} {y + half:.1f}l{half:.1f} {-half:.1f}M{x + half:.1f} {y + side:.1f}l{half:.1f} {-half:.1f}"
    return lines


def _minus_signs(value: Heatmap, edge: tuple[float, float], cell: float) -> Svg:
    """A minus in every negative square, for those who do not see the hue."""
    half = min(4.0, 0.22 * cell)
    drawn = "".join(
        f"M{edge[0] + cell * (j + 0.5) - half:.1f} {edge[1] + cell * (i + 0.5) - 0.5:.1f}h{2 * half:.1f}"
        for i, row in enumerate(value.values)
        for j, v in enumerate(row[:i])
        if shade(v) <= -1 and cell > 6
    )
    return element("path", d=drawn, class_="minus-sign") if drawn else Svg("")


def _figures(value: Heatmap, edge: tuple[float, float], cell: float) -> Iterator[Svg]:
    """The correlation in every square."""
    for i, row in enumerate(value.values):
        for j, v in enumerate(row[:i]):
            x, y = edge[0] + cell * (j + 0.5) - 0.5, edge[1] + cell * (i + 0.5) + 3.5
            yield text(x, y, plain(v, 2), f"cell t{abs(shade(v))}", anchor="middle")


def _names(value: Heatmap, edge: tuple[float, float], cell: float) -> Iterator[Svg]:
    """Names at the left of the rows, and again at the diagonal, where the columns end."""
    for i, name in enumerate(value.names):
        words, y = shorten(name, 24), edge[1] + cell * (i + 0.5) + 3.5
        yield text(edge[0] - 6, y, words, "name", anchor="end")
        yield text(edge[0] + cell * (i + 1) + 5, y, words, "name echo")


def _legend(x: float, y: float, *, gaps: bool) -> Svg:
    """From -1 to +1 in all shades, and what is hatched."""
    step = 280.0 / (2 * SHADES)
    depths = [d for d in range(-SHADES, SHADES + 1) if d != 0]
    squares = [
        element(
            "rect", x=x + step * k, y=y + 8, width=step - 1, height=12, class_=f"{'hp' if d > 0 else 'hn'} d{abs(d)}"
        )
        for k, d in enumerate(depths)
    ]
    marks = ((0.0, "−1", "start"), (140.0, "0", "middle"), (280.0, "+1", "end"))
    names = [text(x + at, y + 36, words, "tick", anchor=anchor) for at, words, anchor in marks]
    sides = [
        text(x, y, "opposite", "corner"),
        text(x + 280, y, "alike", "corner", anchor="end"),
    ]
    unknown = (
        element("path", d=_diagonals(x, y + 48, 12.0), class_="hatch"),
        text(x + 20, y + 58, UNKNOWN, "tick"),
    )
    return group(*squares, *names, *sides, *(unknown if gaps else ()))
