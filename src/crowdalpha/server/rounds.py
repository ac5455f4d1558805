"""Rounds as participants ask for them: which is open, when the next one opens, what it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crowdalpha.engine import Overview
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import Refusal, refusal
from crowdalpha.server.office import Office, found
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import Progress
from crowdalpha.tournament.rounds import Round, Stage


@dataclass(frozen=True, slots=True)
class RoundState:
    """A round and how far it is."""

    round: Round
    progress: Progress

    def is_open(self, now: datetime) -> bool:
        """Whether it takes submissions: by its times, whether or not the clock has ticked since."""
        return self.progress.stage in (Stage.SCHEDULED, Stage.OPEN) and self.round.accepts(now)

    def stage(self, now: datetime) -> Stage:
        """Its stage as participants see it: one that takes submissions is open, one that has ended closed."""
        if self.is_open(now):
            return Stage.OPEN
        if self.progress.stage is Stage.OPEN and now >= self.round.close_time:
            return Stage.CLOSED
        return self.progress.stage


class Rounds:
    """Verbs about rounds: all are public."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def all(self, who: Caller, status: Stage | None = None) -> list[RoundState]:
        """All rounds, newest first; those at one stage if it is named."""
        with self._office.engine.store.reading() as work:
            states = _states(work)
        return [state for state in states if status is None or state.stage(who.now) is status]

    def one(self, who: Caller, number: int) -> RoundState:
        """A round by its number."""
        with self._office.engine.store.reading() as work:
            return _state(work, found(work.get(Round, number), "round", number))

    def current(self, who: Caller) -> RoundState:
        """The round that takes submissions; `round_not_open` says, in `more`, when the next one opens."""
        with self._office.engine.store.reading() as work:
            states = _states(work)
        open = next((state for state in states if state.is_open(who.now)), None)
        if open is None:
            raise _not_open(states, who.now)
        return open

    def overview(self, who: Caller, number: int) -> Overview:
        """What is at risk in a round, how many sent something in, what was paid. How many is said from its close on."""
        return self._office.engine.round_show(self.one(who, number).round.number)

    def universe(self, who: Caller, number: int) -> list[str]:
        """The ids of a round, sorted by their bytes, from its opening on."""
        state = self.one(who, number)
        if who.now < state.round.open_time:
            raise _not_open([state], who.now)
        return self._office.engine.universe(state.round)


def _states(work: Reading) -> list[RoundState]:
    progress = {one.round: one for one in work.find(Progress)}
    rounds = [RoundState(round, progress[round.number]) for round in work.find(Round)]
    return sorted(rounds, key=lambda state: state.round.number, reverse=True)


def _state(work: Reading, round: Round) -> RoundState:
    return RoundState(round, found(work.get(Progress, round.number), "round", round.number))


def _not_open(states: list[RoundState], now: datetime) -> Refusal:
    opens = min((state.round.open_time for state in states if state.round.open_time > now), default=None)
    return refusal("round_not_open", more={"next_open_time": opens})
