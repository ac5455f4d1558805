"""`crowdalpha init`: a new tournament in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import reports_refusals
from crowdalpha.cli.options import as_json
from crowdalpha.cli.tournament.door import VARIABLE, refusals
from crowdalpha.cli.tournament.words import answer


@click.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path), default=".", envvar=VARIABLE)
@click.option("--name", help="What it is called; else as the folder.")
@click.option("--database", help="sqlite:///FILE or postgresql://USER@HOST/NAME; else a file in the folder.")
@click.option("--files", help="A folder, or a bucket such as s3://BUCKET/FOLDER; else in the folder.")
@as_json
@reports_refusals
def command(folder: Path, name: str | None, database: str | None, files: str | None, as_json: bool) -> None:
    """Make a tournament in FOLDER: its settings, its master secret, its database."""
    from crowdalpha.settings import FILE, initialise

    with refusals():
        made = initialise(folder, name=name, database=database, files=files)
    place = {"name": made.name, "folder": str(made.folder), "settings": str(made.folder / FILE)}
    place["secret"] = str(made.secret)
    answer(place, f"{made.name} is in {made.folder}. Keep {made.secret} to yourself, and a copy elsewhere.", as_json)
