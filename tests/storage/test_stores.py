"""Every store, held to the contract that ships with the library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.storage.objects import ObjectFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.testing import PredictionStoreContract, TournamentStoreContract

BUCKETS = count()


class TestMemoryStore(TournamentStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestSqlite(TournamentStoreContract):
    @pytest.fixture
    def store(self, sqlite_url: str) -> Iterator[SqlStore]:
        opened = SqlStore(sqlite_url)
        yield opened
        opened.close()


class TestPostgres(TournamentStoreContract):
    @pytest.fixture
    def store(self, postgres_url: str) -> Iterator[SqlStore]:
        opened = SqlStore(postgres_url)
        yield opened
        opened.close()


class TestMemoryFiles(PredictionStoreContract):
    @pytest.fixture
    def files(self) -> MemoryFiles:
        return MemoryFiles()


class TestFolder(PredictionStoreContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> FolderFiles:
        return FolderFiles(tmp_path / "files")


class TestObjects(PredictionStoreContract):
    @pytest.fixture
    def files(self) -> ObjectFiles:
        return ObjectFiles(f"memory://bucket-{next(BUCKETS)}/files")
