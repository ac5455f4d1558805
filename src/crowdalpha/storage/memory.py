"""A tournament in memory: for tests, replays and notebooks. It keeps every promise but that of surviving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from hashlib import sha256
from threading import RLock
from typing import Any, TypeVar

from crowdalpha.tournament import events, ledger
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.ports import TakenError, Transaction, UnknownError
from crowdalpha.tournament.records import KEYS, key_of

Record = TypeVar("Record")


class MemoryStore:
    """A `TournamentStore`: one transaction at a time, on a copy that replaces the original when it commits."""

    def __init__(self) -> None:
        self._state = _State()
        self._one_at_a_time = RLock()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin; commit at the end of the block, forget everything if it raises."""
        with self._one_at_a_time:
            state = self._state.copy()
            yield state
            self._state = state

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """The tournament as it is now; what is done to this copy is forgotten."""
        yield self._state.copy()


class MemoryFiles:
    """A `PredictionStore` in a dictionary."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def write(self, name: str, content: bytes) -> str:
        """Keep the content under a name that is free or holds the same bytes."""
        if self._files.setdefault(name, content) != content:
            raise TakenError(name)
        return sha256(content).hexdigest()

    def read(self, name: str) -> bytes:
        """The content kept under a name."""
        return self._files[name]

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""
        return sorted(name for name in self._files if name.startswith(prefix))


class _State:
    """Everything a tournament remembers, and the verbs of a `Transaction` on it."""

    def __init__(self) -> None:
        self.records: dict[type[Any], dict[tuple[Any, ...], Any]] = {kind: {} for kind in KEYS}
        self.posted: dict[str, Entry] = {}
        self.held: dict[str, int] = {}
        self.log: list[Event] = []

    def copy(self) -> _State:
        """The same, free to be changed."""
        other = copy(self)
        other.records = {kind: dict(kept) for kind, kept in self.records.items()}
        other.posted, other.held, other.log = dict(self.posted), dict(self.held), list(self.log)
        return other

    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        return self.records[kind].get(key)

    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        kept = self.records[kind]
        chosen = [key for key, record in kept.items() if all(getattr(record, k) == v for k, v in equal.items())]
        return [kept[key] for key in sorted(chosen)]

    def insert(self, *records: Any) -> None:
        for record in records:
            kept = self.records[type(record)]
            if key_of(record) in kept:
                raise TakenError(f"{type(record).__name__} {key_of(record)}")
            kept[key_of(record)] = record

    def update(self, record: Any) -> None:
        kept = self.records[type(record)]
        if key_of(record) not in kept:
            raise UnknownError(f"{type(record).__name__} {key_of(record)}")
        kept[key_of(record)] = record

    def post(self, entry: Entry) -> bool:
        if entry.id in self.posted:
            if self.posted[entry.id] != entry:
                raise TakenError(f"entry {entry.id}")
            return False
        self.held.update(ledger.changed(self.held, entry))
        self.posted[entry.id] = entry
        return True

    def balance(self, account: str) -> int:
        return self.held.get(account, 0)

    def balances(self, prefix: str = "") -> Mapping[str, int]:
        return {name: held for name, held in sorted(self.held.items()) if name.startswith(prefix)}

    def entries(self, account: str | None = None) -> Sequence[Entry]:
        entries = self.posted.values()
        return [e for e in entries if account is None or any(p.account == account for p in e.postings)]

    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        self.log.append(events.append(self.log[-1] if self.log else None, at, kind, payload))

    def events(self, since: int = 0) -> Sequence[Event]:
        return [event for event in self.log if event.number > since]
