"""How values are written: moments to the second, amounts with 18 decimals, factors as text, no number for NaN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from crowdalpha.tournament.money import UNITS

LONGEST = 60


def write_time(moment: datetime) -> str:
    """A moment in UTC, to the second.

    >>> write_time(datetime(2026, 1, 3, 18, 0, 0, 500, tzinfo=UTC))
    '2026-01-03T18:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_date(day: date) -> str:
    """A day in UTC.

    >>> write_date(datetime(2026, 1, 3, 18, tzinfo=UTC))
    '2026-01-03'
    """
    return (day.astimezone(UTC) if isinstance(day, datetime) else day).strftime("%Y-%m-%d")


def write_nmr(units: int) -> str:
    """Whole units as coins with 18 decimals.

    >>> write_nmr(12_500_000_000), write_nmr(-1)
    ('12.500000000000000000', '-0.000000001000000000')
    """
    whole, part = divmod(abs(units), UNITS)
    return f"{'-' if units < 0 else ''}{whole}.{part:09d}{'0' * 9}"


def write_factor(factor: float) -> str:
    """A factor as text, exactly.

    >>> write_factor(1.0), write_factor(0.75)
    ('1.0', '0.75')
    """
    return repr(float(factor))


SCALARS: Mapping[str, Callable[[Any], str]] = {
    "Time": write_time,
    "Date": write_date,
    "Nmr": write_nmr,
    "Usd": str,
    "Factor": write_factor,
}
"""How each scalar of the schema is written."""


def number(value: float | None) -> float | None:
    """A score, or None where there is none: JSON knows no NaN."""
    return value if value is not None and isfinite(value) else None


def plain_amount(text: str) -> str:
    """An amount as clients write it, 18 decimals and exponents included, as the tournament reads it.

    What is no amount stays as it is: the tournament refuses it in its own words.

    >>> plain_amount("1E-9"), plain_amount("12.500000000000000000")
    ('0.000000001', '12.5')
    """
    try:
        amount = Decimal(text.replace(",", "")) if len(text) <= LONGEST else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount.adjusted()) > LONGEST:
        return text
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
