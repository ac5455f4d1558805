"""For scikit-learn users: neutralisers that fit into a pipeline, and scorers that know about eras."""

from __future__ import annotations

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring.arrays import Floats, numbers, unit_interval
from crowdalpha.scoring.contribution import mmc2
from crowdalpha.scoring.correlation import corr, numerai_corr
from crowdalpha.scoring.neutral import neutralize, with_intercept
from crowdalpha.scoring.problems import InputError, Problem

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.metrics import make_scorer
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as missing:
    raise ImportError(
        "crowdalpha.scoring.estimators needs scikit-learn 1.6 or newer: pip install 'crowdalpha[sklearn]'"
    ) from missing

Column = int | str
Columns = Column | Sequence[Column]


class _Neutralizer(TransformerMixin, BaseEstimator, metaclass=ABCMeta):  # type: ignore[misc]
    """Some columns of X neutralised to others: learnt coefficients without eras, each era's own with them."""

    proportion: float
    n_features_in_: int

    @abstractmethod
    def _roles(self) -> tuple[list[int], list[int]]:
        """Positions of the columns to neutralise, and of those to neutralise them to."""

    def fit(self, X: ArrayLike, y: object = None) -> _Neutralizer:
        """Learn the coefficients that `transform` uses where it is given no eras.

        X: (n_samples, n_features_in), finite. y is ignored.
        """
        X = self._checked(X, reset=True)
        unit_interval(self.proportion, "proportion")
        self.columns_, self.by_ = self._roles()
        self.coef_ = np.linalg.lstsq(with_intercept(X[:, self.by_]), X[:, self.columns_])[0]
        return self

    def transform(self, X: ArrayLike, *, eras: ArrayLike | None = None) -> Floats:
        """Return the neutralised columns, (n_samples, n_columns), in the order in which they are named.

        eras: (n_samples,) labels in any order. With them, each era is neutralised on its own rows, as a
        tournament does, whatever was fitted. Without them, the coefficients learnt by `fit` are applied, so
        that a row's result does not depend on the rows beside it.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        values, by = X[:, self.columns_], X[:, self.by_]
        if eras is None:
            return values - self.proportion * (with_intercept(by) @ self.coef_)
        left = np.empty_like(values)
        for rows in rows_by_era(eras, len(X)):
            left[rows] = neutralize(values[rows], by[rows], proportion=self.proportion)
        return left

    def fit_transform(self, X: ArrayLike, y: object = None, *, eras: ArrayLike | None = None) -> Floats:
        """Fit, then transform the same X, era by era if eras are given."""
        return self.fit(X, y).transform(X, eras=eras)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray[np.object_]:
        """The names of the neutralised columns: those of the fitted frame, or x0, x1, ... by position."""
        check_is_fitted(self)
        fitted = getattr(self, "feature_names_in_", None)
        names = fitted if input_features is None else np.asarray(input_features, dtype=object)
        if names is None:
            names = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        if len(names) != self.n_features_in_ or (fitted is not None and list(names) != list(fitted)):
            raise ValueError("input_features is not equal to feature_names_in_, or of another length")
        return np.asarray(names[self.columns_], dtype=object)

    def _checked(self, X: ArrayLike, *, reset: bool) -> Floats:
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=reset))

    def _positions(self, columns: Columns, parameter: str) -> list[int]:
        """Where the named columns are in X, each once, negative positions counted from the end."""
        wanted = [columns] if isinstance(columns, int | str | np.integer) else list(columns)
        names = {name: i for i, name in enumerate(getattr(self, "feature_names_in_", ()))}
        n = self.n_features_in_
        positions = [names.get(column, n) if isinstance(column, str) else int(column) for column in wanted]
        found = [position % n for position in positions if -n <= position < n]
        if not found or len(set(found)) < len(wanted):
            raise InputError(
                Problem(
                    f"bad_{parameter}",
                    f"{parameter} that name columns of X, each once",
                    f"{wanted} beside {list(names) or n} columns",
                    "give names of a data frame's columns, or positions",
                )
            )
        return found


class FeatureNeutralizer(_Neutralizer):
    """Take the features out of predictions that stand beside them in X.

        y - q [1 F] pinv([1 F]) y,   y the prediction columns of X, F all its other columns

    prediction_columns: position (-1, the last) or name of the column that holds predictions, or several of
    them. proportion: q in [0, 1], the share to take out. `transform(X, eras=...)` neutralises every era on
    its own rows (route `eras` in a pipeline with `set_transform_request(eras=True)`); `transform(X)` applies
    the coefficients of the fitted rows. Source: [F93#1].

    >>> X = [[0.0, 1.0], [1.0, 2.0], [2.0, 4.0]]
    >>> FeatureNeutralizer().fit_transform(X, eras=["a", "a", "a"]).round(6).ravel()
    array([ 0.166667, -0.333333,  0.166667])
    """

    def __init__(self, prediction_columns: Columns = -1, proportion: float = 1.0) -> None:
        self.prediction_columns = prediction_columns
        self.proportion = proportion

    def _roles(self) -> tuple[list[int], list[int]]:
        predictions = self._positions(self.prediction_columns, "prediction_columns")
        return predictions, [i for i in range(self.n_features_in_) if i not in predictions]


class MetamodelNeutralizer(_Neutralizer):
    """Take the metamodel out of predictions: what is left is the part the crowd does not have.

        y - q [1 m] pinv([1 m]) y,   m the metamodel column of X, y every other column

    metamodel_column: its position (-1, the last) or name. proportion: q in [0, 1]. Eras as in
    `FeatureNeutralizer`. Values are taken as they are: `uniform` ranks of each era give the residual that
    MMC2 scores. Source: [F93#1], [SPEC 2].

    >>> X = [[0.1, 0.0], [0.2, 1.0], [0.4, 2.0]]
    >>> MetamodelNeutralizer().fit_transform(X).round(6).ravel()
    array([ 0.016667, -0.033333,  0.016667])
    """

    def __init__(self, metamodel_column: Column = -1, proportion: float = 1.0) -> None:
        self.metamodel_column = metamodel_column
        self.proportion = proportion

    def _roles(self) -> tuple[list[int], list[int]]:
        metamodel = self._positions(self.metamodel_column, "metamodel_column")
        return [i for i in range(self.n_features_in_) if i not in metamodel], metamodel


def corr_score(y_true: ArrayLike, y_pred: ArrayLike, *, eras: ArrayLike | None = None) -> float:
    """Return CORR, averaged over eras if they are given. Arguments (n_samples,). Source: [SPEC 2].

    >>> round(corr_score([0, 0.5, 1, 0, 0.5, 1], [1, 2, 3, 3, 2, 1], eras=[1, 1, 1, 2, 2, 2]), 12)
    0.0
    """
    return _mean_over_eras(lambda t, p: corr(p, t), y_true, y_pred, eras)


def numerai_corr_score(y_true: ArrayLike, y_pred: ArrayLike, *, eras: ArrayLike | None = None) -> float:
    """Return numerai_corr, averaged over eras if they are given. Arguments (n_samples,). Source: [SPEC 2]."""
    return _mean_over_eras(lambda t, p: numerai_corr(p, t), y_true, y_pred, eras)


def mmc2_score(y_true: ArrayLike, y_pred: ArrayLike, *, metamodel: ArrayLike, eras: ArrayLike | None = None) -> float:
    """Return MMC2 against a given metamodel, averaged over eras if they are given. Arguments (n_samples,).

    One bag, and the metamodel as it is (only its ranks count): 0 for a copy of it. Source: [F93#1].
    """
    return _mean_over_eras(lambda t, p, m: mmc2(np.column_stack([p, m]), [0, 1], t)[0], y_true, y_pred, eras, metamodel)


corr_scorer = make_scorer(corr_score)
"""CORR as a scorer; `corr_scorer.set_score_request(eras=True)` has cross-validation pass the eras on."""
numerai_corr_scorer = make_scorer(numerai_corr_score)
"""numerai_corr as a scorer."""
mmc2_scorer = make_scorer(mmc2_score)
"""MMC2 as a scorer; it needs `metamodel` routed to it, beside `eras`."""


def _mean_over_eras(
    score: Callable[..., float],
    target: ArrayLike,
    predictions: ArrayLike,
    eras: ArrayLike | None,
    *others: ArrayLike,
) -> float:
    """The mean of an era's score over eras; of a single era where none are named."""
    given = (target, predictions, *others)
    columns = [numbers(x, name) for x, name in zip(given, ("target", "predictions", "metamodel"), strict=False)]
    if eras is None:
        return float(score(*columns))
    scores = [score(*(column[rows] for column in columns)) for rows in rows_by_era(eras, len(columns[0]))]
    return math.fsum(scores) / len(scores)


def rows_by_era(eras: ArrayLike, n_rows: int) -> Iterator[NDArray[np.intp]]:
    """The rows of each era, eras in the order of their labels, rows in their own order."""
    labels = np.asarray(eras)
    if labels.shape != (n_rows,):
        raise InputError(
            Problem("misaligned", f"eras of shape ({n_rows},)", f"shape {labels.shape}", "give every row its era")
        )
    era_of_row = np.unique(labels, return_inverse=True)[1]
    order = np.argsort(era_of_row, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(era_of_row[order])) + 1)
