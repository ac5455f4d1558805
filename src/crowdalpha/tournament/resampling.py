"""Resampled rounds: the same draws for all models, so that what moves everybody moves no rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.bootstrap import block_starts, default_block
from crowdalpha.scoring.options import is_real, is_whole, said
from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.scoring.series import NAN

MOST = 1_000_000
"""Resamples that can be asked for: beyond, intervals hardly move and memory runs out."""
CHUNK = 16
"""Resamples that are added up at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are drawn: `n_resamples` circular block resamples of the rounds, by Philox from `seed`.

    `block` is the length of a run of rounds (None: n^(1/3)), `confidence` the share of resamples inside an interval.
    """

    n_resamples: int = 1000
    block: int | None = None
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = {
            "n_resamples": (is_whole(self.n_resamples, 1, MOST), f"a whole number from 1 to {MOST}"),
            "block": (self.block is None or is_whole(self.block, 1), "None or at least 1 round"),
            "confidence": (is_real(self.confidence) and 0 < self.confidence < 1, "between 0 and 1"),
            "seed": (is_whole(self.seed, 0), "a whole number, 0 or more"),
        }
        refuse_if_any(
            Problem(f"bad_{name}", expected, said(getattr(self, name)), "choose one in that range", name)
            for name, (fits, expected) in allowed.items()
            if not fits
        )

    def length(self, n_rounds: int) -> int:
        """The length of a block among so many rounds."""
        return min(self.block or default_block(n_rounds), n_rounds)


DEFAULT = Resampling()


def draws_of(terms: Floats, counts: Floats, resampling: Resampling) -> Floats:
    """sum terms / sum counts over the rounds of every resample, (n_resamples, n_columns); NaN where counts add up to 0.

    `terms` is (n_rounds, n_columns), `counts` as well or (n_rounds, 1). All columns are resampled alike.

    >>> draws = draws_of(np.array([[1.0, 2.0], [3.0, 2.0]]), np.ones((2, 1)), Resampling(n_resamples=4, seed=1))
    >>> draws.tolist()
    [[1.0, 2.0], [3.0, 2.0], [3.0, 2.0], [1.0, 2.0]]
    """
    n = len(terms)
    if not n:
        return np.empty((resampling.n_resamples, 0))
    block = resampling.length(n)
    starts = block_starts(n, block, resampling.n_resamples, resampling.seed)
    sums, weights = _sums(terms, starts, block), _sums(counts, starts, block)
    return np.divide(sums, weights, out=np.full(sums.shape, NAN), where=weights > 0)


def _sums(columns: Floats, starts: NDArray[np.intp], block: int) -> Floats:
    """The sums of each resample, (n_resamples, n_columns), from the sums of its full runs and of its last one.

    Runs are added one by one, so that equal columns have equal sums whatever stands beside them: neither a matrix
    product nor NumPy's own sum over an axis promises that.
    """
    rest = len(columns) - (starts.shape[1] - 1) * block
    full, last = _run_sums(columns, block), _run_sums(columns, rest)
    sums = last[starts[:, -1]]
    for begin in range(0, len(sums), CHUNK):
        chunk = slice(begin, begin + CHUNK)
        for run in starts[chunk, :-1].T:
            sums[chunk] += full[run]
    return sums


def _run_sums(columns: Floats, length: int) -> Floats:
    """The sums of `length` rows from each row on, round the circle."""
    sums = np.zeros_like(columns)
    for shift in range(length):
        sums += np.roll(columns, -shift, axis=0)
    return sums
