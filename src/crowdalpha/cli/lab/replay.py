"""`crowdalpha lab replay`: a history under several rules."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals
from crowdalpha.cli.lab.options import seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, existing, some
from crowdalpha.cli.tournament.door import refusals
from crowdalpha.cli.tournament.replay import pair

if TYPE_CHECKING:
    from crowdalpha.lab.replays import Comparison

POLICIES = "A rule, FILE.toml or FILE.py:FUNCTION, again and again; the others are compared with the first."


@click.command(name="replay")
@click.argument("predictions", type=existing)
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, required=True, help="model, stake: the opening stakes, in coins.")
@click.option("--policy", "policies", multiple=True, required=True, help=POLICIES)
@click.option("--choice", callback=pair, metavar="CORR,MMC", help="What all choose where a rule offers it.")
@click.option("--bags", type=some, default=100, show_default=True, help="Bags of the score that a round is paid on.")
@seed
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    stakes: Path,
    policies: tuple[str, ...],
    choice: tuple[float, float] | None,
    bags: int,
    seed: str,
    as_json: bool,
) -> None:
    """Play PREDICTIONS, era by era, under each policy, and say what it made of them.

    Files and rounds are those of `crowdalpha replay`, and with the same seed so are payouts, to the unit. Who gains by
    another policy is told with a 95% interval. All stakes are simulated.
    """
    from crowdalpha.lab.policies import asked
    from crowdalpha.lab.replays import compare
    from crowdalpha.tables.frames import eras
    from crowdalpha.tables.opening import opening_stakes

    with refusals(), progress("Playing rules") as told:
        named = asked(policies)
        history = eras(predictions, targets, bags=0)
        opening = opening_stakes(stakes, history.models)
        found = compare(
            history, opening, named.rules, choice=choice, custom=named.custom, bags=bags, seed=seed, told=told
        )
    if as_json:
        print_json({"outcomes": _in_coins(found), "shifts": [asdict(shift) for shift in found.shifts]})
        return
    _print_outcomes(found)
    for rule in named.rules[1:]:
        _print_shifts(found, rule, named.rules[0])


def _in_coins(found: Comparison) -> list[dict[str, object]]:
    from crowdalpha.tournament.money import UNITS

    amounts = ("earned", "burned", "opening", "closing")
    rows = [asdict(outcome) for outcome in found.outcomes]
    return [row | {name: row[name] / UNITS for name in amounts} for row in rows]


def _print_outcomes(found: Comparison) -> None:
    columns = ("policy", "earned", "burned", "closing", "mean", "volatility", "drawdown", "Gini", "CORR", "Sharpe")
    rows: list[tuple[str, ...]] = []
    for row in _in_coins(found):
        coins = [f"{row[name]:,.2f}" for name in ("earned", "burned", "closing")]
        shares = [f"{row['mean']:+.2%}", *(f"{row[name]:.2%}" for name in ("volatility", "drawdown"))]
        scores = [f"{row['gini']:.3f}", *(number(float(str(row[name]))) for name in ("corr", "sharpe"))]
        rows.append((str(row["rule"]), *coins, *shares, *scores))
    caption = "Coins earned and burned in all, held in the end; the others are a round's, of all that was at risk."
    print_table("The same rounds under each policy", columns, rows, caption=caption, spare=("Sharpe", "mean", "burned"))


def _print_shifts(found: Comparison, rule: str, first: str) -> None:
    shifts = [shift for shift in found.shifts if shift.rule == rule]
    rows = [
        (shift.model, f"{shift.gain.mean:+.3%}", f"{shift.gain.low:+.3%} to {shift.gain.high:+.3%}",
         str(shift.gain.rounds))
        for shift in shifts
    ]  # fmt: skip
    gain, lose = sum(shift.gain.low > 0 for shift in shifts), sum(shift.gain.high < 0 for shift in shifts)
    caption = f"Of {counted(len(shifts), 'model')} {gain} surely gain and {lose} surely lose."
    columns = ("model", "gain a round", "95% interval", "rounds")
    print_table(f"{rule} instead of {first}", columns, rows, caption=caption, spare=("rounds",))
