"""Tables and lists for people: they fit the terminal they are shown on, and are whole in a pipe."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import Any

import click

from crowdalpha.cli.console import printable

NAME = 20
"""Cells for which a column of text is worth more than a column that can be spared; longer text is folded."""
SHORT = 12
"""Cells that a column of text keeps on the narrowest terminal."""
PROSE = 100
"""The longest line of prose."""
WIDE = 10_000
"""A width that no table needs: in a pipe, nothing is folded."""
KEYS = "Keys in brackets are sources: docs/bibliography.md says what each stands for."


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int = 1,
    caption: str = "",
    spare: Sequence[str] = (),
) -> None:
    """A table: the first `left` columns are text, the others numbers.

    On a narrow terminal text is folded and the columns in `spare` are left out, in that order; never is a number cut.
    """
    cells = [tuple(columns), *(tuple(map(printable, row)) for row in rows)]
    room = get_terminal_size().columns if _on_a_terminal() else WIDE
    dropped: list[str] = []
    for name in spare:
        if _least(_without(cells, dropped), left, NAME) > room:
            dropped.append(name)
    shown = _without(cells, dropped)
    lines = _lines(shown, left, max(room, _least(shown, left, SHORT)))
    print_prose(title, bold=True)
    click.echo("\n".join(lines))
    print_prose("\n".join(filter(None, [caption, f"no room for {', '.join(dropped)}" if dropped else ""])))
    click.echo()


def print_entries(title: str, entries: Iterable[tuple[str, str, Sequence[str]]]) -> None:
    """A list: an entry has a heading, its details beside it or below, and paragraphs under both."""
    print_prose(title, bold=True)
    for heading, details, paragraphs in entries:
        click.echo()
        click.secho(heading, bold=True, nl=False)
        beside = len(heading) + 2 + len(details) <= _width()
        click.echo(f"  {details}" if beside else "")
        for paragraph in paragraphs if beside else (details, *paragraphs):
            print_prose(paragraph, indent=4)
    click.echo()


def print_prose(text: str, *, indent: int = 0, bold: bool = False) -> None:
    """Paragraphs, a line each, wrapped to the terminal; nothing for no text."""
    margin = " " * indent
    for line in text.splitlines():
        wrapped = textwrap.fill(printable(line), _width(), initial_indent=margin, subsequent_indent=margin)
        click.secho(wrapped, bold=bold or None)


def _width() -> int:
    return min(PROSE, get_terminal_size().columns) if _on_a_terminal() else PROSE


def _on_a_terminal() -> bool:
    return sys.stdout.isatty()


def _without(cells: list[tuple[str, ...]], dropped: list[str]) -> list[tuple[str, ...]]:
    kept = [k for k, name in enumerate(cells[0]) if name not in dropped]
    return [tuple(row[k] for k in kept) for row in cells]


def _least(cells: list[tuple[str, ...]], left: int, name: int) -> int:
    """The width of a table whose text is folded to `name` cells; numbers stay as they are."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    return sum(min(width, name) if k < left else width for k, width in enumerate(widths)) + 3 * len(widths) + 1


def _lines(cells: list[tuple[str, ...]], left: int, width: int) -> list[str]:
    """The table as lines no wider than this, without blanks at their ends."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for k, name in enumerate(cells[0]):
        table.add_column(name, justify="left" if k < left else "right", overflow="fold", no_wrap=k >= left)
    for row in cells[1:]:
        table.add_row(*map(Text, row))
    console: Any = Console(width=width, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]
