"""Correlation of a model with the target: what it is worth alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring import exact, kernels
from crowdalpha.scoring.arrays import Floats, matrix, vector
from crowdalpha.scoring.neutral import fit, settled, with_intercept
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, gaussian_rows, rank_models, signed_power


def corr(predictions: ArrayLike | Ranks, target: ArrayLike, *, ties: str = "average") -> Any:
    """CORR = Pearson(uniform(p), t): the payout score of 2019-07 to 2023-05.

    predictions: (n_ids, n_models) or (n_ids,), any scale, only ranks count. target: (n_ids,), raw. Result:
    (n_models,) or a scalar in [-1, 1]; 0 for a constant prediction, NaN for an absent model. With a binned
    target the maximum is below 1: sqrt(.96) for five equal bins. Refuses a constant target.
    Source: [SPEC 2], [DOCS].

    >>> corr([1, 3, 2, 4, 5], [0, 0.25, 0.5, 0.75, 1]).round(12)
    np.float64(0.9)
    """
    ranks = rank_models(predictions, ties=ties)
    t = varying_target(target, ranks.n_ids)
    spread = np.sqrt(rank_squares(ranks.doubled)) * np.sqrt(exact.sum_of_squares(exact.centred(t)))
    return ranks.scores(ratio(rank_dots(ranks, t[:, None])[:, 0], spread))


def numerai_corr(predictions: ArrayLike | Ranks, target: ArrayLike) -> Any:
    """CORR since 2023-05 ("CORR20v2"): Pearson(g(p), sp(t - mean t)), g = sp(gaussianize(p)), sp = signed_power 1.5.

    The power stresses the tails of both. Shapes, range and missing models as in `corr`; ties are shared.
    Source: [SPEC 2], [NT].

    >>> numerai_corr([1, 2, 3, 4, 5], [0, 0.25, 0.5, 0.75, 1]).round(6)
    np.float64(0.996488)
    """
    ranks = rank_models(predictions)
    t = signed_power(exact.centred(varying_target(target, ranks.n_ids)), 1.5)
    return ranks.scores(pearson_rows(gaussian_rows(ranks, power=1.5), t))


def fnc(predictions: ArrayLike | Ranks, features: ArrayLike, target: ArrayLike) -> Any:
    """Feature-neutral correlation: numerai_corr of what is left of gaussianize(p) when the features are taken out.

        FNC = numerai_corr(neutralize(gaussianize(p), by=features), t)

    features: (n_ids, n_features); the regression has an intercept. Other shapes, range and missing models as in
    `corr`. 0 for a model that is nothing but its features. Source: [SPEC 2], [NT].
    """
    ranks = rank_models(predictions)
    by, _ = matrix(features, "features", ranks.n_ids)
    values = gaussian_rows(ranks).T
    left = settled(values - fit(values, with_intercept(by)), values)
    again = Ranks(kernels.rank_rows(left.T, "average"), ranks.present, "average", ranks.single)
    return numerai_corr(again, target)


def fnc_2021(predictions: ArrayLike | Ranks, features: ArrayLike, target: ArrayLike) -> Any:
    """Feature-neutral correlation as first paid on: CORR of uniform(p) less its projection, without an intercept.

        FNC_2021 = corr(u - F pinv(F) u, t),  u = uniform(p)

    Shapes, range and missing models as in `fnc`. Source: [SPEC 2], [EX].
    """
    ranks = rank_models(predictions)
    by, _ = matrix(features, "features", ranks.n_ids)
    values = (ranks.doubled + ranks.n_ids).T / (2.0 * ranks.n_ids)
    left = settled(values - fit(values, by), values)
    again = Ranks(kernels.rank_rows(left.T, "average"), ranks.present, "average", ranks.single)
    return corr(again, target)


def varying_target(target: ArrayLike, n_ids: int) -> Floats:
    """The target as (n_ids,) numbers that are not all the same, scaled by a power of two (no CORR changes)."""
    t = vector(target, "target", n_ids)
    if (t == t[0]).all():
        raise InputError(
            Problem(
                "constant_target",
                "a target with at least two values",
                f"{t[0]:g} everywhere",
                "leave this era out: no model can be told from another in it",
            )
        )
    return exact.scaled(t)


@dataclass(frozen=True, slots=True)
class Split:
    """Columns (n_ids, n_columns) cut into limbs, each narrow enough for its products with ranks to stay below 2^53.

    `stacked` (n_ids, n_limbs) has the limbs that are not zero side by side; `places` says for each limb of the columns
    where in `stacked` it is, of which columns, and what its numbers are to be multiplied by.
    """

    stacked: Floats
    places: tuple[tuple[slice, NDArray[np.intp], Floats], ...]
    n_columns: int

    @classmethod
    def of(cls, columns: Floats) -> Split:
        """Cut them; each column's limbs are its own, whatever columns stand beside it."""
        parts = exact.limbs(columns, exact.MANTISSA - 1 - 2 * exact.bit_length(len(columns)))
        used = [np.flatnonzero(whole.any(axis=0)) for whole, _ in parts]
        ends = [0, *accumulate(len(some) for some in used)]
        places = [
            (slice(*edge), some, scale[some])
            for edge, some, (_, scale) in zip(pairwise(ends), used, parts, strict=True)
        ]
        each = zip(parts, used, strict=True)
        stacked = [whole if len(some) == whole.shape[1] else whole[:, some] for (whole, _), some in each]
        together = stacked[0] if len(stacked) == 1 else np.hstack([np.empty((len(columns), 0)), *stacked])
        return cls(together, tuple(places), columns.shape[1])

    def joined(self, dots: Floats) -> Floats:
        """The products with the columns, (n_rows, n_columns), from those with `stacked`."""
        result = np.zeros((len(dots), self.n_columns))
        for limb, some, scale in self.places:
            result[:, some] += dots[:, limb] * scale
        return result


def rank_dots(ranks: Ranks, columns: Floats | Split) -> Floats:
    """Doubled ranks times each column, (n_models, n_columns): whole-number sums, free of order."""
    split = columns if isinstance(columns, Split) else Split.of(columns)
    dots = np.empty((ranks.n_models, split.stacked.shape[1]))

    def work(block: slice) -> None:
        dots[block] = kernels.product(ranks.doubled[block].astype(np.float64), split.stacked)

    for _ in kernels.in_threads(work, kernels.column_blocks(ranks.n_models), ranks.doubled.size):
        pass
    return split.joined(dots)


def rank_squares(doubled: NDArray[np.integer[Any]]) -> Floats:
    """Sum of squares of each row of doubled ranks, a whole number."""
    squares = np.empty(len(doubled))
    for block in kernels.column_blocks(len(doubled)):
        rows = doubled[block].astype(np.float64 if doubled.shape[1] < 2**17 else np.int64)
        squares[block] = np.einsum("ji,ji->j", rows, rows)
    return squares


def pearson_rows(rows: Floats, vector: Floats) -> Floats:
    """Pearson correlation of each row of (n_models, n_ids) with a vector; 0 for a constant row. Free of order."""
    other = exact.centred(exact.scaled(vector))
    size = np.sqrt(exact.sum_of_squares(other))
    scores = np.empty(len(rows))

    def work(block: slice) -> None:
        columns = rows[block].T
        columns = columns - exact.mean(columns)
        scores[block] = ratio(exact.total(columns * other[:, None]), np.sqrt(exact.total(columns * columns)) * size)

    for _ in kernels.in_threads(work, kernels.column_blocks(len(rows), 16), rows.size):
        pass
    return scores


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """numerator / denominator, and 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
