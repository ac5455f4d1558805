"""Where models stood, round after round: their running mean over a year, and their place by it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crowdalpha.engine.clock import finals_on_time
from crowdalpha.server.callers import Caller
from crowdalpha.server.office import Office, found
from crowdalpha.tournament.history import YEAR
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.scoringday import selected

Finals = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Stood:
    """After a round that resolved `at`: the mean of a model's final scores of a year, and its place, by metric."""

    at: datetime
    places: Mapping[str, tuple[float, int]]


class Standings:
    """Verbs about where models stood: all are public."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def of(self, who: Caller, model: str, metrics: tuple[str, ...], rounds: int = 30) -> list[Stood]:
        """Where a model stood after each of the latest resolved rounds, newest first."""
        with self._office.engine.store.reading() as work:
            found(work.get(Model, model), "model", model)
            resolved = _resolved(work)
            oldest = resolved[-rounds:][0].resolve_time - YEAR if resolved else None
            needed = [round for round in resolved if oldest is None or round.resolve_time > oldest]
            finals = {round.number: _finals(work, round, metrics) for round in needed}
        return [_stood(model, needed, finals, round) for round in reversed(needed[-rounds:])]

    def counted(self, model: str) -> dict[int, str]:
        """The submission of a model that counts in each round, by the round's number."""
        with self._office.engine.store.reading() as work:
            sent = work.find(Submission, model=model)
        by_round: dict[int, list[Submission]] = {}
        for one in sent:
            by_round.setdefault(one.round, []).append(one)
        return {
            number: one.id
            for number, some in by_round.items()
            for one in selected(some, max(other.received_at for other in some))
        }


def _resolved(work: Reading) -> list[Round]:
    """The rounds that are over, in the order that they ended in."""
    over = {progress.round for progress in work.find(Progress, stage=Stage.RESOLVED)}
    rounds = [round for round in work.find(Round) if round.number in over]
    return sorted(rounds, key=lambda round: (round.resolve_time, round.number))


def _finals(work: Reading, round: Round, metrics: tuple[str, ...]) -> Finals:
    """What a round scored in the end, of who was on time: by metric, then by model."""
    return {
        metric: {s.model: s.value for s in finals_on_time(work, round, metric) if s.model != METAMODEL}
        for metric in metrics
        if metric in round.metrics
    }


def _stood(
    model: str, rounds: list[Round], finals: Mapping[int, Mapping[str, Mapping[str, float]]], last: Round
) -> Stood:
    """Where a model stood after a round, among all that had a score within the year before."""
    ended = [round.resolve_time for round in rounds]
    start, end = bisect_right(ended, last.resolve_time - YEAR), rounds.index(last) + 1
    means: dict[str, dict[str, list[float]]] = {}
    for round in rounds[start:end]:
        for metric, values in finals[round.number].items():
            for name, value in values.items():
                if value == value:
                    means.setdefault(metric, {}).setdefault(name, []).append(value)
    places: dict[str, tuple[float, int]] = {}
    for metric, values_of in means.items():
        mean = {name: sum(values) / len(values) for name, values in values_of.items()}
        if model in mean:
            places[metric] = (mean[model], 1 + sum(value > mean[model] for value in mean.values()))
    return Stood(last.resolve_time, places)
