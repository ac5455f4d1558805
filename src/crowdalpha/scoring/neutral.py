"""Neutralisation: what is left of a prediction, or of a target, when something else is taken out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import exact, kernels
from crowdalpha.scoring.arrays import Floats, Mask, like_input, matrix, models, unit_interval, vector
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, gaussian_rows, rank, rank_models

NEGLIGIBLE = 1e-11
"""A pivot below this share of its column's square is rounding: the column repeats the ones before it."""
EXPLAINED = 1e-10
"""A residual below this share of its column's range is rounding: the column is nothing but the design."""
TIE_BITS = 36
"""Residuals are ranked at this many bits below the largest of what they are left of: closer ones tie."""
ELIMINATED = 50
"""Multiplications of an elimination that take NumPy as long as ranking one value."""
TOGETHER = 128
"""Columns of which an elimination is substituted at once."""
SOUND = 1e-3
"""Pivots above this share need no second pass."""


def neutralize(values: ArrayLike, by: ArrayLike, *, proportion: float = 1.0) -> Any:
    """The values less q times their least-squares fit on `by` and an intercept.

        y - q [1 by] pinv([1 by]) y

    values: (n_ids, n_columns) or (n_ids,); a NaN column stays NaN. by: (n_ids, n_by) or (n_ids,). proportion: q in
    [0, 1]. Columns of `by` that repeat others (a constant, one-hot groups) change nothing. With q = 1 the result
    has mean 0 and correlation 0 with every column of `by`; a column that is constant, or nothing but `by`, becomes
    exactly 0.
    Free of order: permuted rows or columns of `values` give the same bits. Source: [F93#1], [SPEC 0].

    >>> neutralize([1.0, 2.0, 4.0], [0.0, 1.0, 2.0]).round(9)
    array([ 0.16666667, -0.33333333,  0.16666667])
    """
    columns, present, single = models(values)
    others, _ = matrix(by, "by", len(columns))
    left = columns - unit_interval(proportion, "proportion") * fit(columns, with_intercept(others))
    return like_input(np.where(present, left, np.nan), single)


def normalize_and_neutralize(predictions: ArrayLike | Ranks, features: ArrayLike, *, proportion: float = 1.0) -> Any:
    """The 2020 recipe for submissions: Gaussianise, neutralise to the features, scale to standard deviation 1.

        z = Phi^-1((rank_first - 1/2) / n);  r = neutralize(z, features, proportion);  r / std(r, ddof=1)

    predictions: (n_ids, n_models) or (n_ids,), rows sorted by id (ties keep their order). features:
    (n_ids, n_features). A model that is nothing but its features becomes zeros. The 2020 original had no
    intercept; this has one. Source: [SPEC 2], [EX].
    """
    ranks = rank_models(predictions, ties="first")
    by, _ = matrix(features, "features", ranks.n_ids)
    left = neutralize_rows(gaussian_rows(ranks), by, unit_interval(proportion, "proportion")).T
    spread = np.sqrt(exact.total(left**2) / (ranks.n_ids - 1))  # the mean is 0: so is that of distinct ranks
    scaled = left / np.maximum(spread, np.finfo(float).tiny)
    return like_input(np.where(ranks.present, scaled, np.nan), ranks.single)


def neutralize_target(
    target: ArrayLike,
    by: ArrayLike,
    *,
    proportion: float = 1.0,
    bins: Literal["own"] | Sequence[float] | None = None,
) -> Any:
    """A target with something taken out of it: features (feature-neutral target), or one's own predictions.

        t - q [1 by] pinv([1 by]) t, then, if bins are asked for, binned again by its order

    target: (n_ids,). by: (n_ids, n_by) or (n_ids,). bins: None leaves the residual as it is; "own" gives the
    residual's i-th smallest id the target's i-th smallest value, so that its proportions stay; a sequence of
    shares such as (.05, .2, .5, .2, .05) bins it to equally spaced values in [0, 1]. Ids whose residuals tie
    share a bin. Train the next model on a target neutral to one's own predictions. Source: [SPEC 2], [F93].

    >>> neutralize_target([0, 0, 1, 1], [0, 1, 0, 1], bins="own")
    array([0., 0., 1., 1.])
    """
    others, _ = matrix(by, "by")
    t = vector(target, "target", len(others))
    left = neutralize(t, others, proportion=proportion)
    if bins is None:
        return left
    levels = np.sort(t) if isinstance(bins, str) and bins == "own" else _levels(bins, len(t))
    return levels[(rank(settled(left, t)) - 0.5).astype(int)]


def neutralize_rows(rows: Floats, by: Floats, proportion: float) -> Floats:
    """`neutralize` on (n_models, n_ids) arrays that have passed the door."""
    columns = rows.T
    return np.ascontiguousarray((columns - proportion * fit(columns, with_intercept(by))).T)


def residual(values: ArrayLike, design: ArrayLike, *, proportion: float = 1.0) -> Any:
    """y - q D pinv(D) y: neutralisation to the columns of the design alone, without an intercept."""
    columns, single = matrix(values, "values")
    others, _ = matrix(design, "design", len(columns))
    return like_input(columns - unit_interval(proportion, "proportion") * fit(columns, others), single)


def settled(left: Floats, values: Floats) -> Floats:
    """A residual rounded to TIE_BITS below the largest |value| of its column, so that rounding breaks no tie."""
    grid = np.ldexp(1.0, np.frexp(np.abs(values).max(axis=0))[1] - TIE_BITS)
    return np.rint(left / grid) * grid


def with_intercept(by: Floats) -> Floats:
    """The columns of `by` after a column of ones."""
    return np.hstack([np.ones((len(by), 1)), by])


def fit(values: Floats, design: Floats) -> Floats:
    """The least-squares fit D pinv(D) Y, free of order: exact Gram matrix, Cholesky, and a second pass if needed.

    Sums over ids are exact (`exact.dot`), and the elimination works in a fixed order, so the bits depend on no
    row order, thread count or BLAS. Columns of Y that are nothing but the design
    are fitted to the bit.
    """
    with_ones = bool((design == 1.0).all(axis=0).any())
    columns = exact.Factor.of(exact.scaled(_near_zero(design) if with_ones else design))
    factor, kept, sound = _cholesky(exact.dot(columns, columns))
    fitted = _project(values, columns, factor, kept)
    if not sound:
        fitted = fitted + _project(values - fitted, columns, factor, kept)
    spread = np.ptp(values, axis=0) if with_ones else np.abs(values).max(axis=0)
    explained = (spread == 0.0) | (np.abs(values - fitted).max(axis=0) <= EXPLAINED * spread)
    return np.where(explained, values, fitted)


def _near_zero(design: Floats) -> Floats:
    """Each column less a whole multiple of a power of two above its range: beside an intercept, the same fit.

    That takes away, exactly, what is large beside the spread, and leaves ones and columns of few levels alone.
    """
    low, high = design.min(axis=0), design.max(axis=0)
    step = np.ldexp(1.0, np.frexp(high - low)[1])
    away = np.where(high > low, np.rint((low + high) / 2.0 / step) * step, 0.0)
    return design - away if away.any() else design


def _project(values: Floats, design: exact.Factor, factor: Floats, kept: Mask) -> Floats:
    beta = np.zeros((len(kept), values.shape[1]))
    some = design if kept.all() else exact.Factor.of(design.columns[:, kept])
    beta[kept] = _solve(factor, exact.dot(some, values))
    return exact.dot(design.turned, beta)


def _cholesky(gram: Floats) -> tuple[Floats, Mask, bool]:
    """Lower factor of the Gram matrix of the columns that matter, which those are, and whether all pivots are sound."""
    upper, kept = gram.T.copy(), np.zeros(len(gram), bool)
    loops = kernels.compiled_for(gram.size * len(gram) // ELIMINATED)
    eliminate = _eliminate if loops is None else loops.eliminate
    sound = eliminate(upper, NEGLIGIBLE, SOUND, kept)
    return np.triu(upper if kept.all() else upper[np.ix_(kept, kept)]).T, kept, bool(sound)


def _eliminate(upper: Floats, negligible: float, sound: float, kept: Mask) -> bool:
    """Cholesky elimination of the upper triangle, in place, row by row; fills in what is kept."""
    size, all_sound = np.diag(upper).copy(), True
    for k in range(len(upper)):
        pivot = upper[k, k]
        if pivot > negligible * size[k]:
            kept[k] = True
            all_sound = all_sound and bool(pivot > sound * size[k])
            upper[k, k:] /= np.sqrt(pivot)
            upper[k + 1 :, k + 1 :] -= np.outer(upper[k, k + 1 :], upper[k, k + 1 :])
    return all_sound


def _solve(factor: Floats, right: Floats) -> Floats:
    """(L L^T)^-1 right, by substitution in a fixed order."""
    x, upper = right.copy(), np.ascontiguousarray(factor.T)
    loops = kernels.compiled_for(right.size * len(right) // ELIMINATED)
    if loops is None:
        _substitute(upper, x)
        return x

    def work(block: slice) -> None:
        part = np.ascontiguousarray(x[:, block])
        loops.substitute(np.ascontiguousarray(factor), upper, part)
        x[:, block] = part

    for _ in kernels.in_threads(work, kernels.column_blocks(x.shape[1], TOGETHER), x.size):
        pass
    return x


def _substitute(upper: Floats, x: Floats) -> None:
    for k in range(len(x)):
        x[k] /= upper[k, k]
        x[k + 1 :] -= np.outer(upper[k, k + 1 :], x[k])
    for k in range(len(x) - 1, -1, -1):
        x[k] /= upper[k, k]
        x[:k] -= np.outer(upper[:k, k], x[k])


def _levels(shares: Sequence[float], n: int) -> Floats:
    if isinstance(shares, str) or len(shares) < 2 or not (min(shares) > 0 and abs(sum(shares) - 1.0) <= 1e-9):
        raise InputError(
            Problem(
                "bad_bins",
                "'own', or two or more positive shares that sum to 1",
                repr(shares if isinstance(shares, str) else list(shares)),
                "for example (.05, .2, .5, .2, .05)",
            )
        )
    edges = np.rint(np.cumsum(shares)[:-1] * n)
    return np.searchsorted(edges, np.arange(n), side="right") / (len(shares) - 1)
