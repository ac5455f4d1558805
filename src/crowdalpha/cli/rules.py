"""`crowdalpha rules`: every dated payout rule with its source."""

from __future__ import annotations

from dataclasses import asdict

import click

from crowdalpha.cli.console import as_json, print_json, print_table


@click.command(name="rules")
@click.option("--on", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Only the rule in force on a day.")
@as_json
def command(on: object, as_json: bool) -> None:
    """List every dated payout rule: from when, what it pays, and where that is written."""
    from crowdalpha.payouts import PayoutError, rule_on, rules

    try:
        chosen = rules() if on is None else (rule_on(on.date()),)  # type: ignore[attr-defined]
    except PayoutError as refusal:
        raise click.UsageError(str(refusal)) from None
    if as_json:
        print_json([asdict(rule) for rule in chosen])
        return
    rows = [(str(r.start), r.name, r.formula, r.meaning, f"{', '.join(r.sources)} ({r.status})") for r in chosen]
    print_table("Payout rules", ("from", "rule", "pays", "in words", "source"), rows, left=5)
