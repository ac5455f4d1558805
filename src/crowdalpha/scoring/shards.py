"""A crowd in shards: too large for memory, or for one machine, and scored to the same bits.

    pass 1   sums_s = sum over the models j of shard s of c_bj s_j d_ij     whole numbers: shards add up in any order
    between  metamodels = ranks of the sum of all sums_s
    pass 2   scores of each model of shard s against the metamodels         what a model gets is its own

A shard's rows are whole doubled centred ranks (n_models, n_ids) with shared ties, int16 where n_ids allows: those of
`rank_models(predictions).doubled`. Where ties keep their order, they are ranked again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring import exact, kernels
from crowdalpha.scoring.arrays import Floats, Mask, Whole, tie_rule, vector
from crowdalpha.scoring.contribution import mean_contribution
from crowdalpha.scoring.correlation import Split, rank_squares, ratio, varying_target
from crowdalpha.scoring.exact import MANTISSA, bit_length
from crowdalpha.scoring.metamodel import carried, digits_of, ranked
from crowdalpha.scoring.metrics import Era, evaluate
from crowdalpha.scoring.options import said
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks

Rows = NDArray[np.integer[Any]]
SHARDED = ("corr", "numerai_corr", "mmc2", "mmc2024", "bmc", "fnc", "fnc_2021", "cwmm")
"""The metrics whose score of a model needs of the others no more than their metamodels."""
TOGETHER = 128
"""Models whose sums are one product."""
BLOCKS = 256
"""Products whose sums, each below 2^53, stay below 2^61 when added."""
HIGHEST = 61
"""Bits that the highest digit of a sum may have."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What the pool has to know of some models: whole stakes (n_models,), and how often each bag has each of them.

    multiplicities (n_bags, n_models) is 0 for those that are not pooled. Stakes are taken as `n_digits` digits of
    `width` bits, sums kept as `places` of them: the same for every shard of a crowd.
    """

    stakes: Whole
    multiplicities: Rows
    width: int
    n_digits: int
    places: int

    def of(self, shard: slice) -> Weights:
        """Those of a shard."""
        return replace(self, stakes=self.stakes[shard], multiplicities=self.multiplicities[:, shard])


@dataclass(frozen=True, slots=True)
class Metamodels:
    """What the scores of a shard need of the others: the metamodel of each bag, and `crowd`, that of every staker once.

    `crowd` (n_ids,) is uniform in (0, 1).
    """

    bags: Ranks
    crowd: Floats


def weigh(units: Whole, bags: Iterable[Whole], n_ids: int, *, present: Mask | None = None) -> Weights:
    """Weights of all models: units (n_models,) whole stakes, bags any iterable of rows (n_models,), as `draws` gives.

    One more bag has every staker once. present (n_models,): who is in the era; the others are not pooled.
    """
    staked = units > 0 if present is None else (units > 0) & present
    if not staked.any():
        raise InputError(
            Problem("no_stake", "at least one model with stake in the era", "none", "give the pool some stake")
        )
    rows = [_narrow(row * staked) for row in bags]
    empty = [b for b, row in enumerate(rows) if not row.any()]
    if empty:
        expected, fix = "a staked and present model in every bag", "draw the bags among the stakers of this era"
        raise InputError(Problem("empty_bag", expected, f"none in bag {empty[0]}", fix))
    multiplicities = np.stack([*rows, _narrow(staked)])
    most = max(int(multiplicities[:, block].sum(axis=1).max()) for block in kernels.column_blocks(len(units), TOGETHER))
    width = MANTISSA - bit_length(n_ids) - bit_length(most + 1)
    stakes = units * staked
    stakes //= int(np.gcd.reduce(stakes))
    bits = int(stakes.max()).bit_length()
    longest = bits + bit_length(n_ids) + bit_length(int(multiplicities.sum(axis=1, dtype=np.int64).max()) + 1)
    n_digits = -(-bits // width)
    return Weights(stakes, multiplicities, width, n_digits, max(n_digits, 1 - (HIGHEST - longest) // width))


def partial_sums(blocks: Iterable[Rows], weights: Weights, ties: str = "average") -> Whole:
    """The sums (places, n_bags + 1, n_ids) of a shard, whose rows (n_models, n_ids) come in blocks of any size.

    All places but the highest are carried, so that the sums of 2^20 shards and more add up in 64 bits.
    """
    total, added, start = np.zeros((weights.places, 0, 0), np.int64), 0, 0
    for rows in blocks:
        if not added:
            total = np.zeros((weights.places, len(weights.multiplicities), rows.shape[1]), np.int64)
        for some in kernels.column_blocks(len(rows), TOGETHER):
            part = weights.of(slice(start + some.start, start + some.stop))
            total[: weights.n_digits] += _sums(_ruled(rows[some], ties), part)
            added += 1
            if added % BLOCKS == 0:
                total = carried(total, weights.width)
        start += len(rows)
    return carried(total, weights.width)


def pool(sums: Whole, weights: Weights, ties: str = "average") -> Metamodels:
    """The metamodels, from the sums of all shards together."""
    found = ranked(sums, weights.width, tie_rule(ties))
    n_ids = sums.shape[2]
    bags = Ranks(found.doubled[:-1], found.present[:-1], found.ties)
    return Metamodels(bags, np.asarray((found.doubled[-1] + n_ids) / (2.0 * n_ids)))


@dataclass(frozen=True, slots=True)
class Judge:
    """What CORR and MMC2 ask of a target and of the metamodels, worked out once for all shards."""

    target: Floats
    metamodels: Ranks
    split: Split
    spread: float

    @classmethod
    def of(cls, metamodels: Metamodels, target: Floats) -> Judge:
        """Of a target (n_ids,), which is not constant."""
        n_ids = metamodels.bags.n_ids
        t, scaled = vector(target, "target", n_ids), varying_target(target, n_ids)
        split = Split.of(np.hstack([scaled[:, None], t[:, None], metamodels.bags.doubled.T]))
        return cls(t, metamodels.bags, split, np.sqrt(exact.sum_of_squares(exact.centred(scaled))))

    def scores(self, rows: Rows) -> dict[str, Floats]:
        """`corr` and `mmc2` of models (n_models, n_ids)."""
        dots, squares = np.empty((len(rows), self.split.stacked.shape[1])), np.empty(len(rows))
        for block in kernels.column_blocks(len(rows)):
            ranks = rows[block].astype(np.float64)
            dots[block] = kernels.product(ranks, self.split.stacked)
            squares[block] = np.einsum("ji,ji->j", ranks, ranks) if rows.shape[1] < 2**17 else rank_squares(rows[block])
        joined = self.split.joined(dots)
        return {
            "corr": ratio(joined[:, 0], np.sqrt(squares) * self.spread),
            "mmc2": mean_contribution(joined[:, 1:2], joined[:, 2:], self.metamodels, self.target),
        }


def score_shard(
    rows: Rows,
    metamodels: Metamodels,
    judge: Judge,
    *,
    metrics: Collection[str] = ("corr", "mmc2"),
    present: Mask | None = None,
    features: Floats | None = None,
    benchmarks: Floats | None = None,
) -> dict[str, Floats]:
    """The scores of a shard's models, {metric: (n_models,)}: those of the whole crowd, to the bit."""
    other = [name for name in metrics if name not in SHARDED]
    if other:
        fix = "score the crowd in one piece for the others"
        raise InputError(Problem("not_sharded", "metrics of " + ", ".join(SHARDED), said(other[0]), fix))
    ties, there = metamodels.bags.ties, np.ones(len(rows), bool) if present is None else present
    few = judge.scores(_ruled(rows, ties)) if {"corr", "mmc2"} & set(metrics) else {}
    scores = {name: np.where(there, values, np.nan) for name, values in few.items()}
    rest = [name for name in metrics if name not in scores]
    if rest:
        ranks: Any = Ranks(np.where(there[:, None], rows, 0).astype(np.int32), there, "average")
        era = Era(ranks, judge.target, features=features, metamodel=metamodels.crowd, benchmarks=benchmarks)
        scores |= evaluate(rest, era)
    return {name: scores[name] for name in metrics}


def _sums(rows: Rows, weights: Weights) -> Whole:
    """The sums of at most TOGETHER models: a product of whole numbers, none above 2^53."""
    digits = digits_of(weights.stakes, weights.width, weights.n_digits)
    each = np.concatenate(digits[:, None, :] * weights.multiplicities).astype(np.float64)
    sums = kernels.product(each, rows)
    return sums.astype(np.int64).reshape(weights.n_digits, -1, rows.shape[1])


def _ruled(rows: Rows, ties: str) -> Rows:
    return rows if ties == "average" else kernels.rank_rows(rows.astype(np.float64), ties)


def _narrow(row: NDArray[Any]) -> Rows:
    return row.astype(np.min_scalar_type(int(row.max())))
