"""Reputation by the rules of 2020 and 2023, and an account's stake-weighted score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.payouts import (
    PayoutError,
    account_score,
    one_year_reputation,
    reputation_weights,
    weighted_reputation,
)

SCORES = st.lists(st.floats(-0.3, 0.3), min_size=20, max_size=20)
DAYS = st.integers(0, 5)


def test_the_weights_on_day_three_are_the_published_ones():
    published = [0.10, 0.35, 0.60, 0.85, *[1] * 12, 0.90, 0.65, 0.40, 0.15]
    assert reputation_weights(3).tolist() == pytest.approx(published, abs=1e-12)


@pytest.mark.parametrize("day", range(6))
def test_the_weights_add_up_to_sixteen_on_every_day(day):
    assert reputation_weights(day).sum() == pytest.approx(16, abs=1e-12)


def test_the_last_day_of_a_round_hands_over_to_the_first_day_of_the_next():
    assert reputation_weights(5)[1:].tolist() == pytest.approx(reputation_weights(0)[:-1].tolist(), abs=1e-12)
    assert reputation_weights(5)[0] == reputation_weights(0)[-1] == 0


@pytest.mark.parametrize("day", [-1, 6, 2.5])
def test_a_day_outside_the_week_is_refused(day):
    with pytest.raises(PayoutError, match=f"day is {day}"):
        reputation_weights(day)


@given(SCORES, DAYS)
def test_the_weighted_reputation_is_what_a_loop_over_rounds_gives(scores, day):
    total = 0.0
    for delta, score in enumerate(reversed(scores)):
        weight = (5 * delta + day) / 20 if delta < 4 else 1.0 if delta < 16 else (5 * (20 - delta) - day) / 20
        total += weight * score / 16
    assert weighted_reputation(scores, day) == pytest.approx(total, abs=1e-15)


@given(SCORES, DAYS)
def test_a_model_and_its_inverse_have_opposite_reputations(scores, day):
    there, back = weighted_reputation(np.transpose([scores, np.negative(scores)]), day)
    assert there == -back


def test_the_oldest_miss_counts_as_the_example_and_further_misses_count_minus_a_tenth():
    scores = np.full(20, 0.02)
    scores[[6, 9]] = np.nan
    example = np.full(20, 0.01)
    filled = scores.copy()
    filled[6], filled[9] = 0.01, -0.1
    assert weighted_reputation(scores, 2, example=example) == weighted_reputation(filled, 2)
    both = weighted_reputation(np.transpose([scores, filled]), 2, example=example)
    assert both == pytest.approx(weighted_reputation(filled, 2), abs=1e-15)


def test_a_missed_round_without_an_example_score_is_refused():
    with pytest.raises(PayoutError, match="a round was missed"):
        weighted_reputation([np.nan] + [0.02] * 19, 2)


def test_the_weighted_reputation_wants_twenty_rounds():
    with pytest.raises(PayoutError, match="found 19 rounds"):
        weighted_reputation([0.02] * 19, 2)


def test_over_one_year_a_missed_round_counts_zero():
    assert one_year_reputation([0.03, np.nan, 0.03]) == pytest.approx(0.02, abs=1e-15)


def test_over_one_year_every_model_has_its_own_mean():
    assert one_year_reputation([[0.02, 0.01], [0.04, -0.01]]).tolist() == pytest.approx([0.03, 0.0], abs=1e-15)


@pytest.mark.parametrize("scores", [[], [[[0.1]]], [np.inf, 0.1]])
def test_scores_that_are_no_table_of_rounds_are_refused(scores):
    with pytest.raises(PayoutError):
        one_year_reputation(scores)


def test_an_account_is_scored_by_its_stakes():
    assert account_score([0.02, 0.05], [30, 10]) == pytest.approx(0.0275, abs=1e-15)


def test_a_model_without_stake_does_not_count_for_its_account():
    assert account_score([0.02, -0.3, np.nan], [30, 0, 0]) == pytest.approx(0.02, abs=1e-15)


def test_an_account_without_any_stake_has_no_score():
    assert np.isnan(account_score([0.02], [0]))


@pytest.mark.parametrize(("scores", "stakes"), [([0.1], [-1]), ([0.1], [1, 2]), ([np.nan], [1]), ([0.1], [np.inf])])
def test_an_account_with_impossible_stakes_or_scores_is_refused(scores, stakes):
    with pytest.raises(PayoutError):
        account_score(scores, stakes)
