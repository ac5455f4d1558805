"""A season for people and for scripts: who earned, who burned, and what became of the crowd."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crowdalpha.cli.console import counted, number
from crowdalpha.cli.layout import print_table

if TYPE_CHECKING:
    from crowdalpha.diagnostics.season import SeasonReport, SeasonRow

COLUMNS = ("model", "opening", "closing", "change", "share before", "share after", "rounds", "mean payout")
SPARE = ("rounds", "share before", "mean payout", "opening")
"""Columns that a narrow terminal does without, in this order."""


def print_season(season: SeasonReport, *, top: int = 0, bottom: int = 0) -> None:
    """The table of a season, and under it what is to be seen; with `top`, only so many of its head and `bottom`."""
    rows = [_row(row) for row in season.rows]
    if top and len(rows) > top + bottom + 1:
        rows[top:-bottom] = [(f"... {len(rows) - top - bottom} more", *[""] * (len(COLUMNS) - 1))]
    refused = [f"{counted(each.count, 'submission')} refused: {each.reason}" for each in season.refused]
    title = f"{season.title}: {counted(len(season.rows), 'model')}, {counted(season.run.eras, 'round')}"
    caption = "\n".join([*season.says, season.verdict, *refused, season.caveats[0] if season.caveats else ""])
    print_table(title, COLUMNS, rows, caption=caption, spare=SPARE)


def season_record(season: SeasonReport) -> dict[str, Any]:
    """A season as JSON: models by what they earned, rounds in order, amounts in coins."""
    models = [asdict(row) | {"change": row.change, "growth": row.growth} for row in season.rows]
    columns = (
        season.flows.eras,
        season.at_risk.values,
        season.flows.paid,
        season.flows.burned,
        season.crowd.values,
    )
    names = ("era", "at_risk", "paid", "burned", "metamodel_corr")
    rounds = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {
        "title": season.title,
        "rule": asdict(season.ruling),
        "models": models,
        "rounds": rounds,
        "weights": {layer.name: layer.values for layer in season.weights.layers},
        "refused": [asdict(each) for each in season.refused],
        "says": [*season.says, season.verdict],
        "notices": season.caveats,
    }


def _row(row: SeasonRow) -> tuple[str, ...]:
    """A model's line; amounts in coins, to the cent."""
    shares = (f"{row.opening_share:.1%}", f"{row.closing_share:.1%}")
    mean = "-" if row.mean != row.mean else f"{row.mean:+.2%}"
    return (
        row.model,
        f"{row.opening:,.2f}",
        f"{row.closing:,.2f}",
        number(row.change, 2),
        *shares,
        str(row.rounds),
        mean,
    )
