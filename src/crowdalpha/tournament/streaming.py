"""A large crowd scored from ranks on disk, a few models at a time: what it takes does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring import kernels
from crowdalpha.scoring.bags import draws
from crowdalpha.scoring.shards import SHARDED, Judge, Metamodels, Weights, partial_sums, pool, score_shard, weigh
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.scoringday import (
    Floats,
    Inputs,
    Scored,
    benchmarks_among,
    crowd_scores,
    n_bags,
    possible,
    units_of,
)

AT_ONCE = 2048
"""Models that a thread takes at a time."""
LARGE = 5_000_000
"""Predictions from which it pays to read them from ranks on disk."""


class Ranked(Protocol):
    """The ranks of a crowd, model after model."""

    @property
    def n_models(self) -> int:
        """How many models."""
        ...

    @property
    def n_ids(self) -> int:
        """How many ids."""
        ...

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.integer[Any]]]:
        """The rows of the models `start` to `stop`, some at a time; a block is good until the next is asked for."""
        ...


def streams(inputs: Inputs, sent: Sequence[Submission], n_ids: int) -> bool:
    """Whether a crowd is so large, and its metrics such, that it is to be scored from ranks on disk."""
    sharded = set(inputs.round.metrics) <= set(SHARDED)
    return sharded and len(sent) * n_ids >= LARGE and bool(units_of(inputs, sent).any())


def score_streamed(inputs: Inputs, sent: Sequence[Submission], day: int, target: Floats, crowd: Ranked) -> Scored:
    """`score_day`, to the bit, of the submissions `sent`, whose ranks stand in `crowd` in their order."""
    round = inputs.round
    units = units_of(inputs, sent)
    weights = weigh(units, draws(units, n_bags=n_bags(round, day), seed=inputs.seed), crowd.n_ids)
    pieces = kernels.column_blocks(len(sent), AT_ONCE)
    metamodels = _pooled(crowd, weights, pieces, inputs)
    known = benchmarks_among(inputs, sent)
    benchmarks = np.column_stack([_row(crowd, i) for i in known]) if known else None
    able = [name for name in round.metrics if possible(name, True, inputs.features, benchmarks)]
    judge = Judge.of(metamodels, target)

    def work(piece: slice) -> list[dict[str, Floats]]:
        return [
            score_shard(rows, metamodels, judge, metrics=able, features=inputs.features, benchmarks=benchmarks)
            for rows in crowd.blocks(piece.start, piece.stop)
        ]

    done = [scores for part in kernels.in_threads(work, pieces, crowd.n_models * crowd.n_ids) for scores in part]
    scores = {name: np.concatenate([each[name] for each in done]) for name in able}
    missing = {name: np.full(len(sent), np.nan) for name in round.metrics if name not in able}
    own = crowd_scores(metamodels.crowd, target, round.metrics, round.ties)
    return Scored(tuple(submission.model for submission in sent), scores | missing, own)


def _pooled(crowd: Ranked, weights: Weights, pieces: list[slice], inputs: Inputs) -> Metamodels:
    ties = inputs.round.ties

    def work(piece: slice) -> Any:
        return partial_sums(crowd.blocks(piece.start, piece.stop), weights.of(piece), ties)

    total: Any = 0
    for sums in kernels.in_threads(work, pieces, crowd.n_models * crowd.n_ids):
        total = total + sums
    return pool(total, weights, ties)


def _row(crowd: Ranked, i: int) -> Floats:
    return next(crowd.blocks(i, i + 1))[0].astype(np.float64)
