"""Reputation: how single rounds add up to a model's place, by the rules of 2020 and of 2023; and an account's score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.numbers import floats, is_real
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError

ROUNDS = 20
"""Rounds in the weighted reputation of 2020: five weeks of four overlapping rounds."""

WEIGHT_SUM = 16
"""What the twenty weights add up to, on every day."""

REPEATED_MISS = -0.1
"""What a second missed round counted in 2020. [docs@527f3cc]"""


def reputation_weights(day: int) -> Array:
    """Weights of the last twenty rounds on a scoring day of the newest, oldest round first, (20,).

        w = (5 delta + day) / 20           delta < 4        rounds still being scored gain weight
        w = 1                              4 <= delta < 16
        w = (5 (20 - delta) - day) / 20    delta >= 16      the oldest fade out

    delta: rounds ago, 0 for the newest. day: 0..5. The weights add up to 16 on every day. [docs@527f3cc]

    >>> reputation_weights(3)[[0, 1, 2, 3, 16, 17, 18, 19]].tolist()
    [0.1, 0.35, 0.6, 0.85, 0.9, 0.65, 0.4, 0.15]
    """
    if not is_real(day) or day not in range(6):
        raise PayoutError(("reputation_day", f"day is {day!r:.80}, expected a whole number from 0 to 5"))
    delta = np.arange(ROUNDS)[::-1]
    fading = (5 * (ROUNDS - delta) - day) / 20
    return np.where(delta < 4, (5 * delta + day) / 20, np.where(delta < WEIGHT_SUM, 1.0, fading))


def weighted_reputation(scores: npt.ArrayLike, day: int, *, example: npt.ArrayLike | None = None) -> Array:
    """The reputation of 2020: the weighted mean of the last twenty rounds' scores.

        r = sum_delta w_delta score_delta / 16

    `scores` (20, n_models) or (20,), oldest round first. The oldest missed round (NaN) counts as the example model's
    score of that round, `example` (20,), every other one as -0.1. [docs@527f3cc]

    >>> weighted_reputation([0.02] * 20, day=3).round(12).item()
    0.02
    """
    table = _rounds_first(scores)
    if len(table) != ROUNDS:
        raise PayoutError(("reputation_rounds", f"found {len(table)} rounds, expected the last {ROUNDS}"))
    return reputation_weights(day) @ _without_misses(table, example) / WEIGHT_SUM


def one_year_reputation(scores: npt.ArrayLike) -> Array:
    """The reputation since 2023: the mean over the rounds resolved in the past year, a missed round counting 0.

    `scores` (n_rounds, n_models) or (n_rounds,); NaN where a model missed the round. [docs@dcbcd4b]

    >>> one_year_reputation([[0.02, 0.02], [0.04, float("nan")]])
    array([0.03, 0.01])
    """
    return np.asarray(np.nan_to_num(_rounds_first(scores), nan=0.0).mean(axis=0))


def account_score(scores: npt.ArrayLike, stakes: npt.ArrayLike) -> float:
    """An account's score: its staked models' scores, weighted by stake.

        sum(score stake) / sum(stake)

    NaN if no model has a stake. A staked model must have a score; an unstaked one may lack it.

    >>> round(account_score([0.02, 0.05, float("nan")], [30, 10, 0]), 12)
    0.0275
    """
    score, stake = floats(scores, "scores"), floats(stakes, "stakes")
    if score.shape != stake.shape or not bool(np.all(np.isfinite(stake) & (stake >= 0))):
        raise PayoutError(("stake_invalid", "expected one finite stake of 0 or more for each model"))
    staked = stake > 0
    if not bool(np.all(np.isfinite(score[staked]))):
        raise PayoutError(("score_missing", "a staked model has no score; without one nothing of it is at risk"))
    return float(score[staked] @ stake[staked] / stake.sum()) if staked.any() else float("nan")


def _rounds_first(scores: npt.ArrayLike) -> Array:
    table = floats(scores, "scores")
    if table.ndim not in (1, 2) or not table.size or bool(np.any(np.isinf(table))):
        raise PayoutError(("reputation_scores", f"expected (n_rounds, n_models) without inf, found {table.shape}"))
    return table


def _without_misses(table: Array, example: npt.ArrayLike | None) -> Array:
    missed = np.isnan(table)
    if not missed.any():
        return table
    if example is None:
        raise PayoutError(("example_missing", "a round was missed; pass the example model's 20 scores as example"))
    oldest = missed & (np.cumsum(missed, axis=0) == 1)
    scores = floats(example, "example")
    if scores.shape != (len(table),):
        sentence = f"example has shape {scores.shape}, expected ({len(table)},), a score a round"
        raise PayoutError(("shape_mismatch", sentence))
    forgiven = scores.reshape(-1, *[1] * (table.ndim - 1))
    return np.where(oldest, forgiven, np.where(missed, REPEATED_MISS, table))
