"""Numbers as a reader sees them: the same digits, signs and units on every page."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

MISSING = "–"
MINUS = "−"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
HIDDEN = frozenset(
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFFFE, 0xFFFF)
)
"""Direction overrides, which could turn the text after a name around, and what XML does not allow."""


def plain(value: float, digits: int = 4) -> str:
    """A number without a plus sign and without a zero before its point.

    >>> plain(0.1234567), plain(-1.5, 2), plain(float("nan"))
    ('.1235', '−1.50', '–')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{digits}f}"
    sign = MINUS if value < 0 and text.strip("0.") else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def signed(value: float, digits: int = 4) -> str:
    """A score: always with its sign, except for what rounds to zero.

    >>> signed(0.01234), signed(-0.5, 2), signed(-0.00001)
    ('+.0123', '−.50', '.0000')
    """
    text = plain(value, digits)
    return f"+{text}" if value > 0 and text.strip("0.–") else text


def between(low: float, high: float, digits: int = 4) -> str:
    """An interval.

    >>> between(-0.001, 0.002)
    '−.0010 to +.0020'
    """
    return f"{signed(low, digits)} to {signed(high, digits)}"


def percent(share: float, digits: int = 1) -> str:
    """A share of one as a percentage.

    >>> percent(0.1234), percent(0.5, 0)
    ('12.3%', '50%')
    """
    return f"{100 * share:.{digits}f}%" if math.isfinite(share) else MISSING


def signed_percent(share: float, digits: int = 2) -> str:
    """A share of one as a percentage with its sign, but for what rounds to zero.

    >>> signed_percent(0.0123), signed_percent(-0.25, 0), signed_percent(0.0)
    ('+1.23%', '−25%', '0.00%')
    """
    if not math.isfinite(share):
        return MISSING
    size = percent(abs(share), digits)
    sign = ("+" if share > 0 else MINUS) if size.strip("0.%") else ""
    return sign + size


def times(factor: float) -> str:
    """How many times as much something has become, to three figures.

    >>> times(482.17), times(1.2), times(0.0004), times(0.0)
    ('482×', '1.20×', '.0004×', '0×')
    """
    if not math.isfinite(factor):
        return MISSING
    if factor <= 0:
        return "0×"
    return f"{plain(factor, 0 if factor >= 100 else 1 if factor >= 10 else 2 if factor >= 0.1 else 4)}×"


def amounts(values: Sequence[float]) -> tuple[str, ...]:
    """A column of stakes, all with the same number of decimals.

    >>> amounts([1200.0, 3.0]), amounts([0.5, 10])
    (('1,200', '3'), ('.50', '10.00'))
    """
    known = [value for value in values if math.isfinite(value)]
    whole = all(value == int(value) for value in known) or max(known, default=0.0) >= 10_000
    return tuple(plain(value, 0 if whole else 2) for value in values)


def legible(text: str) -> str:
    """The text with control characters, lone surrogates and direction overrides made visible.

    >>> legible("a\\x00b")
    'a�b'
    """
    unsafe = ("Cc", "Cs")
    return "".join(UNKNOWN if c in HIDDEN or unicodedata.category(c) in unsafe else c for c in text)


def pinch(text: str, limit: int) -> str:
    """At most `limit` characters, cut in the middle: names of a family often differ at their ends.

    >>> pinch("feature_trend_lag_11", 12)
    'featur…ag_11'
    """
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis where something was cut.

    >>> shorten("gradient_boosting", 9)
    'gradient…'
    """
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
