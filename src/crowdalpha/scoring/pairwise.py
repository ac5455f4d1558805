"""How alike the models of a round are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.correlation import rank_dots, rank_squares, ratio
from crowdalpha.scoring.kernels import column_blocks
from crowdalpha.scoring.ranks import Ranks, rank_models


def similarity(predictions: ArrayLike | Ranks, *, ties: str = "average") -> Floats:
    """Pearson(uniform(p_i), uniform(p_j)) of every pair of models, (n_models, n_models).

    1 on the diagonal, 0 beside a constant prediction, NaN beside an absent model. Source: [SPEC 2].

    >>> similarity([[1, 3], [2, 2], [3, 1]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    ranks = rank_models(predictions, ties=ties)
    norms = np.sqrt(rank_squares(ranks.doubled))
    pairs = ratio(rank_dots(ranks, ranks.doubled.T.astype(np.float64)), np.outer(norms, norms))
    np.fill_diagonal(pairs, 1.0)
    return np.where(np.outer(ranks.present, ranks.present), np.clip(pairs, -1.0, 1.0), np.nan)


def mcwnm(predictions: ArrayLike | Ranks) -> Any:
    """Maximum correlation with the other models of the round: max_j Pearson(uniform(p), uniform(p_j)).

    predictions: (n_ids, n_models). Result: (n_models,) in [-1, 1]; 1 if somebody submitted the same order, NaN for
    an absent model or one without company. Source: [SPEC 2].

    >>> mcwnm([[1, 10, 3], [2, 20, 2], [3, 30, 1]])
    array([ 1.,  1., -1.])
    """
    return _over_others(predictions, np.max)


def apcwnm(predictions: ArrayLike | Ranks) -> Any:
    """Average correlation with the other models of the round: mean_j Pearson(uniform(p), uniform(p_j)).

    Shapes and missing models as in `mcwnm`. High for a model that does what everybody does. Source: [SPEC 2].

    >>> apcwnm([[1, 10, 3], [2, 20, 2], [3, 30, 1]])
    array([ 0.,  0., -1.])
    """
    return _over_others(predictions, _sorted_mean)


def _over_others(predictions: ArrayLike | Ranks, reduce: Any) -> Any:
    ranks = rank_models(predictions)
    scores = np.full(ranks.n_models, np.nan)
    norms = np.sqrt(rank_squares(ranks.doubled))
    for block in column_blocks(ranks.n_models, 256):
        dots = rank_dots(ranks, ranks.doubled[block].T.astype(np.float64)).T
        pairs = np.clip(ratio(dots, np.outer(norms[block], norms)), -1.0, 1.0)
        for j, row in enumerate(pairs, block.start):
            others = ranks.present & (np.arange(ranks.n_models) != j)
            if others.any():
                scores[j] = reduce(row[others])
    return ranks.scores(scores)


def _sorted_mean(values: Floats) -> float:
    """A mean that does not depend on the order of the models."""
    return float(np.mean(np.sort(values)))
