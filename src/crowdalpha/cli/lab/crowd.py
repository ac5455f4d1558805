"""`crowdalpha lab crowd`: the simulated crowd that is like a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.lab.options import engine, seed
from crowdalpha.cli.layout import print_prose, print_table
from crowdalpha.cli.options import as_json, existing, some
from crowdalpha.cli.tournament.door import refusals

if TYPE_CHECKING:
    from crowdalpha.demo.likenesses import Likeness
    from crowdalpha.lab.crowds import Shape
    from crowdalpha.lab.fitting import Fit
    from crowdalpha.lab.resemblance import Figure

HISTORIES = ("flusight", "equities", "numerai")
SAYS = {
    "models": "models",
    "ids": "independent ids an era",
    "edge": "what all see: correlation with the truth",
    "own_edge": "what each sees alone: from, to",
    "shared": "part of a model that all have in common",
    "hard_share": "eras in which what all see misleads",
    "lasting": "chance that an era is kept as hard or easy",
    "present": "chance that a model takes part",
    "staying": "chance that it does what it did before",
    "memory": "correlation of the metamodel with its last",
    "tail": "Pareto exponent of stakes",
    "top": "distance of the highest from the lowest target",
    "bins": "bins of the target",
}
"""The fields of a shape, in words."""
CREDITS = 320
"""Letters of an attribution that a terminal shows."""
like = click.option("--like", type=click.Choice(HISTORIES), help="A real history that the crowd is made like.")


@click.command(name="crowd")
@click.argument("predictions", type=existing, required=False, metavar="[PREDICTIONS]")
@click.option("--targets", type=existing, help="era, id and the target, for PREDICTIONS.")
@click.option("--stakes", type=existing, help="model, stake, in coins; without it all weigh the same.")
@like
@click.option("--histories", type=some, default=10, show_default=True, help="Histories that are simulated.")
@seed
@engine
@as_json
@reports_refusals
def command(
    predictions: Path | None,
    targets: Path | None,
    stakes: Path | None,
    like: str | None,
    histories: int,
    seed: str,
    engine: str,
    as_json: bool,
) -> None:
    """Fit a simulated crowd to PREDICTIONS, or to a shipped history, and show both side by side.

    Each figure of the shape has its 95% interval. Then simulated histories show what they share with the real one, and
    what they do not: figures outside of all simulated ones are marked.
    """
    from crowdalpha.lab.fitting import fit
    from crowdalpha.lab.resemblance import resemblance
    from crowdalpha.settings import open_executor

    with refusals(), progress("Simulating histories") as told, open_executor(engine) as executor:
        known = _history(predictions, targets, stakes, like)
        found = fit(known.trace)
        shown = resemblance(known.trace, found.shape, executor, histories=histories, seed=seed, told=told)
    if as_json:
        print_json(_record(known, found, shown))
        return
    _print_shape(known, found)
    _print_figures(shown, len(known.trace.corr), histories)
    print_prose("\n".join((*known.caveats, shorten(known.attribution, CREDITS, placeholder=" ... (all with --json)"))))


def fitted(like: str) -> Shape:
    """The shape of a crowd like a shipped history."""
    from crowdalpha.demo.likenesses import likeness
    from crowdalpha.lab.fitting import fit

    return fit(likeness(like).trace).shape


def _history(predictions: Path | None, targets: Path | None, stakes: Path | None, like: str | None) -> Likeness:
    from crowdalpha.demo.likenesses import Likeness, likeness
    from crowdalpha.lab.traces import trace
    from crowdalpha.tables.frames import eras
    from crowdalpha.tables.opening import opening_stakes

    if (like is None) == (predictions is None) or (predictions is None) != (targets is None):
        raise click.UsageError("name PREDICTIONS and --targets, or --like a history")
    if like is not None:
        return likeness(like)
    history = eras(predictions, targets, bags=0)
    opening = None if stakes is None else opening_stakes(stakes, history.models)
    return Likeness(str(predictions), trace(history.eras, opening), "", ())


def _record(known: Likeness, found: Fit, shown: Sequence[Figure]) -> dict[str, object]:
    figures = [asdict(figure) | {"alike": figure.alike} for figure in shown]
    fitted = {"shape": asdict(found.shape), "intervals": found.spans, "confidence": found.confidence}
    notes: dict[str, object] = {"attribution": known.attribution, "caveats": known.caveats}
    return {"history": known.name, **fitted, "figures": figures, **notes}


def _print_shape(known: Likeness, found: Fit) -> None:
    rows = [(SAYS[field.name], *_fitted(found, field.name)) for field in fields(found.shape)]
    columns = ("the simulated crowd", "fitted", f"{found.confidence:.0%} interval")
    caption = "crowdalpha.lab.fitting says how. What the history does not tell has no interval."
    print_table(f"A crowd like {known.name}", columns, rows, caption=caption)


def _fitted(found: Fit, name: str) -> tuple[str, str]:
    value = getattr(found.shape, name)
    if name == "own_edge":
        (low, least), (high, most) = found.spans["low"], found.spans["high"]
        return span(value[0], value[1]), f"{span(low, least)}; {span(high, most)}"
    if name == "bins":
        return str(len(value)), ""
    if name in ("models", "ids"):
        low, high = found.spans.get(name, (0.0, 0.0))
        return f"{value:,}", f"{low:,.0f} to {high:,.0f}" if high else ""
    return _plain(value), " to ".join(map(_plain, found.spans.get(name, ())))


def _print_figures(shown: Sequence[Figure], eras: int, histories: int) -> None:
    rows = [
        (figure.name, *map(_plain, (figure.real, figure.mean)), f"{_plain(figure.low)} to {_plain(figure.high)}",
         "" if figure.alike else "outside")
        for figure in shown
    ]  # fmt: skip
    caption = f"{counted(eras, 'era')} beside those of simulated crowds, {histories:,} times."
    columns = ("what eras show", "history", "simulated", "least to most", "")
    print_table("History and simulation", columns, rows, caption=caption)


def _plain(value: float) -> str:
    return number(value, plus=False)
