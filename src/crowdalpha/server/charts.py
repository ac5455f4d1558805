"""Charts of the pages: a drawing, the numbers behind it as a table, and both as files to take away."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from crowdalpha.diagnostics import formats
from crowdalpha.diagnostics.svg import Svg, element, standalone
from crowdalpha.server.views.memory import Memory
from crowdalpha.tournament.money import UNITS, format_amount

Kind = Literal["text", "score", "plain", "amount", "change", "share", "whole"]
WIDE, NARROW = 1040, 358
"""The two widths every chart is drawn for, in pixels; the style sheet shows the one that fits."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a text may not begin with in a file that a spreadsheet opens: it would be computed."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and what its cells are. Amounts and changes are whole units, shares parts of one."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and its table. `draw` takes a name unique in the page and a width in pixels."""

    name: str
    title: str
    lede: str
    draw: Callable[[str, int], Svg]
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def both(self) -> Svg:
        """The drawing for wide and for narrow pages."""
        sizes = (("wide", WIDE), ("narrow", NARROW))
        return Svg("".join(element("div", self.draw(f"{self.name}-{w[0]}", px), class_=w) for w, px in sizes))

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The cells as a reader sees them."""
        return tuple(
            tuple(shown(value, column.kind) for value, column in zip(row, self.columns, strict=True))
            for row in self.rows
        )

    def as_csv(self) -> str:
        """The table as a file: numbers in full, amounts in coins."""
        return as_csv(self.columns, self.rows)

    def as_svg(self) -> str:
        """The drawing as a file of its own."""
        return standalone(self.draw(self.name, WIDE))


def remembered(chart: Chart, memory: Memory, key: Hashable) -> Chart:
    """The same chart, drawn once for all who look: `key` says all that the drawing depends on."""
    draw = chart.draw
    return replace(chart, draw=lambda name, width: memory.recall((key, name, width), lambda: draw(name, width)))


def shown(value: Any, kind: Kind) -> str:
    """A cell as a reader sees it.

    >>> shown(0.0123, "score"), shown(12_500_000_000, "amount"), shown(-1, "change"), shown(0.25, "share")
    ('+.0123', '12.50', '−0.00', '25.0%')
    """
    if value is None:
        return formats.MISSING
    if kind == "score":
        return formats.signed(value)
    if kind == "plain":
        return formats.plain(value)
    if kind == "share":
        return formats.percent(value)
    if kind == "amount":
        return coins(value)
    if kind == "change":
        return f"+{coins(value)}" if value > 0 else coins(value)
    return f"{value:,}" if kind == "whole" else str(value)


def coins(units: int) -> str:
    """Whole units as coins with two decimals, cut off and never rounded up; the files have all nine.

    >>> coins(1_234_999_000_000), coins(-5 * 10**9)
    ('1,234.99', '−5.00')
    """
    size = Decimal(abs(units) * 100 // UNITS) / 100
    return f"{formats.MINUS if units < 0 else ''}{size:,.2f}"


def as_csv(columns: tuple[Column, ...], rows: tuple[tuple[Any, ...], ...]) -> str:
    """A table as CSV in full precision, with nothing in it that a spreadsheet would compute.

    >>> as_csv((Column("model"), Column("stake", "amount")), (("=1+1", 2_500_000_000),))
    "model,stake\\r\\n'=1+1,2.5\\r\\n"
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    writer.writerows([_said(v, column.kind) for v, column in zip(row, columns, strict=True)] for row in rows)
    return text.getvalue()


def _said(value: Any, kind: Kind) -> str:
    """A cell of a file."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if kind in ("amount", "change"):
        return format_amount(value)
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if kind == "text" and text.startswith(FORMULAS) else text
