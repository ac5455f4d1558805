"""What a round comes to, in whole units: the arithmetic of every settlement, of numbers alone.

    p = round_half_even(fraction x amount at risk)

The fraction is the only float that touches money: it is taken for exactly the binary number that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crowdalpha.tournament.money import nearest


@dataclass(frozen=True, slots=True)
class Payments:
    """What each model is owed and paid, in the order they were given in, above 0 earned, below 0 burned.

    `spent` is what the treasury gives for all payouts.
    """

    owed: tuple[int, ...]
    paid: tuple[int, ...]
    spent: int

    @property
    def burned(self) -> int:
        """What is destroyed."""
        return -sum(amount for amount in self.paid if amount < 0)

    @property
    def left_over(self) -> int:
        """What goes to the account `rounding`; below 0, what comes from it."""
        return self.spent - sum(amount for amount in self.paid if amount > 0)


def payments(
    amounts: Sequence[int], fractions: Sequence[float], held: Sequence[int], *, treasury: int, rounding: int
) -> Payments:
    """What models with `amounts` at risk are paid of them, if they still hold `held`, that is what can be burned.

    The treasury pays the exact total of all payouts, rounded once; by how much their rounded sum differs from it is
    `left_over`. If the treasury cannot pay, it pays what it has: everybody's payout shrinks alike, rounded down.

    >>> payments([10, 10, 3], [0.25, -1.0, 0.5], [10, 8, 3], treasury=100, rounding=0)
    Payments(owed=(2, -10, 2), paid=(2, -8, 2), spent=4)
    """
    exact = [_product(fraction, amount) for fraction, amount in zip(fractions, amounts, strict=True)]
    owed = [nearest(*share) for share in exact]
    earned = sum(amount for amount in owed if amount > 0)
    spent, shrunk = _afforded(_total(exact), earned, treasury, rounding)
    paid = [max(amount, -most) for amount, most in zip(owed, held, strict=True)]
    if shrunk:
        paid = [amount * treasury // earned if amount > 0 else amount for amount in paid]
    return Payments(tuple(owed), tuple(paid), spent)


def _product(fraction: float, amount: int) -> tuple[int, int]:
    """The exact product, as a numerator and a denominator that is a power of two."""
    numerator, denominator = fraction.as_integer_ratio()
    return numerator * amount, denominator


def _total(shares: Sequence[tuple[int, int]]) -> int:
    """The sum of those above 0, rounded once."""
    gains = [share for share in shares if share[0] > 0]
    common = max((denominator for _, denominator in gains), default=1)
    return nearest(sum(numerator * (common // denominator) for numerator, denominator in gains), common)


def _afforded(total: int, earned: int, treasury: int, rounding: int) -> tuple[int, bool]:
    """What the treasury spends where `total` is the exact sum of payouts and `earned` the rounded ones'; is it all?"""
    from_rounding = min(max(0, earned - total), rounding)
    if earned - from_rounding <= treasury:
        return max(earned - from_rounding, min(total, treasury)), False
    return treasury, True
