"""The courier of a server: a thread that tells what is to be told, so that no round waits for a receiver."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import TYPE_CHECKING

from crowdalpha.tournament.ports import BusyError

if TYPE_CHECKING:
    from crowdalpha.server.service import Service

LOG = logging.getLogger("crowdalpha.courier")
GRACE = 10.0
"""Seconds that what is being sent may take once the server is told to end; what is cut off is sent again."""


class Courier:
    """Tells and sends, from `start` to `stop`: when something is asked for here, and every so many seconds.

    Several servers may have one each.
    """

    def __init__(self, service: Service, every: float) -> None:
        self._service, self._every = service, every
        self._ended, self._woken = Event(), Event()
        self._thread = Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._service.notices.wake = self._woken.set
        self._thread.start()

    def stop(self) -> None:
        """End after what is being sent, if that is done soon."""
        self._ended.set()
        self._woken.set()
        self._thread.join(GRACE)

    def round(self) -> list[str]:
        """Tell what is new, send what is due; the ids of the messages that were tried."""
        self._service.notices.tell(self._service.now())
        return self._service.notices.send(self._ended.is_set)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                if tried := self.round():
                    LOG.info("sent", extra={"told": {"notices": tried}})
            except BusyError as error:
                LOG.warning("busy: %s", error)
            except Exception:
                LOG.exception("notices could not be sent")
            self._woken.wait(self._every)
