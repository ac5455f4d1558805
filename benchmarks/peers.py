"""The same work as others do it: numerai-tools as it comes, its parts used with care, numerblox, and plain pandas."""

from __future__ import annotations

import os
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numerai_tools import scoring as numerai_tools

from benchmarks.inputs import Array, Round
from crowdalpha.scoring import metamodel
from crowdalpha.scoring.contribution import UNIFORM_STD

WITH_NUMERBLOX = find_spec("numerblox") is not None
"""Whether numerblox is installed: `make bench` sees to it, `make test` does not."""


def frame(columns: Array) -> pd.DataFrame:
    """The columns as a DataFrame, sorted by id, which numerai-tools asks for."""
    ids = [f"id{i:07d}" for i in range(len(columns))]
    return pd.DataFrame(columns, index=ids, columns=[f"model{j}" for j in range(columns.shape[1])])


def series(column: Array) -> pd.Series:
    """One column as a named Series."""
    return frame(column[:, None]).iloc[:, 0].rename("column")


def metamodels(era: Round) -> list[Array]:
    """The metamodel of each bag, given to the peers for nothing."""
    return [metamodel(era.predictions, bag * era.stakes) for bag in era.bags]


def numerai_contribution(predictions: pd.DataFrame, pooled: pd.Series, target: pd.Series) -> pd.Series:
    """What numerai-tools offers for a contribution, once a bag; Gaussian instead of uniform, the same kind of work."""
    return numerai_tools.correlation_contribution(predictions, pooled, target)


def careful_contribution(predictions: pd.DataFrame, pooled: list[Array], target: Array) -> Array:
    """MMC2 from the parts of numerai-tools: rank once, orthogonalize once a bag."""
    centred = numerai_tools.tie_kept_rank(predictions).to_numpy() - 0.5
    t = target - target.mean()
    scores = [t @ numerai_tools.orthogonalize(centred, m - 0.5) for m in pooled]
    return np.asarray(np.mean(scores, axis=0) / (len(t) - 1) / UNIFORM_STD**2)


def recipe_contribution(prediction: pd.Series, pooled: Array, target: Array) -> float:
    """MMC2 of one user and one bag as the announcement describes it: rank, regress with a constant, covariance."""
    uniform = ((prediction.rank() - 0.5) / len(prediction)).to_numpy()
    design = np.column_stack([pooled, np.ones(len(pooled))])
    coefficients = np.linalg.lstsq(design, uniform, rcond=None)[0]
    return float(np.cov(uniform - design @ coefficients, target)[0, 1] / UNIFORM_STD**2)


def numerai_fnc(predictions: pd.DataFrame, features: pd.DataFrame, target: pd.Series) -> pd.Series:
    """FNC as numerai-tools computes it."""
    return numerai_tools.feature_neutral_corr(predictions, features, target)


def numerblox_contribution(columns: pd.DataFrame, n_models: int) -> list[float]:
    """MMC2 of one bag by numerblox, a model at a time; columns: model0, model1, ..., pooled, target and era."""
    from numerblox.evaluation import NumeraiClassicEvaluator

    judge = NumeraiClassicEvaluator(era_col="era")
    return [judge.legacy_contribution(columns, f"model{j}", "target", "pooled")[0] for j in range(n_models)]


def numerblox_fnc(predictions: pd.DataFrame, features: pd.DataFrame, target: pd.Series) -> list[float]:
    """FNC by numerblox's neutraliser and numerai-tools' correlation, on one processor."""
    os.environ["TQDM_DISABLE"] = "1"
    from numerblox.neutralizers import FeatureNeutralizer

    names = list(predictions.columns)
    eras = pd.Series("era", index=predictions.index)
    left = FeatureNeutralizer(names, 1.0, num_cores=1).transform(predictions, features, eras)
    neutral = pd.DataFrame(left, index=predictions.index, columns=names)
    return list(numerai_tools.numerai_corr(neutral, target))
