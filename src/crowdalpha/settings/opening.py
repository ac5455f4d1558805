"""From settings to an engine: the adapters are picked here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

from crowdalpha.engine import Engine, Judge
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.settings.file import Settings, read
from crowdalpha.settings.places import MEMORY
from crowdalpha.storage.intake import judge as judge_apart
from crowdalpha.tournament import seeds
from crowdalpha.tournament.ports import PredictionStore, TournamentStore
from crowdalpha.tournament.records import Progress
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import NONE

if TYPE_CHECKING:
    from crowdalpha.storage.sql import SqlStore

PACKS = "packs"
"""The folder, in a tournament's, of the ranks of large rounds that run."""
OTHERS = 0o077
"""The rights of all but the owner of a file."""


@contextmanager
def open_engine(
    where: Settings | Path | str, *, judge: Judge = judge_apart, policies: Mapping[str, Policy] = NONE
) -> Iterator[Engine]:
    """The engine of a tournament, by its folder or its settings; its database is closed when the block ends.

    A database of an older form is brought to the present one first, all or nothing. Refused with `database_empty` if
    there is no tournament in it, `database_newer`, `database_unreachable`, `not_durable`, `driver_missing`, and with
    `secret_missing`, `secret_exposed`, `not_its_owner`, `bad_secret` or `secret_changed` if the master secret is not
    there, not secret, or not the one that running rounds were announced with.
    """
    settings = where if isinstance(where, Settings) else read(where)
    master = read_secret(settings.secret)
    with open_store(settings) as store:
        _require_own_secret(store, master)
        files = open_files(settings)
        packs = settings.folder / PACKS
        yield Engine(store, files, judge=judge, master=master, rules=settings.rules, policies=policies, packs=packs)


@contextmanager
def open_store(settings: Settings) -> Iterator[TournamentStore]:
    """The records of a tournament."""
    if settings.database == MEMORY:
        from crowdalpha.storage.memory import MemoryStore

        yield MemoryStore()
    else:
        with open_kept(settings) as store:
            yield store


@contextmanager
def open_kept(settings: Settings) -> Iterator[SqlStore]:
    """The records of a tournament that is kept in a database, brought to their present form."""
    from crowdalpha.storage import migrations

    if settings.database == MEMORY:
        fix = "name a database that stays"
        raise InputError(Problem("nothing_kept", "records that outlive the program", MEMORY, fix, "database"))
    with open_database(settings) as store:
        with store.looking() as connection:
            if migrations.revision_of(connection) is None:
                fix = "name the database it is in, or restore a backup into this one"
                raise InputError(Problem("database_empty", "a tournament", "no tables", fix, "database"))
        store.create()
        yield store


@contextmanager
def open_database(settings: Settings) -> Iterator[SqlStore]:
    """A database as it is found, with a tournament in it or not."""
    from sqlalchemy.exc import OperationalError

    from crowdalpha.storage.sql import SqlStore

    try:
        store = SqlStore(settings.database)
    except ModuleNotFoundError:
        raise InputError(_driver("psycopg", "postgres", "database")) from None
    except OperationalError as error:
        found, fix = str(error.orig).partition("\n")[0], "start it, or correct its URL"
        raise InputError(Problem("database_unreachable", "a database", found, fix, "database")) from None
    try:
        yield store
    finally:
        store.close()


def open_files(settings: Settings) -> PredictionStore:
    """The files of a tournament."""
    if settings.files == MEMORY:
        from crowdalpha.storage.memory import MemoryFiles

        return MemoryFiles()
    if "://" not in settings.files:
        from crowdalpha.storage.folder import FolderFiles

        return FolderFiles(settings.files)
    from crowdalpha.storage.objects import ObjectFiles

    try:
        return ObjectFiles(settings.files)
    except InputError:
        raise
    except ImportError as error:
        raise InputError(_driver(str(error), "s3", "files")) from None
    except Exception as error:  # every service has errors of its own
        found, fix = f"{type(error).__name__}: {error}"[:300], "make the bucket, or correct its URL and its keys"
        raise InputError(Problem("files_unreachable", "a bucket", found, fix, "files")) from error


def read_secret(path: Path) -> bytes:
    """The master secret, if it is one and nobody else may read it."""
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        fix = "copy the one there that the tournament was made with: its rounds cannot be scored without it"
        raise InputError(Problem("secret_missing", "the master secret", "no file", fix, str(path))) from None
    if os.name == "posix":
        _require_own_file(path)
    seeds.round_secret(secret, 1)
    return secret


def _require_own_file(path: Path) -> None:
    """Refuse a secret that others may read, and root at work for another, who could not read what root leaves."""
    found = path.stat()
    if found.st_mode & OTHERS:
        mode, fix = f"mode {found.st_mode & 0o777:o}", f"chmod 600 {path}"
        raise InputError(Problem("secret_exposed", "a file for its owner alone", mode, fix, str(path)))
    if os.geteuid() == 0 and found.st_uid != 0:
        expected, fix = "the user whose tournament it is", "run it as that user: runuser -u USER -- ..."
        raise InputError(Problem("not_its_owner", expected, f"root, and a file of user {found.st_uid}", fix, str(path)))


def make_secret(path: Path) -> None:
    """Draw a master secret, unless there is one."""
    from crowdalpha.storage.durable import new_file

    if not path.exists():
        with new_file(path) as file:
            file.write(token_bytes(seeds.SECRET_BYTES))


def _require_own_secret(store: TournamentStore, master: bytes) -> None:
    """Rounds that run were announced with a commitment to what this secret has to give."""
    with store.reading() as work:
        running = [p.round for stage in Stage if stage != Stage.RESOLVED for p in work.find(Progress, stage=stage)]
        for number in running:
            announced = work.get(Round, number)
            if announced is not None:
                seeds.check_reveal(announced.commitment, seeds.round_secret(master, number))


def _driver(found: str, extra: str, where: str) -> Problem:
    return Problem("driver_missing", "what speaks to it", found, f"pip install 'crowdalpha[{extra}]'", where)
