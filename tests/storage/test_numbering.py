"""Entries are numbered in the order they were posted, whatever a crash has done to the sequences of PostgreSQL."""

from datetime import UTC, datetime

import sqlalchemy as sa

from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import ledger

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_entries_are_numbered_on_although_a_sequence_was_put_back(postgres_url: str) -> None:
    store = SqlStore(postgres_url)
    entries = [ledger.deposit(f"{k}", k + 1, NOON, into="treasury") for k in range(3)]
    for entry in entries:
        with store.transaction() as work:
            work.post(entry)
        with store.engine.begin() as connection:
            connection.execute(sa.text("ALTER SEQUENCE entry_number_seq RESTART WITH 1"))
    with store.reading() as work:
        assert work.entries() == entries
    store.close()
