"""`crowdalpha rules`: every dated payout and reputation rule with its source."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import print_json
from crowdalpha.cli.layout import KEYS, print_entries, print_prose
from crowdalpha.cli.options import as_json

if TYPE_CHECKING:
    from crowdalpha.payouts import ReputationRule

SYMBOLS = (
    "S: the stake at risk. corr, mmc: a model's scores. cm, mm: the multipliers that the model chose. F: the payout "
    "factor of the round."
)


@click.command(name="rules")
@click.option("--on", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Only the rules in force on a day.")
@as_json
def command(on: datetime | None, as_json: bool) -> None:
    """List every dated rule: from when, what it pays or how it ranks, and where that is written."""
    from crowdalpha.payouts import PayoutError, reputation_rules, rule_on, rules
    from crowdalpha.payouts.parameters import STATUSES

    payouts, reputations = rules(), reputation_rules()
    if on is not None:
        try:
            payouts = (rule_on(on.date()),)
        except PayoutError as refusal:
            raise click.UsageError(str(refusal)) from None
        reputations = _newest(reputations, on.date())
    if as_json:
        found = {"payout": payouts, "reputation": reputations}
        print_json({kind: [asdict(rule) for rule in some] for kind, some in found.items()} | {"statuses": STATUSES})
        return
    print_entries("Payout rules", map(_entry, payouts))
    print_entries("Reputation rules", map(_entry, reputations))
    print_prose(SYMBOLS)
    print_prose(KEYS)
    print_prose("Status of a source: " + "; ".join(f"({letter}) {meaning}" for letter, meaning in STATUSES.items()))


def _newest(dated: tuple[ReputationRule, ...], day: date) -> tuple[ReputationRule, ...]:
    return tuple(rule for rule in dated if rule.start <= day)[-1:]


def _entry(rule: ReputationRule) -> tuple[str, str, list[str]]:
    sources = f"[{', '.join(rule.sources)}] ({rule.status})"
    return f"{rule.start}  {rule.name}", sources, [rule.formula, rule.meaning, rule.note]
