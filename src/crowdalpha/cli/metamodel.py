"""`crowdalpha metamodel`: the stake-weighted metamodel of a crowd, as a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from crowdalpha.cli.console import counted, print_json, progress, reports_refusals
from crowdalpha.cli.options import as_json, existing, output


@click.command(name="metamodel")
@click.argument("predictions", type=existing)
@click.option("--stakes", type=existing, help="model, stake (or era, model, stake); without it all stakes are equal.")
@output("era, id, metamodel; without it CSV on standard output")
@as_json
@reports_refusals
def command(predictions: Path, stakes: Path | None, output: Path | None, as_json: bool) -> None:
    """Build the stake-weighted metamodel of PREDICTIONS: a number in (0, 1) for every era and id."""
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.scoring.metamodel import metamodel
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, id_table

    built = []
    with progress("Reading") as told:
        crowd = eras(predictions, None, stakes, bags=0)
        for done, era in enumerate(crowd, 1):
            built.append(metamodel(era.ranks, era.own_stakes))
            told(done, len(crowd), "Building")
    table = id_table(crowd, {"metamodel": built})
    write_all({output: partial(write_table, table)})
    if as_json:
        print_json(table.to_pylist())
    elif output is not None:
        models, eras_built = counted(len(crowd.models), "model"), counted(len(crowd), "era")
        click.echo(f"metamodel of {models}, {eras_built}, {table.num_rows:,} ids in {output}")
    else:
        click.echo(_as_csv(table), nl=False)


def _as_csv(table: Any) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return bytes(sink.getvalue())
