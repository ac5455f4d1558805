"""What the options of several commands take: files to read, files to write, metrics, shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

TABLES = (".csv", ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".json")
"""Endings of the tables that can be written."""
PAGES = (".html", ".htm")

existing = click.Path(path_type=Path)
"""A file, or a folder where a command takes one; the reader of files says what is wrong with it, if anything is."""
some = click.IntRange(min=1)
engine = click.option(
    "--engine",
    default="threads",
    show_default=True,
    metavar="URL",
    help="Who does the work: threads, processes, serial, or a Dask scheduler such as tcp://host:8786.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A server to take part at ("" for none), by whom, and whether the command line says so or only the environment."""

    url: str
    token: str = field(repr=False)
    said: bool


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


class Destination(click.Path):
    """A file that is to be written: refused before anything is read if it never could be."""

    def __init__(self, endings: tuple[str, ...]) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, if its folder can be written to and its ending says what to write."""
        path = Path(str(super().convert(value, param, ctx)))
        folder = path.resolve().parent
        if path.suffix.lower() not in self.endings:
            self.fail(f"'{path}' must end in one of {', '.join(self.endings)}.", param, ctx)
        if not folder.is_dir():
            self.fail(f"there is no folder '{folder}'.", param, ctx)
        if not os.access(folder, os.W_OK) or (path.exists() and not (path.is_file() and os.access(path, os.W_OK))):
            self.fail(f"'{path}' cannot be written.", param, ctx)
        return path


def known_metrics(ctx: click.Context, param: click.Parameter, value: str) -> list[str]:
    """Names from METRICS, with commas between them: a list without repetitions, in the order given."""
    from crowdalpha.scoring.metrics import METRICS

    names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    unknown = [name for name in names if name not in METRICS]
    if names and not unknown:
        return names
    near = [match for name in unknown for match in get_close_matches(name.lower(), METRICS, 1)]
    found = f"no metric {', '.join(unknown)}." if unknown else "name at least one metric."
    guess = f" Did you mean {', '.join(near)}?" if near else ""
    raise click.BadParameter(f"{found}{guess} There are {', '.join(METRICS)}.", ctx, param)


def a_share(ctx: click.Context, param: click.Parameter, value: float) -> float:
    """A number from 0 to 1; NaN is none."""
    if not 0 <= value <= 1:
        raise click.BadParameter(f"{value:g} is not in the range from 0 to 1.", ctx, param)
    return value


def output(what: str) -> Callable[[Command], Command]:
    """The option --output, for a table."""
    return click.option("--output", type=Destination(TABLES), help=f"{what} ({', '.join(TABLES[:2])}, .feather).")


def report(what: str) -> Callable[[Command], Command]:
    """The option --report, for a page."""
    return click.option("--report", type=Destination(PAGES), help=f"{what} (.html).")
