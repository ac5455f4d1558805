"""`crowdalpha restore`: a tournament from a backup, in a new folder."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import counted, reports_refusals
from crowdalpha.cli.options import as_json, existing
from crowdalpha.cli.tournament.door import refusals
from crowdalpha.cli.tournament.words import answer, moment


@click.command(name="restore")
@click.argument("file", type=existing)
@click.option("--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="The new folder.")
@click.option("--database", help="Where records are kept from now on; else a file in the folder.")
@click.option("--files", help="Where files are kept from now on; else in the folder.")
@as_json
@reports_refusals
def command(file: Path, into: Path, database: str | None, files: str | None, as_json: bool) -> None:
    """Make a tournament of the backup FILE, once every byte of it, its money and its log are found in order."""
    from crowdalpha.settings import SECRET, restore

    with refusals():
        found = restore(file, into, database=database, files=files)
    secret = (into / SECRET).exists()
    record = {"folder": str(into), "taken_at": found.taken_at.isoformat(), "members": len(found.members)}
    told = f"{into} is as it was at {moment(found.taken_at)}: {counted(len(found.members), 'member')}."
    told += "" if secret else f" Copy the master secret to {into / SECRET} to go on."
    answer(record | {"secret": secret, "lost": list(found.lost)}, told, as_json)
