"""A tournament's folder from its first day on: made, backed up, restored elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.settings.file import FILE, PLACES, SECRET, Settings, parse, portable, read, said_in, settle, to_toml
from crowdalpha.settings.opening import make_secret, open_database, open_files, open_kept, read_secret
from crowdalpha.settings.places import MEMORY
from crowdalpha.storage import backup
from crowdalpha.storage.durable import new_file
from crowdalpha.storage.manifest import Manifest
from crowdalpha.tournament.events import Head

PRIVATE = 0o700
"""The rights of a new folder: what is in it is its owner's alone."""
NOTHING: Mapping[str, Any] = {}
SETTINGS = "settings.toml"
"""The name of the settings in a backup."""


def initialise(
    folder: Path | str,
    *,
    name: str | None = None,
    database: str | None = None,
    files: str | None = None,
    submissions: Mapping[str, Any] = NOTHING,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Make a tournament in a folder: its settings, its master secret, its database.

    `submissions` is what the settings say under that word, beside what is theirs without saying.
    The settings come last: a folder that has them is complete, and is refused with code `settings_taken`. One that has
    a secret already keeps it. A database or a store of files that something is in is refused with `not_empty`.
    """
    folder = Path(folder)
    said: dict[str, Any] = {"name": name or folder.absolute().name} | _places(database, files)
    said |= {"submissions": dict(submissions)} if submissions else {}
    settings = settle(said, folder, _but_for(environ, database, files))
    if (folder / FILE).exists():
        fix = "choose another folder; this one is made already"
        raise InputError(Problem("settings_taken", f"a folder without {FILE}", "one", fix, str(folder)))
    folder.mkdir(PRIVATE, parents=True, exist_ok=True)
    make_secret(settings.secret)
    read_secret(settings.secret)
    _make_places(settings)
    _write(folder / FILE, to_toml(said))
    return settings


def back_up(
    folder: Path | str, to: Path | str, now: datetime, *, secret: bool = False, environ: Mapping[str, str] = os.environ
) -> Manifest:
    """Write one moment of the tournament in a folder into a new file, while it goes on.

    Its settings go with it, but for where things are kept; the master secret only if it is asked for. Refused with
    `backup_taken` if the file is there already.
    """
    settings, said = read(folder, environ), portable(said_in(Path(folder)))
    beside = {SETTINGS: to_toml(said)} | ({SECRET: read_secret(settings.secret)} if secret else {})
    with open_kept(settings) as store:
        try:
            return backup.backup(store, open_files(settings), Path(to), now, beside=beside)
        except FileExistsError:
            raise InputError(Problem("backup_taken", "a new name", "a file", "choose another", str(to))) from None


def restore(
    archive: Path | str,
    folder: Path | str,
    *,
    database: str | None = None,
    files: str | None = None,
    heads: Iterable[Head] = (),
    environ: Mapping[str, str] = os.environ,
) -> Manifest:
    """Make a folder of a backup: its settings and files, and its secret if it holds that; last, its records.

    `database` and `files` say where those are to be kept from now on, in the folder if they are not given. Whoever was
    stopped half-way does it again. A folder with other settings is refused with `settings_taken`.
    """
    archive, folder = Path(archive), Path(folder)
    beside = backup.beside(archive)
    said = parse(beside.get(SETTINGS, b""), f"{archive}, {SETTINGS}") | _places(database, files)
    settings = settle(said, folder, _but_for(environ, database, files))
    refuse_if_any([*_taken(folder / FILE, to_toml(said)), *_taken(settings.secret, beside.get(SECRET))])
    folder.mkdir(PRIVATE, parents=True, exist_ok=True)
    for path, content in ((folder / FILE, to_toml(said)), (settings.secret, beside.get(SECRET))):
        if content is not None and not path.exists():
            _write(path, content)
    with open_database(settings) as store:
        return backup.restore(archive, store, open_files(settings), heads=heads)


def _places(database: str | None, files: str | None) -> dict[str, str]:
    return {"database": database or "sqlite:///tournament.db", "files": files or "files"}


def _but_for(environ: Mapping[str, str], database: str | None, files: str | None) -> Mapping[str, str]:
    """The environment without the places that are named beside it: what is asked for now goes before it."""
    named = {PLACES[name] for name, place in (("database", database), ("files", files)) if place}
    return {variable: value for variable, value in environ.items() if variable not in named}


def _make_places(settings: Settings) -> None:
    """Make the tables; refuse a database or a store of files that is somebody's already."""
    found = {"files": len(open_files(settings).names())}
    if settings.database != MEMORY:
        with open_database(settings) as store:
            store.create()
            with store.reading() as work:
                found["events"] = len(work.events())
    fix = "name an empty one, or copy the settings and the secret of the tournament that is in it"
    refuse_if_any(
        Problem("not_empty", f"no {what}", str(number), fix, what) for what, number in found.items() if number
    )


def _taken(path: Path, content: bytes | None) -> Iterator[Problem]:
    """A file that is there already with another content than it is to have."""
    if content is not None and path.exists() and path.read_bytes() != content:
        fix = "restore into another folder"
        yield Problem("settings_taken", "no file, or the backup's", "another", fix, str(path))


def _write(path: Path, content: bytes) -> None:
    with new_file(path) as file:
        file.write(content)
