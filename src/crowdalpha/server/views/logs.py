"""The log of the tournament: its head, which anybody may write down, and whether it holds together."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import Problem
from crowdalpha.tournament.events import BEGINNING, Event, Head, first_break_after


@dataclass(frozen=True, slots=True)
class LogView:
    """The head of the log, its last event (None before the first), and what is wrong with it, if anything is."""

    head: Head
    last: Event | None
    broken: Problem | None


class LogReader:
    """Reads on where it has stopped reading: the log is checked once, not at every visit."""

    def __init__(self) -> None:
        self._lock, self._seen = Lock(), LogView(BEGINNING, None, None)

    def read(self, engine: Engine) -> LogView:
        """The log as it is now. Once something was wrong with it, that stays said."""
        with self._lock:
            before = self._seen
            with engine.store.reading() as work:
                events = tuple(work.events(before.head.number))
            if events and before.broken is None:
                broken = first_break_after(before.head, events)
                self._seen = LogView(Head(events[-1].number, events[-1].hash), events[-1], broken)
            return self._seen
