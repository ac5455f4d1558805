"""Words beside marks, without words on words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SIZE = 12.0
LINE = 15.0
BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""How much of the words lies before their anchor."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Box) -> bool:
        """Whether two rectangles overlap."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)

    def within(self, other: Box) -> bool:
        """Whether this rectangle lies wholly inside the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Label:
    """Words at (x, y), where `anchor` (start, middle, end) of their baseline lies; `far` when they need a leader."""

    words: str
    x: float
    y: float
    anchor: str
    box: Box
    far: bool = False


def breadth(words: str, size: float = SIZE) -> float:
    """About how wide words are in a sans-serif face: wide scripts a full em, others a generous .58."""
    ems = (1.0 if unicodedata.east_asian_width(c) in "WF" else 0.62 if c.isupper() else 0.56 for c in words)
    return size * sum(0.0 if unicodedata.combining(c) else em for c, em in zip(words, ems, strict=True))


def disc(x: float, y: float, radius: float) -> Box:
    """The rectangle round a disc."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def _candidates(x: float, y: float, reach: float) -> Iterable[tuple[float, float, str]]:
    """Places for words and their anchors: right, left, above, below, then the four corners."""
    yield x + reach, y + 4, "start"
    yield x - reach, y + 4, "end"
    yield x, y - reach, "middle"
    yield x, y + reach + 10, "middle"
    for dy in (-0.7 * reach, 0.7 * reach + 8):
        yield x + 0.7 * reach, y + dy, "start"
        yield x - 0.7 * reach, y + dy, "end"


def place(
    words: str, at: tuple[float, float], radius: float, taken: Sequence[Box], bounds: Box, *, reaches: int = 3
) -> Label | None:
    """The nearest free place for words beside a disc, or None where there is none."""
    width = breadth(words)
    for step in range(reaches):
        for x, y, anchor in _candidates(*at, radius + 5 + 12 * step):
            left = x - width * BEFORE[anchor]
            box = Box(left - 1, y - 11, left + width + 1, y + 4)
            if box.within(bounds) and not any(box.touches(other) for other in taken):
                return Label(words, x, y, anchor, box, far=step > 0)
    return None


def stack(wanted: Sequence[float], *, gap: float, low: float, high: float) -> tuple[float, ...]:
    """Places near the wanted ones, in their order, at least `gap` apart and between low and high.

    >>> stack([10, 10, 50], gap=12, low=0, high=100)
    (4.0, 16.0, 50.0)
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    clusters: list[list[float]] = []
    for index in order:
        clusters.append([float(wanted[index]), 1.0])
        while len(clusters) > 1 and _crowded(clusters[-2], clusters[-1], gap):
            last, before = clusters.pop(), clusters.pop()
            size = before[1] + last[1]
            clusters.append([(before[0] * before[1] + last[0] * last[1]) / size, size])
    spread = [centre + gap * (i - (size - 1) / 2) for centre, size in clusters for i in range(int(size))]
    places = dict(zip(order, _between(spread, gap, low, high), strict=True))
    return tuple(places[i] for i in range(len(wanted)))


def _crowded(above: Sequence[float], below: Sequence[float], gap: float) -> bool:
    """Whether two clusters (centre, size) of labels would run into each other."""
    return below[0] - above[0] < gap * (above[1] + below[1]) / 2


def _between(spread: list[float], gap: float, low: float, high: float) -> list[float]:
    """The places pushed up from the lower end, then down from the upper end."""
    for i in reversed(range(len(spread))):
        limit = high if i == len(spread) - 1 else spread[i + 1] - gap
        spread[i] = min(spread[i], limit)
    for i in range(len(spread)):
        spread[i] = max(spread[i], low if i == 0 else spread[i - 1] + gap)
    return spread
