"""The metamodels with and without each model: twenty bags of ten thousand models are 400,000 metamodels to rank.

What they are asked for is their CORR, and each differs from its bag's own by the weight of a single model:

    K_i = S_i + w d_i,    R = sum_i t_i sum_j sign(K_i - K_j) = R_0 + sum over pairs that w turns of 2 (t_i - t_j)

R_0 is R in the order of S. Two ids further apart in S than 2 (n - 1) |w| keep their order, so that only near
neighbours are compared; where w is too large for that, K is ranked. K is formed in float64. Where that is not exact, an
order counts as known if no two ids are closer than rounding could bring them, and a model of which one is not known is
taken by `by_ranking`, the plain way. R is a sum of whole numbers, so that all ways lead to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring import exact, kernels
from crowdalpha.scoring.arrays import Floats, Mask, Whole
from crowdalpha.scoring.correlation import Split, rank_dots, rank_squares, ratio
from crowdalpha.scoring.metamodel import Pool
from crowdalpha.scoring.ranks import Ranks

WITHOUT, WITHIN = 0, 1
"""The two sides: the metamodel without the model, and with it at the mean stake of the bag's draws."""
ROUNDING = 2.0**-50
"""Share of the largest sum by which each step of float64 arithmetic may be off, and more."""


def gains(pool: Pool, t: Floats) -> Floats:
    """CORR of each bag's metamodel with the model at the mean stake, less that without it: (n_bags, n_models).

    t (n_ids,) is a target that varies. Absent models have 0.
    """
    present = np.flatnonzero(pool.ranks.present)
    result = np.zeros(pool.multiplicities.shape)
    loops = _loops(2 * len(present) * pool.sums[0].size)
    if loops is None:
        unknown = present
    else:
        followed = _Followed.of(pool, t, loops)
        result, known = followed.gains()
        unknown = np.flatnonzero(pool.ranks.present & ~known)
    for j in unknown.tolist():
        result[:, j] = by_ranking(pool, j, t)
    return result


def by_ranking(pool: Pool, j: int, t: Floats) -> Floats:
    """The column of model j in `gains`, each of its metamodels ranked from exact sums."""
    return _row_corr(pool.at_mean_stake(j), t) - _row_corr(pool.without(j), t)


def _row_corr(rows: Ranks, t: Floats) -> Floats:
    return ratio(rank_dots(rows, t[:, None])[:, 0], np.sqrt(rank_squares(rows.doubled)) * _size(t))


def _size(t: Floats) -> Floats:
    return np.sqrt(exact.sum_of_squares(exact.centred(t)))


def _loops(n_values: int) -> Any:
    if kernels.compiled_for(n_values) is None:
        return None
    from crowdalpha.scoring import compiled_pairs

    return compiled_pairs


@dataclass(frozen=True, slots=True)
class _Bags:
    """The sums of each bag in float64, times a factor: exact where its margin is 0.

    sums, and the same sorted by order (n_bags, n_ids). factors (n_bags,): the number of draws, times a power of two
    that brings all sums below 1; mean is the mean stake and margins a bound of rounding on that scale. stakes
    (n_models,) in units. gaps (n_bags, n_chunks, n_steps): see `compiled_pairs.least_gaps`.
    """

    pool: Pool
    sums: Floats
    order: NDArray[np.uint32]
    sorted: Floats
    gaps: Floats
    margins: Floats
    draws: Floats
    factors: Floats
    mean: Floats
    stakes: Floats

    @classmethod
    def of(cls, pool: Pool, loops: Any) -> _Bags:
        draws = pool.multiplicities.sum(axis=1).astype(np.float64)
        stakes, sums = (_joined(digits, pool.width) for digits in (pool.stakes, pool.sums))
        total = pool.multiplicities @ stakes
        bits = np.frexp(4.0 * draws * total * sums.shape[1])[1]
        factors = np.ldexp(draws, -bits)
        sums *= factors[:, None]
        order = np.argsort(sums, axis=1, kind="stable")
        ordered = np.take_along_axis(sums, order, axis=1)
        gaps = np.empty((len(sums), -(-sums.shape[1] // loops.CHUNK), loops.FARTHEST))
        loops.least_gaps(ordered, gaps)
        margins = np.where(bits <= exact.MANTISSA, 0.0, (len(pool.stakes) + 8) * ROUNDING)
        return cls(
            pool, sums, order.astype(np.uint32), ordered, gaps, margins, draws, factors, np.ldexp(total, -bits), stakes
        )

    def weights(self, block: slice) -> Floats:
        """What each side adds of each model to its bag's sums, (n_models, n_bags, 2); NaN if it need not be known."""
        drawn = self.pool.multiplicities.T[block]
        own = drawn * self.stakes[block, None] * self.factors
        weights = np.stack([-own, self.mean - own], axis=2)
        weights[(drawn == 0) | self.alone(block), WITHOUT] = np.nan
        weights[~self.pool.ranks.present[block]] = np.nan
        return weights

    def alone(self, block: slice) -> Mask:
        """Which models are all that is in which bags, (n_models, n_bags)."""
        return np.asarray(self.pool.multiplicities.T[block] == self.draws)


def _joined(digits: Whole, width: int) -> Floats:
    """Whole numbers of many digits in float64."""
    value = digits[-1].astype(np.float64)
    for digit in digits[-2::-1]:
        value = value * 2.0**width + digit
    return value


@dataclass(frozen=True, slots=True)
class _Followed:
    """What a target adds to the bags: its digits in their orders, its products with these, CORR of the bags' own.

    digits (n_bags, n_digits, n_ids and some zeros) are those of the limbs of the target in `split`, which `joining`
    (n_digits, n_limbs) makes of them; unmoved (n_bags, n_digits) their products with the ranks of the bag's own sums.
    """

    bags: _Bags
    loops: Any
    split: Split
    size: Floats
    digits: NDArray[np.int32]
    joining: Floats
    unmoved: Floats
    own: Floats

    @classmethod
    def of(cls, pool: Pool, t: Floats, loops: Any) -> _Followed:
        bags, split = _Bags.of(pool, loops), Split.of(t[:, None])
        digits, joining = _digits(split.stacked, loops.DIGIT)
        in_order = digits[bags.order].transpose(0, 2, 1)
        unmoved = in_order @ (2.0 * np.arange(len(t)) + 1.0 - len(t))
        padded = np.pad(in_order.astype(np.int32), ((0, 0), (0, 0), (0, loops.FARTHEST + loops.STRIDE)))
        own = _row_corr(pool.metamodels(), t)
        return cls(bags, loops, split, _size(t), padded, joining, unmoved, own)

    def gains(self) -> tuple[Floats, Mask]:
        """`gains`, and of which models they are known."""
        ranks = self.bags.pool.ranks
        n_values = 2 * self.bags.sums.size * ranks.n_models
        parts = list(kernels.in_threads(self._gains, kernels.column_blocks(ranks.n_models), n_values))
        return np.hstack([part for part, _ in parts]), np.concatenate([known for _, known in parts])

    def _gains(self, block: slice) -> tuple[Floats, Mask]:
        drawn, there = self.bags.pool.multiplicities.T[block], self.bags.pool.ranks.present[block, None]
        dots, squares, known = self._metamodels(block)
        corr = ratio(self.split.joined(dots.reshape(-1, dots.shape[-1])).reshape(squares.shape), squares)
        without = np.where(self.bags.alone(block), 0.0, np.where(drawn == 0, self.own, corr[..., WITHOUT]))
        return np.where(there, corr[..., WITHIN] - without, 0.0).T, known

    def _metamodels(self, block: slice) -> tuple[Floats, Floats, Mask]:
        """Products of metamodels with the limbs (n_models, n_bags, 2, n_limbs), their sizes times the target's, and
        whether all that is asked of a model is known."""
        ranks, weights = self.bags.pool.ranks, self.bags.weights(block)
        state, lost = np.zeros(weights.shape, np.int8), np.zeros(weights.shape, np.int64)
        moved = np.zeros((*weights.shape, self.digits.shape[1]))
        sums = self.bags.order, self.bags.sorted, self.bags.gaps, self.digits, weights, self.bags.margins
        self.loops.follow_block(ranks.doubled[block], *sums, ranks.ties == "first", state, moved, lost)
        dots = (2.0 * moved + self.unmoved[:, None]) @ self.joining
        squares = ((ranks.n_ids * (ranks.n_ids**2 - 1) - lost) // 3).astype(np.float64)
        for b, side in np.argwhere((state == self.loops.FAR).any(axis=0)).tolist():
            some = np.flatnonzero(state[:, b, side] == self.loops.FAR)
            rows = self.bags.sums[b] + weights[some, b, side, None] * ranks.doubled[block.start + some]
            doubled, known = self._rank(rows, self.bags.margins[b])
            dots[some, b, side], squares[some, b, side] = doubled @ self.split.stacked, rank_squares(doubled)
            state[some, b, side] = np.where(known, self.loops.KNOWN, self.loops.CLOSE)
        return dots, np.sqrt(squares) * self.size, ~(state == self.loops.CLOSE).any(axis=(1, 2))

    def _rank(self, keys: Floats, margin: float) -> tuple[kernels.Doubled, Mask]:
        """Doubled ranks of rows of keys, and whether they are known: by a margin of 0 they are, ties included."""
        if margin == 0.0:
            return kernels.rank_rows(keys, self.bags.pool.ranks.ties), np.ones(len(keys), bool)
        doubled, steps = kernels.rank_rows(keys, "first"), np.empty(len(keys))
        self.loops.least_steps(keys, doubled, steps)
        return doubled, steps > margin


def _digits(limbs: Floats, bits: int) -> tuple[Floats, Floats]:
    """Whole numbers (n_ids, n_limbs) as digits (n_ids, n_digits) of so many bits, less those that are 0 everywhere,
    and the matrix (n_digits, n_limbs) that makes limbs of digits."""
    digits, joining, rest = [], [], limbs
    for place in range(-(-exact.MANTISSA // bits)):
        upper = np.rint(rest * 2.0**-bits)
        digits.append(rest - upper * 2.0**bits)
        joining.append(2.0 ** (bits * place) * np.eye(limbs.shape[1]))
        rest = upper
    stacked = np.hstack(digits)
    used = stacked.any(axis=0)
    return stacked[:, used], np.vstack(joining)[used]
