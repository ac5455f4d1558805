"""The verbs of a transaction in SQL, on one connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from crowdalpha.storage import tables
from crowdalpha.storage.fields import check_entry, check_key, check_names, storable
from crowdalpha.storage.turns import Spoilable, verb
from crowdalpha.tournament import events, ledger
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.ports import TakenError, UnknownError
from crowdalpha.tournament.records import KEYS, key_of

Record = TypeVar("Record")
TAKEN = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE", "23505")
AT_ONCE = 500
"""How many accounts one query names."""
HELD = sa.select(tables.balance).where(tables.balance.c.account.in_(sa.bindparam("accounts", expanding=True)))
ENTRIES = (
    sa.select(tables.entry, tables.posting.c.account, tables.posting.c.amount)
    .join(tables.posting, tables.entry.c.id == tables.posting.c.entry)
    .order_by(tables.entry.c.number)
)
ENTRY = ENTRIES.where(tables.entry.c.id == sa.bindparam("id"))


class Looking(Spoilable):
    """The verbs of a `Reading`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._db = connection

    @verb
    def get(self, kind: type[Record], *key: Any) -> Record | None:
        """The record with that key, or None."""
        return self._get(kind, key)

    @verb
    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        """The records with these values, by key."""
        check_names(kind, equal)
        given = {name: value for name, value in equal.items() if value is not None}
        query = _query(kind, tuple(given), tuple(equal.keys() - given.keys()))  # type: ignore[arg-type]
        rows = self._db.execute(query, given)
        return [tables.record_of(kind, row) for row in rows]

    @verb
    def balance(self, account: str) -> int:
        """What an account holds."""
        return self._held([account]).get(account, 0)

    @verb
    def balances(self, prefix: str = "") -> Mapping[str, int]:
        """What the accounts with the prefix hold, by name."""
        account = tables.balance.c.account
        begins = sa.func.substr(account, 1, len(prefix)) == prefix  # LIKE does not tell a from A on SQLite
        rows = self._db.execute(sa.select(tables.balance).where(account >= prefix, begins).order_by(account))
        return {row.account: row.amount for row in rows}

    @verb
    def entries(self, account: str | None = None) -> Sequence[Entry]:
        """Entries in the order they were posted."""
        touched = sa.select(tables.posting.c.entry).where(tables.posting.c.account == account)
        return self._entries(ENTRIES if account is None else ENTRIES.where(tables.entry.c.id.in_(touched)))

    @verb
    def events(self, since: int = 0) -> Sequence[Event]:
        """The events above a number."""
        query = sa.select(tables.event).where(tables.event.c.number > since).order_by(tables.event.c.number)
        return [_event(row) for row in self._db.execute(query)]

    def _get(self, kind: type[Record], key: tuple[Any, ...], *, lock: bool = False) -> Record | None:
        check_key(kind, key)
        query = _query(kind, KEYS[kind])  # type: ignore[arg-type]
        values = dict(zip(KEYS[kind], key, strict=True))
        row = self._db.execute(query.with_for_update() if lock else query, values).one_or_none()
        return None if row is None else tables.record_of(kind, row)

    def _held(self, accounts: Sequence[str]) -> dict[str, int]:
        held: dict[str, int] = {}
        for start in range(0, len(accounts), AT_ONCE):
            rows = self._db.execute(HELD, {"accounts": accounts[start : start + AT_ONCE]})
            held |= {row.account: row.amount for row in rows}
        return held

    def _entries(self, query: sa.Select[Any], **values: Any) -> list[Entry]:
        rows = self._db.execute(query, values)
        return [_entry(list(same)) for _, same in groupby(rows, lambda row: row.number)]


class Work(Looking):
    """The verbs of a `Transaction`. Whoever makes it holds the write lock, and calls `finish` before the commit.

    Entries, balances and events are written together when somebody looks at them, or at the end: nobody else can see
    or change them before, and a thousand statements at once take the time of a few.
    """

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__(connection)
        self._last: Event | None = None
        self._appended: list[Event] = []
        self._posted: dict[str, Entry] = {}
        self._known: dict[str, int] = {}

    @verb
    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        """The record with that key, or None; locked against hands other than ours too."""
        return self._get(kind, key, lock=lock)

    @verb
    def insert(self, *records: Any) -> None:
        """Keep new records."""
        for kind, same in groupby(map(storable, records), type):
            try:
                self._db.execute(sa.insert(tables.OF[kind]), [tables.row_of(record) for record in same])
            except IntegrityError as error:
                if _code(error) in TAKEN:
                    raise TakenError(str(error.orig)) from None
                raise

    @verb
    def update(self, record: Any) -> None:
        """Replace a record."""
        plain = storable(record)
        key = {f"key_{name}": part for name, part in zip(KEYS[type(plain)], key_of(plain), strict=True)}
        query = _update(type(plain))  # type: ignore[arg-type]
        done = self._db.execute(query, tables.row_of(plain) | key)
        if done.rowcount == 0:
            raise UnknownError(f"{type(plain).__name__} {key_of(plain)}")

    @verb
    def post(self, entry: Entry) -> bool:
        """Keep an entry and change the balances."""
        check_entry(entry)
        kept = self._posted.get(entry.id) or next(iter(super()._entries(ENTRY, id=entry.id)), None)
        if kept is not None:
            if kept != entry:
                raise TakenError(f"entry {entry.id}")
            return False
        accounts = [posting.account for posting in entry.postings]
        self._known |= super()._held([name for name in accounts if name not in self._known])
        after = ledger.changed({name: self._known[name] for name in accounts if name in self._known}, entry)
        self._known |= after
        self._posted[entry.id] = entry
        return True

    @verb
    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        """Add an event, written when somebody looks or the work is finished."""
        if self._last is None:
            newest = sa.select(tables.event).order_by(tables.event.c.number.desc()).limit(1)
            row = self._db.execute(newest).one_or_none()
            self._last = None if row is None else _event(row)
        self._last = events.append(self._last, at, kind, payload)
        self._appended.append(self._last)

    @verb
    def events(self, since: int = 0) -> Sequence[Event]:
        """The events above a number, those just appended included."""
        self._write_events()
        query = sa.select(tables.event).where(tables.event.c.number > since).order_by(tables.event.c.number)
        return [_event(row) for row in self._db.execute(query)]

    def finish(self) -> None:
        """Write what is left to write, unless the work is spoiled."""
        self.require_unspoiled()
        self._write_entries()
        self._write_events()

    @verb
    def balance(self, account: str) -> int:
        """What an account holds, by now."""
        return self._known[account] if account in self._known else super()._held([account]).get(account, 0)

    @verb
    def balances(self, prefix: str = "") -> Mapping[str, int]:
        """What the accounts with the prefix hold, by now."""
        self._write_entries()
        return super().balances(prefix)

    @verb
    def entries(self, account: str | None = None) -> Sequence[Entry]:
        """Entries in the order they were posted, those just posted included."""
        self._write_entries()
        return super().entries(account)

    def _write_entries(self) -> None:
        posted, self._posted = list(self._posted.values()), {}
        if not posted:
            return
        newest = self._db.execute(sa.select(sa.func.max(tables.entry.c.number))).scalar() or 0
        rows = [_entry_row(number, entry) for number, entry in enumerate(posted, newest + 1)]
        postings = [{"entry": e.id, "account": p.account, "amount": p.amount} for e in posted for p in e.postings]
        moved = {posting["account"]: self._known[str(posting["account"])] for posting in postings}
        self._db.execute(sa.insert(tables.entry), rows)
        self._db.execute(sa.insert(tables.posting), postings)
        self._db.execute(self._replace_balance(), [{"account": name, "amount": held} for name, held in moved.items()])

    def _write_events(self) -> None:
        if self._appended:
            self._db.execute(sa.insert(tables.event), [_event_row(event) for event in self._appended])
            self._appended = []

    def _replace_balance(self) -> Any:
        insert: Any = (sqlite.insert if self._db.dialect.name == "sqlite" else postgresql.insert)(tables.balance)
        return insert.on_conflict_do_update(index_elements=["account"], set_={"amount": insert.excluded.amount})


@cache
def _query(kind: type[Any], names: tuple[str, ...], empty: tuple[str, ...] = ()) -> sa.Select[Any]:
    """The records in which these fields have the values bound to their names, and others none, by key."""
    table = tables.OF[kind]
    return (
        sa.select(table)
        .where(*(table.c[name] == sa.bindparam(name, type_=table.c[name].type) for name in names))
        .where(*(table.c[name].is_(None) for name in empty))
        .order_by(*(table.c[name] for name in KEYS[kind]))
    )


@cache
def _update(kind: type[Any]) -> sa.Update:
    """Replace the record whose key fields have the values bound to `key_` and their names."""
    table = tables.OF[kind]
    return sa.update(table).where(*(table.c[name] == sa.bindparam(f"key_{name}") for name in KEYS[kind]))


def _code(error: IntegrityError) -> str | None:
    return getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)


def _entry(rows: Sequence[Any]) -> Entry:
    first = rows[0]
    return Entry(first.id, first.kind, first.at, tuple(Posting(row.account, row.amount) for row in rows), first.memo)


def _entry_row(number: int, entry: Entry) -> dict[str, Any]:
    """Nobody else posts meanwhile: so numbers are counted, and a sequence that a crash has put back harms nobody."""
    return {"number": number, "id": entry.id, "kind": entry.kind, "at": entry.at, "memo": entry.memo}


def _event(row: Any) -> Event:
    return Event(row.number, row.at, row.kind, json.loads(row.payload), row.previous, row.hash)


def _event_row(event: Event) -> dict[str, Any]:
    payload = events.canonical(event.payload).decode("ascii")
    fields = ("number", "at", "kind", "previous", "hash")
    return {name: getattr(event, name) for name in fields} | {"payload": payload}
