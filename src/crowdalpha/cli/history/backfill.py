"""`crowdalpha backfill`: a whole history scored by a rule, as far as it is not yet."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import counted, print_json, printable, progress, reports_refusals
from crowdalpha.cli.options import as_json, engine, known_metrics, output


@click.command(name="backfill")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--metrics",
    "--metric",
    callback=known_metrics,
    default="corr,mmc2",
    show_default=True,
    help="Names from `crowdalpha metrics`, with commas between them.",
)
@click.option(
    "--bags",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Subsamples of the stakers an era; 0 for none.",
)
@click.option("--seed", default="0", show_default=True, help="What the bags are drawn from: a number or any text.")
@click.option(
    "--ties",
    type=click.Choice(["average", "first"]),
    default="average",
    show_default=True,
    help="Equal predictions share their rank, or the first in order of ids is lower.",
)
@engine
@click.option(
    "--check", is_flag=True, help="Read every packed file first, and refuse those that are not what they were."
)
@output("All scores, an era and model")
@as_json
@reports_refusals
def command(
    folder: Path,
    metrics: list[str],
    bags: int,
    seed: str,
    ties: str,
    engine: str,
    check: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Score every era of FOLDER, which `crowdalpha pack` has made, unless its scores are there.

    The scores of an era are kept under a name that follows from its content and the rule, so only what has changed is
    scored, and whoever is interrupted goes on where they were. They are those of `crowdalpha score`, to the bit.
    """
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.history import Rule, backfill
    from crowdalpha.settings import open_executor
    from crowdalpha.tables.files import write_table

    rule = Rule(tuple(metrics), bags, seed, ties)
    with progress("Scoring") as told, open_executor(engine) as executor:
        done = backfill(executor, folder, rule, progress=told, check=check)
    write_all({output: lambda path: write_table(done.table(), path)})
    if as_json:
        kept = [{"era": era, "scores": path} for era, path in zip(done.eras, done.paths, strict=True)]
        print_json({"computed": done.computed, "eras": kept})
        return
    there = len(done.eras) - len(done.computed)
    click.echo(f"{counted(len(done.eras), 'era')}: {len(done.computed):,} scored now, {there:,} there already")
    click.echo(printable(f"scores in {output or done.paths[0].parent}"))
