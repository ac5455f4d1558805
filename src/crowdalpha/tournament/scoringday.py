"""One scoring of a round: from what was sent in, staked and drawn to every score of every model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.bags import draw_bags
from crowdalpha.scoring.metrics import METRICS, Era, evaluate, metric
from crowdalpha.tournament.records import METAMODEL, Score, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.stakes import AtRisk

Floats = NDArray[np.float64]
OF_THE_CROWD = ("corr", "numerai_corr")
"""The metrics that the metamodel is scored by itself."""
STAKED = {"stakes", "bags", "metamodel"}
"""Inputs that there are only where somebody has a stake."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that the scores of a round are made of, beside the target.

    `ranks` holds the prediction of every id, (n_ids,), by the name that a submission gives it; `benchmarks` are ids of
    models, `features` (n_ids, n_features) or None, `seed` that of the bags.
    """

    round: Round
    submissions: Sequence[Submission]
    ranks: Mapping[str, Floats]
    at_risk: Sequence[AtRisk]
    seed: bytes
    benchmarks: Collection[str] = ()
    features: Floats | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of a crowd on one day: `scores` maps each metric to (n_models,), in the order of `models`.

    `crowd` holds the scores of the un-bagged metamodel itself, NaN where nobody has a stake.
    """

    models: tuple[str, ...]
    scores: Mapping[str, Floats]
    crowd: Mapping[str, float]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each model stands."""
        return {model: i for i, model in enumerate(self.models)}

    def of(self, name: str, models: Iterable[str]) -> list[float]:
        """A metric of some models, 0 for those that have no score."""
        values = self.scores[name]
        return [float(values[self.places[model]]) if model in self.places else 0.0 for model in models]


def final_day(round: Round) -> int:
    """The number of the day that pays: one after the scoring days."""
    return len(round.scoring_times) + 1


def time_of(round: Round, day: int) -> datetime:
    """When a day is scored; what arrives later is left out of it."""
    return round.resolve_time if day == final_day(round) else round.scoring_times[day - 1]


def selected(sent: Iterable[Submission], until: datetime) -> list[Submission]:
    """The submission that counts for each model, by model: the last one on time, else the last late one."""
    best: dict[str, Submission] = {}
    for submission in sorted(sent, key=lambda s: (s.status == "on_time", s.received_at, s.id)):
        if submission.received_at <= until:
            best[submission.model] = submission
    return [best[model] for model in sorted(best, key=str.encode)]


def score_day(inputs: Inputs, day: int, target: Floats) -> Scored:
    """Score a day against its target: all metrics of the round, for every model that has sent something in.

    The stakes are what is at risk, in whole units; who was late is scored and not pooled. Bags are drawn from the
    models in the order of the bytes of their ids: `n_bags`, or `final_bags` on the last day. A metric whose inputs are
    not there (a stake, features, benchmarks) is NaN for everybody.
    """
    round = inputs.round
    sent = selected(inputs.submissions, time_of(round, day))
    if not sent:
        return Scored((), {name: np.zeros(0) for name in round.metrics}, {})
    units = units_of(inputs, sent)
    predictions = np.column_stack([inputs.ranks[s.predictions] for s in sent])
    known = benchmarks_among(inputs, sent)
    era = Era(
        predictions,
        target,
        units,
        draw_bags(units, n_bags=n_bags(round, day), seed=inputs.seed) if units.any() else None,
        features=inputs.features,
        benchmarks=predictions[:, known] if known else None,
        ties=round.ties,
        models=tuple(submission.model for submission in sent),
    )
    return score_era(era, round.metrics)


def score_era(era: Era, metrics: Sequence[str]) -> Scored:
    """All metrics of all models of an era with a target; it has bags where somebody has a stake, and only there."""
    staked = era.bags is not None
    able = [name for name in metrics if possible(name, staked, era.features, era.benchmarks)]
    missing = {name: np.full(len(era.models), np.nan) for name in metrics if name not in able}
    own = crowd_scores(era.crowd if staked else None, era.given("target"), metrics, era.ties)
    return Scored(era.models, evaluate(able, era) | missing, own)


def units_of(inputs: Inputs, sent: Sequence[Submission]) -> NDArray[np.int64]:
    """What each submission has at risk, in whole units; nothing where it was late."""
    amounts = {risk.model: risk.amount for risk in inputs.at_risk}
    return np.array([amounts.get(s.model, 0) if s.status == "on_time" else 0 for s in sent], np.int64)


def benchmarks_among(inputs: Inputs, sent: Sequence[Submission]) -> list[int]:
    """Which submissions are of benchmarks. Late ones are not: all are measured against what was there at the close."""
    return [i for i, s in enumerate(sent) if s.model in inputs.benchmarks and s.status == "on_time"]


def score_records(round: Round, day: int, scored: Scored) -> tuple[Score, ...]:
    """The scores of a day as records, those of the metamodel itself under its own name."""
    final = day == final_day(round)
    values = [
        (name, model, float(value))
        for name in round.metrics
        for model, value in zip(scored.models, scored.scores[name], strict=True)
    ]
    values += [(name, METAMODEL, value) for name, value in scored.crowd.items()]
    return tuple(Score(round.number, round.rule_set, day, name, model, value, final) for name, model, value in values)


def n_bags(round: Round, day: int) -> int:
    """How many bags a day draws."""
    return round.final_bags if day == final_day(round) else round.n_bags


def possible(name: str, staked: bool, features: Floats | None, benchmarks: Floats | None) -> bool:
    """Whether the inputs of a metric are there."""
    row, there = metric(name), {"target": True, "features": features is not None, "benchmarks": benchmarks is not None}
    return (staked or not STAKED & set(row.parameters)) and all(there.get(need, False) for need in row.needs)


def crowd_scores(metamodel: Floats | None, target: Floats, metrics: Iterable[str], ties: str) -> dict[str, float]:
    """The metamodel's own scores: it is a model whose predictions are the crowd's. NaN if there is none."""
    wanted = [name for name in metrics if name in OF_THE_CROWD]
    if metamodel is None:
        return dict.fromkeys(wanted, float("nan"))
    alone = Era(metamodel[:, np.newaxis], target, ties=ties)
    return {name: float(np.ravel(METRICS[name](alone))[0]) for name in wanted}
