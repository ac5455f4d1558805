"""The examiner of a server: a thread that works on predictions of past eras as they are handed in."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from crowdalpha.tournament.ports import BusyError

if TYPE_CHECKING:
    from crowdalpha.server.service import Service

LOG = logging.getLogger("crowdalpha.examiner")
GRACE = 10.0
"""Seconds that what is being worked on may take once the server is told to end; then the next server begins it anew."""


class Examiner:
    """Works on what waits, from `start` to `stop`: as soon as something is handed in here, and every so many seconds.

    Several servers may have one each. What fails is written down and begun again, a few times.
    """

    def __init__(self, service: Service, every: float) -> None:
        self._service, self._every = service, every
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
        self._thread.join(GRACE)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                if done := self._service.diagnostics.work(ended=self._ended.is_set):
                    LOG.info("done", extra={"told": {"diagnostics": done}})
            except BusyError as error:
                LOG.warning("busy: %s", error)
            except Exception:
                LOG.exception("predictions of past eras could not be worked on")
            self._woken.wait(self._every)
