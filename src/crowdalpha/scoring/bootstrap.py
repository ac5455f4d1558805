"""Intervals over eras that respect the order of eras: a circular block bootstrap of mean and Sharpe."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.series import NAN, mean, ratio

ROUNDING = 1e-12
"""A variance this small beside the largest squared deviation is what is left of equal scores."""


def default_block(n_eras: int) -> int:
    """The default length of a block: `n^(1/3)` rounded, the rate at which blocks should grow [HHJ95].

    >>> [default_block(n) for n in (2, 8, 58, 355)]
    [1, 2, 4, 7]
    """
    return max(1, int(np.rint(np.cbrt(n_eras))))


@lru_cache(maxsize=8)
def block_starts(n_eras: int, block: int, n_resamples: int, seed: int) -> NDArray[np.intp]:
    """Where the blocks of each resample begin: (n_resamples, n_blocks), enough blocks to cover n_eras.

    The draws are a function of these four numbers alone, so a model's interval does not depend on which
    other models are summarised with it, and models with equally many eras are compared on equal draws.
    Philox's raw words are taken modulo n_eras (their bias is below n_eras 2^-64), so that no NumPy version
    changes the draws.
    """
    n_blocks = -(-n_eras // block)
    words = np.random.Philox(seed).random_raw(n_resamples * n_blocks)
    starts = (words % np.uint64(n_eras)).astype(np.intp).reshape(n_resamples, n_blocks)
    starts.setflags(write=False)
    return starts


def resample(scores: Floats, ddof: int, *, block: int, n_resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Mean and Sharpe of every resample of one model's scores, each (n_resamples,).

    A resample is a row of runs of `block` consecutive eras, the last one cut so that there are as many eras
    as were observed; the eras are laid on a circle, so that each is equally likely to be drawn [PR92].
    A run enters through two numbers, its sum and its sum of squares. The Sharpe of a resample without
    spread is NaN.
    """
    n, centre = len(scores), mean(scores)
    deviation = scores - centre
    starts = block_starts(n, block, n_resamples, seed)
    first = _sums(deviation, starts, block) / n
    variance = _sums(deviation**2, starts, block) / n - first**2
    spread = np.full(n_resamples, NAN)
    np.sqrt(variance * ratio(n, n - ddof), out=spread, where=variance > ROUNDING * (deviation**2).max())
    return centre + first, (centre + first) / spread


def percentile_interval(draws: Floats, confidence: float) -> tuple[float, float]:
    """The middle `confidence` of the draws that are numbers, or NaN twice where there are none."""
    draws = draws[~np.isnan(draws)]
    if not draws.size:
        return NAN, NAN
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return float(low), float(high)


def _sums(values: Floats, starts: NDArray[np.intp], block: int) -> Floats:
    """The sum of each resample, from the sums of its full runs and of its last, shorter one."""
    rest = len(values) - (starts.shape[1] - 1) * block
    full, last = _run_sums(values, block), _run_sums(values, rest)
    sums: Floats = full[starts[:, :-1]].sum(axis=1) + last[starts[:, -1]]
    return sums


def _run_sums(values: Floats, length: int) -> Floats:
    """The sum of the `length` values from each position on, round the circle."""
    sums = np.zeros(len(values))
    for shift in range(length):
        sums += np.roll(values, -shift)
    return sums
