"""A database that could lose what it has committed is refused, whoever weakened it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import sql
from crowdalpha.storage.sql import SqlStore

WEAK = {
    "synchronous = OFF": "synchronous = 0",
    "synchronous = NORMAL": "synchronous = 1",
    "journal_mode = OFF": "journal_mode = off",
    "journal_mode = MEMORY": "journal_mode = memory",
}


def weakened(monkeypatch: pytest.MonkeyPatch, *settings: str) -> None:
    """Every connection that is made from now on has these settings."""
    prepare = sql._prepare_sqlite

    def prepared(connection: Any, record: Any) -> None:
        prepare(connection, record)
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")

    monkeypatch.setattr(sql, "_prepare_sqlite", prepared)


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/tournament.db"


@pytest.mark.parametrize(("setting", "said"), WEAK.items())
def test_a_store_does_not_start_on_a_database_that_is_not_durable(
    setting: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakened(monkeypatch, setting)
    with pytest.raises(InputError) as refused:
        SqlStore(url(tmp_path))
    assert [(problem.code, problem.found) for problem in refused.value.problems] == [("not_durable", said)]


@pytest.mark.parametrize(("setting", "said"), WEAK.items())
def test_a_later_connection_that_is_not_durable_is_refused_too_and_nothing_is_written(
    setting: str, said: str, tmp_path: Path
) -> None:
    store = SqlStore(url(tmp_path))
    store.create()
    store.close()
    sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {setting}"))
    for look in (store.reading, store.transaction):
        with pytest.raises(InputError, match=said), look():
            raise AssertionError("it was let in")
    store.close()


def test_a_journal_that_is_deleted_commits_only_once_its_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakened(monkeypatch, "journal_mode = DELETE")
    SqlStore(url(tmp_path)).close()
    weakened(monkeypatch, "synchronous = FULL")
    with pytest.raises(InputError) as refused:
        SqlStore(url(tmp_path))
    assert [problem.found for problem in refused.value.problems] == ["synchronous = 2"]


def test_all_that_is_weak_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(monkeypatch, "journal_mode = MEMORY", "synchronous = OFF")
    with pytest.raises(InputError) as refused:
        SqlStore(url(tmp_path))
    assert [problem.found for problem in refused.value.problems] == ["journal_mode = memory", "synchronous = 0"]


def test_every_connection_writes_ahead_and_syncs_at_every_commit(tmp_path: Path) -> None:
    store = SqlStore(url(tmp_path))
    with ExitStack() as several:
        connections = [several.enter_context(store.looking()) for _ in range(5)]
        connections.append(several.enter_context(store.alone()))
        for connection in connections:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() >= sql.FULL
    store.close()


@pytest.mark.parametrize("nowhere", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(nowhere: str) -> None:
    with pytest.raises(InputError) as refused:
        SqlStore(nowhere)
    assert refused.value.code == "not_durable"
