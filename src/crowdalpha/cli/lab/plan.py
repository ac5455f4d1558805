"""`crowdalpha lab plan`: what share of one's coins to stake on a model, from its own scores."""

from __future__ import annotations

from dataclasses import asdict
from math import expm1
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, print_json, reports_refusals
from crowdalpha.cli.lab.options import seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, existing
from crowdalpha.cli.tournament.door import refusals
from crowdalpha.cli.tournament.replay import pair

if TYPE_CHECKING:
    from crowdalpha.lab.planning import Outlook, Plan

FARTHEST = 5_200
"""Rounds that a plan may look ahead: a hundred years of weeks."""
SPARE = ("deep fall", "behind", "growth a year", "best 5%")


@click.command(name="plan")
@click.argument("scores", type=existing)
@click.option("--policy", required=True, help="A rule, FILE.toml:NAME or FILE.py:FUNCTION.")
@click.option("--model", help="Whose scores, if the table has a column model.")
@click.option("--choice", callback=pair, metavar="CORR,MMC", help="What the model chooses where a rule offers it.")
@click.option(
    "--factor",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="The payout factor of the rounds to come.",
)
@click.option("--share", "shares", multiple=True, type=float, help="A share of one's coins, again and again.")
@click.option(
    "--horizon", type=click.IntRange(1, FARTHEST), default=52, show_default=True, help="Rounds to look ahead."
)
@click.option(
    "--rounds-a-year", "yearly", type=click.IntRange(1, 366), default=52, show_default=True, help="Rounds in a year."
)
@seed
@as_json
@reports_refusals
def command(
    scores: Path,
    policy: str,
    model: str | None,
    choice: tuple[float, float] | None,
    factor: float,
    shares: tuple[float, ...],
    horizon: int,
    yearly: int,
    seed: str,
    as_json: bool,
) -> None:
    """Say what staking on a model may come to, from SCORES, its own history: round, corr, mmc2.

    The Kelly share is the part of one's coins which, staked, grows them fastest; whoever stakes more has wilder years
    and less in the end. Years to come are drawn from blocks of the rounds that were, with the lag of a tournament: what
    a round pays is staked four rounds later. A past is no promise. All stakes are simulated.
    """
    from crowdalpha.lab.planning import SHARES, plan
    from crowdalpha.lab.policies import the_policy
    from crowdalpha.lab.scorebooks import read_scorebook, returns

    with refusals():
        rules = the_policy(policy)
        book = read_scorebook(scores, rules, model=model, choice=choice)
        found = plan(returns(book, rules, factor=factor), shares=shares or SHARES, horizon=horizon, seed=seed)
    if as_json:
        print_json(asdict(found))
        return
    _print(found, rules.name, yearly)


def _print(found: Plan, rule: str, yearly: int) -> None:
    columns = (
        "staked", "growth a round", "95% interval", "with the lag", "growth a year",
        f"a coin after {found.horizon} rounds", "worst 5%", "best 5%", "fall", "deep fall", "halved", "behind",
    )  # fmt: skip
    rows = [_row(each, found, yearly) for each in found.outlooks]
    title = f"{rule}: {counted(found.rounds, 'round')}, {found.mean:+.2%} a round on average, give or take "
    print_table(f"{title}{found.volatility:.2%}", columns, rows, caption=found.says, spare=SPARE)


def _row(each: Outlook, found: Plan, yearly: int) -> tuple[str, ...]:
    rate, low, high, late = each.rates
    mark = " (Kelly)" if each.share == found.kelly else ""
    return (
        f"{each.share:.0%}{mark}",
        f"{rate:+.3%}",
        f"{low:+.3%} to {high:+.3%}",
        f"{late:+.3%}",
        f"{expm1(each.late * yearly):+.1%}",
        f"{each.median:.2f}",
        f"{each.poor:.2f}",
        f"{each.good:.2f}",
        f"{each.drawdown:.0%}",
        f"{each.deep:.0%}",
        f"{each.halved:.1%}",
        f"{each.behind:.0%}",
    )
