"""`crowdalpha pack`: tables become a folder of eras, each ranked once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from crowdalpha.cli.console import counted, print_json, printable, progress, reports_refusals, warn
from crowdalpha.cli.options import as_json, existing


@click.command(name="pack")
@click.argument("predictions", type=existing)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, help="model, stake (or era, model, stake); without it all stakes are equal.")
@click.option("--features", type=existing, help="era, id and a column a feature, for metrics that ask for them.")
@click.option("--leave-out-invalid", is_flag=True, help="Pack on without the models that have problems.")
@as_json
@reports_refusals
def command(
    predictions: Path,
    folder: Path,
    targets: Path,
    stakes: Path | None,
    features: Path | None,
    leave_out_invalid: bool,
    as_json: bool,
) -> None:
    """Rank PREDICTIONS once and keep them in FOLDER, for `crowdalpha backfill`.

    Takes what `crowdalpha score` takes. Parquet files are read an era at a time, fast if they are sorted by era.
    Eras of the same name are replaced; those that did not change keep their scores.
    """
    from crowdalpha.history.packing import pack
    from crowdalpha.scoring.problems import Problem

    left_out = list[Problem]()
    with progress("Packing") as told:
        packed = pack(
            folder,
            predictions,
            targets,
            stakes,
            features=features,
            invalid="leave_out" if leave_out_invalid else "refuse",
            problems=left_out,
            progress=told,
        )
    for problem in left_out:
        warn(f"left out: {problem}")
    if as_json:
        eras = [{"era": era.label, "models": era.n_models, "ids": era.n_ids} for era in packed]
        print_json({"folder": folder, "eras": eras, "left_out": [asdict(problem) for problem in left_out]})
        return
    models = counted(sum(era.n_models for era in packed), "column")
    click.echo(printable(f"{counted(len(packed), 'era')}, {models} of ranks in {folder}"))
