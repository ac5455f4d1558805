"""The door for numbers: every array and every share that a payout is asked about comes in here."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError

LARGEST = 1e150
"""Larger numbers are refused: their products would overflow."""


def floats(values: npt.ArrayLike, name: str, *, largest: float = LARGEST) -> Array:
    """The numbers as a float64 array, refused if they are ragged, masked, no real numbers or enormous.

    NaN and infinity pass: what they mean is for the caller to say.

    >>> floats([1, 2], "stake")
    array([1., 2.])
    """
    if _masked(values):
        raise PayoutError(("masked", f"{name} has masked values; drop these models, or pass NaN where that is allowed"))
    try:
        array = np.asarray(values)
    except ValueError:
        sentence = f"{name} has rows of different lengths, expected a rectangle of numbers"
        raise PayoutError(("ragged", sentence)) from None
    if array.dtype.kind not in "fiub":
        raise PayoutError(("not_numeric", f"{name} holds values of type {array.dtype}, expected real numbers"))
    with np.errstate(over="ignore"):
        array = array.astype(np.float64, copy=False)
    if bool((np.isfinite(array) & (np.abs(array) > largest)).any()):
        raise PayoutError(("too_large", f"{name} has a number beyond 1e150, expected smaller ones"))
    return array


def is_real(value: object) -> bool:
    """Whether this is one finite real number; a text, a list, a complex number and True are not.

    >>> is_real(0.5), is_real("0.5"), is_real(float("inf"))
    (True, False, False)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _masked(values: object) -> bool:
    if isinstance(values, list | tuple):
        return any(_masked(each) for each in values)
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.is_masked(values))
