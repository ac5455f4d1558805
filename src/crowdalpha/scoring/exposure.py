"""Feature exposure: how much of a model is the features themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import exact
from crowdalpha.scoring.arrays import Floats, like_input, matrix, models
from crowdalpha.scoring.correlation import ratio
from crowdalpha.scoring.kernels import column_blocks


@dataclass(frozen=True, slots=True)
class ExposureMetrics:
    """Four views of a model's exposures c_f, each (n_models,) or a scalar; see `exposure_metrics`."""

    std: Any
    l2: Any
    rms: Any
    max: Any


def exposures(predictions: ArrayLike, features: ArrayLike) -> Any:
    """c_f = Pearson(prediction, feature f), for each feature.

    predictions: (n_ids, n_models) or (n_ids,), taken as they are (pass `uniform(p)` for rank exposures). features:
    (n_ids, n_features). Result: (n_features, n_models) or (n_features,), in [-1, 1]; 0 for a constant prediction
    or feature, NaN for an absent model. Source: [SPEC 2], [F93#6].

    >>> exposures([1.0, 2.0, 3.0], [[0, 1], [1, 1], [2, 0]]).round(6)
    array([ 1.       , -0.866025])
    """
    columns, present, single = models(predictions)
    others, _ = matrix(features, "features", len(columns))
    by, size = _centred(others), _norms(others)
    c = np.empty((others.shape[1], columns.shape[1]))
    for block in column_blocks(columns.shape[1], 256):
        some = columns[:, block]
        c[:, block] = ratio(exact.dot(by, _centred(some)), np.outer(size, _norms(some)))
    return like_input(np.where(present, np.clip(c, -1.0, 1.0), np.nan), single)


def exposure_metrics(predictions: ArrayLike, features: ArrayLike) -> ExposureMetrics:
    """Four sizes of the vector of exposures c of a model.

        std = std_f(c) (ddof 0)    l2 = sqrt(sum c^2)    rms = sqrt(mean c^2)    max = max |c|

    `std` (dissimilarity) is blind to equal exposures: rms^2 = mean(c)^2 + std^2. `rms` and `max` are at most 1.
    Shapes as in `exposures`; all are 0 for a feature-neutral model. Source: [F93#6], [F93#11].

    >>> exposure_metrics([1.0, 2.0, 3.0], [[0, 2], [1, 1], [2, 0]]).max.round(9)
    np.float64(1.0)
    """
    c = np.asarray(exposures(predictions, features))
    there = np.nan_to_num(c)  # a model that is absent has no exposure, and gets none below
    squares, spread = exact.mean(there * there), exact.mean((there - exact.mean(there)) ** 2)
    absent = np.isnan(c).any(axis=0)
    std, l2, rms, top = (
        np.where(absent, np.nan, size)[()]
        for size in (np.sqrt(spread), np.sqrt(squares * len(c)), np.sqrt(squares), np.abs(there).max(axis=0))
    )
    return ExposureMetrics(std=std, l2=l2, rms=rms, max=top)


def _centred(columns: Floats) -> Floats:
    """Columns less their mean, scaled by a power of two; exact zeros for a constant one."""
    columns = exact.scaled(columns)
    return np.where((columns == columns[:1]).all(axis=0), 0.0, columns - exact.mean(columns))


def _norms(columns: Floats) -> Floats:
    centred = _centred(columns)
    return np.asarray(np.sqrt(exact.total(centred * centred)))
