"""Every store, held to the contract that ships with the library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from buckets import Service, service

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.storage.objects import ObjectFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.testing import PredictionStoreContract, TournamentStoreContract
from crowdalpha.tournament.ports import TakenError

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


class TestFolderThatSyncsLater(PredictionStoreContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> FolderFiles:
        return FolderFiles(tmp_path / "files", lasting=False)


class TestObjects(PredictionStoreContract):
    @pytest.fixture
    def files(self) -> ObjectFiles:
        return ObjectFiles(f"memory://bucket-{next(BUCKETS)}/files")


class TestS3(PredictionStoreContract):
    @pytest.fixture
    def files(self, s3: Service) -> ObjectFiles:
        return s3.files()


def test_a_service_that_replaces_what_is_there_is_refused() -> None:
    with service(exclusive=False) as careless, pytest.raises(InputError) as refused:
        careless.files()
    assert refused.value.code == "not_exclusive"


@pytest.mark.slow
def test_a_file_that_goes_up_in_parts_holds_its_first_content_too(s3: Service) -> None:
    files, content = s3.files(), bytes(range(256)) * 2**12 * 110
    files.write("large", content)
    with pytest.raises(TakenError):
        files.write("large", content[:-1])
    assert files.read("large") == content
