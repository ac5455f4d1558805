"""The stake-weighted metamodel, in whole-number arithmetic from ranks and stakes to its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import kernels
from crowdalpha.scoring.arrays import Floats, Mask, Ties, Whole
from crowdalpha.scoring.bags import whole_bags, whole_units
from crowdalpha.scoring.exact import MANTISSA, bit_length
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, rank_models


def metamodel(predictions: ArrayLike | Ranks, stakes: ArrayLike, *, ties: str = "average") -> Floats:
    """The stake-weighted mean of the uniform predictions, made uniform: m = uniform(sum_j s_j u_j / sum_j s_j).

    predictions: (n_ids, n_models). stakes: (n_models,), 0 for models that are not pooled. Result: (n_ids,) in
    (0, 1). Ranks and stakes are whole numbers and summed as such: the result is the same bits for any order of
    rows and models, any thread count and any BLAS. Absent models are not pooled. Refuses a pool without stake.
    Source: [SPEC 1], [F93#1].

    >>> metamodel([[1, 2], [2, 1], [3, 3]], [2.5, 1.0])
    array([0.16666667, 0.5       , 0.83333333])
    """
    ranks = rank_models(predictions, ties=ties)
    pooled = Pool.of(ranks, stakes).metamodels()
    return np.asarray((pooled.doubled[0] + ranks.n_ids) / (2.0 * ranks.n_ids))


EXCESS = 10
"""Bits by which a whole number may be longer than the 53 that a float64 holds."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The stakers of an era and, for each bag b and id i, the whole number sum_j c_bj s_j d_ij.

    d are doubled ranks, c multiplicities (n_bags, n_models), s stakes. Whole numbers may pass 2^53, so stakes
    (n_digits, n_models) and sums (n_digits, n_bags, n_ids) are kept as digits of `width` bits, lowest first; a
    digit of a sum may exceed its width (it carries later).
    """

    ranks: Ranks
    multiplicities: Whole
    n_stakers: int
    stakes: Whole
    sums: Whole
    width: int

    @classmethod
    def of(cls, ranks: Ranks, stakes: ArrayLike, bags: ArrayLike | None = None) -> Pool:
        """Add up the pool. `bags` None stands for one bag that has every staker once.

        Digits are as wide as possible: the largest sum of a digit, C 2^width (n - 1) for C draws, is below 2^53, and
        C + 1 times that, which `at_mean_stake` meets, below 2^63.
        """
        units = whole_units(stakes, ranks.n_models)
        staked = (units > 0) & ranks.present
        multiplicities = _multiplicities(staked, bags)
        draws = bit_length(int(multiplicities.sum(axis=1).max()) + 1)
        width = MANTISSA - bit_length(ranks.n_ids) - max(draws, 2 * draws - 10)
        digits = _digits(units, width)
        sums = _weighted_sums(ranks, multiplicities, digits)
        return cls(ranks, multiplicities, int(staked.sum()), digits, sums, width)

    def metamodels(self) -> Ranks:
        """One metamodel a bag, ranked: (n_bags, n_ids)."""
        return self._ranked(self.sums)

    def without(self, j: int) -> Ranks:
        """The metamodels without whatever model j has in each bag."""
        others = self._ranked(self._sums_without(j))
        alone = ~(self.multiplicities.sum(axis=1) > self.multiplicities[:, j])
        others.doubled[alone] = 0  # a pool without anybody is a constant, whatever breaks ties
        return others

    def at_mean_stake(self, j: int) -> Ranks:
        """The metamodels with model j at the mean stake W / C of the bag's draws instead of its own.

        Times C, which changes no order, all sums stay whole: C (sum without j) + W d_j.
        """
        draws = self.multiplicities.sum(axis=1)
        others = carried(self._sums_without(j), self.width)
        return self._ranked(draws[:, None] * others + self._times_row(self.stakes @ self.multiplicities.T, j))

    def _sums_without(self, j: int) -> Whole:
        return self.sums - self._times_row(self.stakes[:, j : j + 1] * self.multiplicities[:, j], j)

    def _times_row(self, weights: Whole, j: int) -> Whole:
        """Weights (n_digits, n_bags) of model j times its doubled ranks."""
        return weights[:, :, None] * self.ranks.doubled[j]

    def _ranked(self, sums: Whole) -> Ranks:
        return ranked(sums, self.width, self.ranks.ties)


def ranked(sums: Whole, width: int, ties: Ties) -> Ranks:
    """The metamodels, (n_bags, n_ids), of sums (n_digits, n_bags, n_ids) in digits of `width` bits."""
    doubled = kernels.rank_rows(_sort_keys(sums, width), ties)
    return Ranks(doubled, np.ones(len(doubled), bool), ties)


def _multiplicities(staked: Mask, bags: ArrayLike | None) -> Whole:
    """How often each bag has each model, 0 for those without stake or absent; no bag may be empty."""
    if not staked.any():
        raise InputError(
            Problem("no_stake", "at least one model with stake in the era", "none", "give the pool some stake")
        )
    chosen = np.ones((1, len(staked)), np.int64) if bags is None else whole_bags(bags, len(staked))
    multiplicities = chosen * staked
    empty = np.flatnonzero(~multiplicities.any(axis=1))
    if len(empty):
        raise InputError(
            Problem(
                "empty_bag",
                "a staked and present model in every bag",
                f"none in bag {empty[0]}",
                "draw the bags among the stakers of this era",
            )
        )
    return multiplicities


def _digits(units: Whole, width: int) -> Whole:
    """Whole stakes, divided by what they all share (which changes no order), as digits, lowest first."""
    reduced = units // int(np.gcd.reduce(units))
    return digits_of(reduced, width, -(-int(reduced.max()).bit_length() // width))


def digits_of(whole: Whole, width: int, n_digits: int) -> Whole:
    """Whole numbers from 0 up as digits of `width` bits, lowest first: (n_digits, ...)."""
    places = width * np.arange(n_digits).reshape(-1, *[1] * whole.ndim)
    return (whole >> places) & ((1 << width) - 1)


def _weighted_sums(ranks: Ranks, multiplicities: Whole, digits: Whole) -> Whole:
    """The sums of each digit, by matrix products of whole numbers below 2^53, in blocks of models."""
    drawn = np.flatnonzero(multiplicities.any(axis=0))
    each = digits[:, None, drawn] * multiplicities[:, drawn]
    weights = np.concatenate(each).astype(np.float64)

    def work(block: slice) -> Floats:
        return kernels.product(weights[:, block], ranks.doubled[drawn[block]])

    sums = np.zeros((len(weights), ranks.n_ids))
    for part in kernels.in_threads(work, kernels.column_blocks(len(drawn)), len(drawn) * ranks.n_ids):
        sums += part
    return sums.astype(np.int64).reshape(*each.shape[:2], ranks.n_ids)


def _sort_keys(sums: Whole, width: int) -> Floats:
    """Numbers in float64 that are ordered as the whole numbers are, ties included."""
    *lower, key = carried(sums, width)
    for digit in reversed(lower):
        key = (_within(key, MANTISSA - width) << width) | digit
    return _within(key, MANTISSA).astype(np.float64)


def _within(key: Whole, bits: int) -> Whole:
    return key if _bits(key) <= bits else _dense(key)


def carried(sums: Whole, width: int) -> Whole:
    """The same numbers with every digit but the highest in 0 .. 2^width - 1."""
    digits = sums.copy()
    for k in range(len(sums) - 1):
        digits[k + 1] += digits[k] >> width
        digits[k] &= (1 << width) - 1
    return digits


def _bits(key: Whole) -> int:
    return int(np.abs(key).max()).bit_length()


def _dense(key: Whole) -> Whole:
    """Small whole numbers in the order of each row's: doubled ranks, the upper bits of long numbers ranked first."""
    if _bits(key) > MANTISSA:
        upper = kernels.rank_rows((key >> EXCESS).astype(np.float64), "average").astype(np.int64)
        key = (upper << EXCESS) | (key & ((1 << EXCESS) - 1))
    return kernels.rank_rows(key.astype(np.float64), "average").astype(np.int64)
