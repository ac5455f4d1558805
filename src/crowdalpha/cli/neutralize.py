"""`crowdalpha neutralize`: predictions with the features taken out, ready to be submitted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import Advance, counted, print_json, progress, reports_refusals
from crowdalpha.cli.options import TABLES, Destination, a_share, as_json, existing

if TYPE_CHECKING:
    from crowdalpha.scoring.arrays import Floats
    from crowdalpha.tables.crowd import Crowd


@click.command(name="neutralize")
@click.argument("predictions", type=existing)
@click.option("--features", type=existing, required=True, help="era, id and a column a feature.")
@click.option(
    "--proportion",
    callback=a_share,
    default=1.0,
    show_default=True,
    help="How much of the exposure to take out, 0 to 1.",
)
@click.option(
    "--scale",
    type=click.Choice(["uniform", "normal"]),
    default="uniform",
    show_default=True,
    help="Ranks in (0, 1), or values of standard deviation 1.",
)
@click.option("--output", type=Destination(TABLES), required=True, help="era, id and a column a model.")
@as_json
@reports_refusals
def command(predictions: Path, features: Path, proportion: float, scale: str, output: Path, as_json: bool) -> None:
    """Take the features out of every model of PREDICTIONS, era by era."""
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, id_table

    with progress("Reading") as told:
        crowd = eras(predictions, None, features=features, bags=0)
        table = id_table(crowd, _neutralized(crowd, proportion, scale, told))
    write_all({output: partial(write_table, table)})
    names = crowd.names["features"]
    if as_json:
        print_json(
            {"models": crowd.models, "features": names, "eras": len(crowd), "rows": table.num_rows}
            | {"proportion": proportion, "scale": scale, "output": str(output)}
        )
        return
    what, by = counted(len(crowd.models), "model"), counted(len(names), "feature")
    click.echo(f"{what} neutralised by {proportion:.4g} to {by} in {output}")


def _neutralized(crowd: Crowd, proportion: float, scale: str, told: Advance) -> dict[str, list[Floats]]:
    """For each model an array an era, all NaN where it is absent."""
    import numpy as np

    from crowdalpha.scoring.neutral import normalize_and_neutralize
    from crowdalpha.scoring.ranks import uniform

    columns: dict[str, list[Floats]] = {name: [] for name in crowd.models}
    for done, era in enumerate(crowd, 1):
        left = normalize_and_neutralize(era.predictions, era.given("features"), proportion=proportion)
        scaled = uniform(left) if scale == "uniform" else left
        present = dict(zip(era.models, scaled.T, strict=True))
        for name in crowd.models:
            columns[name].append(present.get(name, np.full(len(scaled), np.nan)))
        told(done, len(crowd), "Neutralising")
    return columns
