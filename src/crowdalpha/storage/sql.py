"""A tournament in a database: SQLite beside the program, or PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage import tables
from crowdalpha.tournament import events, ledger
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.ports import TakenError, Transaction, UnknownError
from crowdalpha.tournament.records import KEYS, key_of

Record = TypeVar("Record")
CHAIN_LOCK = 0x63726F77  # any fixed number: who appends to the chain holds this advisory lock
BUSY_SECONDS = 60


class SqlStore:
    """A `TournamentStore` over SQLAlchemy.

    On SQLite a transaction takes the write lock when it begins (BEGIN IMMEDIATE), so that it never fails half-way;
    on PostgreSQL it locks the rows it names. A database that could lose a committed transaction is refused with the
    code `not_durable`.
    """

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, **_options(url))
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        with self.engine.connect() as connection:
            _require_durable(connection)

    def create(self) -> None:
        """Make the tables that are not there yet."""
        tables.metadata.create_all(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin; commit at the end of the block, roll back if it raises."""
        with self.engine.connect() as connection, connection.begin():
            work = _Work(connection)
            yield work
            work.flush_events()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One moment of the tournament, to be looked at only."""
        with self.engine.connect().execution_options(reading=True) as connection:
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield _Work(connection)
            connection.rollback()


class _Work:
    """The verbs of a `Transaction` on one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection
        self._waiting: list[tuple[datetime, str, Mapping[str, Any]]] = []

    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        table = tables.OF[kind]
        query = sa.select(table).where(*_equal(table, dict(zip(KEYS[kind], key, strict=True))))
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else tables.record_of(kind, row)

    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        table = tables.OF[kind]
        query = sa.select(table).where(*_equal(table, equal)).order_by(*(table.c[name] for name in KEYS[kind]))
        return [tables.record_of(kind, row) for row in self._db.execute(query)]

    def insert(self, *records: Any) -> None:
        for kind, same in groupby(records, type):
            try:
                self._db.execute(sa.insert(tables.OF[kind]), [tables.row_of(record) for record in same])
            except IntegrityError as error:
                raise TakenError(str(error.orig)) from None

    def update(self, record: Any) -> None:
        table = tables.OF[type(record)]
        key = dict(zip(KEYS[type(record)], key_of(record), strict=True))
        done = self._db.execute(sa.update(table).where(*_equal(table, key)).values(tables.row_of(record)))
        if done.rowcount == 0:
            raise UnknownError(f"{type(record).__name__} {key_of(record)}")

    def post(self, entry: Entry) -> bool:
        accounts = [posting.account for posting in entry.postings]
        held = self._locked_balances(accounts)
        kept = self._entries(tables.entry.c.id == entry.id)
        if kept:
            if kept[0] != entry:
                raise TakenError(f"entry {entry.id}")
            return False
        after = ledger.changed(held, entry)
        row = {"id": entry.id, "kind": entry.kind, "at": entry.at, "memo": entry.memo}
        self._db.execute(sa.insert(tables.entry), [row])
        postings = [{"entry": entry.id, "account": p.account, "amount": p.amount} for p in entry.postings]
        self._db.execute(sa.insert(tables.posting), postings)
        change = sa.update(tables.balance).where(tables.balance.c.account == sa.bindparam("name"))
        self._db.execute(
            change.values(amount=sa.bindparam("held")), [{"name": name, "held": held} for name, held in after.items()]
        )
        return True

    def balance(self, account: str) -> int:
        query = sa.select(tables.balance.c.amount).where(tables.balance.c.account == account)
        return int(self._db.execute(query).scalar_one_or_none() or 0)

    def balances(self, prefix: str = "") -> Mapping[str, int]:
        table = tables.balance
        query = sa.select(table).where(table.c.account.startswith(prefix, autoescape=True))
        return dict(sorted((row.account, row.amount) for row in self._db.execute(query)))

    def entries(self, account: str | None = None) -> Sequence[Entry]:
        if account is None:
            return self._entries(sa.true())
        touched = sa.select(tables.posting.c.entry).where(tables.posting.c.account == account)
        return self._entries(tables.entry.c.id.in_(touched))

    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        self._waiting.append((at, kind, payload))

    def events(self, since: int = 0) -> Sequence[Event]:
        query = sa.select(tables.event).where(tables.event.c.number > since).order_by(tables.event.c.number)
        return [_event(row) for row in self._db.execute(query)]

    def flush_events(self) -> None:
        """Add what was appended to the chain; from here to the commit nobody else can."""
        if not self._waiting:
            return
        if self._db.dialect.name == "postgresql":
            self._db.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
        row = self._db.execute(sa.select(tables.event).order_by(tables.event.c.number.desc()).limit(1)).one_or_none()
        last, added = None if row is None else _event(row), []
        for at, kind, payload in self._waiting:
            last = events.append(last, at, kind, payload)
            added.append(last)
        self._db.execute(sa.insert(tables.event), [_event_row(event) for event in added])

    def _locked_balances(self, accounts: list[str]) -> dict[str, int]:
        """What the accounts hold; nobody else moves them until this transaction ends. Rows are made where missing."""
        insert = sqlite.insert if self._db.dialect.name == "sqlite" else postgresql.insert
        rows = [{"account": name, "amount": 0} for name in sorted(accounts)]
        self._db.execute(insert(tables.balance).on_conflict_do_nothing(), rows)
        table = tables.balance
        held: dict[str, int] = {}
        for start in range(0, len(rows), 500):
            names = [row["account"] for row in rows[start : start + 500]]
            query = sa.select(table).where(table.c.account.in_(names)).order_by(table.c.account).with_for_update()
            held |= {row.account: row.amount for row in self._db.execute(query)}
        return held

    def _entries(self, where: Any) -> list[Entry]:
        chosen = sa.select(tables.entry).where(where).order_by(tables.entry.c.number)
        rows = self._db.execute(chosen).all()
        ids = sa.select(tables.entry.c.id).where(where)
        postings: dict[str, list[Posting]] = {row.id: [] for row in rows}
        for row in self._db.execute(sa.select(tables.posting).where(tables.posting.c.entry.in_(ids))):
            postings[row.entry].append(Posting(row.account, row.amount))
        return [Entry(row.id, row.kind, row.at, tuple(postings[row.id]), row.memo) for row in rows]


def _equal(table: sa.Table, values: Mapping[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in values.items()]


def _event(row: Any) -> Event:
    return Event(row.number, row.at, row.kind, json.loads(row.payload), row.previous, row.hash)


def _event_row(event: Event) -> dict[str, Any]:
    payload = events.canonical(event.payload).decode("ascii")
    return {
        "number": event.number,
        "at": event.at,
        "kind": event.kind,
        "payload": payload,
        "previous": event.previous,
        "hash": event.hash,
    }


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_SECONDS}}
    return {"pool_pre_ping": True}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event says BEGIN, the driver nothing
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _require_durable(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        found = {"synchronous": connection.exec_driver_sql("PRAGMA synchronous").scalar_one()}
        weak = [f"{name} = {value}" for name, value in found.items() if int(value) < 2]
    else:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
        weak = [f"{name} = {value}" for name, value in found.items() if value == "off"]
    if weak:
        raise InputError(
            Problem("not_durable", "a database that keeps what it has committed", ", ".join(weak), "switch it on")
        )
