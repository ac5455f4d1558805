"""A policy is a formula and its parameters: this is the one place that clips, applies the factor and pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.numbers import floats, is_real
from crowdalpha.payouts.parameters import Choice, Order, Rule
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError
from crowdalpha.payouts.scores import Formula, Scores, checked_factor, checked_scores


@dataclass(frozen=True, slots=True)
class FormulaPolicy:
    """Pay each model its stake times a clipped fraction of it.

        none               S clip(f, -clip, clip)
        clip then factor   F S clip(f, -clip, clip)
        factor then clip   S clip(F f, -clip, clip)

    S: stake at risk (n_models,). f: `formula` of the scores, a fraction of the stake. F: payout factor. With order
    "none" a rule has no payout factor and ignores the one it is given. A model without a stake is paid 0.
    """

    formula: Formula
    clip: float = 1.0
    order: Order = "factor then clip"
    choices: tuple[Choice, ...] = ()
    window: int = 1

    def __post_init__(self) -> None:
        """Refuse a clip above the stake: nobody can burn more than is at risk."""
        if not is_real(self.clip) or not 0 < self.clip <= 1:
            raise PayoutError(
                ("clip_range", f"clip is {self.clip!r:.80}, expected a fraction of the stake above 0 and up to 1")
            )

    def payouts(
        self,
        stake: npt.ArrayLike,
        corr: npt.ArrayLike,
        mmc: npt.ArrayLike,
        *,
        corr_multiplier: npt.ArrayLike | None = None,
        mmc_multiplier: npt.ArrayLike | None = None,
        payout_factor: npt.ArrayLike = 1.0,
        metamodel_corr: npt.ArrayLike = np.nan,
    ) -> Array:
        """The signed payout of each model, in units of its stake (see `Policy.payouts`).

        >>> policy = FormulaPolicy(lambda scores: scores.weighted, clip=0.25)
        >>> policy.payouts([100, 100], [0.02, -0.4], [0.01, 0], payout_factor=0.8)
        array([  2.4, -25. ])
        """
        stakes = floats(stake, "stake")
        scores = checked_scores(
            stakes, corr, mmc, corr_multiplier, mmc_multiplier, metamodel_corr,
            choices=self.choices, window=self.window,
        )  # fmt: skip
        fraction = self._clipped(*self._fitting(scores, checked_factor(payout_factor)))
        if bool(np.any(np.isnan(fraction) & scores.at_risk)):
            raise PayoutError(("payout_missing", "the formula gave NaN to a model with a stake, expected a number"))
        return np.where(stakes > 0, stakes * fraction, 0.0)

    def _fitting(self, scores: Scores, factor: Array) -> tuple[Array, Array]:
        """The fractions and the factor, refused unless each is one number or one a model."""
        fraction = floats(self.formula(scores), "formula", largest=np.inf)
        paid = scores.shape if self.window == 1 else scores.shape[1:]
        for name, found in (("the formula", fraction), ("the payout factor", factor)):
            if found.shape not in ((), (1,)) and found.shape != paid:
                raise PayoutError(("shape_mismatch", f"{name} has shape {found.shape}, expected one number or {paid}"))
        return fraction, factor

    def _clipped(self, fraction: Array, factor: Array) -> Array:
        if self.order == "factor then clip":
            return np.clip(factor * fraction, -self.clip, self.clip)
        clipped = np.clip(fraction, -self.clip, self.clip)
        return factor * clipped if self.order == "clip then factor" else clipped


def policy_of_rule(rule: Rule) -> FormulaPolicy:
    """The policy that a dated rule describes."""

    def banded(scores: Scores) -> Array:
        return (scores.weighted - rule.offset) / rule.band

    return FormulaPolicy(banded, rule.clip, rule.order, rule.choices)


def policy_of(fraction: Callable[[Array, Array], npt.ArrayLike], *, clip: float = 1.0) -> FormulaPolicy:
    """A policy of one's own: `fraction(corr, mmc)` is what a model earns of its stake.

    >>> policy_of(lambda corr, mmc: corr + 3 * mmc, clip=0.05).payouts([100, 100], [0.01, 0.02], [0, 0.02])
    array([1., 5.])
    """
    return FormulaPolicy(lambda scores: floats(fraction(scores.corr, scores.mmc), "fraction", largest=np.inf), clip)


def payout_factor(total_at_risk: npt.ArrayLike, threshold: float | None) -> Array:
    """How much every payout and every burn of a round shrinks, because so much is at risk.

        F = min(1, threshold / total at risk)

    Both in the same unit; a rule without a threshold (None) has F = 1. Known at scoring, after pending stake
    changes. [docs@025cf5e]

    >>> payout_factor([200_000, 400_000, 600_000], 300_000)
    array([1.  , 0.75, 0.5 ])
    """
    total = floats(total_at_risk, "total_at_risk")
    if not bool(np.all(np.isfinite(total) & (total >= 0))):
        raise PayoutError(("total_at_risk", f"the total at risk is {total}, expected finite numbers of 0 or more"))
    if threshold is None:
        return np.ones_like(total)
    if not is_real(threshold) or not threshold > 0:
        raise PayoutError(("threshold", f"the threshold is {threshold!r:.80}, expected a number above 0"))
    return threshold / np.maximum(total, threshold)
