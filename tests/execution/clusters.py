"""Real clusters of Dask on this machine: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

QUIET = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10", "OMP_NUM_THREADS": "1", "CROWDALPHA_THREADS": "1"}


class Node:
    """A program with all that it starts: a process group, killed as a whole."""

    def __init__(self, module: str, *arguments: str, prefix: Sequence[str] = ()) -> None:
        command = [*prefix, sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
        environment = os.environ | QUIET | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=environment,
        )
        self.said: list[str] = []

    def heard(self, beginning: str) -> str:
        """What follows some words in the first line of the log that has them; the log is read on from there."""
        lines: Any = self._process.stderr
        for line in lines:
            self.said.append(line)
            if beginning in line:
                self._reader = Thread(target=self.said.extend, args=(lines,), daemon=True)
                self._reader.start()
                return line.partition(beginning)[2].strip()
        raise AssertionError("".join(self.said))

    def kill(self) -> None:
        """End it as a plug that is pulled does."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()  # type: ignore[union-attr]


class Cluster:
    """A scheduler and its workers on a loopback address each."""

    def __init__(self, n_workers: int) -> None:
        self.scheduler = Node("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        self.address = self.scheduler.heard("Scheduler at:")
        self.workers: list[Node] = []
        for worker in [self.join() for _ in range(n_workers)]:
            worker.heard("Registered to:")

    def join(self) -> Node:
        """One worker more, which is there as soon as it has registered."""
        host = f"127.0.0.{len(self.workers) + 2}"
        worker = Node("dask_worker", self.address, "--host", host, "--nthreads", "1", "--memory-limit", "0")
        self.workers.append(worker)
        return worker

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for node in (*self.workers, self.scheduler):
            node.kill()
