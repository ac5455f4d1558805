"""The one door of the payouts: stakes, scores and choices come in once, checked and broadcast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.numbers import floats
from crowdalpha.payouts.parameters import Choice
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError, refuse_if_any


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a round's models, and what each model chose to be paid on.

    `corr` and `mmc` have the models last; a policy with a window has the eras first. A score that a model
    gave weight 0 may be missing (NaN). `at_risk` says which models have a stake.
    """

    corr: Array
    mmc: Array
    corr_multiplier: Array
    mmc_multiplier: Array
    metamodel_corr: Array
    at_risk: npt.NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is paid: the models, or all there is where one score is for several stakes."""
        arrays = (self.corr, self.mmc, self.corr_multiplier, self.mmc_multiplier, self.at_risk)
        return np.broadcast_shapes(*(array.shape for array in arrays))

    @property
    def weighted(self) -> Array:
        """CORR multiplier x CORR + MMC multiplier x MMC, of each model."""
        return self.weighted_with(self.mmc)

    def weighted_with(self, mmc: Array) -> Array:
        """The weighted score with another contribution in the place of `mmc`."""
        corr_part = np.where(self.corr_multiplier == 0, 0.0, self.corr_multiplier * self.corr)
        return np.asarray(corr_part + np.where(self.mmc_multiplier == 0, 0.0, self.mmc_multiplier * mmc))


Formula = Callable[[Scores], Array]
"""A fraction of the stake for each model, before the payout factor and the clip."""


def checked_scores(
    stake: Array,
    corr: npt.ArrayLike,
    mmc: npt.ArrayLike,
    corr_multiplier: npt.ArrayLike | None,
    mmc_multiplier: npt.ArrayLike | None,
    metamodel_corr: npt.ArrayLike,
    *,
    choices: tuple[Choice, ...],
    window: int,
) -> Scores:
    """Scores as arrays of one shape, refused if a stake is negative, a choice not open or a score missing."""
    default = choices[0] if choices else (1.0, 1.0)
    scores = Scores(
        floats(corr, "corr"),
        floats(mmc, "mmc"),
        floats(default[0] if corr_multiplier is None else corr_multiplier, "corr_multiplier"),
        floats(default[1] if mmc_multiplier is None else mmc_multiplier, "mmc_multiplier"),
        floats(metamodel_corr, "metamodel_corr"),
        stake > 0,
    )
    refuse_if_any(_shape_problems(scores, window))
    refuse_if_any(_stake_problems(stake) + _choice_problems(scores, choices) + _score_problems(scores, window))
    return scores


def checked_factor(payout_factor: npt.ArrayLike) -> Array:
    """The payout factor as an array, refused outside (0, 1]."""
    factor = floats(payout_factor, "payout_factor")
    if not bool(np.all((factor > 0) & (factor <= 1))):
        sentence = f"the payout factor is {factor}, expected a number above 0 and up to 1"
        raise PayoutError(("payout_factor_range", sentence))
    return factor


def _stake_problems(stake: Array) -> list[tuple[str, str]]:
    if bool(np.all(np.isfinite(stake) & (stake >= 0))):
        return []
    worst = stake[~(np.isfinite(stake) & (stake >= 0))].flat[0]
    return [("stake_invalid", f"a stake is {worst}, expected a finite number of 0 or more; pass what is at risk")]


def _choice_problems(scores: Scores, choices: tuple[Choice, ...]) -> list[tuple[str, str]]:
    corr, mmc = np.broadcast_arrays(scores.corr_multiplier, scores.mmc_multiplier)
    chosen = sorted(set(zip(corr.ravel().tolist(), mmc.ravel().tolist(), strict=True)))
    closed = [pair for pair in chosen if choices and pair not in choices]
    open_pairs = " or ".join(f"{corr_x:g} x CORR + {mmc_x:g} x MMC" for corr_x, mmc_x in choices)
    return [
        ("choice_not_open", f"a model chose {corr_x:g} x CORR + {mmc_x:g} x MMC; this rule offers {open_pairs}")
        for corr_x, mmc_x in closed
    ]


def _shape_problems(scores: Scores, window: int) -> list[tuple[str, str]]:
    arrays = (scores.corr, scores.mmc, scores.corr_multiplier, scores.mmc_multiplier, scores.at_risk)
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        return [("shape_mismatch", f"stake, scores and multipliers disagree on the models: shapes {shapes}")]
    if window == 1 or (len(shape) == 2 and scores.corr.shape[:1] == scores.mmc.shape[:1] == (window,)):
        return []
    return [("window_shape", f"scores have shape {shape}, expected ({window}, n_models), the era being paid last")]


def _score_problems(scores: Scores, window: int) -> list[tuple[str, str]]:
    """A model with a stake and without a score: without a valid submission nothing is at risk."""
    if bool(np.any(np.isinf(scores.corr)) or np.any(np.isinf(scores.mmc))):
        return [("score_infinite", "a score is infinite, expected a number, or NaN for a model without one")]
    weighted = scores.weighted
    missing = int(np.sum(np.isnan(weighted[-1] if window > 1 else weighted) & scores.at_risk))
    fix = "without a valid submission the stake at risk is 0"
    return [("score_missing", f"{missing} model(s) with a stake have no score; {fix}")] if missing else []
