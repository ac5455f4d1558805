"""`crowdalpha metrics`: every metric and what its number means."""

from __future__ import annotations

import click

from crowdalpha.cli.console import as_json, print_json, print_table


@click.command(name="metrics")
@as_json
def command(as_json: bool) -> None:
    """List every metric: what it means, its range, what it needs and where it comes from."""
    from crowdalpha.scoring.metrics import METRICS

    if as_json:
        fields = ("name", "title", "says", "bounds", "better", "needs", "source")
        print_json([{field: getattr(row, field) for field in fields} for row in METRICS.values()])
        return
    rows = [
        (row.name, row.says, row.bounds, ", ".join(row.needs) or "-", f"[{row.source}]") for row in METRICS.values()
    ]
    print_table(f"{len(rows)} metrics", ("metric", "what it says", "range", "needs", "source"), rows, left=5)
