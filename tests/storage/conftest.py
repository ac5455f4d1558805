"""Lets the tests of this folder import its hostile files by name, and gives them databases."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir

import pytest

sys.path.append(str(Path(__file__).parent))

from buckets import Service, service
from servers import Postgres

from crowdalpha.storage.sql import SqlStore


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", token_hex(16))
    base = tmp_path_factory.getbasetemp()
    locks = (base.parent if worker else base) / "locks"
    return Postgres(Path(gettempdir()) / f"crowdalpha-{run[:16]}", locks, worker or "alone")


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database with all tables, empty."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "tournament.db"
    store = SqlStore(f"sqlite:///{path}")
    store.create()
    store.close()
    return path.read_bytes()


@pytest.fixture
def sqlite_url(sqlite_template: bytes, tmp_path: Path) -> str:
    """A file with all tables, empty."""
    path = tmp_path / "tournament.db"
    path.write_bytes(sqlite_template)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A database with all tables, of each kind."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = SqlStore(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[Service]:
    with service() as running:
        yield running
