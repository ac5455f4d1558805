"""A tournament that was played in memory is the same one in a database and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from seasons import new, play

from crowdalpha.engine import Engine
from crowdalpha.storage.copying import copy_files, copy_records
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.testing.stores import all_of
from crowdalpha.tournament.ports import TakenError, TournamentStore


@pytest.fixture(scope="module")
def played() -> Engine:
    """Two rounds in memory, resolved."""
    engine = new(MemoryStore(), rounds=2)
    play(engine, rounds=2)
    return engine


def test_a_database_holds_what_memory_held_to_the_last_hash(played: Engine, store: TournamentStore) -> None:
    copy_records(played.store, store)
    assert all_of(store) == all_of(played.store)


def test_a_store_that_something_is_in_is_left_as_it_was(played: Engine, store: TournamentStore) -> None:
    new(store, rounds=1)
    before = all_of(store)
    with pytest.raises(TakenError):
        copy_records(played.store, store)
    assert all_of(store) == before


def test_every_file_is_there_under_its_name_and_the_count_says_so(played: Engine, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    folder = FolderFiles(tmp_path / "files")
    copy_files(played.files, folder, lambda done, all: heard.append((done, all)))
    names = played.files.names()
    assert folder.names() == names
    assert [folder.read(name) for name in names] == [played.files.read(name) for name in names]
    assert heard == [(k, len(names)) for k in range(1, len(names) + 1)]
