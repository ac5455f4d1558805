"""Models that are refitted as the eras go by and never see a target that was not known yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crowdalpha.scoring.problems import InputError, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingRegressor

    Floats = NDArray[np.float64]

REFIT_EVERY = 52
"""Boosting is refitted once a year: between refits it goes on with the trees it has."""

STRIDE = 4
"""Boosting trains on every fourth era: targets span four weeks, so the eras between say little new."""


def known(era: int, *, purge: int) -> int:
    """How many eras, from era 0 on, may be trained on to predict `era`: all but it and the `purge` before it.

    >>> known(100, purge=5)
    95
    """
    return era - purge


def ridge(
    features: Floats,
    target: Floats,
    *,
    first: int,
    purge: int,
    shrink: float,
    window: int | None = None,
    lag: int = 0,
    reshape: Callable[[Floats], Floats] | None = None,
) -> Floats:
    """Walk-forward ridge regression, refitted for every era from sums over the eras known by then.

        w_e = (G + shrink mean(diag G) I)^-1 b,   G = sum_s X_s' X_s,   b = sum_s X_s' t_s,   s < e - purge

    features: (n_eras, n_ids, n_features); target: (n_eras, n_ids); X_s, t_s: both centred within era s; window:
    how many of the last known eras to sum over (None: all); lag: eras by which the weights are out of date;
    reshape: what is done to the weights at last. Returns predictions (n_eras - first, n_ids), real numbers.
    """
    import numpy as np

    grams, moments = _sums(features, target)
    predictions = np.empty((len(features) - first, features.shape[1]))
    for row, era in enumerate(range(first, len(features))):
        end = known(era - lag, purge=purge)
        start = max(0, end - window) if window else 0
        weights = _weights(grams[end] - grams[start], moments[end] - moments[start], shrink=shrink)
        predictions[row] = features[era] @ (reshape(weights) if reshape else weights)
    return predictions


def _sums(features: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Running sums of X'X and X't: entry k is over the first k eras, so differences are over any span."""
    import numpy as np

    n_eras, _, n_features = features.shape
    grams = np.zeros((n_eras + 1, n_features, n_features))
    moments = np.zeros((n_eras + 1, n_features))
    for era in range(n_eras):
        centred = features[era] - features[era].mean(axis=0)
        grams[era + 1] = grams[era] + centred.T @ centred
        moments[era + 1] = moments[era] + centred.T @ (target[era] - target[era].mean())
    return grams, moments


def _weights(gram: Floats, moment: Floats, *, shrink: float) -> Floats:
    import numpy as np

    penalty = shrink * np.trace(gram) / len(gram)
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(gram)), moment))


def boosting(features: Floats, target: Floats, *, first: int, purge: int) -> Floats:
    """Walk-forward gradient-boosted trees (scikit-learn's, histogram-based), refitted every 52 eras.

    Arguments and result as in `ridge`; the parameters are fixed beforehand, not tuned. Raises InputError
    `missing_extra` where scikit-learn is not installed.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    predictions = np.empty((len(features) - first, features.shape[1]))
    unfitted = _trees()  # loads scikit-learn: a library that is loaded later is not limited
    with threadpool_limits(1):  # the order of sums, and so the trees, must not depend on the machine's cores
        for era in range(first, len(features), REFIT_EVERY):
            past = slice(0, known(era, purge=purge), STRIDE)
            trees = unfitted.fit(_rows(features[past]), target[past].ravel())
            ahead = features[era : era + REFIT_EVERY]
            predictions[era - first :][: len(ahead)] = trees.predict(_rows(ahead)).reshape(len(ahead), -1)
    return predictions


def _rows(features: Floats) -> Floats:
    return features.reshape(-1, features.shape[2])


def _trees() -> HistGradientBoostingRegressor:
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
    except ImportError as error:
        found = Problem("missing_extra", "scikit-learn", str(error), "run pip install 'crowdalpha[demo]'")
        raise InputError(found) from error
    return HistGradientBoostingRegressor(
        max_iter=60, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=200, early_stopping=False, random_state=0
    )
