"""`crowdalpha lab add`: what a crowd's metamodel becomes if a model joins it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.lab.options import seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, existing
from crowdalpha.cli.tournament.door import coins, refusals

if TYPE_CHECKING:
    from crowdalpha.lab.additions import Addition, Best, Step
    from crowdalpha.lab.chance import Floats
    from crowdalpha.scoring.metrics import Era
    from crowdalpha.tables.crowd import Crowd

SHOWN = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75)
"""Shares of the stake that the table shows; scripts get the whole curve."""


def _staked(value: str) -> int:
    """An amount above 0: a model without a stake adds nothing to a metamodel."""
    amount = coins(value)
    if amount <= 0:
        raise click.BadParameter(f"{value} is no stake; a model without one adds nothing to a metamodel.")
    return amount


@click.command(name="add")
@click.argument("predictions", type=existing)
@click.option("--model", type=existing, required=True, help="The predictions of the model that would join.")
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, required=True, help="model, stake: those of the crowd, in coins.")
@click.option("--stake", type=_staked, metavar="COINS", help="What the model would stake; else the crowd's mean stake.")
@seed
@as_json
@reports_refusals
def command(
    predictions: Path, model: Path, targets: Path, stakes: Path, stake: int | None, seed: str, as_json: bool
) -> None:
    """Say what a model would add to the metamodel of the crowd in PREDICTIONS.

    The metamodel's CORR and Sharpe ratio with and without it, at the stake it would bring and at every share of all
    stake; the best share, with a 95% interval over eras, beside that of the closed form for two signals.
    """
    from crowdalpha.lab.additions import add, best, joined, steps, theory
    from crowdalpha.tables.frames import eras
    from crowdalpha.tables.opening import opening_stakes

    with refusals(), progress("Adding") as told:
        crowd, mine = eras(predictions, targets, bags=0), eras(model, targets, bags=0)
        _require_one(mine, model)
        opening = opening_stakes(stakes, crowd.models)
        wanted = stake or max(sum(opening.values()) // max(sum(each > 0 for each in opening.values()), 1), 1)
        pairs = _pairs(crowd, mine)
        found = add(pairs, opening, wanted, told=lambda done: told(done, len(mine)))
        here = joined(found, wanted / (wanted + sum(opening.values())), seed)
        curve, bests = steps(found, seed), {"corr": best(found, "mean", seed), "sharpe": best(found, "sharpe", seed)}
    if as_json:
        figures = {"corr": float(found.own.mean()), "alike": float(found.alike.mean()), "eras": len(found.labels)}
        shown = {"model": figures, "joined": asdict(here), "curve": [asdict(each) for each in curve]}
        print_json(shown | {"best": {name: asdict(each) for name, each in bests.items()} | {"theory": theory(found)}})
        return
    _print(found, here, curve, bests, theory(found))


def _pairs(crowd: Crowd, mine: Crowd) -> Iterator[tuple[Era, Floats]]:
    """The eras of both, with the model's predictions."""
    own = {str(era.label): era.predictions[:, 0] for era in mine if era.models}
    return ((era, own[str(era.label)]) for era in crowd if str(era.label) in own)


def _require_one(mine: Crowd, path: Path) -> None:
    from crowdalpha.scoring.problems import InputError, Problem

    if len(mine.models) != 1:
        fix = "give a file of one model: era, id, prediction"
        raise InputError(Problem("one_model", "the predictions of one model", str(len(mine.models)), fix, str(path)))


def _print(found: Addition, here: Step, curve: tuple[Step, ...], bests: dict[str, Best], closed: float) -> None:
    columns = ("share of stake", "CORR", "gain", "95% interval", "Sharpe", "its gain", "its 95% interval")
    rows = [("joining at " + f"{here.share:.1%}", *_cells(here))]
    rows += [(f"{each.share:.1%}", *_cells(each)) for each in curve if each.share in SHOWN]
    title = (
        f"A model of CORR {number(float(found.own.mean()))}, {found.alike.mean():.0%} like the metamodel, "
        f"in {counted(len(found.labels), 'era')}"
    )
    said = [f"{_said(here)} The best share of the stake by CORR is {_share(bests['corr'])}; the closed form says "
            f"{closed:.1%}. By Sharpe it is {_share(bests['sharpe'])}."]  # fmt: skip
    print_table(title, columns, rows, caption="\n".join(said), spare=("its 95% interval", "its gain"))


def _said(here: Step) -> str:
    if here.low > 0:
        return "The metamodel surely gains by it."
    return "The metamodel surely loses by it." if here.high < 0 else "Whether the metamodel gains cannot be told."


def _share(found: Best) -> str:
    return f"{found.share:.1%} (95% interval {found.low:.1%} to {found.high:.1%})"


def _cells(each: Step) -> tuple[str, ...]:
    return (
        number(each.corr), number(each.gain, 5), span(each.low, each.high, 5),
        number(each.sharpe, 3), number(each.sharpe_gain), span(each.sharpe_low, each.sharpe_high),
    )  # fmt: skip
