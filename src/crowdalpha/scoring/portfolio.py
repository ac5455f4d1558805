"""Scores of a model as a portfolio: alpha, and what it adds to the stake-weighted meta portfolio."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import exact
from crowdalpha.scoring.arrays import Floats, matrix, vector
from crowdalpha.scoring.bags import whole_units
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, gaussian_rows, rank_models, signed_power

MPC_SCALE = 50.0
"""Brings the meta portfolio contribution to the size of the other scores [NT]."""


def alpha(predictions: ArrayLike | Ranks, neutralizers: ArrayLike, sample_weights: ArrayLike, target: ArrayLike) -> Any:
    """The mean return of the model's neutralised weights.

        s' = signed_power(gaussianize(p), 1.5);  w = v * (s' - N N' (v * s'));  alpha = w . (t - mean t) / n

    predictions: (n_ids, n_models) or (n_ids,). neutralizers: N (n_ids, k), orthonormal for a full neutralisation.
    sample_weights: v (n_ids,). target: (n_ids,) returns. Result: (n_models,) or a scalar in units of the target;
    0 for a constant prediction, NaN for an absent model. Source: [SPEC 2], [NT].
    """
    ranks = rank_models(predictions)
    t = exact.centred(vector(target, "target", ranks.n_ids))
    weights = _weights(ranks, neutralizers, sample_weights)
    return ranks.scores(exact.total(weights * t[:, None]) / ranks.n_ids)


def mpc(
    predictions: ArrayLike | Ranks,
    stakes: ArrayLike,
    neutralizers: ArrayLike,
    sample_weights: ArrayLike,
    target: ArrayLike,
) -> Any:
    """Meta portfolio contribution: how the unit-risk meta portfolio's return changes with a model's stake.

        x = W_c s;  mpc = ((I - x x' / x'x) W_c)' (t - mean t) / (50 |x|)

    W_c are the centred weights of all models (see `alpha`), s their shares of the stake. stakes: (n_models,), absent
    models pooled with none. Other shapes and missing models as in `alpha`. 0 for a copy of the meta portfolio;
    refuses a pool without stake, and 0 for all if the meta portfolio is empty. Source: [SPEC 2], [NT].
    """
    ranks = rank_models(predictions)
    t = exact.centred(vector(target, "target", ranks.n_ids))
    units = np.where(ranks.present, whole_units(stakes, ranks.n_models), 0)
    if not units.any():
        raise InputError(
            Problem("no_stake", "at least one model with stake in the era", "none", "give the pool some stake")
        )
    shares = units / float(sum(units.tolist()))
    weights = _weights(ranks, neutralizers, sample_weights)
    centred = weights - exact.mean(weights)
    pooled = units > 0
    x = exact.total((centred[:, pooled] * shares[pooled]).T)
    squared = exact.sum_of_squares(x)
    if squared == 0.0:
        return ranks.scores(np.zeros(ranks.n_models))
    slope = exact.total(centred * x[:, None]) / squared
    left = exact.total(centred * t[:, None]) - slope * math.fsum(x * t)
    return ranks.scores(left / math.sqrt(squared) / MPC_SCALE)


def _weights(ranks: Ranks, neutralizers: ArrayLike, sample_weights: ArrayLike) -> Floats:
    n, _ = matrix(neutralizers, "neutralizers", ranks.n_ids)
    v = vector(sample_weights, "sample_weights", ranks.n_ids)[:, None]
    signal = signed_power(gaussian_rows(ranks), 1.5).T
    return np.asarray(v * (signal - exact.dot(n.T, exact.dot(n, v * signal))))
