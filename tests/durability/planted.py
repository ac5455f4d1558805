"""Mistakes as one could make them, each planted by replacing one thing. `patch` is `setattr`, or pytest's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from crowdalpha.storage import folder, sql, verbs
from crowdalpha.tournament import ledger, payments
from crowdalpha.tournament.ledger import Entry

Patch = Callable[[Any, str, Any], None]


def no_transaction(patch: Patch) -> None:
    """Every statement is committed by itself."""
    patch(sql, "_begin_sqlite", lambda connection: None)


def commit_between(patch: Patch) -> None:
    """The postings are committed, then the balances."""
    balances = verbs.Work._replace_balance

    def committed_first(self: Any) -> Any:
        self._db.exec_driver_sql("COMMIT")
        self._db.exec_driver_sql("BEGIN IMMEDIATE")
        return balances(self)

    patch(verbs.Work, "_replace_balance", committed_first)


def random_ids(patch: Patch) -> None:
    """A deposit that is asked for again has another id."""
    deposit = ledger.deposit
    patch(ledger, "deposit", lambda key, *args, **kwargs: deposit(f"{key}-{token_hex(8)}", *args, **kwargs))


def float_payout(patch: Patch) -> None:
    """Money is multiplied as floats are."""
    patch(payments, "_product", lambda fraction, amount: (round(fraction * amount), 1))


def deferred(patch: Patch) -> None:
    """A transaction takes the write lock when it first writes."""
    patch(sql, "_begin_sqlite", lambda connection: connection.exec_driver_sql("BEGIN"))


def no_sync_at_commit(patch: Patch) -> None:
    """A commit returns before the disk has it, and nobody objects."""
    _weakened(patch, "synchronous = NORMAL")


def burn_not_credited(patch: Patch) -> None:
    """What a stake loses arrives nowhere."""
    changed = ledger.changed

    def uncredited(before: Mapping[str, int], entry: Entry) -> dict[str, int]:
        after = changed(before, entry)
        return after | {name: before.get(name, 0) for name in after if name == ledger.BURNED}

    patch(ledger, "changed", uncredited)


def journal_unsynced(patch: Patch) -> None:
    """A commit is a journal that is deleted, and the folder is not synced after that."""
    _weakened(patch, "journal_mode = DELETE", "synchronous = FULL")


def names_unsynced(patch: Patch) -> None:
    """The bytes of an upload are on the disk, and the folder does not know their name."""
    patch(folder, "sync_folder", lambda path: None)


def file_unsynced(patch: Patch) -> None:
    """The name of an upload is on the disk, and its bytes are not."""

    class Hasty:
        """`os`, without a sync."""

        fsync = staticmethod(lambda descriptor: None)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    patch(folder, "os", Hasty())


def _weakened(patch: Patch, *settings: str) -> None:
    prepare = sql._prepare_sqlite

    def prepared(connection: Any, record: Any) -> None:
        prepare(connection, record)
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")

    patch(sql, "_prepare_sqlite", prepared)
    patch(sql, "_require_durable", lambda connection: None)


MISTAKES: dict[str, Callable[[Patch], None]] = {
    mistake.__name__: mistake
    for mistake in (
        no_transaction,
        commit_between,
        random_ids,
        float_payout,
        deferred,
        no_sync_at_commit,
        burn_not_credited,
        journal_unsynced,
        names_unsynced,
        file_unsynced,
    )
}
