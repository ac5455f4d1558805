"""The one door for shapes, types and missing values: past it, arrays are what they say they are."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Ties = Literal["average", "first"]


def numbers(x: ArrayLike, name: str) -> Floats:
    """The input as a float64 array, or a refusal if it is ragged or does not hold numbers."""
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(
            Problem("ragged", f"{name} as a rectangle of numbers", "rows of different lengths", "pad or split it")
        ) from None
    if array.dtype.kind not in "fiub":
        raise InputError(
            Problem("not_numeric", f"{name} as numbers", f"values of type {array.dtype}", "convert it first")
        )
    return array.astype(np.float64, copy=False)


def matrix(x: ArrayLike, name: str, n_ids: int | None = None) -> tuple[Floats, bool]:
    """An (n_ids, n_columns) array of finite numbers, and whether the caller gave a single (n_ids,) column."""
    array = numbers(x, name)
    if array.ndim not in (1, 2):
        raise InputError(
            Problem("wrong_shape", f"{name} of shape (n_ids, n_columns)", f"shape {array.shape}", "reshape it")
        )
    _check_length(len(array), n_ids, name)
    single = array.ndim == 1
    columns = array[:, None] if single else array
    if not np.isfinite(columns).all():
        refuse_if_any(_not_finite(columns, name, np.zeros(columns.shape[1], bool)))
    return columns, single


def models(predictions: ArrayLike, n_ids: int | None = None) -> tuple[Floats, Mask, bool]:
    """Predictions as (n_ids, n_models), which models are present, and whether a single model was given.

    A model that is missing from the era is a column of NaN and nothing else; its column comes back as zeros
    and its mask as False. A NaN beside numbers, or an infinity, is refused: nothing is filled in silently.
    """
    array = numbers(predictions, "predictions")
    if array.ndim not in (1, 2):
        raise InputError(
            Problem(
                "wrong_shape",
                "predictions of shape (n_ids, n_models)",
                f"shape {array.shape}",
                "reshape them",
            )
        )
    _check_length(len(array), n_ids, "predictions")
    single = array.ndim == 1
    columns = array[:, None] if single else array
    if np.isfinite(columns).all():
        return columns, np.ones(columns.shape[1], bool), single
    absent: Mask = np.atleast_1d(np.isnan(columns).all(axis=0))
    refuse_if_any(_not_finite(columns, "predictions", absent))
    return np.where(absent, 0.0, columns), np.logical_not(absent), single


def vector(x: ArrayLike, name: str, length: int, *, what: str = "ids") -> Floats:
    """A (length,) array of finite numbers."""
    array = numbers(x, name)
    if array.ndim != 1 or len(array) != length:
        raise InputError(
            Problem(
                "misaligned",
                f"{name} of shape ({length},), one per {what[:-1]}",
                f"shape {array.shape}",
                f"pass one value for each of the {length} {what}",
            )
        )
    if not np.isfinite(array).all():
        raise InputError(
            Problem(
                f"bad_{name}",
                f"{name} without NaN or infinity",
                f"{int((~np.isfinite(array)).sum())} such values",
                f"drop those {what} everywhere first",
            )
        )
    return array


def unit_interval(value: float, name: str) -> float:
    """A number in [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise InputError(Problem(f"bad_{name}", f"{name} in [0, 1]", repr(value), "choose one in that range"))
    return float(value)


def tie_rule(ties: str) -> Ties:
    """One of the two tie rules, or a refusal."""
    if ties not in ("average", "first"):
        raise InputError(Problem("bad_ties", "ties 'average' or 'first'", repr(ties), "choose one of the two"))
    return ties  # type: ignore[return-value]


def like_input(scores: NDArray[Any], single: bool) -> Any:
    """A scalar for a single model, the last axis being models; the array itself otherwise."""
    return scores[..., 0][()] if single else scores


def _check_length(found: int, expected: int | None, name: str) -> None:
    if expected is not None and found != expected:
        raise InputError(
            Problem("misaligned", f"{name} with {expected} rows", f"{found} rows", "align both to the same ids")
        )
    if found < 2:
        raise InputError(Problem("too_few_ids", f"{name} with at least 2 ids", str(found), "pass a whole era"))


def _not_finite(columns: Floats, name: str, absent: Mask) -> list[Problem]:
    problems = []
    for j in np.flatnonzero(~np.isfinite(columns).all(axis=0) & ~absent):
        rows = np.flatnonzero(~np.isfinite(columns[:, j]))
        kind = "nan" if np.isnan(columns[rows, j]).any() else "inf"
        problems.append(
            Problem(
                f"{kind}_in_{name}",
                "a finite number for every id",
                f"{len(rows)} NaN or infinite values, the first in row {rows[0]}",
                "give every id a number"
                + (", or the whole column NaN if the model is absent" if name == "predictions" else ""),
                f"{name} column {j}",
            )
        )
    return problems
