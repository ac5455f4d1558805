"""A tournament in memory: for tests, replays and notebooks. It keeps every promise but that of surviving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from threading import Lock
from typing import Any, TypeVar

from crowdalpha.storage.fields import check_entry, check_key, check_names, storable
from crowdalpha.storage.names import checked
from crowdalpha.storage.turns import Spoilable, Turns, verb
from crowdalpha.tournament import events, ledger
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.ports import BusyError, Reading, TakenError, Transaction, UnknownError
from crowdalpha.tournament.records import KEYS, key_of

Record = TypeVar("Record")


class MemoryStore:
    """A `TournamentStore`: one transaction at a time, on a state of its own that replaces the last when it commits.

    `patience` is how many seconds a transaction waits for those before it.
    """

    def __init__(self, *, patience: float = 60.0) -> None:
        self._state = _State()
        self._lock, self._turns, self._patience = Lock(), Turns(), patience

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin; commit at the end of the block, forget everything if it raises."""
        with self._turns.one():
            if not self._lock.acquire(timeout=self._patience):
                raise BusyError(f"no turn within {self._patience:g} s")
            try:
                work = _Work(self._state)
                yield work
                work.require_unspoiled()
                self._state = work.state
            finally:
                self._lock.release()

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The tournament as it is now, whatever is done to it meanwhile."""
        yield _Looking(self._state)


class MemoryFiles:
    """A `PredictionStore` in a dictionary."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def write(self, name: str, content: bytes) -> str:
        """Keep the content under a name that is free or holds the same bytes."""
        if self._files.setdefault(checked(name), content) != content:
            raise TakenError(name)
        return sha256(content).hexdigest()

    def read(self, name: str) -> bytes:
        """The content kept under a name."""
        return self._files[checked(name)]

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""
        return sorted(name for name in list(self._files) if name.startswith(prefix))


class _State:
    """Everything a tournament remembers. What was once committed is never changed, only replaced."""

    def __init__(self) -> None:
        self.records: dict[type[Any], dict[tuple[Any, ...], Any]] = {kind: {} for kind in KEYS}
        self.posted: dict[str, Entry] = {}
        self.held: dict[str, int] = {}
        self.log: list[Event] = []


class _Looking(Spoilable):
    """The verbs of a `Reading`, on one state."""

    def __init__(self, state: _State) -> None:
        self.state = state

    @verb
    def get(self, kind: type[Record], *key: Any) -> Record | None:
        check_key(kind, key)
        return self.state.records[kind].get(key)

    @verb
    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        check_names(kind, equal)
        kept = self.state.records[kind]
        if equal:
            of, wanted = attrgetter(*equal), next(iter(equal.values())) if len(equal) == 1 else tuple(equal.values())
            kept = {key: record for key, record in kept.items() if of(record) == wanted}
        return [kept[key] for key in sorted(kept)]

    @verb
    def balance(self, account: str) -> int:
        return self.state.held.get(account, 0)

    @verb
    def balances(self, prefix: str = "") -> Mapping[str, int]:
        return {name: held for name, held in sorted(self.state.held.items()) if name.startswith(prefix)}

    @verb
    def entries(self, account: str | None = None) -> Sequence[Entry]:
        entries = self.state.posted.values()
        return [e for e in entries if account is None or any(p.account == account for p in e.postings)]

    @verb
    def events(self, since: int = 0) -> Sequence[Event]:
        return self.state.log[max(since, 0) :]


class _Work(_Looking):
    """The verbs of a `Transaction`, on a state of its own: each part is copied when it is first written to."""

    def __init__(self, state: _State) -> None:
        super().__init__(copy(state))
        self.state.records = dict(state.records)
        self._own: set[Any] = set()

    @verb
    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        check_key(kind, key)
        return self.state.records[kind].get(key)

    @verb
    def insert(self, *records: Any) -> None:
        for record in map(storable, records):
            kept = self._of(type(record))
            if key_of(record) in kept:
                raise TakenError(f"{type(record).__name__} {key_of(record)}")
            kept[key_of(record)] = record

    @verb
    def update(self, record: Any) -> None:
        plain = storable(record)
        kept = self._of(type(plain))
        if key_of(plain) not in kept:
            raise UnknownError(f"{type(plain).__name__} {key_of(plain)}")
        kept[key_of(plain)] = plain

    @verb
    def post(self, entry: Entry) -> bool:
        check_entry(entry)
        if entry.id in self.state.posted:
            if self.state.posted[entry.id] != entry:
                raise TakenError(f"entry {entry.id}")
            return False
        changed = ledger.changed(self.state.held, entry)
        self._copied("posted")[entry.id] = entry
        self._copied("held").update(changed)
        return True

    @verb
    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        log = self._copied("log")
        log.append(events.append(log[-1] if log else None, at, kind, payload))

    def _of(self, kind: type[Any]) -> dict[tuple[Any, ...], Any]:
        if kind not in self._own:
            self._own.add(kind)
            self.state.records[kind] = dict(self.state.records[kind])
        return self.state.records[kind]

    def _copied(self, part: str) -> Any:
        if part not in self._own:
            self._own.add(part)
            setattr(self.state, part, copy(getattr(self.state, part)))
        return getattr(self.state, part)
