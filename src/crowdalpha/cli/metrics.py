"""`crowdalpha metrics`: every metric and what its number means."""

from __future__ import annotations

import click

from crowdalpha.cli.console import print_json
from crowdalpha.cli.layout import KEYS, print_entries, print_prose
from crowdalpha.cli.options import as_json

FIELDS = ("name", "title", "says", "bounds", "better", "needs", "source")


@click.command(name="metrics")
@as_json
def command(as_json: bool) -> None:
    """List every metric: what it means, its range, what it needs and where it comes from."""
    from crowdalpha.scoring.metrics import METRICS

    if as_json:
        print_json([{field: getattr(row, field) for field in FIELDS} for row in METRICS.values()])
        return
    rows = METRICS.values()
    print_entries(
        f"{len(rows)} metrics",
        [(row.name, f"{row.title}, {row.bounds} [{row.source}]", [row.says, _needs(row.needs)]) for row in rows],
    )
    print_prose(KEYS)


def _needs(inputs: tuple[str, ...]) -> str:
    options = [f"--{name.replace('_', '-')}" for name in inputs if name != "target"]
    return f"Needs {', '.join(options)}." if options else ""
