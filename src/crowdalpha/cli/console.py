"""What every command shares with its user: refusals, progress, JSON, and numbers for reading."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

REFUSED = 3
"""Exit code for input that was refused."""
WRITTEN = ("output", "report")
"""Parameters that name a file to write; every other path is read."""
Advance = Callable[..., None]


def reports_refusals(function: Callable[..., None]) -> Callable[..., None]:
    """Print what is wrong with the input, one line a problem, and leave with exit code 3."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from crowdalpha.scoring.problems import InputError, Problem

        _spare_the_input(kwargs)
        try:
            function(*args, **kwargs)
        except InputError as refusal:
            _refuse(refusal.problems, as_json=kwargs.get("as_json", False))
        except BrokenPipeError:
            raise  # whoever read our output has had enough; click ends quietly
        except OSError as error:
            place, reason = str(error.filename or ""), error.strerror or str(error)
            expected, fix = "a path that can be used", "check the path, its permissions and the space left"
            _refuse([Problem("cannot_access", expected, reason, fix, place)], as_json=kwargs.get("as_json", False))

    return wrapped


def _spare_the_input(parameters: dict[str, Any]) -> None:
    """A file that is read must not be written over, nor a score be put where it would be read as a submission."""
    paths = {name: path.resolve() for name, path in parameters.items() if isinstance(path, Path)}
    read = {name: path for name, path in paths.items() if name not in WRITTEN}
    for name in WRITTEN:
        for other, path in read.items():
            if name in paths and paths[name] == path:
                raise click.UsageError(f"--{name} would write over the {other.replace('_', ' ')} that are read")
            if name in paths and other == "predictions" and paths[name].parent == path:
                raise click.UsageError(f"--{name} would lie among the {other}, and be read as a model the next time")


def _refuse(problems: Iterable[Any], *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({"problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            click.secho(printable(str(problem)), err=True, fg="red")
    sys.exit(REFUSED)


def warn(what: str) -> None:
    """A line on standard error about something that was done without."""
    click.secho(printable(what), err=True, fg="yellow")


def print_json(value: object) -> None:
    """One JSON document on standard output; what is not a finite number becomes null."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False)
    if "utf" not in (sys.stdout.encoding or "utf-8").lower():
        text = json.dumps(_plain(value), indent=2, allow_nan=False)
    click.echo(text)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar on a terminal, nothing in a pipe. Call what you get with the number done, the total, and what.

    Until the first call it shows that something goes on. Print nothing before it is closed.
    """
    if not sys.stderr.isatty():
        yield lambda done, total, what="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[share]}"), TimeElapsedColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    with bar:
        task = bar.add_task(what, total=None, share="")

        def advance(done: int, total: int, now: str = what) -> None:
            bar.update(task, completed=done, total=total, description=now, share=f"{done:,}/{total:,}")

        yield advance


def number(value: float, digits: int = 4, *, plus: bool = True) -> str:
    """A score for reading: signed, without the zero before the point; a dash where there is none.

    What is never negative needs no `plus`.

    >>> number(-0.01234), number(0.0), number(1234.5), number(float("nan"))
    ('-.0123', '.0000', '+1,234.50', '-')
    """
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 100:
        digits = min(digits, 2)
    text = f"{value:{'+' if plus else ''},.{digits}f}".replace("+0.", "+.").replace("-0.", "-.")
    return text if any(figure in text for figure in "123456789") else text.lstrip("+-")


def span(low: float, high: float, digits: int = 4) -> str:
    """A range for reading, or a dash where there is none.

    >>> span(-0.01, 0.02, 2), span(float("nan"), float("nan"))
    ('-.01 to +.02', '-')
    """
    return f"{number(low, digits)} to {number(high, digits)}" if math.isfinite(low) else "-"


def counted(how_many: int, what: str) -> str:
    """How many of a thing there are.

    >>> counted(1, "era"), counted(2000, "era")
    ('1 era', '2,000 eras')
    """
    return f"{how_many:,} {what}{'' if how_many == 1 else 's'}"


def an_era(sizes: Collection[int]) -> str:
    """How many ids an era has, given each era's; nothing if there is no era.

    >>> an_era([5, 5]), an_era([1000, 200])
    ('5 an era', '200 to 1,000 an era')
    """
    ends = sorted({min(sizes, default=0), max(sizes, default=0)})
    return f"{' to '.join(f'{end:,}' for end in ends)} an era" if sizes else ""


def printable(text: str) -> str:
    r"""Text that moves no cursor and changes no colour: whatever a file called its models.

    >>> printable("\x1b[2Jmine")
    '\\x1b[2Jmine'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


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
