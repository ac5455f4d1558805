"""The examiner of a server: a thread that has predictions of past eras worked on as they are handed in.

The work is done by a process of its own where the tournament can be opened by another: pages stay quick, the memory is
given back, and what kills it does not kill the server. It is begun for what waits, and ends with it.
"""

from __future__ import annotations

import logging
import signal
from multiprocessing import get_context
from threading import Event, Thread
from typing import TYPE_CHECKING

from crowdalpha.settings import Settings, open_engine
from crowdalpha.tournament.ports import BusyError

if TYPE_CHECKING:
    from crowdalpha.server.service import Service

LOG = logging.getLogger("crowdalpha.examiner")
GRACE = 10.0
"""Seconds that what is being worked on may take once the server is told to end; then the next server begins it anew."""
LOOK = 0.2
"""Seconds between two looks whether the server is to end."""


class Examiner:
    """Works on what waits, from `start` to `stop`: as soon as something is handed in here, and every so many seconds.

    Several servers may have one each. What fails is written down and begun again, a few times. It is done `apart`, by
    a process, or by the thread itself.
    """

    def __init__(self, service: Service, every: float, *, apart: bool = False) -> None:
        self._service, self._every, self._apart = service, every, apart
        self._ended, self._woken = Event(), Event()
        self._thread = Thread(target=self._run, name="examiner", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._service.diagnostics.wake = self._woken.set
        self._thread.start()

    def stop(self) -> None:
        """End after what is being worked on, if that is done soon."""
        self._ended.set()
        self._woken.set()
        self._thread.join(2 * GRACE)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                if self._service.diagnostics.waits():
                    self._work()
            except BusyError as error:
                LOG.warning("busy: %s", error)
            except Exception:
                LOG.exception("predictions of past eras could not be worked on")
            self._woken.wait(self._every)

    def _work(self) -> None:
        if not self._apart:
            self._service.diagnostics.work(ended=self._ended.is_set)
            return
        process = get_context("spawn").Process(
            target=_work, args=(self._service.settings,), name="examiner", daemon=True
        )
        process.start()
        while process.is_alive() and not self._ended.is_set():
            process.join(LOOK)
        process.join(GRACE)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode:
            LOG.error("predictions of past eras could not be worked on: exit code %d", process.exitcode)


def _work(settings: Settings) -> None:
    """Work on all that waits; the server says when to end."""
    from crowdalpha.server.service import Service

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    with open_engine(settings) as engine:
        Service(engine, settings).diagnostics.work()
