"""`crowdalpha backup`: one moment of a tournament in one file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from crowdalpha.cli.console import counted, reports_refusals
from crowdalpha.cli.options import as_json
from crowdalpha.cli.tournament.door import at, in_folder, refusals
from crowdalpha.cli.tournament.words import answer

WITHOUT = "The master secret is not in it: keep a copy of that elsewhere."


@click.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-secret", is_flag=True, help="Put the master secret in too: then the file is as secret as that.")
@at
@in_folder
@as_json
@reports_refusals
def command(file: Path, with_secret: bool, now: datetime, folder: Path, as_json: bool) -> None:
    """Write one moment of the tournament into FILE, a new one, while it goes on."""
    from crowdalpha.settings import back_up

    with refusals():
        made = back_up(folder, file, now, secret=with_secret)
    record = {
        "file": str(file),
        "members": len(made.members),
        "revision": made.revision,
        "secret": with_secret,
        "lost": list(made.lost),
    }
    told = f"{file}: {counted(len(made.members), 'member')}, tables of revision {made.revision}. "
    answer(record, told + ("The master secret is in it." if with_secret else WITHOUT), as_json)
