"""What the engine asks of a store: few verbs, each with its promise. Every adapter passes the same contract tests.

The contract is `crowdalpha.testing`: a class of tests for each of the two stores, with one fixture to override.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from crowdalpha.tournament.events import Event
from crowdalpha.tournament.ledger import Entry

Record = TypeVar("Record")


class Reading(Protocol):
    """The verbs that look. A record is a frozen dataclass of a registered kind; its key is the tuple of its key fields.

    Texts sort by their code points, everywhere.
    """

    def get(self, kind: type[Record], *key: Any) -> Record | None:
        """The record with that key, or None."""

    def find(self, kind: type[Record], **equal: Any) -> list[Record]:
        """The records whose fields have these values, ordered by key."""

    def balance(self, account: str) -> int:
        """What an account of the ledger holds, in whole units; 0 for one that has never moved."""

    def balances(self, prefix: str = "") -> Mapping[str, int]:
        """All accounts of the ledger that ever moved and whose names start with the prefix, by name."""

    def entries(self, account: str | None = None) -> Sequence[Entry]:
        """Entries in the order they were posted; those that touch an account, if one is named."""

    def events(self, since: int = 0) -> Sequence[Event]:
        """The events with numbers above `since`, in order."""


class Transaction(Reading, Protocol):
    """Everything inside one `with store.transaction()` happens, or none of it does.

    A verb that raises ends it: whoever catches the error inside the block gets SpoiledError from every later verb and
    from the end of the block, and nothing of the transaction is kept. It sees what it has done itself.

    What is kept is what was given: texts, whole numbers within +-(2^63 - 1), floats to the bit (but minus zero is
    kept as zero), times in UTC to the microsecond. What no database keeps is refused with InputError.
    """

    def get(self, kind: type[Record], *key: Any, lock: bool = False) -> Record | None:
        """The record with that key, or None. With lock, nobody else changes it before this transaction ends."""

    def insert(self, *records: Any) -> None:
        """Keep new records. A key that is taken raises TakenError, and nothing of the transaction is kept."""

    def update(self, record: Any) -> None:
        """Replace the record with the same key. Raises UnknownError if there is none."""

    def post(self, entry: Entry) -> bool:
        """Move money: keep the entry and change the balances.

        False, and nothing moves, if this very entry is kept already. Raises TakenError for another entry with its id,
        and InputError (code `overdrawn`) if a balance other than `external` would fall below zero.
        """

    def append(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        """Add an event to the end of the hash chain."""


class TournamentStore(Protocol):
    """Where a tournament is kept.

    Once `transaction()` has ended without an exception, what was done in it survives a killed process and a pulled
    plug. Transactions happen one after another, in whatever threads, processes and machines they are begun: each sees
    all that was done before it and nothing changes under its hands. So they should be short. One that is begun inside
    another by the same thread is refused with RuntimeError, for it would wait for itself.
    """

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin, when those before have ended; commit at the end of the block, roll back if it raises.

        Raises BusyError if those before take too long.
        """

    def reading(self) -> AbstractContextManager[Reading]:
        """One moment of the tournament, to be looked at only. It waits for nobody and nobody waits for it."""


class PredictionStore(Protocol):
    """Where files are kept, by name. A name is written once, or again with the same bytes.

    Names are words of lower-case letters, digits, `-`, `_` and `.`, with `/` between them; a word neither begins with
    one of these signs nor ends in `.bin`. Others are refused with InputError (code `bad_name`).
    """

    def write(self, name: str, content: bytes) -> str:
        """Keep the content durably, all of it or nothing, and return its SHA-256 in hex.

        Raises TakenError, and keeps what is there, if the name holds other bytes.
        """

    def read(self, name: str) -> bytes:
        """The content kept under a name; KeyError if there is none."""

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""


class TakenError(Exception):
    """A key, an entry id or a name is in use for something else."""


class UnknownError(Exception):
    """There is no such record."""


class SpoiledError(Exception):
    """A transaction went on after one of its verbs had raised. Nothing of it is kept."""


class BusyError(Exception):
    """Others kept the store to themselves for too long. Nothing was done; try again."""
