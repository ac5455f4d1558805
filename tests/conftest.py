"""Hypothesis without a stop-watch, for on a busy machine a slow first example is no failure; and databases for all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

sys.path.append(str(Path(__file__).parent))

import browsers

if TYPE_CHECKING:  # loaded by those who need them: most tests do without a database
    from crowdalpha.storage.sql import SqlStore
    from servers import Postgres

settings.register_profile("crowdalpha", deadline=None, print_blob=True)
settings.register_profile(  # of `make mutants`: the same examples for every mutant, and no time spent on shrinking
    "mutants", deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("crowdalpha")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out: on a machine without a browser, what needs one is not even collected."""
    if not browsers.chromium():
        terminalreporter.write_line(browsers.ABSENT)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A server that all processes of this run of the tests share."""
    from servers import Postgres, quick_folder

    worker = os.environ.get("PYTEST_XDIST_WORKER")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", token_hex(16))
    base = tmp_path_factory.getbasetemp()
    locks = (base.parent if worker else base) / "locks"
    return Postgres(quick_folder() / f"crowdalpha-{run[:16]}", locks, worker or "alone")


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database with all tables, empty."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a database with all tables, empty."""
    from crowdalpha.storage.sql import SqlStore

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
    """A store in such a database."""
    from crowdalpha.storage.sql import SqlStore

    opened = SqlStore(url)
    yield opened
    opened.close()
