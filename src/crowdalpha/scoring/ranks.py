"""Ranks, and the three shapes they are given: uniform, Gaussian, and a signed power."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import kernels
from crowdalpha.scoring.arrays import Floats, Mask, Ties, like_input, models, numbers, tie_rule
from crowdalpha.scoring.normal import quantile
from crowdalpha.scoring.options import is_real, said
from crowdalpha.scoring.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Ranks:
    """A crowd ranked once. Every score takes it in the place of predictions.

    `doubled` (n_models, n_ids) holds the whole numbers 2 rank - (n + 1): centred, and exact for shared ties.
    `present` (n_models,) says which models are in the era; the rows of the others are zeros.
    """

    doubled: kernels.Doubled
    present: Mask
    ties: Ties
    single: bool = False

    @property
    def n_ids(self) -> int:
        """Number of ids in the era."""
        return self.doubled.shape[1]

    @property
    def n_models(self) -> int:
        """Number of models, absent ones included."""
        return self.doubled.shape[0]

    def one(self, j: int) -> Ranks:
        """Model j of the crowd alone."""
        return Ranks(self.doubled[j : j + 1], self.present[j : j + 1], self.ties)

    def scores(self, values: Floats) -> Any:
        """Scores as the caller gets them: NaN for absent models, a scalar for a single one."""
        return like_input(np.where(self.present, values, np.nan), self.single)


def rank_models(predictions: ArrayLike | Ranks, *, ties: str = "average") -> Ranks:
    """Rank each model of an era once, to be passed to any number of scores. Ranks pass through as they are."""
    if isinstance(predictions, Ranks):
        return predictions
    columns, present, single = models(predictions)
    doubled = kernels.rank_rows(columns.T, tie_rule(ties))
    doubled[~present] = 0
    return Ranks(doubled, present, tie_rule(ties), single)


def rank(x: ArrayLike | Ranks, *, ties: str = "average") -> Any:
    """Ranks 1..n of each column: ties share their mean ("average") or keep the order of the rows ("first").

    Shapes: (n_ids,) or (n_ids, n_models), the result alike. A NaN column stays NaN. With "first" the order of
    the rows shows in the result: sort them by id. Source: [SPEC 0].

    >>> rank([0.3, 0.1, 0.3]), rank([0.3, 0.1, 0.3], ties="first")
    (array([2.5, 1. , 2.5]), array([2., 1., 3.]))
    """
    ranks = rank_models(x, ties=ties)
    return _columns((ranks.doubled + (ranks.n_ids + 1)) / 2.0, ranks)


def uniform(x: ArrayLike | Ranks, *, ties: str = "average") -> Any:
    """u = (rank - 1/2) / n of each column, in (0, 1) with mean 1/2.

    Shapes as in `rank`. Only the order of the values counts: any strictly increasing re-mapping leaves u as
    it is, to the bit. Source: [SPEC 0].

    >>> uniform([10, 30, 20, 40])
    array([0.125, 0.625, 0.375, 0.875])
    """
    ranks = rank_models(x, ties=ties)
    return _columns((ranks.doubled + ranks.n_ids) / (2.0 * ranks.n_ids), ranks)


def gaussianize(x: ArrayLike | Ranks) -> Any:
    """z = Phi^-1((rank - 1/2) / n) of each column, ties shared: about N(0, 1), at most |z| = Phi^-1(1 - 1/(2n)).

    Shapes as in `rank`. The values are looked up by rank in a table made of +, -, *, / and square roots alone,
    so they are the same bits on every machine. Source: [SPEC 0].

    >>> gaussianize([1, 2, 3]).round(6)
    array([-0.967422,  0.      ,  0.967422])
    """
    ranks = rank_models(x)
    return _columns(gaussian_rows(ranks), ranks)


def signed_power(x: ArrayLike, p: float) -> Any:
    """sign(x) |x|^p: stretches the tails for p > 1 and keeps the sign. Any shape. Source: [SPEC 0].

    >>> signed_power([-4.0, 0.0, 9.0], 1.5)
    array([-8.,  0., 27.])
    """
    values = numbers(x, "x")
    if not is_real(p, 0):
        raise InputError(Problem("bad_p", "a power p of 0 or more", said(p), "1.5 stresses the tails"))
    size = np.abs(values)
    with np.errstate(over="ignore"):
        powers = size * np.sqrt(size) if p == 1.5 else size**p
    if (np.isinf(powers) & np.isfinite(size)).any():
        found = f"{size[np.isfinite(size)].max():g}"
        raise InputError(Problem("too_large", "x whose power is finite", found, "scale it down"))
    return np.sign(values) * powers


def gaussian_rows(ranks: Ranks, *, power: float = 1.0) -> Floats:
    """Gaussianised predictions, (n_models, n_ids), to a signed power: a look-up in a table of 2n - 1 entries."""
    return signed_power(gaussian_table(ranks.n_ids), power)[ranks.doubled + (ranks.n_ids - 1)]


def normal_scores(n: int) -> Floats:
    """Phi^-1((d + n) / (2n)) for each doubled centred rank d = 1-n .. n-1; odd to the bit."""
    upper = quantile((np.arange(n) + n) / (2.0 * n))
    table = np.concatenate([-upper[:0:-1], upper])
    table.setflags(write=False)
    return table


gaussian_table = lru_cache(maxsize=64)(normal_scores)


def _columns(rows: Floats, ranks: Ranks) -> Any:
    return like_input(np.where(ranks.present, rows.T, np.nan), ranks.single)
