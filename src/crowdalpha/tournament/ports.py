"""What the engine asks of a store: few verbs, each with its promise. Every adapter passes the same contract tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry

Record = TypeVar("Record")


class Transaction(Protocol):
    """Everything inside one `with store.transaction()` happens, or none of it does.

    A record is a frozen dataclass of a registered kind; its key is the tuple of its key fields.
    """

    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        """The record with that key, or None. With lock, nobody else changes it before this transaction ends."""

    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        """The records whose fields have these values, ordered by key."""

    def insert(self, *records: Any) -> None:
        """Keep new records. A key that is taken raises TakenError, and nothing of the transaction is kept."""

    def update(self, record: Any) -> None:
        """Replace the record with the same key. Raises UnknownError if there is none."""

    def post(self, entry: Entry) -> bool:
        """Move money: keep the entry and change the balances.

        False, and nothing moves, if this very entry is kept already. Raises TakenError for another entry with its id,
        and InputError (code `overdrawn`) if a balance other than `external` would fall below zero.
        """

    def balance(self, account: str) -> int:
        """What an account of the ledger holds, in whole units; 0 for one that has never moved."""

    def balances(self, prefix: str = "") -> Mapping[str, int]:
        """All accounts of the ledger whose names start with the prefix, by name."""

    def entries(self, account: str | None = None) -> Sequence[Entry]:
        """Entries in the order they were posted; those that touch an account, if one is named."""

    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        """Add an event to the hash chain when the transaction commits, after those appended before it."""

    def events(self, since: int = 0) -> Sequence[Event]:
        """The events with numbers above `since`, in order."""


class TournamentStore(Protocol):
    """Where a tournament is kept.

    Once `transaction()` has ended without an exception, what was done in it survives a killed process and a pulled
    plug. What a transaction has locked or posted to, others wait for: of two that touch the same money or the same
    locked record, one is done before the other begins to.
    """

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin; commit at the end of the block, roll back if it raises."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """One moment of the tournament, to be looked at only. It waits for nobody and nobody waits for it."""


class PredictionStore(Protocol):
    """Where files are kept, by name. A name is written once, or again with the same bytes."""

    def write(self, name: str, content: bytes) -> str:
        """Keep the content durably, all of it or nothing, and return its SHA-256 in hex."""

    def read(self, name: str) -> bytes:
        """The content kept under a name; KeyError if there is none."""

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""


class TakenError(Exception):
    """A key or entry id is in use for something else."""


class UnknownError(Exception):
    """There is no such record."""
