"""`crowdalpha neutralize`: predictions with the features taken out, ready to be submitted."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import existing, progress, reports_refusals


@click.command(name="neutralize")
@click.argument("predictions", type=existing(folder=True))
@click.option("--features", type=existing(), required=True, help="era, id and a column a feature.")
@click.option("--proportion", default=1.0, show_default=True, help="How much of the exposure to take out, 0 to 1.")
@click.option(
    "--scale",
    type=click.Choice(["uniform", "normal"]),
    default="uniform",
    show_default=True,
    help="Ranks in (0, 1), or values of standard deviation 1.",
)
@click.option("--output", type=click.Path(path_type=Path), required=True, help=".csv, .parquet or .feather")
@reports_refusals
def command(predictions: Path, features: Path, proportion: float, scale: str, output: Path) -> None:
    """Take the features out of every model of PREDICTIONS, era by era."""
    import numpy as np

    from crowdalpha.scoring.arrays import Floats
    from crowdalpha.scoring.neutral import normalize_and_neutralize
    from crowdalpha.scoring.ranks import uniform
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, id_table

    crowd = eras(predictions, None, features=features, bags=0)
    columns: dict[str, list[Floats]] = {name: [] for name in crowd.models}
    with progress("Neutralising") as told:
        for done, era in enumerate(crowd, 1):
            left = normalize_and_neutralize(era.predictions, era.given("features"), proportion=proportion)
            scaled = uniform(left) if scale == "uniform" else left
            for name in crowd.models:
                there = name in era.models
                columns[name].append(scaled[:, era.models.index(name)] if there else np.full(len(scaled), np.nan))
            told(done, len(crowd))
    write_table(id_table(crowd, columns), output)
    click.echo(f"{len(crowd.models)} models neutralised by {proportion:.0%} to {len(crowd.names['features'])} features")
    click.echo(f"in {output}")
