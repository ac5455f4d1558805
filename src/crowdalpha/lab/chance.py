"""Chance from one seed: a stream of its own for every purpose, so that no draw depends on what else was drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.bootstrap import percentile_interval

Floats = NDArray[np.float64]
RESAMPLES = 20_000
"""Resamples of an interval."""


def stream(*words: object) -> np.random.Generator:
    """The Philox stream that these words name: a seed, a purpose, a number.

    >>> stream(7, "round", 1).integers(100) == stream(7, "round", 1).integers(100)
    np.True_
    """
    key = hashlib.sha256("/".join(map(str, words)).encode()).digest()[:16]
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, "<u8")))


def interval(
    samples: Floats,
    statistic: Callable[[Floats], Floats] = lambda means: means[..., 0],
    *,
    confidence: float = 0.99,
    seed: object = 0,
) -> tuple[float, float, float]:
    """A figure of seasons that are alike and independent, with the ends of its bootstrap interval.

    `samples` (n_seasons,) or (n_seasons, n_columns); `statistic` maps means of the columns, (..., n_columns), to the
    figure: the first mean itself, a ratio of two. Seasons are drawn with replacement.

    >>> interval(np.array([1.0, 1.0, 1.0]))
    (1.0, 1.0, 1.0)
    """
    table = samples[:, None] if samples.ndim == 1 else samples
    resampled = statistic(_shares(len(table), seed) @ table)
    low, high = percentile_interval(resampled, confidence)
    return float(statistic(table.mean(axis=0))), low, high


@lru_cache(maxsize=4)
def _shares(n: int, seed: object) -> Floats:
    """How much of each resample each season makes up, (n_resamples, n_seasons)."""
    drawn = stream(seed, "resample", n).integers(n, size=(RESAMPLES, n)) + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * RESAMPLES).reshape(RESAMPLES, n) / n
