"""The clock of a server: a thread that does what is due, again and again, and ends when it is told to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from crowdalpha.tournament import leases
from crowdalpha.tournament.ports import BusyError

if TYPE_CHECKING:
    from crowdalpha.server.metrics import Metrics
    from crowdalpha.server.service import Service

LOG = logging.getLogger("crowdalpha.clock")
EVERY = 5.0
"""Seconds between two ticks."""
SWEPT = 720
"""Ticks between two looks at uploads that nobody came back for."""
LEASE = "clock"
LASTING = timedelta(seconds=30)
"""After so long without a sign of life of the server that ticks, another goes on."""


class Ticker(Protocol):
    """Who does what is due: the engine itself, or a process that has one of its own."""

    def tick(self, now: datetime, alive: Callable[[], object]) -> list[str]:
        """Do it; what was done. `alive` is to be called now and then meanwhile."""
        ...

    def close(self) -> None:
        """There is nothing more to do."""
        ...


class Here:
    """Does it in this process."""

    def __init__(self, service: Service) -> None:
        self._engine = service.engine

    def tick(self, now: datetime, alive: Callable[[], object]) -> list[str]:
        """As the engine does."""
        return self._engine.tick(now)

    def close(self) -> None:
        """Nothing is to be closed."""


class Clock:
    """Ticks a service's engine every so many seconds, from `start` to `stop`.

    A tick that fails is written down and tried again with the next: what is due stays due. Of several servers of one
    tournament, that one ticks which has the lease; the others look whether it lives. `told` hears what a tick did.
    """

    def __init__(
        self,
        service: Service,
        metrics: Metrics,
        every: float = EVERY,
        told: Callable[[list[str]], None] = lambda done: None,
        ticker: Ticker | None = None,
    ) -> None:
        self._service, self._metrics, self._every, self._told = service, metrics, every, told
        self._ticker, self._holder = ticker or Here(service), uuid4().hex
        self._until: datetime | None = None
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
        self._ticker.close()
        leases.give_back(self._service.engine.store, LEASE, self._holder, self._service.now())

    def tick(self) -> list[str]:
        """Do what is due, if no other server does; what was done, by the keys of the events."""
        now = self._service.now()
        done = self._ticker.tick(now, self._hold) if self._hold() else []
        if self.ticks % SWEPT == 0:
            self._service.submissions.sweep(now)
            self._service.diagnostics.sweep(now)
        self.ticks += 1
        self._metrics.ticked(now.timestamp(), done)
        return done

    def _hold(self) -> bool:
        """Take the lease, or keep it; it is written down again when half of it is over."""
        now = self._service.now()
        if self._until is None or now >= self._until - LASTING / 2:
            held = leases.take(self._service.engine.store, LEASE, self._holder, now, LASTING)
            self._until = now + LASTING if held else None
        return self._until is not None

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
