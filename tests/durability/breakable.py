"""A PostgreSQL of one's own, which may be killed in every way and started again.

It is a child of this process, not a daemon: so whatever is left of it when it was killed is known, and waited for.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psutil
import psycopg

from servers import quick_folder, server_in

PATIENCE = 30.0
QUICKLY = ("-c", "recovery_init_sync_method=syncfs", "-c", "shared_buffers=16MB", "-c", "autovacuum=off")
"""For quick recoveries, with all that makes a commit durable left as it is."""


class Breakable:
    """The server. Its folder is readable for the user that it runs as, where this is root."""

    def __init__(self, locks: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="crowdalpha-", dir=quick_folder()))
        self.folder.chmod(0o777)
        (self.folder / "sockets").mkdir()
        (self.folder / "sockets").chmod(0o777)
        self._made = server_in(self.folder / "data", locks, cleanup_mode=None, start=False)
        self._made.ensure_pgdata_inited()
        self._names = count()
        self.start()

    @property
    def sockets(self) -> Path:
        """Where it listens."""
        return self.folder / "sockets"

    def url(self, database: str, sockets: Path | None = None) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={sockets or self.sockets}"

    def start(self) -> None:
        """Start it, and wait until it has recovered from whatever befell it."""
        with open(self.folder / "log", "ab") as log:
            command = [
                self._made.bin_path / "postgres",
                "-D",
                self._made.pgdata,
                "-k",
                self.sockets,
                "-h",
                "",
                *QUICKLY,
            ]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._made.system_user)
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(f"host={self.sockets} user=postgres dbname=postgres"):
                    return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-3000:]
                time.sleep(0.02)

    def run(self, command: str) -> None:
        with psycopg.connect(f"host={self.sockets} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(command)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The name of a new database."""
        name = f"play{next(self._names)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield name
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def kill_backends(self, database: str) -> None:
        """Kill those who serve a database; the server then ends all others and recovers by itself."""
        served = [child for child in psutil.Process(self._process.pid).children() if _serves(child, database)]
        _kill(served)
        psutil.wait_procs(served, PATIENCE)  # until the server has taken note of it, and lets nobody in
        self.wait()

    def stop_at_once(self) -> None:
        """The stop that saves nothing."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE)
        self.start()

    def kill_all(self) -> None:
        """The server and all its children."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait(PATIENCE)
        _kill(children)
        self.start()

    def close(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE)
        shutil.rmtree(self.folder)


def _serves(process: psutil.Process, database: str) -> bool:
    try:
        return f" {database} " in f"{' '.join(process.cmdline())} "
    except psutil.NoSuchProcess:
        return False


def _kill(processes: Sequence[psutil.Process]) -> None:
    """Kill them, and wait until they are dead; that somebody has taken note of it need not be waited for."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    while any(map(_lives, processes)):
        time.sleep(0.002)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
