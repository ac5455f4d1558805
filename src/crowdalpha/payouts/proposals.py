"""Payouts that were proposed but never became a rule, as formulas: some are fair, some can be milked.

Whether one can is not an opinion: `fairness.exploit_of` finds the pair of models that earns from it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.numbers import floats, is_real
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError
from crowdalpha.payouts.scores import Formula, Scores


def hard_era_coefficient(mmc: npt.ArrayLike, metamodel_corr: npt.ArrayLike, coefficient: float) -> Array:
    """Contributions that count `coefficient` times in hard eras, those in which the metamodel's CORR is negative.

    mmc (n_models,) with one `metamodel_corr`, or (n_eras, n_models) with one an era. [F93#17]

    >>> hard_era_coefficient([[0.02, -0.01], [0.02, -0.01]], [0.03, -0.03], 1.5)
    array([[ 0.02 , -0.01 ],
           [ 0.03 , -0.015]])
    """
    contributions = floats(mmc, "mmc")
    era_corr = floats(metamodel_corr, "metamodel_corr")
    if not bool(np.all(np.isfinite(era_corr))):
        raise PayoutError(("metamodel_corr_missing", "the metamodel's CORR is missing; a hard era is told by its sign"))
    if not is_real(coefficient):
        raise PayoutError(("coefficient", f"the coefficient is {coefficient!r:.80}, expected a finite number"))
    weight = np.where(era_corr < 0, coefficient, 1.0)
    weight = weight[..., np.newaxis] if contributions.ndim > weight.ndim else weight
    try:
        return np.asarray(contributions * weight)
    except ValueError:
        shapes = f"{era_corr.shape} and {contributions.shape}"
        raise PayoutError(("shape_mismatch", f"metamodel_corr and mmc disagree on the eras: shapes {shapes}")) from None


def calibrate_hard_era_coefficient(reference_scores: npt.ArrayLike, window: int = 20) -> float:
    """The coefficient that pays a contrarian nothing, judged by a reference model's last `window` eras.

        c = number of positive eras / number of negative eras

    `reference_scores` (n_eras,), oldest first. Refused if there are fewer eras than the window or no negative one
    among them: then nothing says how much hard eras should count. [F93#19]

    >>> calibrate_hard_era_coefficient([0.02] * 12 + [-0.01] * 8)
    1.5
    """
    scores = floats(reference_scores, "reference_scores")
    if not isinstance(window, int | np.integer) or window < 1:
        raise PayoutError(("window", f"the window is {window!r:.80}, expected a whole number of 1 or more"))
    if scores.ndim != 1 or len(scores) < window or not bool(np.all(np.isfinite(scores[-window:]))):
        raise PayoutError(("reference_window", f"expected {window} finite scores in a row, found shape {scores.shape}"))
    easy, hard = int(np.sum(scores[-window:] > 0)), int(np.sum(scores[-window:] < 0))
    if hard == 0:
        raise PayoutError(("no_hard_era", f"none of the last {window} eras was hard; use a longer window"))
    return easy / hard


def log_symmetric(fraction: npt.ArrayLike) -> Array:
    """A payout whose gain and loss are the same step of a compounding stake.

        f(x) = x for x >= 0, x / (1 - x) for x < 0        log(1 + f(-x)) = -log(1 + f(x))

    A p / 1-p pair earns x^2 / (1 + x) from it, so it fails the fairness gate.

    >>> log_symmetric([0.25, -0.25])
    array([ 0.25, -0.2 ])
    """
    x = floats(fraction, "fraction")
    return np.where(x < 0, x / (1 - np.minimum(x, 0.0)), x)


def sharpe(history: npt.ArrayLike) -> Array:
    """Mean over standard deviation (ddof 0) of each model's window of scores, (n_eras, n_models) -> (n_models,).

    A missed era (NaN) counts 0. Without any spread the ratio is infinite with the sign of the mean, 0 for all zeros.

    >>> sharpe([[0.01], [0.03]])
    array([2.])
    """
    scores = np.nan_to_num(floats(history, "history"), nan=0.0)
    spread = np.where(np.all(scores == scores[-1], axis=0), 0.0, scores.std(axis=0))
    return _ratio(scores.mean(axis=0), spread)


def sortino(history: npt.ArrayLike) -> Array:
    """Mean over downside deviation sqrt(mean(min(score, 0)^2)), (n_eras, n_models) -> (n_models,).

    A missed era (NaN) counts 0. Not odd: it has no upper bound, but is never below -1.

    >>> sortino([[0.03], [-0.01]]).round(6)
    array([1.414214])
    """
    scores = np.nan_to_num(floats(history, "history"), nan=0.0)
    return _ratio(scores.mean(axis=0), np.sqrt(np.mean(np.minimum(scores, 0.0) ** 2, axis=0)))


def _ratio(mean: Array, spread: Array) -> Array:
    without_spread = np.where(mean > 0, np.inf, np.where(mean < 0, -np.inf, 0.0))
    return np.divide(mean, spread, out=without_spread, where=spread > 0)


def hard_era_formula(coefficient: float) -> Formula:
    """The weighted score with MMC counting `coefficient` times in hard eras."""

    def formula(scores: Scores) -> Array:
        return scores.weighted_with(hard_era_coefficient(scores.mmc, scores.metamodel_corr, coefficient))

    return formula


def sharpe_formula(scale: float) -> Formula:
    """`scale` times the Sharpe ratio of the weighted scores over the window."""
    return lambda scores: scale * sharpe(scores.weighted)


def sortino_formula(scale: float) -> Formula:
    """`scale` times the Sortino ratio of the weighted scores over the window."""
    return lambda scores: scale * sortino(scores.weighted)


def log_symmetric_formula(scores: Scores) -> Array:
    """The weighted score with losses softened so that gains and losses compound alike."""
    return log_symmetric(scores.weighted)


def floor_at_zero(scores: Scores) -> Array:
    """The weighted score, never below zero: nobody burns."""
    return np.maximum(scores.weighted, 0.0)


def deburner(scores: Scores) -> Array:
    """MMC when it is positive; else the better of CORR and MMC, but nothing earned: min(0, max(corr, mmc))."""
    return np.where(scores.mmc >= 0, scores.mmc, np.minimum(0.0, np.maximum(scores.corr, scores.mmc)))


def rank_bonus_formula(bonus: float) -> Formula:
    """The weighted score plus a bonus, from 0 for the last model of the round to `bonus` for the first."""

    def formula(scores: Scores) -> Array:
        weighted = np.atleast_1d(scores.weighted)
        below = np.searchsorted(np.sort(weighted), weighted, side="left")
        return np.asarray(weighted + bonus * below / max(weighted.size - 1, 1))

    return formula
