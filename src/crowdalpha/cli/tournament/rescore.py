"""`crowdalpha rescore`: what a round would have paid under another rule, beside what it paid."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import number, print_json
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.tournament.door import at, plays, whole
from crowdalpha.cli.tournament.words import coins, facts

if TYPE_CHECKING:
    from crowdalpha.engine import Engine, Rescored


@click.command(name="rescore")
@click.argument("round", type=whole)
@click.option("--rule", required=True, help="A name from `crowdalpha rules`.")
@click.option("--ties", type=click.Choice(["average", "first"]), default="average", show_default=True,
              help="How ties rank.")  # fmt: skip
@at
@plays
def command(engine: Engine, round: int, rule: str, ties: str, now: datetime, as_json: bool) -> None:
    """Score ROUND, resolved, under another rule. No money moves, and its own scores stay."""
    found = engine.rescore(round, rule, ties=ties, now=now)
    if as_json:
        print_json(facts(found))
    else:
        _print(round, found)


def _print(round: int, found: Rescored) -> None:
    before = {payout.model: payout for payout in found.paid}
    metrics = list(dict.fromkeys(score.metric for score in found.scores))
    scores = {(score.model, score.metric): score.value for score in found.scores}
    rows = [
        (
            payout.model,
            *(number(scores.get((payout.model, metric), float("nan"))) for metric in metrics),
            coins(payout.at_risk),
            coins(payout.paid),
            coins(before[payout.model].paid),
        )
        for payout in sorted(found.payouts, key=lambda payout: (-payout.paid, payout.model))
    ]
    columns = ("model", *metrics, "at risk", "would have paid", "paid")
    caption = "Below 0 is burned. No money has moved; the scores are kept beside the round's own."
    print_table(f"Round {round} under {found.rule_set}", columns, rows, caption=caption, spare=metrics)
