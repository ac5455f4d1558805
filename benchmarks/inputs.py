"""The data of the races: random crowds and columns of all kinds of shapes, from fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring import draw_bags

Array = NDArray[np.float64]
LEVELS = np.array([0, 0.25, 0.5, 0.75, 1])


@dataclass(frozen=True)
class Round:
    """One era: predictions (n_ids, n_models), stakes, a target in five bins, and bags."""

    predictions: Array
    stakes: Array
    target: Array
    bags: NDArray[np.int64]


def crowd(n_models: int, n_ids: int, *, n_bags: int = 20) -> Round:
    """Normal predictions, a little of them common to all; lognormal stakes."""
    rng = np.random.default_rng(n_models + n_ids)
    predictions = rng.normal(size=(n_ids, n_models))
    predictions += 0.2 * rng.normal(size=(n_ids, 1))
    stakes = rng.lognormal(3, 1.5, n_models)
    return Round(predictions, stakes, rng.choice(LEVELS, n_ids), draw_bags(stakes, n_bags=n_bags, seed=1))


def features(n_ids: int, n_features: int) -> Array:
    """Independent features in five bins."""
    return np.random.default_rng(n_features).choice(LEVELS, (n_ids, n_features))


SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Array]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.random(shape),
    "Student t, 3 degrees": lambda rng, shape: rng.standard_t(3, shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "lognormal, sigma 5": lambda rng, shape: np.exp(5 * rng.normal(size=shape)),
    "200 levels": lambda rng, shape: rng.integers(0, 200, shape) / 200,
    "5 levels": lambda rng, shape: rng.integers(0, 5, shape) / 4,
    "constant": lambda rng, shape: np.ones(shape),
    "one outlier": lambda rng, shape: with_outlier(rng.normal(size=shape)),
    "sorted": lambda rng, shape: np.sort(rng.normal(size=shape), axis=0),
    "reversed": lambda rng, shape: -np.sort(rng.normal(size=shape), axis=0),
    "nine equal digits": lambda rng, shape: 0.5 + 1e-9 * rng.normal(size=shape),
}
"""Columns as models may submit them, ready to be ranked."""


def with_outlier(columns: Array) -> Array:
    """The columns with a billion in the middle."""
    columns[len(columns) // 2] = 1e9
    return columns
