"""The proposals of the thread, and the closed forms by which one argues about them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.payouts import (
    POLICIES,
    PayoutError,
    blend_corr,
    blend_weights,
    break_even_coefficient,
    calibrate_hard_era_coefficient,
    contrarian_profit,
    growth_rate,
    hard_era_coefficient,
    log_symmetric,
)
from crowdalpha.payouts.proposals import sharpe, sortino

FRACTION = st.floats(0, 0.9)
SCORE = st.integers(-3 * 10**8, 3 * 10**8).map(lambda billionths: billionths / 10**9)


def paid(name, stake, corr, mmc, **options):
    return POLICIES[name].policy.payouts(stake, corr, mmc, **options)


def test_contribution_counts_more_in_hard_eras_only():
    assert hard_era_coefficient([0.02, -0.01], 0.03, 1.5).tolist() == [0.02, -0.01]
    assert hard_era_coefficient([0.02, -0.01], -0.03, 1.5).tolist() == pytest.approx([0.03, -0.015], abs=1e-15)
    assert hard_era_coefficient([0.02], 0.0, 1.5).tolist() == [0.02]


def test_the_hard_era_policy_pays_corr_plus_the_raised_contribution():
    assert paid("hard-era", 100, 0.01, 0.02, metamodel_corr=-0.01) == pytest.approx(4.0, abs=1e-12)
    assert paid("hard-era", 100, 0.01, 0.02, metamodel_corr=0.01) == pytest.approx(3.0, abs=1e-12)


def test_without_the_metamodels_score_nobody_can_tell_a_hard_era():
    with pytest.raises(PayoutError, match="metamodel's CORR is missing"):
        paid("hard-era", 100, 0.01, 0.02)


def test_twelve_easy_eras_to_eight_hard_ones_calibrate_to_one_and_a_half():
    eras = [0.02, -0.01, 0.03, 0.01, -0.02] * 4
    assert calibrate_hard_era_coefficient(eras) == 1.5
    assert calibrate_hard_era_coefficient([-0.5] * 30 + eras) == 1.5
    assert calibrate_hard_era_coefficient(eras, window=4) == 1.0


@given(
    st.lists(st.sampled_from([-0.02, -0.01, 0.01, 0.03]), min_size=20, max_size=60).filter(lambda s: min(s[-20:]) < 0)
)
def test_a_calibrated_coefficient_leaves_a_contrarian_with_nothing_over_its_window(scores):
    c = calibrate_hard_era_coefficient(scores)
    easy_share = np.mean(np.array(scores[-20:]) > 0)
    assert contrarian_profit(c, easy_share) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("code", "scores"),
    [
        ("reference_window", [0.01] * 19),
        ("reference_window", [[0.01] * 20]),
        ("reference_window", [0.01] * 19 + [np.nan]),
        ("no_hard_era", [0.01] * 20),
    ],
)
def test_a_reference_that_says_nothing_about_hard_eras_is_refused(code, scores):
    with pytest.raises(PayoutError) as refused:
        calibrate_hard_era_coefficient(scores)
    assert refused.value.code == code


@pytest.mark.parametrize(("coefficient", "profit"), [(1.5, 0.0), (1.3, -0.08), (1.0, -0.20)])
def test_at_sixty_to_forty_a_contrarian_earns_what_the_thread_computed(coefficient, profit):
    assert contrarian_profit(coefficient, 0.6) == pytest.approx(profit, abs=1e-12)


@given(st.floats(0.05, 0.95), st.floats(0.1, 5))
def test_a_coefficient_is_safe_exactly_up_to_the_break_even_one(easy_share, c):
    profit, limit = contrarian_profit(c, easy_share), break_even_coefficient(easy_share)
    assert profit <= 1e-12 if c <= limit else profit >= -1e-12


def test_if_no_era_is_hard_any_coefficient_is_safe():
    assert break_even_coefficient(1.0) == math.inf


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_zero_to_one_is_refused(share):
    for function in (lambda: contrarian_profit(1, share), lambda: break_even_coefficient(share)):
        with pytest.raises(PayoutError, match="a share is"):
            function()
    with pytest.raises(PayoutError, match="a share is"):
        growth_rate(share, 0.1)


def test_growth_under_plain_and_log_symmetric_payouts_is_as_published():
    assert round(100 * growth_rate(0.55, 0.1), 3) == 0.502
    assert round(100 * growth_rate(0.55, 0.1, log_symmetric), 3) == 0.958
    assert abs(growth_rate(0.525, 0.1)) < 2e-5
    assert round(100 * growth_rate(0.525, 0.1, log_symmetric), 3) == 0.478


def test_growth_is_what_a_hundred_rounds_of_compounding_give():
    stake = 1.0
    for _ in range(55):
        stake *= 1.1
    for _ in range(45):
        stake *= 0.9
    assert growth_rate(0.55, 0.1) == pytest.approx(stake ** (1 / 100) - 1, abs=1e-12)


@given(FRACTION)
def test_a_log_symmetric_gain_undoes_the_loss_of_the_same_size(x):
    gain, loss = log_symmetric([x, -x])
    assert (1 + gain) * (1 + loss) == pytest.approx(1, abs=1e-12)
    assert gain + loss == pytest.approx(x**2 / (1 + x), abs=1e-12)


def test_a_stake_neither_grows_nor_shrinks_on_a_coin_flip_under_the_log_symmetric_payout():
    assert growth_rate(0.5, 0.1, log_symmetric) == pytest.approx(0, abs=1e-15)
    assert growth_rate(0.5, 0.1) < 0


@given(st.lists(SCORE, min_size=2, max_size=30).filter(lambda s: np.ptp(s) > 1e-6))
def test_the_sharpe_ratio_is_mean_over_standard_deviation_and_odd(history):
    mean = math.fsum(history) / len(history)
    spread = math.sqrt(math.fsum((score - mean) ** 2 for score in history) / len(history))
    column = np.array(history)[:, np.newaxis]
    assert sharpe(column) == pytest.approx([mean / spread], rel=1e-8, abs=1e-8)
    assert sharpe(-column) == -sharpe(column)


def test_without_any_spread_the_sharpe_ratio_is_infinite_or_zero():
    assert sharpe(np.array([[0.1, -0.1, 0.0]] * 7)).tolist() == [math.inf, -math.inf, 0.0]


def test_the_sortino_ratio_counts_only_losses_as_unsteady():
    assert sortino([[0.03], [-0.01]]) == pytest.approx([0.01 / math.sqrt(0.0001 / 2)], abs=1e-12)
    assert sortino([[0.5], [0.01]]).tolist() == [math.inf]


@given(st.lists(SCORE, min_size=1, max_size=30))
def test_no_losers_sortino_ratio_is_below_minus_one(history):
    assert sortino(np.array(history)[:, np.newaxis])[0] >= -1 - 1e-12


def test_a_steady_model_is_paid_more_than_a_wild_one_with_the_same_mean():
    steady = 0.01 + 0.01 * np.resize([1, -1], 20)
    wild = 0.01 + 0.05 * np.resize([1, -1], 20)
    payouts = paid("sharpe", [100, 100], np.transpose([steady, wild]), np.zeros((20, 2)))
    assert payouts.tolist() == pytest.approx([10.0, 2.0], abs=1e-12)


def test_an_era_missed_in_the_window_counts_zero_but_the_era_being_paid_must_be_there():
    history = np.full((20, 1), 0.01)
    history[3] = np.nan
    filled = np.nan_to_num(history, nan=0.0)
    assert paid("sharpe", [1], history, np.zeros((20, 1))) == paid("sharpe", [1], filled, np.zeros((20, 1)))
    history[-1] = np.nan
    with pytest.raises(PayoutError, match="have no score"):
        paid("sharpe", [1], history, np.zeros((20, 1)))


@pytest.mark.parametrize("shape", [(19, 3), (3,), (21, 3)])
def test_a_policy_with_a_window_wants_exactly_that_many_eras(shape):
    with pytest.raises(PayoutError) as refused:
        paid("sharpe", np.ones(3), np.zeros(shape), np.zeros(shape))
    assert refused.value.code == "window_shape"


def test_the_deburner_forgives_a_bad_contribution_only_up_to_zero():
    table = [(0.05, 0.02, 0.02), (0.05, -0.02, 0.0), (-0.01, -0.02, -0.01), (-0.03, -0.02, -0.02)]
    corr, mmc, expected = zip(*table, strict=True)
    assert paid("deburner", np.ones(4), corr, mmc).tolist() == list(expected)


def test_the_best_blend_of_a_strong_and_a_weak_independent_signal_is_three_to_one():
    assert blend_weights([0.03, 0.01]).tolist() == pytest.approx([0.75, 0.25], abs=1e-12)
    assert blend_corr([0.03, 0.01]) == pytest.approx(math.sqrt(0.03**2 + 0.01**2), abs=1e-12)
    assert round(blend_corr([0.03, 0.01]), 6) == 0.031623


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=6).filter(lambda r: max(map(abs, r)) > 1e-3), st.data())
def test_no_other_blend_of_uncorrelated_signals_correlates_better(correlations, data):
    r = np.array(correlations)

    def blended(w):
        return w @ r / np.linalg.norm(w)

    assert blended(blend_weights(r)) == pytest.approx(blend_corr(r), rel=1e-9)
    other = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=len(r), max_size=len(r))))
    if np.linalg.norm(other) > 1e-6:
        assert blended(other) <= blend_corr(r) * (1 + 1e-9)


@pytest.mark.parametrize("correlations", [[], [1.5], [math.nan], [[0.1]], [0.0, 0.0]])
def test_signals_that_cannot_be_blended_are_refused(correlations):
    with pytest.raises(PayoutError):
        blend_weights(correlations)
