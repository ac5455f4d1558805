"""Bags: subsamples of the stakers, so that a giant staker does not drown the others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring.arrays import Whole, given, numbers, one_each
from crowdalpha.scoring.options import is_real, is_whole, said, seed_bytes
from crowdalpha.scoring.problems import InputError, Problem

UNITS_PER_COIN = 10**9
"""Stakes are money: a float stake is rounded to nine decimals; an integer stake is whole units already."""
BAG_FRACTION = 0.67
"""Share of the stakers that one bag draws [DOCS]."""
MOST_DRAWS = 2**20
"""Draws that one bag may not reach: with fewer, all sums over two million ids stay whole."""
N_BAGS = 20
"""Bags of a round; more at its resolution [F84#6]."""


def draw_bags(
    stakes: ArrayLike,
    *,
    n_bags: int = N_BAGS,
    fraction: float = BAG_FRACTION,
    replacement: bool = True,
    seed: int | str | bytes,
) -> Whole:
    """Subsamples of the stakers: each bag draws round(fraction x n_stakers) of them, at least one.

    stakes: (n_models,); models without stake are never drawn. Result: whole multiplicities (n_bags, n_models), to
    be multiplied with the stakes. With replacement a staker is in about 49% of the bags, without in 67%. Bag b
    depends on the seed, on b and on the order of the models (sort them by name), not on n_bags: more bags extend
    fewer. The draws are made from Philox's raw output by a fixed rule, so no NumPy version changes them.
    Source: [SPEC 1], [F84#6].

    >>> draw_bags([5, 0, 1, 2], n_bags=2, seed=7)
    array([[1, 0, 1, 0],
           [1, 0, 1, 0]])
    """
    units = whole_units(stakes)
    bags = np.zeros((n_bags if is_whole(n_bags, 1) else 0, len(units)), np.int64)
    for b, drawn in enumerate(draws(units, n_bags=n_bags, fraction=fraction, replacement=replacement, seed=seed)):
        bags[b] = drawn
    return bags


def draws(
    units: Whole, *, n_bags: int, fraction: float = BAG_FRACTION, replacement: bool = True, seed: int | str | bytes
) -> Iterator[Whole]:
    """The rows of `draw_bags` one at a time, for crowds of which twenty rows are a lot."""
    if not is_whole(n_bags, 1) or not is_real(fraction, 0, 1) or fraction == 0:
        raise InputError(
            Problem(
                "bad_bags",
                "n_bags of 1 or more and a fraction in (0, 1]",
                f"{said(n_bags)} and {said(fraction)}",
                "the rule of 2020 is 20 bags of .67",
            )
        )
    start, stakers = seed_bytes(seed), np.flatnonzero(units)
    size = max(round(fraction * len(stakers)), 1)
    for b in range(n_bags if len(stakers) else 0):
        raw = _random_words(start, b)
        drawn = _with_replacement(raw, len(stakers), size) if replacement else _without(raw, len(stakers), size)
        yield np.bincount(stakers[drawn], minlength=len(units))


def whole_units(stakes: ArrayLike, n_models: int | None = None) -> Whole:
    """Stakes as whole units: integers as they are, floats rounded to nine decimals. Refuses what would vanish.

    >>> whole_units([1.5, 0.0]), whole_units([3, 4])
    (array([1500000000,          0]), array([3, 4]))
    """
    raw = given(stakes, "stakes")
    one_each(raw, "stakes", raw.size if n_models is None else n_models, what="models")
    with np.errstate(over="ignore"):  # what is too large is refused below
        coins = raw.astype(np.float64)
        units = raw if raw.dtype.kind in "iu" else np.rint(coins * UNITS_PER_COIN)
    if (units < 0).any() or (units >= 2**62).any():
        raise InputError(
            Problem(
                "bad_stakes",
                "stakes from 0 to 4.6e9 coins (2^62 units)",
                f"{coins.min():g} to {coins.max():g}",
                "give the stakes as coins, or as whole units of a billionth",
            )
        )
    vanished = (coins > 0) & (units == 0)
    if vanished.any():
        raise InputError(
            Problem(
                "stake_too_small",
                "stakes of .000000001 or more",
                f"{coins[vanished].min():g}",
                "scale the stakes up: only their ratios matter",
            )
        )
    return units.astype(np.int64)


def whole_bags(bags: ArrayLike, n_models: int) -> Whole:
    """Multiplicities (n_bags, n_models) as integers, or a refusal."""
    array = numbers(bags, "bags")
    if array.ndim != 2 or array.shape[1] != n_models or array.shape[0] == 0:
        raise InputError(
            Problem(
                "bad_bags",
                f"bags of shape (n_bags, {n_models})",
                f"shape {array.shape}",
                "draw them with draw_bags from this era's stakes",
            )
        )
    if (
        not ((array >= 0) & (array < MOST_DRAWS) & (array == np.rint(array))).all()
        or (array.sum(axis=1) >= MOST_DRAWS).any()
    ):
        raise InputError(
            Problem(
                "bad_bags",
                "whole multiplicities of 0 or more, fewer than 2^20 in a bag",
                "negative, broken or huge values",
                "draw the bags with draw_bags",
            )
        )
    return array.astype(np.int64)


def _random_words(seed: bytes, bag: int) -> np.random.Philox:
    key = np.frombuffer(hashlib.sha256(seed + b"/" + str(bag).encode()).digest()[:16], "<u8")
    return np.random.Philox(key=key)


def _with_replacement(raw: np.random.Philox, n: int, size: int) -> Whole:
    """`size` numbers below n, all equally likely: 64-bit words modulo n, less those past n's last multiple."""
    last = np.uint64(2**64 - 2**64 % n - 1)
    drawn = np.zeros(0, np.uint64)
    while len(drawn) < size:
        words = np.asarray(raw.random_raw(size))
        drawn = np.concatenate([drawn, words[words <= last] % np.uint64(n)])
    return drawn[:size].astype(np.int64)


def _without(raw: np.random.Philox, n: int, size: int) -> Whole:
    """The `size` numbers below n whose 64-bit words are smallest."""
    return np.argsort(raw.random_raw(n), kind="stable")[:size]
