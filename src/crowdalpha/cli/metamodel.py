"""`crowdalpha metamodel`: the stake-weighted metamodel of a crowd, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import as_json, existing, print_json, reports_refusals


@click.command(name="metamodel")
@click.argument("predictions", type=existing(folder=True))
@click.option("--stakes", type=existing(), help="model, stake (or era, model, stake); without it all stakes are equal.")
@click.option("--output", type=click.Path(path_type=Path), help="era, id, metamodel (.csv, .parquet, .feather).")
@as_json
@reports_refusals
def command(predictions: Path, stakes: Path | None, output: Path | None, as_json: bool) -> None:
    """Build the stake-weighted metamodel of PREDICTIONS: a number in (0, 1) for every era and id."""
    from crowdalpha.scoring.metamodel import metamodel
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, id_table

    crowd = eras(predictions, None, stakes, bags=0)
    table = id_table(crowd, {"metamodel": [metamodel(era.ranks, era.own_stakes) for era in crowd]})
    if output is not None:
        write_table(table, output)
    if as_json:
        print_json(table.to_pylist())
    elif output is not None:
        click.echo(f"metamodel of {len(crowd.models)} models, {len(crowd)} eras, {table.num_rows:,} ids in {output}")
    else:
        click.echo("era,id,metamodel")
        for row in table.to_pylist():
            click.echo(f"{row['era']},{row['id']},{row['metamodel']!r}")
