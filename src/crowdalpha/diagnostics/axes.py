"""Scales, ticks and grids: from a number to a place on the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .formats import plain, signed
from .svg import Svg, group, line, text

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map: `low` lies at `start`, `high` at `stop`.

    >>> Scale(0, 10, 100, 200)(2.5)
    125.0
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle that data is drawn in, in pixels from the top left."""

    left: float
    top: float
    right: float
    bottom: float


def extent(values: Iterable[float], *, zero: bool = True, margin: float = 0.06) -> tuple[float, float]:
    """The range that shows all finite values (and zero, if wanted) with a margin round them.

    >>> extent([1.0, float("nan"), 3.0], margin=0)
    (0.0, 3.0)
    """
    known = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = min(known, default=0.0), max(known, default=0.0)
    room = margin * (high - low) or (abs(high) or 1.0) * 0.5 * (low == high)
    return low - room, high + room


def ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Round numbers from low to high, `about` that many, zero exact where it is among them.

    >>> ticks(-0.013, 0.031)
    (-0.01, 0.0, 0.01, 0.02, 0.03)
    """
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size for size in STEPS if size * power >= raw * (1 - 1e-9)) * power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{count * step:.12g}") for count in range(first, last + 1))


def captions(values: Sequence[float], *, plus: bool = True) -> tuple[str, ...]:
    """The ticks as words, with the fewest decimals that tell them apart.

    >>> captions((-0.01, 0.0, 0.01))
    ('−.01', '0', '+.01')
    """
    digits = max((len(f"{value:.10f}".rstrip("0").partition(".")[2]) for value in values), default=0)
    return tuple("0" if value == 0 else (signed if plus else plain)(value, digits) for value in values)


def value_grid(scale: Scale, frame: Frame, *, about: int = 5, plus: bool = True) -> Svg:
    """Horizontal rules at round values, named at the left, with a sign if wanted; zero is drawn stronger."""
    marks = ticks(scale.low, scale.high, about)
    rules = [line(frame.left, scale(v), frame.right, scale(v), "zero" if v == 0 else "grid") for v in marks]
    names = [
        text(frame.left - 8, scale(v) + 4, name, "tick", anchor="end")
        for v, name in zip(marks, captions(marks, plus=plus), strict=True)
    ]
    return group(*rules, *names)


def cross_grid(scale: Scale, frame: Frame, *, about: int = 6, plus: bool = True) -> Svg:
    """Vertical rules at round values, named below, with a sign if wanted; zero is drawn stronger."""
    marks = ticks(scale.low, scale.high, about)
    rules = [line(scale(v), frame.top, scale(v), frame.bottom, "zero" if v == 0 else "grid") for v in marks]
    names = [
        text(scale(v), frame.bottom + 18, name, "tick", anchor="middle")
        for v, name in zip(marks, captions(marks, plus=plus), strict=True)
    ]
    return group(*rules, *names)


def era_names(eras: Sequence[str], scale: Scale, frame: Frame) -> Svg:
    """The names of a few evenly spread eras, the first and the last among them."""
    longest = max((len(era) for era in eras), default=1)
    room = max(2, int((frame.right - frame.left) / (longest * 7 + 56)))
    count = min(len(eras), room)
    chosen = [round(i * (len(eras) - 1) / max(count - 1, 1)) for i in range(count)]
    ends = {0: "start", len(eras) - 1: "end"} if len(eras) > 1 else {}
    return group(*(text(scale(i), frame.bottom + 20, eras[i], "tick", anchor=ends.get(i, "middle")) for i in chosen))
