"""What a caller chooses (a count, a share, a seed): one rule for whole numbers, one for real ones, one for seeds."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from crowdalpha.scoring.problems import InputError, Problem

SHOWN = 80
"""Letters of a wrong value that a refusal shows."""


def is_whole(value: object, least: int, most: float = math.inf) -> bool:
    """Whether this is a whole number in a range: an int of Python or NumPy, not a float and not True.

    >>> is_whole(3, 1), is_whole(0, 1), is_whole(3.0, 1), is_whole(True, 1)
    (True, False, False, False)
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(least <= value <= most)


def is_real(value: object, least: float = -math.inf, most: float = math.inf) -> bool:
    """Whether this is a finite number in a range, whole or not; True is none.

    >>> is_real(0.5, 0, 1), is_real(2, 0, 1), is_real("0.5", 0, 1), is_real(float("nan"))
    (True, False, False, False)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        number = float(value)
    except OverflowError:
        return False
    return math.isfinite(number) and least <= number <= most


def said(value: object) -> str:
    """A value as a refusal shows it: its beginning, if it is long.

    >>> said("0.5"), len(said("x" * 1000)), said(10**5000)
    ("'0.5'", 80, 'a number of thousands of digits')
    """
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def seed_bytes(seed: int | str | bytes) -> bytes:
    """A seed as bytes: a number in decimals, a text in UTF-8. Anything else has no text that stays the same.

    >>> seed_bytes(7), seed_bytes("7"), seed_bytes(b"seven")
    (b'7', b'7', b'seven')
    """
    try:
        if isinstance(seed, bytes):
            return seed
        if isinstance(seed, int | np.integer | str) and not isinstance(seed, bool):
            return str(seed).encode()
    except ValueError:  # half of a surrogate pair, or thousands of digits
        pass
    raise InputError(Problem("bad_seed", "a seed that is an int, a text or bytes", said(seed), "give one of the three"))
