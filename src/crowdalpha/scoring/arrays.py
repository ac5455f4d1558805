"""The one door for shapes, types and missing values: past it, arrays are what they say they are."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring.options import is_real, said
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Ties = Literal["average", "first"]

LARGEST_WHOLE = 2**53
"""Up to this size a float64 holds every whole number."""
LARGEST = 1e150
"""Larger numbers are refused: sums of their squares would overflow."""


def given(x: ArrayLike, name: str) -> NDArray[Any]:
    """The input as an array of numbers of its own type, or a refusal if it is ragged, masked or not of numbers."""
    if _masked(x):
        raise InputError(
            Problem("masked", f"{name} without masked values", "a mask", "drop these ids, or say NaN where it may be")
        )
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
    return array


def numbers(x: ArrayLike, name: str) -> Floats:
    """The input as a float64 array, or a refusal if it does not hold numbers or a float64 cannot hold them."""
    array = given(x, name)
    lost = int(lost_digits(_before_mixing(x, array)).sum())
    if lost:
        raise InputError(
            Problem(
                "too_many_digits",
                f"{name} that a float64 can hold",
                f"{lost} numbers that would be rounded",
                "round, rank or shift them yourself: numbers that differ must not become the same",
            )
        )
    return array.astype(np.float64, copy=False)


def lost_digits(array: NDArray[Any]) -> Mask:
    """Which numbers a float64 cannot hold: integers of more than 53 significant bits, and the finest long doubles."""
    kind, width = array.dtype.kind, array.dtype.itemsize
    if kind == "O":
        whole = [isinstance(x, int | np.integer) and int(float(x)) != int(x) for x in array.flat]
        return np.array(whole, bool).reshape(array.shape)
    if kind == "f" and width > 8:
        with np.errstate(all="ignore"):
            return np.asarray((array.astype(np.float64) != array) & ~np.isnan(array))
    if kind in "iu" and width == 8:
        size = np.abs(array.ravel()).astype(np.uint64)
        lowest_bit = np.maximum(size & (~size + np.uint64(1)), np.uint64(1))
        return (size // lowest_bit >= LARGEST_WHOLE).reshape(array.shape)
    return np.zeros(array.shape, bool)


def bounded(array: Floats) -> bool:
    """Whether all numbers are finite and none is so large that its square could overflow."""
    return bool(array.min(initial=0.0) >= -LARGEST and array.max(initial=0.0) <= LARGEST)


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
    if not bounded(columns):
        refuse_if_any(_not_finite(columns, name, np.zeros(columns.shape[1], bool)))
    return columns, single


def models(predictions: ArrayLike) -> tuple[Floats, Mask, bool]:
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
    _check_length(len(array), None, "predictions")
    single = array.ndim == 1
    columns = array[:, None] if single else array
    if bounded(columns):
        return columns, np.ones(columns.shape[1], bool), single
    absent: Mask = np.atleast_1d(np.isnan(columns).all(axis=0))
    refuse_if_any(_not_finite(columns, "predictions", absent))
    return np.where(absent, 0.0, columns), np.logical_not(absent), single


def vector(x: ArrayLike, name: str, length: int, *, what: str = "ids") -> Floats:
    """A (length,) array of finite numbers."""
    array = numbers(x, name)
    one_each(array, name, length, what=what)
    if not bounded(array):
        raise InputError(_too_large(name, array, ""))
    return array


def one_each(array: NDArray[Any], name: str, length: int, *, what: str = "ids") -> None:
    """Refuse an array that is not (length,) finite numbers."""
    if array.shape != (length,):
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


def unit_interval(value: float, name: str) -> float:
    """A number in [0, 1]."""
    if not is_real(value, 0, 1):
        raise InputError(Problem(f"bad_{name}", f"{name} in [0, 1]", said(value), "choose one in that range"))
    return float(value)


def tie_rule(ties: str) -> Ties:
    """One of the two tie rules, or a refusal."""
    if not isinstance(ties, str) or ties not in ("average", "first"):
        raise InputError(Problem("bad_ties", "ties 'average' or 'first'", said(ties), "choose one of the two"))
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
    huge = np.flatnonzero((np.isfinite(columns) & (np.abs(columns) > LARGEST)).any(axis=0))
    return problems + [_too_large(name, columns[:, j], f"{name} column {j}") for j in huge]


def _too_large(name: str, values: Floats, where: str) -> Problem:
    found = f"{np.abs(values[np.isfinite(values)]).max():g}"
    return Problem("too_large", f"{name} from -1e150 to 1e150", found, "scale it down: squares would overflow", where)


def _masked(x: object) -> bool:
    """Whether a masked array, alone or in a list, hides a value: an array made of it would show it again."""
    if isinstance(x, list | tuple):
        return any(_masked(each) for each in x)
    return isinstance(x, np.ma.MaskedArray) and bool(np.ma.is_masked(x))


def _before_mixing(x: ArrayLike, array: NDArray[Any]) -> NDArray[Any]:
    """The numbers as they came: beside a float, or past 2^63, NumPy turns the integers of a list into floats."""
    if isinstance(x, np.ndarray) or array.dtype != np.float64 or not (np.abs(array) > LARGEST_WHOLE).any():
        return array
    return np.where(np.isfinite(array), np.asarray(x, object), 0)
