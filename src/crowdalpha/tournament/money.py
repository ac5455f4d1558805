"""Money: whole units, a billion to the coin, always Python integers. Text in and out is exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

DECIMALS = 9
UNITS = 10**DECIMALS
"""Whole units in a coin."""

LARGEST = 2**63 - 1
"""The most units an account can hold: what a database keeps in a BIGINT. About 9.2 billion coins."""

_PLAIN = re.compile(r"(-?)([0-9]{1,40})(?:\.([0-9]{1,40}))?")


def parse_amount(text: str) -> int:
    """The whole units that a plain decimal number of coins says.

    `text` is digits, with a minus sign before them or a point and up to nine decimals after them if need be. Anything
    else is refused: a float (it has been rounded already), exponents, signs of thousands, spaces, NaN.

    >>> parse_amount("12.5")
    12500000000
    >>> parse_amount("1e3")
    Traceback (most recent call last):
    ...
    crowdalpha.scoring.problems.InputError: expected an amount in plain digits such as 12.5, found '1e3'; ...
    """
    match = _PLAIN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        fix = f"write it as text with a point and at most {DECIMALS} decimals"
        raise InputError(Problem("bad_amount", "an amount in plain digits such as 12.5", repr(text)[:60], fix))
    sign, coins, decimals = match[1], match[2], match[3] or ""
    if len(decimals) > DECIMALS:
        fix = "round it yourself, so that you know what you get"
        raise InputError(Problem("amount_too_fine", f"at most {DECIMALS} decimals", text, fix))
    units = int(coins) * UNITS + int(decimals.ljust(DECIMALS, "0"))
    refuse_if_any(amount_problems(units, "the amount"))
    return -units if sign else units


def format_amount(units: int) -> str:
    """The coins that whole units are, in as few decimals as say it exactly; `parse_amount` reads it back.

    >>> [format_amount(units) for units in (12_500_000_000, -1, 0, 7 * UNITS)]
    ['12.5', '-0.000000001', '0', '7']
    """
    coins, rest = divmod(abs(units), UNITS)
    decimals = f".{rest:0{DECIMALS}d}".rstrip("0") if rest else ""
    return f"{'-' if units < 0 else ''}{coins}{decimals}"


def round_half_even(exact: Fraction) -> int:
    """The nearest whole unit, and of two equally near ones the even one: the one rounding rule of all money.

    >>> [round_half_even(Fraction(half, 2)) for half in (1, 3, 5, -1, -3)]
    [0, 2, 2, 0, -2]
    """
    return nearest(exact.numerator, exact.denominator)


def nearest(numerator: int, denominator: int) -> int:
    """`round_half_even` of a ratio of whole numbers, the denominator above 0.

    >>> nearest(5, 2), nearest(7, 2), nearest(-5, 3)
    (2, 4, -2)
    """
    below, rest = divmod(numerator, denominator)
    return below + (2 * rest > denominator or (2 * rest == denominator and below % 2 == 1))


def amount_problems(units: object, where: str) -> Iterator[Problem]:
    """What keeps something from being an amount of money: any type but int, a size that no account can hold."""
    if type(units) is not int:
        fix = "pass a Python int of units; parse_amount reads coins"
        yield Problem("not_whole_units", "whole units as an int", f"{type(units).__name__} {units!r}"[:60], fix, where)
    elif abs(units) > LARGEST:
        found, most = format_amount(units), format_amount(LARGEST)
        yield Problem("amount_too_large", f"at most {most} coins", found, "move less at once", where)


def positive_problems(units: object, where: str) -> Iterator[Problem]:
    """What keeps something from being an amount that can be moved from one account to another."""
    yield from amount_problems(units, where)
    if type(units) is int and units <= 0:
        yield Problem("amount_not_positive", "an amount above 0", format_amount(units), "say how much moves", where)
