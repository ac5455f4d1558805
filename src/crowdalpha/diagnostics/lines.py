"""Lines through the eras: many rest in grey, a few speak and are named at their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .axes import Frame, Scale, era_names, extent, value_grid
from .data import Lines, Series
from .formats import pinch, plain, shorten, signed
from .labels import LINE, breadth, stack
from .svg import Svg, element, group, line, picture, text

GREY_LINES = 150
"""More resting lines than this make a page heavy and no clearer: an even choice of them is drawn."""

VOICES = 5
"""How many highlighted styles there are; each has its own hue and its own dash."""


def path(xs: Sequence[float], ys: Sequence[float]) -> str:
    """The path through the points, broken where y is NaN; a lone point is a dot.

    >>> path([0, 1, 2, 3], [5, 5, float("nan"), 7])
    'M0 5L1 5M3 7h0'
    """
    parts: list[str] = []
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if math.isnan(y):
            continue
        broken = i == 0 or math.isnan(ys[i - 1])
        alone = broken and (i + 1 == len(ys) or math.isnan(ys[i + 1]))
        parts.append(f"{'M' if broken else 'L'}{_pixel(x)} {_pixel(y)}{'h0' if alone else ''}")
    return "".join(parts)


def _pixel(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def final(series: Series) -> float:
    """The last value there is, or NaN."""
    return next((value for value in reversed(series.values) if not math.isnan(value)), math.nan)


def thinned(count: int, most: int) -> list[int]:
    """At most about `most` positions out of `count`, evenly spread, first and last kept."""
    stride = max(1, math.ceil(count / most))
    kept = list(range(0, count, stride))
    return kept if not kept or kept[-1] == count - 1 else [*kept, count - 1]


def describe(value: Lines) -> str:
    """What the lines show, in sentences."""
    speakers = [s for s in value.series if s.emphasis != "rest" and not math.isnan(final(s))]
    ends = ", ".join(f"{shorten(s.name, 40)} {signed(final(s), 2)}" for s in speakers)
    return (
        f"{len(value.series)} lines of {value.unit} over {len(value.eras)} eras. "
        f"At the end: {ends or 'no line is highlighted'}."
    )


def draw_lines(value: Lines, *, name: str, width: int = 1040, height: int = 460) -> Svg:
    """The lines as a drawing; `name` is its unique id in the page."""
    loud = _loudest_last(value.series)
    gutter = _gutter(loud, width)
    frame = Frame(46, 14, width - gutter, height - 34)
    y = Scale(*extent(v for s in value.series for v in s.values), frame.bottom, frame.top)
    x = Scale(0, max(1, len(value.eras) - 1), frame.left, frame.right)
    quiet = _even_choice([s for s in value.series if s.emphasis == "rest"])
    return picture(
        name,
        value.title,
        describe(value),
        (width, height),
        value_grid(y, frame, about=7),
        era_names(value.eras, x, frame),
        group(*(_line(s, x, y, "rest") for s in quiet)),
        group(*(_line(s, x, y, style) for s, style in loud)),
        _ends(loud, x, y, frame, gutter),
    )


def _loudest_last(series: Sequence[Series]) -> list[tuple[Series, str]]:
    """Highlighted series and then the metamodel, each with the class that styles it."""
    chosen = [s for s in series if s.emphasis == "highlight"]
    voices = [(s, f"voice v{i % VOICES + 1}") for i, s in enumerate(chosen)]
    return voices + [(s, "voice hero") for s in series if s.emphasis == "metamodel"]


def _even_choice(series: Sequence[Series]) -> list[Series]:
    """Every n-th series by final value, so that what is left out looks like what is shown."""
    ranked = sorted(series, key=lambda s: (math.isnan(final(s)), final(s)))
    return [ranked[i] for i in thinned(len(ranked), GREY_LINES)]


def _line(series: Series, x: Scale, y: Scale, style: str) -> Svg:
    kept = thinned(len(series.values), int(x.stop - x.start))
    drawn = path([x(i) for i in kept], [y(series.values[i]) for i in kept])
    return element("path", element("title", series.name), d=drawn, class_=style) if drawn else Svg("")


def _limit(width: int) -> int:
    """How many characters a name at a line's end may have."""
    return 24 if width > 600 else 12


def _gutter(loud: Sequence[tuple[Series, str]], width: int) -> float:
    """The room at the right that the names need."""
    names = [pinch(s.name, _limit(width)) for s, _ in loud]
    figure = 48 if width > 600 else 6
    return max((breadth(name) for name in names), default=0.0) + 22 + figure if names else 12.0


def _ends(loud: Sequence[tuple[Series, str]], x: Scale, y: Scale, frame: Frame, gutter: float) -> Svg:
    """Every highlighted line's name beside its end, pushed apart where ends are close."""
    ended = [(s, style) for s, style in loud if not math.isnan(final(s))]
    places = stack([y(final(s)) for s, _ in ended], gap=LINE + 1, low=frame.top + 6, high=frame.bottom - 2)
    limit = _limit(int(frame.right + gutter))
    marks: list[str] = []
    for (series, style), place in zip(ended, places, strict=True):
        last = max(i for i, value in enumerate(series.values) if not math.isnan(value))
        words = pinch(series.name, limit)
        if limit > 12:
            words = f"{words} {signed(final(series), 2)}"
        at = (x(last), y(final(series)))
        marks.append(line(*at, frame.right + 8, place, f"leader {style.split()[-1]}"))
        marks.append(element("circle", cx=at[0], cy=at[1], r=3, class_=f"end {style.split()[-1]}"))
        marks.append(text(frame.right + 12, place + 4, words, f"label {style.split()[-1]}"))
    return group(*marks)


def draw_drawdown(value: Lines, *, name: str, width: int = 1040, height: int = 200) -> Svg:
    """One series at or below zero as a filled depth, its deepest place named."""
    frame = Frame(46, 14, width - 12, height - 34)
    values = value.series[0].values
    y = Scale(*extent(values, margin=0.12), frame.bottom, frame.top)
    x = Scale(0, max(1, len(values) - 1), frame.left, frame.right)
    known = [i for i, v in enumerate(values) if not math.isnan(v)]
    drawn = path([x(i) for i in known], [y(values[i]) for i in known])
    floor = f"L{_pixel(x(known[-1]))} {_pixel(y(0))}L{_pixel(x(known[0]))} {_pixel(y(0))}Z" if known else ""
    deepest = min(known, key=lambda i: values[i], default=None)
    return picture(
        name,
        value.title,
        f"{value.unit} over {len(values)} eras; the deepest is {plain(min((values[i] for i in known), default=0))}.",
        (width, height),
        value_grid(y, frame, about=4),
        era_names(value.eras, x, frame),
        element("path", d=drawn + floor, class_="depth"),
        element("path", d=drawn, class_="depth-edge"),
        *([] if deepest is None else _deepest(x(deepest), y(values[deepest]), plain(values[deepest]), frame)),
    )


def _deepest(x: float, y: float, words: str, frame: Frame) -> list[Svg]:
    """The mark and the words at the deepest place."""
    left = x > (frame.left + frame.right) / 2
    return [
        element("circle", cx=x, cy=y, r=3.5, class_="end minus"),
        text(x - 9 if left else x + 9, y + 4, words, "label", anchor="end" if left else "start"),
    ]
