"""Leaderboards: who is ahead over a window of rounds, how sure that is, and who cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from crowdalpha.payouts.reputation import (
    REPEATED_MISS,
    ROUNDS,
    one_year_reputation,
    reputation_weights,
    weighted_reputation,
)
from crowdalpha.scoring.arrays import Floats, Whole
from crowdalpha.scoring.bootstrap import percentile_interval, resample
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.series import NAN, mean
from crowdalpha.tournament.history import History
from crowdalpha.tournament.resampling import DEFAULT, Resampling, draws_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of a leaderboard.

    `rank` counts from 1 and is shared by equals; None for a model without any score in the window, which stands below
    all others whatever they scored. `value` is what it is ranked by, [`low`, `high`] its interval, [`best_rank`,
    `worst_rank`] that of its rank; there is none with fewer than two scores. `scored` and `missed` count rounds.
    """

    name: str
    rank: int | None
    value: float
    low: float
    high: float
    best_rank: int | None
    worst_rank: int | None
    scored: int
    missed: int


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much `one` scored more than `other`, on average over the `n_rounds` that have a score of both."""

    one: str
    other: str
    n_rounds: int
    mean: float
    low: float
    high: float

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out 0. Without two paired rounds there is no interval, and nothing to tell."""
        return self.low > 0 or self.high < 0


def leaderboard(
    history: History,
    *,
    method: str = "mean",
    day: int = 0,
    example: str | None = None,
    resampling: Resampling = DEFAULT,
) -> tuple[Standing, ...]:
    """Rank models (or accounts: `history.by_account`) over the rounds of a history, best first, equals by name.

        mean                    the mean of the scores a model has
        one-year-mean           the mean over all rounds, a missed one counting 0: for `history.year_to(now)`
        weighted-twenty-rounds  the reputation of 2020 over the last twenty rounds, on scoring day `day` (0..5) of the
                                newest; the oldest miss counts as the model `example`, every further one -0.1

    A model without a score in the window has no rank and stands below all that have one, whatever the method.
    Intervals come from resampled rounds, the same for all models, so that what moves everybody moves no rank. The
    result is a function of the arguments to the bit, and a model's line of no order of the models.
    Source: [SPEC 3], [docs@527f3cc], [docs@dcbcd4b], [PR92].

    >>> from datetime import UTC, datetime, timedelta
    >>> days = tuple(datetime(2020, 5, d, tzinfo=UTC) for d in (1, 2, 3))
    >>> scores = np.array([[0.03, 0.01, np.nan], [0.02, 0.01, np.nan], [0.04, np.nan, np.nan]])
    >>> history = History((1, 2, 3), days, ("ann", "ben", "cat"), scores, np.zeros((3, 3), np.int64))
    >>> [(line.name, line.rank, round(line.value, 3), line.missed) for line in leaderboard(history)]
    [('ann', 1, 0.03, 0), ('ben', 2, 0.01, 1), ('cat', None, nan, 3)]
    """
    if method not in METHODS:
        found, expected = repr(method), f"one of {', '.join(METHODS)}"
        raise InputError(Problem("bad_method", expected, found, "choose one of them", "method"))
    if method == "weighted-twenty-rounds":
        history = _last_twenty(history)
    n_scored = history.scored.sum(axis=0)
    ranked = np.flatnonzero(n_scored)
    table = METHODS[method](history.scores[:, ranked], day, _example(history, example))
    places = dict(zip(ranked.tolist(), _places(table, n_scored[ranked], resampling), strict=True))
    standings = [
        Standing(name, *places.get(j, UNRANKED), int(n_scored[j]), len(history.rounds) - int(n_scored[j]))
        for j, name in enumerate(history.models)
    ]
    return tuple(sorted(standings, key=lambda line: (line.rank or len(standings) + 1, line.name)))


def compare(history: History, one: str, other: str, *, resampling: Resampling = DEFAULT) -> Difference:
    """By how much one model scored more than another in the rounds in which both have a score, and how sure that is.

    Paired rounds take out what moves both: two good models of the same era may be told apart though their own
    intervals overlap. Source: [PR92].
    """
    mine, theirs = (history.scores[:, _column(history, name)] for name in (one, other))
    differences = (mine - theirs)[~np.isnan(mine - theirs)]
    n = len(differences)
    low, high = NAN, NAN
    if n > 1:
        block, seed = resampling.length(n), resampling.seed
        means, _ = resample(differences, 0, block=block, n_resamples=resampling.n_resamples, seed=seed)
        low, high = percentile_interval(means, resampling.confidence)
    return Difference(one, other, n, mean(differences), low, high)


def indistinguishable(
    history: History, names: Iterable[str] | None = None, *, resampling: Resampling = DEFAULT
) -> tuple[Difference, ...]:
    """The pairs of models that the paired rounds cannot tell apart: the interval of their difference covers 0.

    `names` are the models to compare, each with each; all that have a score if None, at about a millisecond a pair.
    With many pairs some true differences hide, and at 95 % one in twenty true ties is called a difference.
    """
    if names is None:
        names = [history.models[j] for j in np.flatnonzero(history.scored.any(axis=0))]
    found = (compare(history, one, other, resampling=resampling) for one, other in combinations(names, 2))
    return tuple(difference for difference in found if not difference.distinguishable)


def competition_ranks(values: Floats) -> Whole:
    """1 + how many values are greater, so that equals share the better rank; NaN comes after all numbers.

    >>> competition_ranks(np.array([0.2, np.nan, 0.3, 0.2]))
    array([2, 4, 1, 2])
    """
    falling = np.where(np.isnan(values), np.inf, -values)
    return 1 + np.searchsorted(np.sort(falling), falling, side="left").astype(np.int64)


class _Place(NamedTuple):
    """What a standing says of a model, beside its name and its rounds."""

    rank: int | None
    value: float
    low: float
    high: float
    best_rank: int | None
    worst_rank: int | None


UNRANKED = _Place(None, NAN, NAN, NAN, None, None)


class _Table(NamedTuple):
    """Values (n_models,), and a ratio of sums over rounds that gives them again: sum terms / sum counts."""

    values: Floats
    terms: Floats
    counts: Floats


def _plain(scores: Floats, day: int, example: Floats) -> _Table:
    scored = ~np.isnan(scores)
    values = np.array([mean(column[there]) for column, there in zip(scores.T, scored.T, strict=True)])
    return _Table(values, np.where(scored, scores, 0.0), scored.astype(np.float64))


def _one_year(scores: Floats, day: int, example: Floats) -> _Table:
    values = np.array([one_year_reputation(np.ascontiguousarray(column)) for column in scores.T])
    return _Table(values, np.nan_to_num(scores, nan=0.0), np.ones((len(scores), 1)))


def _weighted(scores: Floats, day: int, example: Floats) -> _Table:
    missed = np.isnan(scores)
    if missed.any() and np.isnan(example).any():
        expected, fix = f"an example model with a score in all {ROUNDS} rounds", "name one; a miss counts as its score"
        raise InputError(Problem("example_missing", expected, "none, but misses", fix, "example"))
    first = missed & (np.cumsum(missed, axis=0) == 1)
    filled = np.where(first, example[:, None], np.where(missed, REPEATED_MISS, scores))
    values = np.array([weighted_reputation(np.ascontiguousarray(column), day) for column in filled.T])
    weights = reputation_weights(day)[:, None]
    return _Table(values, weights * filled, weights)


METHODS: dict[str, Callable[[Floats, int, Floats], _Table]] = {
    "mean": _plain,
    "one-year-mean": _one_year,
    "weighted-twenty-rounds": _weighted,
}
"""The ways to rank: the plain mean, and the dated reputation rules by their names."""


def _last_twenty(history: History) -> History:
    if len(history.rounds) < ROUNDS:
        expected, fix = f"at least {ROUNDS} rounds", "widen the window, or rank by the mean"
        raise InputError(Problem("too_few_rounds", expected, str(len(history.rounds)), fix, "history"))
    return history.latest(ROUNDS)


def _example(history: History, name: str | None) -> Floats:
    return np.full(len(history.rounds), NAN) if name is None else history.scores[:, _column(history, name)]


def _column(history: History, name: str) -> int:
    if name not in history.models:
        raise InputError(Problem("unknown_model", "a model of the history", repr(name), "check the name", "model"))
    return history.models.index(name)


def _places(table: _Table, n_scored: Whole, resampling: Resampling) -> Iterator[_Place]:
    """Each model's place; without intervals for who has fewer than two scores, whose luck cannot be judged."""
    ranks, draws = competition_ranks(table.values), draws_of(table.terms, table.counts, resampling)
    drawn_ranks = np.sort([competition_ranks(draw) for draw in draws], axis=0)
    tail, last = (1 - resampling.confidence) / 2, len(draws) - 1
    best = np.minimum(drawn_ranks[math.floor(tail * last)], ranks)
    worst = np.maximum(drawn_ranks[math.ceil((1 - tail) * last)], ranks)
    for j, value in enumerate(table.values.tolist()):
        if n_scored[j] > 1:
            low, high = percentile_interval(draws[:, j], resampling.confidence)
            yield _Place(int(ranks[j]), value, low, high, int(best[j]), int(worst[j]))
        else:
            yield UNRANKED._replace(rank=int(ranks[j]), value=value)
