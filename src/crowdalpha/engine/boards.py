"""Leaderboards from what the tournament has kept: one metric, over a window of resolved rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crowdalpha.engine.clock import finals_on_time
from crowdalpha.engine.desk import Desk
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament.history import YEAR, History
from crowdalpha.tournament.leaderboard import Difference, Standing, indistinguishable, leaderboard
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score
from crowdalpha.tournament.resampling import DEFAULT, Resampling
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.stakes import AtRisk

COMPARED = 10
"""How many of the first are compared with each other."""


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard: its lines, best first, and which pairs of the first ten cannot be told apart.

    `rounds` are the numbers of the rounds it is made from, `benchmarks` the names in it that are benchmarks.
    """

    metric: str
    method: str
    rounds: tuple[int, ...]
    lines: tuple[Standing, ...]
    equals: tuple[Difference, ...]
    benchmarks: frozenset[str]


def board(
    desk: Desk,
    metric: str,
    *,
    now: datetime,
    method: str = "mean",
    window: timedelta | None = YEAR,
    rounds: tuple[int, int] | None = None,
    by_account: bool = False,
    example: str | None = None,
    resampling: Resampling = DEFAULT,
) -> Board:
    """Rank models, or accounts, by a metric over the rounds resolved by `now`."""
    with desk.store.reading() as work:
        resolved = [r for r in _resolved(work) if r.resolve_time <= now]
        models = work.find(Model)
        history = _history(work, resolved, metric, models)
    history = _cut(history, now, window, rounds)
    if by_account:
        history = history.by_account({model.id: model.account for model in models})
    lines = leaderboard(history, method=method, example=example, resampling=resampling)
    first = [line.name for line in lines if line.rank is not None][:COMPARED]
    return Board(
        metric,
        method,
        history.rounds,
        lines,
        indistinguishable(history, first, resampling=resampling),
        frozenset(model.id for model in models if model.benchmark and not by_account),
    )


def _resolved(work: Reading) -> list[Round]:
    over = {progress.round for progress in work.find(Progress, stage=Stage.RESOLVED)}
    return [round for round in work.find(Round) if round.number in over]


def _history(work: Reading, rounds: list[Round], metric: str, models: list[Model]) -> History:
    """The final scores of the rounds that have the metric."""
    found = {round.number: _finals(work, round, metric) for round in rounds}
    kept = [round for round in rounds if found[round.number]]
    if rounds and not kept:
        names = ", ".join(sorted({name for round in rounds for name in round.metrics}))
        raise InputError(Problem("not_scored", f"one of {names}", repr(metric), "rounds say what they score", "metric"))
    scores = [score for round in kept for score in found[round.number]]
    named = {(score.round, score.model) for score in scores if score.value == score.value}
    risks = [risk for round in kept for risk in work.find(AtRisk, round=round.number)]
    at_risk = [risk if (risk.round, risk.model) in named else replace(risk, amount=0) for risk in risks]
    return History.of(kept, scores, at_risk, [model.id for model in models])


def _finals(work: Reading, round: Round, metric: str) -> list[Score]:
    return [score for score in finals_on_time(work, round, metric) if score.model != METAMODEL]


def _cut(history: History, now: datetime, window: timedelta | None, rounds: tuple[int, int] | None) -> History:
    if rounds is not None:
        return history.between(*rounds)
    return history if window is None else history.resolved_within(window, now)


def weights(desk: Desk) -> Mapping[int, Mapping[str, int]]:
    """What every model had at risk in each round: the weights of the metamodels, in whole units."""
    with desk.store.reading() as work:
        return {
            round.number: {risk.model: risk.amount for risk in work.find(AtRisk, round=round.number) if risk.amount}
            for round in work.find(Round)
        }
