"""Backups: one moment of a tournament in one file, for the kind of database it came from or another.

    tables/NAME.jsonl        the rows of every table
    files/NAME.bin           every file of the prediction store
    beside/NAME              what the caller adds
    manifest.json            versions, the moment, SHA-256 of all these

A file is written once, and before any record names it. So of the files that are there after the moment of the
database was taken, none that it needs is missing and none is half written, and nobody has to wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.storage import audit, manifest, migrations, rows, tables
from crowdalpha.storage.archive import Archive, pack, unpack
from crowdalpha.storage.manifest import Manifest
from crowdalpha.storage.names import from_path, to_path
from crowdalpha.storage.sql import SqlStore
from crowdalpha.storage.verbs import Looking
from crowdalpha.tournament.events import Head
from crowdalpha.tournament.ports import PredictionStore

NOTHING: Mapping[str, bytes] = {}


def backup(
    store: SqlStore, files: PredictionStore, to: Path, now: datetime, *, beside: Mapping[str, bytes] = NOTHING
) -> Manifest:
    """Write one moment of a tournament into a new file, while others go on; returns what is in it.

    `now` is noted in it, and the contents of `beside` are added. The file is there as a whole or not at all; only its
    owner may read it. Raises FileExistsError if its name is taken. The database must be of the present form.
    """
    with pack(to) as parcel:
        with store.looking() as connection:
            refuse_if_any(_older(connection))
            held = {f"tables/{table.name}.jsonl": table.name for table in tables.metadata.sorted_tables}
            members = {member: parcel.add(member, rows.dump(connection, name)) for member, name in held.items()}
            names = files.names()
            lost = tuple(_lost(connection, names))
        members |= {_member(name): parcel.add(_member(name), [files.read(name)]) for name in names}
        members |= {f"beside/{name}": parcel.add(f"beside/{name}", [content]) for name, content in beside.items()}
        made = Manifest(taken_at=now, revision=migrations.NEWEST, members=members, lost=lost)
        parcel.add(manifest.NAME, [manifest.to_json(made)])
    return made


def check(path: Path) -> Manifest:
    """What is in a backup, after every byte of it was looked at."""
    with unpack(path) as archive:
        found = manifest.of(archive)
        for name, digest in found.members.items():
            for _ in archive.chunks(name, digest):
                pass
        return found


def beside(path: Path) -> dict[str, bytes]:
    """What the caller of `backup` had added, by name."""
    with unpack(path) as archive:
        kept = manifest.of(archive).under("beside")
        return {name.removeprefix("beside/"): archive.read(name, digest) for name, digest in kept.items()}


def restore(path: Path, store: SqlStore, files: PredictionStore, *, heads: Iterable[Head] = ()) -> Manifest:
    """Put a backup into a database and a store of files that are empty; returns what was in it.

    The files go first. The database follows in one transaction, kept only if its money and its chain (with the
    published `heads`) are in order. Whoever was stopped half-way does it again.
    """
    with unpack(path) as archive:
        found = manifest.of(archive)
        with store.looking() as connection:
            refuse_if_any([*_tenants(connection, found), *_strangers(files, found)])
        for name, digest in found.under("files").items():
            files.write(_named(name), archive.read(name, digest))
        with store.alone() as connection:
            refuse_if_any(_tenants(connection, found))
            _fill(connection, archive, found)
            refuse_if_any(audit.faults(Looking(connection), heads))
    return found


def _fill(connection: sa.Connection, archive: Archive, found: Manifest) -> None:
    """The tables as they were, then brought to the present form."""
    migrations.upgrade(connection, found.revision)
    for name, digest in found.under("tables").items():
        rows.load(connection, Path(name).stem, archive.chunks(name, digest))
    migrations.upgrade(connection)


def _tenants(connection: sa.Connection, found: Manifest) -> Iterator[Problem]:
    """Whatever stands in the database already, but for empty tables of the same form."""
    there = set(sa.inspect(connection).get_table_names()) & set(tables.metadata.tables)
    revision = migrations.revision_of(connection)
    if there and revision != found.revision:
        yield _not_empty("a database without tables", f"tables of revision {revision}", "database")
    full = [name for name in sorted(there) if connection.scalar(sa.select(sa.exists().select_from(sa.table(name))))]
    if full:
        yield _not_empty("empty tables", f"rows in {', '.join(full)}", "database")


def _strangers(files: PredictionStore, found: Manifest) -> Iterator[Problem]:
    """Files that are not those of the backup; its own may be there, from an attempt that was stopped."""
    ours = found.under("files")
    for name in files.names():
        if ours.get(_member(name)) != sha256(files.read(name)).hexdigest():
            yield _not_empty("no files but the backup's", "another", f"file {name}")


def _not_empty(expected: str, there: str, where: str) -> Problem:
    return Problem("not_empty", expected, there, "restore into a new place", where)


def _older(connection: sa.Connection) -> Iterator[Problem]:
    found = migrations.revision_of(connection)
    if found != migrations.NEWEST:
        fix = "open the tournament once, which brings it there"
        yield Problem("database_older", f"revision {migrations.NEWEST}", str(found), fix, "database")


def _lost(connection: sa.Connection, names: Collection[str]) -> Iterator[str]:
    """Files that submissions refer to and that are not there."""
    referred = connection.scalars(sa.select(tables.submission.c.predictions).distinct())
    return iter(sorted(set(referred) - set(names)))


def _member(name: str) -> str:
    return f"files/{to_path(name)}"


def _named(member: str) -> str:
    return from_path(member.removeprefix("files/")) or member
