"""The clock of a server: a thread that does what is due, again and again, and ends when it is told to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from crowdalpha.tournament.ports import BusyError

if TYPE_CHECKING:
    from crowdalpha.server.metrics import Metrics
    from crowdalpha.server.service import Service

LOG = logging.getLogger("crowdalpha.clock")
EVERY = 5.0
"""Seconds between two ticks."""
SWEPT = 720
"""Ticks between two looks at uploads that nobody came back for."""


class Clock:
    """Ticks a service's engine every so many seconds, from `start` to `stop`.

    A tick that fails is written down and tried again with the next: what is due stays due. Several servers may tick one
    tournament. `told` hears what a tick did.
    """

    def __init__(
        self,
        service: Service,
        metrics: Metrics,
        every: float = EVERY,
        told: Callable[[list[str]], None] = lambda done: None,
    ) -> None:
        self._service, self._metrics, self._every, self._told = service, metrics, every, told
        self._ended = Event()
        self._thread = Thread(target=self._run, name="clock", daemon=True)
        self.ticks = 0

    @property
    def alive(self) -> bool:
        """Whether it ticks."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick that is being done, if there is one."""
        self._ended.set()
        self._thread.join()

    def tick(self) -> list[str]:
        """Do what is due; what was done, by the keys of the events."""
        now = self._service.now()
        done = self._service.engine.tick(now)
        if self.ticks % SWEPT == 0:
            self._service.submissions.sweep(now)
            self._service.diagnostics.sweep(now)
        self.ticks += 1
        self._metrics.ticked(now.timestamp(), done)
        return done

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                if done := self.tick():
                    LOG.info("done", extra={"told": {"events": done}})
                    self._told(done)
            except BusyError as error:
                LOG.warning("busy: %s", error)
            except Exception:
                self._metrics.tick_failed()
                LOG.exception("a tick failed")
            self._ended.wait(self._every)
