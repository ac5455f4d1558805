"""A replay that goes on: all but the last rounds are played at once, those as they come, by a clock that runs fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

from crowdalpha.demo.crowd import Crowd
from crowdalpha.demo.play import BAGS, SEED, coins
from crowdalpha.demo.rounds import CHOICE, MOST, RULE, fresh
from crowdalpha.settings.replays import replay_into
from crowdalpha.simulation.replay import START, WEEK, Timetable, hand_in
from crowdalpha.tables.frames import eras
from crowdalpha.tables.opening import opening_stakes

if TYPE_CHECKING:
    from crowdalpha.engine import Engine
    from crowdalpha.scoring.metrics import Era

TO_COME = 26
"""Rounds that are left to be played while people look on: half a year."""
BEFORE = timedelta(hours=1)
"""How long before the first of them the clock begins."""
GLANCE = 0.2
"""Seconds between two looks at the clock."""
Told = Callable[[str, int, int], None]


class FastClock:
    """A clock that begins at a time and then runs so many times as fast as the machine's."""

    def __init__(self, begins: datetime, times: float) -> None:
        self._begins, self._times, self._started = begins, times, monotonic()

    def __call__(self) -> datetime:
        """The time now."""
        return self._begins + timedelta(seconds=self._times * (monotonic() - self._started))


@dataclass(frozen=True)
class Living:
    """A tournament in a folder, the rounds that are still to come in it, and when the first of them opens."""

    name: str
    folder: Path
    first: int
    coming: Sequence[Era]

    @property
    def timetable(self) -> Timetable:
        """When its rounds happen."""
        return Timetable(START)

    def clock(self, week: float) -> FastClock:
        """A clock on which a week takes so many seconds; the next round is about to open."""
        opens = self.timetable.round(self.first, RULE).open_time
        return FastClock(opens - BEFORE, WEEK.total_seconds() / week)


class Crowdsfolk(Thread):
    """The models of a crowd: they hand in as each round opens, and what came of it arrives as it closes."""

    def __init__(self, living: Living, engine: Engine, clock: Callable[[], datetime]) -> None:
        super().__init__(name=f"the models of {living.name}", daemon=True)
        self._living, self._engine, self._clock = living, engine, clock
        self._ended = Event()

    def stop(self) -> None:
        """End before the next round."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Play the rounds that are to come; all are announced before the first of them opens."""
        living = self._living
        rounds = [living.timetable.round(living.first + k, RULE) for k in range(len(living.coming))]
        begins = rounds[0].open_time - BEFORE
        announced = [
            self._engine.schedule(round, era.ids, begins) for round, era in zip(rounds, living.coming, strict=True)
        ]
        for round, era in zip(announced, living.coming, strict=True):
            if not self._waited(round.open_time):
                return
            self._engine.tick(self._clock())
            hand_in(self._engine, era, round.number, self._clock())
            target = dict(zip(era.ids, era.given("target").tolist(), strict=True))
            if not self._waited(round.close_time):
                return
            self._engine.set_target(round.number, None, target)

    def _waited(self, until: datetime) -> bool:
        while self._clock() < until:
            if self._ended.wait(GLANCE):
                return False
        return True


def begin(crowd: Crowd, folder: Path, told: Told, *, rounds: int = MOST, coming: int = TO_COME) -> Living:
    """Play all but the last rounds of a crowd, and keep them in a new folder under `folder`."""
    aligned = eras(crowd.predictions, crowd.targets, coins(crowd), bags=BAGS, seed=SEED)
    history = replace(aligned, eras=aligned.eras[-rounds:])
    coming = min(coming, len(history) - 1)
    past = replace(history, eras=history.eras[:-coming])
    name = crowd.name.split()[0].lower()
    place = fresh(folder, f"{name}-living")
    replay_into(
        place,
        past,
        opening_stakes(coins(crowd), past.models),
        rule=RULE,
        choice=CHOICE,
        name=f"{crowd.name}, replayed with simulated stakes",
        told=lambda what, done, all: told(f"{what} of {crowd.name}", done, all),
        environ={},
    )
    return Living(crowd.name, place, len(past) + 1, history.eras[-coming:])
