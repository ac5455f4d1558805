"""What every command shares: how it shows a table, progress, and a refusal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

REFUSED = 3
"""Exit code for input that was refused."""
Advance = Callable[..., None]


def existing(*, folder: bool = False) -> click.Path:
    """An argument that names a file (or a folder); whether it exists is for the reader of files to say."""
    return click.Path(dir_okay=folder, path_type=Path)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def reports_refusals(function: Callable[..., None]) -> Callable[..., None]:
    """Print what is wrong with the input, one line a problem, and leave with exit code 3."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from crowdalpha.scoring.problems import InputError

        try:
            function(*args, **kwargs)
        except InputError as refusal:
            if kwargs.get("as_json"):
                print_json({"problems": refusal.as_dicts()})
            else:
                for problem in refusal.problems:
                    click.secho(str(problem), err=True, fg="red")
            sys.exit(REFUSED)

    return wrapped


def print_json(value: object) -> None:
    """One JSON document on standard output; what is not a finite number becomes null."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, caption: str = ""
) -> None:
    """A table: the first `left` columns are text, the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, title_justify="left", caption_justify="left")
    for k, name in enumerate(columns):
        table.add_column(name, justify="left" if k < left else "right", overflow="fold", no_wrap=k >= left)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar on a terminal, nothing in a pipe. Call what you get with the number done, the total, and what."""
    if not sys.stderr.isatty():
        yield lambda done, total, what="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, now=what: bar.update(task, completed=done, total=total, description=now)


def number(value: float, digits: int = 4) -> str:
    """A score for reading: signed, without the zero before the point; a dash where there is none."""
    if not math.isfinite(value):
        return "-"
    return f"{value:+.{digits}f}".replace("+0.", "+.").replace("-0.", "-.")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
