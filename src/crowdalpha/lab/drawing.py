"""Figures as people read them: what was simulated with its interval, and a ring where theory says it should be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from crowdalpha.diagnostics.axes import Frame, Scale, cross_grid, extent
from crowdalpha.diagnostics.formats import plain, signed_percent
from crowdalpha.diagnostics.labels import SIZE, breadth
from crowdalpha.diagnostics.svg import Svg, element, group, picture, text
from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.claims import Finding
from crowdalpha.lab.verdicts import Verdict, conviction

STYLES = {False: "v1", True: "v2"}
"""The colours of an attack that does not convict its rule, and of one that does."""
NARROWEST = 600
"""Pixels below which labels stand above their rows, not beside them."""
ROW, LINE, AXIS, HEAD, GAP, TOP = 30, 15, 26, 26, 14, 30


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of a chart: a value with the ends of its interval, and where a ring is drawn; `style` is a colour."""

    label: str
    value: float
    low: float
    high: float
    ring: float | None = None
    style: str = "v1"


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that share an axis."""

    title: str
    marks: tuple[Mark, ...]


def draw_finding(found: Finding, *, name: str, width: int = 1040) -> Svg:
    """The figures of a claim, those of a unit on one axis."""
    figures = groupby(found.figures, key=lambda figure: figure.unit)
    panels = [
        Panel(unit, tuple(Mark(f.what, f.simulated, f.low, f.high, f.theory) for f in some)) for unit, some in figures
    ]
    said = "; ".join(
        f"{f.what}: {plain(f.simulated)}, 99% interval {plain(f.low)} to {plain(f.high)}"
        + ("" if f.theory is None else f", theory {plain(f.theory)}")
        for f in found.figures
    )
    keys = (("dot", "simulated, with its 99% interval"), ("ring", "theory"))
    rings = any(f.theory is not None for f in found.figures)
    return draw_panels(panels, keys[: 1 + rings], (found.claim.title, said), name=name, width=width)


def draw_verdicts(verdicts: Iterable[Sequence[Verdict]], *, name: str, width: int = 1040) -> Svg:
    """What the worst attack earns under each rule, but for those whose profits are known and accepted; a row a rule."""
    found = [worst(each) for each in verdicts]
    marks = tuple(
        Mark(
            f"{each.rule}: {each.agent}", 100 * each.profit, 100 * each.low, 100 * each.high, style=STYLES[guilty(each)]
        )
        for each in found
    )
    said = "; ".join(
        f"{each.rule}: {each.agent} {signed_percent(each.profit)}{', convicted' if guilty(each) else ''}"
        for each in found
    )
    keys = (("dot", "acquitted"), ("guilty", "convicted"))
    panel = Panel("profit a round in % of the stake, with its 99.9% interval", marks)
    return draw_panels([panel], keys, ("What the worst attack earns", said), name=name, width=width)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The attack that convicts a rule, or else comes nearest to it, but for agents whose profits are documented."""
    free = [each for each in verdicts if not (AGENTS[each.agent].documented or each.finding == "honest")]
    return conviction(verdicts) or max(free, key=lambda each: each.low)


def guilty(verdict: Verdict) -> bool:
    """Whether it convicts its rule."""
    return verdict.finding == "convicted"


def draw_panels(
    panels: Sequence[Panel], keys: Sequence[tuple[str, str]], words: tuple[str, str], *, name: str, width: int
) -> Svg:
    """Panels below each other, with what the marks mean above them."""
    parts, top = [_keys(keys)], float(TOP)
    longest = max(breadth(mark.label, SIZE) for panel in panels for mark in panel.marks)
    for panel in panels:
        drawn, bottom = _panel(panel, top, width, longest)
        parts.append(drawn)
        top = bottom + GAP
    return picture(name, *words, (width, top), *parts)


def _panel(panel: Panel, top: float, width: int, longest: float) -> tuple[Svg, float]:
    """A panel from its top, and where it ends; `longest` is the breadth of the longest label of all panels."""
    wide = width > NARROWEST
    left = 28 + longest if wide else 12.0
    heights = [ROW if wide else ROW + LINE * len(_wrapped(mark.label, width - 12)) for mark in panel.marks]
    frame = Frame(left, top + HEAD, width - 24, top + HEAD + sum(heights))
    ends = [end for mark in panel.marks for end in (mark.value, mark.low, mark.high, mark.ring or 0.0)]
    x = Scale(*extent(ends), frame.left, frame.right)
    rows, y = [], frame.top
    for mark, height in zip(panel.marks, heights, strict=True):
        rows.append(_row(mark, y, height, x, width))
        y += height
    head = text(left if wide else 0, top + 14, panel.title, "axis")
    return group(head, cross_grid(x, frame, about=6 if wide else 4, plus=min(ends) < 0), *rows), frame.bottom + AXIS


def _row(mark: Mark, top: float, height: float, x: Scale, width: int) -> Svg:
    """A mark with its label beside it, or above it where there is no room."""
    middle = top + height - ROW / 2
    if width > NARROWEST:
        words = [text(x.start - 12, middle + 4, mark.label, "label", anchor="end")]
    else:
        lines = _wrapped(mark.label, width - 12)
        words = [text(0, top + 12 + LINE * k, part, "label halo") for k, part in enumerate(lines)]
    told = element("title", f"{mark.label}: {plain(mark.value)}, {plain(mark.low)} to {plain(mark.high)}")
    ring = [] if mark.ring is None else [_ring(x(mark.ring), middle)]
    bar = element("path", d=_bar(x(mark.low), x(mark.high), middle), class_=f"voice {mark.style}")
    dot = element("circle", told, cx=float(x(mark.value)), cy=float(middle), r=4.5, class_=mark.style)
    return group(*words, *ring, bar, dot)


def _bar(left: float, right: float, y: float) -> str:
    """An interval with caps at its ends."""
    return f"M{left:.1f} {y - 5:.1f}v10M{left:.1f} {y:.1f}H{right:.1f}M{right:.1f} {y - 5:.1f}v10"


def _ring(x: float, y: float) -> Svg:
    return element("circle", cx=float(x), cy=float(y), r=8, class_="target-end")


def _keys(keys: Sequence[tuple[str, str]]) -> Svg:
    """What the marks mean, in a line above all."""
    marks = {
        "dot": element("circle", cx=8, cy=12, r=4.5, class_="v1"),
        "guilty": element("circle", cx=8, cy=12, r=4.5, class_="v2"),
        "ring": _ring(8, 12),
    }
    parts, at = [], 0.0
    for kind, words in keys:
        parts.append(group(marks[kind], text(22, 16, words, "tick"), transform=f"translate({at:.0f} 0)"))
        at += 44 + breadth(words, SIZE)
    return group(*parts)


def _wrapped(words: str, room: float) -> list[str]:
    """Words on as many lines as the room asks for."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and breadth(longer, SIZE) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
