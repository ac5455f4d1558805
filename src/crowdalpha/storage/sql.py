"""A tournament in a database: SQLite beside the program, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.storage import migrations
from crowdalpha.storage.turns import Turns
from crowdalpha.storage.verbs import Looking, Work
from crowdalpha.tournament.ports import BusyError, Reading, Transaction

WRITE_LOCK = 0x63726F77  # any fixed number: on PostgreSQL a transaction holds this advisory lock
SERVER_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
FULL, EXTRA = 2, 3
NEEDED = {"wal": FULL, "truncate": FULL, "persist": FULL, "delete": EXTRA}
"""What SQLite has to sync in each mode of its journal. A deleted journal commits, once its folder is synced too."""
CONNECTIONS = 20
TIMED_OUT = ("55P03", "57014")


class SqlStore:
    """A `TournamentStore` over SQLAlchemy: `sqlite:///PATH` or `postgresql+psycopg://...`.

    A transaction holds the one write lock from its beginning, SQLite's own (BEGIN IMMEDIATE) or an advisory lock of
    PostgreSQL: so it never has to be tried again, and never waits for somebody who waits for it. `patience` is how
    many seconds it waits for those before it.

    A database that could lose a committed transaction is refused with the code `not_durable`, in its first connection
    and in any later one.
    """

    def __init__(self, url: str, *, patience: float = 60.0) -> None:
        self._patience, self._turns = patience, Turns()
        self.engine = sa.create_engine(
            url, pool_size=CONNECTIONS, max_overflow=CONNECTIONS, pool_timeout=patience, **_options(url, patience)
        )
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        with self.reading():
            pass

    def create(self) -> None:
        """Make the tables, or bring them to the present form, all or nothing. Idempotent.

        Refused with code `database_newer` if a newer version has brought them to a form that this one does not know.
        """
        with self.looking() as connection:
            if migrations.revision_of(connection) == migrations.NEWEST:
                return  # most openings wait for nobody
        with self.alone() as connection:
            migrations.upgrade(connection)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin, when those before have ended; commit at the end of the block, roll back if it raises."""
        with self._turns.one(), self.alone() as connection:
            work = Work(connection)
            yield work
            work.finish()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One moment of the tournament, to be looked at only."""
        with self.looking() as connection:
            yield Looking(connection)

    @contextmanager
    def looking(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment of the database, whatever is written meanwhile."""
        with self._connected() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execution_options(looking=True).begin()
            _require_durable(connection)
            yield connection
            connection.rollback()

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A connection that nobody else writes beside, in a transaction that commits at the end."""
        with self._connected() as connection:
            with _waiting(self._patience):
                begun = connection.begin()
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
            with begun:
                _require_durable(connection)
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with _waiting(self._patience):
            connection = self.engine.connect()
        with connection:
            yield connection


@contextmanager
def _waiting(patience: float) -> Iterator[None]:
    """Say so in our own words if waiting took too long."""
    try:
        yield
    except PoolTimeoutError:
        raise BusyError(f"no connection within {patience:g} s") from None
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY") or (
            getattr(error.orig, "sqlstate", None) in TIMED_OUT
        ):
            raise BusyError(f"no turn within {patience:g} s") from None
        raise


def _options(url: str, patience: float) -> dict[str, Any]:
    if sa.make_url(url).get_backend_name() == "sqlite":
        if sa.make_url(url).database in (None, "", ":memory:"):
            raise InputError(_weak("a database in memory", "use MemoryStore, or name a file"))
        return {"connect_args": {"timeout": patience}, "poolclass": sa.QueuePool}
    return {"connect_args": {"options": f"-c lock_timeout={round(patience * 1000)}"}, "pool_pre_ping": True}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN, the driver nothing
    for setting in ("journal_mode = WAL", "synchronous = EXTRA", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    looking = connection.get_execution_options().get("looking")
    connection.exec_driver_sql("BEGIN" if looking else "BEGIN IMMEDIATE")


def _require_durable(connection: sa.Connection) -> None:
    """Refuse a database that says it is committed before it is on the disk, or that may tear a page."""
    if connection.dialect.name == "sqlite":
        mode, level = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")
        )
        weak = [f"journal_mode = {mode}"] * (mode not in NEEDED)
        weak += [f"synchronous = {level}"] * (level < NEEDED.get(mode, FULL))
    else:
        settings = [sa.func.current_setting(name).label(name) for name in SERVER_SETTINGS]
        found = connection.execute(sa.select(*settings)).one()._mapping
        weak = [f"{name} = {value}" for name, value in found.items() if value == "off"]
    refuse_if_any(_weak(setting, "switch it on") for setting in weak)


def _weak(found: str, fix: str) -> Problem:
    return Problem("not_durable", "a database that keeps what it has committed", found, fix)
