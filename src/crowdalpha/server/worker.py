"""A process that does what is due, so that pages stay quick while a round is scored.

    server: pipe.send(now)   ->   worker: engine.tick(now)   ->   server: what was done, or why it was not

It has an engine of its own on the same stores, ends with the server, and may die at any moment: what is due stays due,
and the next tick begins another.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from crowdalpha.settings import Settings, open_engine
from crowdalpha.tournament.ports import BusyError

SIGN_OF_LIFE = 5.0
"""Seconds between two signs that a long tick is still being waited for."""
PATIENCE = 30.0
"""Seconds that a worker has to end by itself."""


class WorkerDiedError(RuntimeError):
    """The worker ended in the middle of a tick."""


class TickFailedError(RuntimeError):
    """The worker lives, and a tick went wrong; the message has its traceback."""


class Worker:
    """A `clock.Ticker` whose ticks are done by a process, which is begun with the first of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process, while there is one."""
        return self._process.pid if self._process is not None else None

    def tick(self, now: datetime, alive: Callable[[], object]) -> list[str]:
        """Raises BusyError as the engine does, else TickFailedError or WorkerDiedError."""
        pipe = self._ready()
        try:
            pipe.send(now)
            while not pipe.poll(SIGN_OF_LIFE):
                alive()
            kind, said = pipe.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise WorkerDiedError("the worker ended in the middle of a tick") from error
        if kind == "busy":
            raise BusyError(said)
        if kind == "failed":
            raise TickFailedError(said)
        return list(said)

    def close(self) -> None:
        """Have the process end."""
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.join(PATIENCE)
            process.kill()
            process.join()

    def _ready(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self.close()
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs, self._settings), name="worker", daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe


def _work(pipe: Connection, settings: Settings) -> None:
    """Tick whenever told to, until the server is gone."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # a terminal tells both; the server says when to end
        signal.signal(ending, signal.SIG_IGN)
    with open_engine(settings) as engine:
        while True:
            try:
                now = pipe.recv()
            except (EOFError, OSError):
                return
            try:
                answer: tuple[str, object] = "done", engine.tick(now)
            except BusyError as error:
                answer = "busy", str(error)
            except Exception:
                answer = "failed", traceback.format_exc()
            try:
                pipe.send(answer)
            except OSError:
                return
