"""The closed forms, beside slow witnesses: quadrature, counting out, and drawing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from crowdalpha.lab import theory
from crowdalpha.lab.chance import stream
from crowdalpha.lab.crowds import Shape, binned, seen
from crowdalpha.payouts.proposals import sharpe, sortino
from crowdalpha.scoring import corr


def test_k_is_that_of_the_target_s_bins() -> None:
    large = 10**5
    assert theory.magnitude(Shape(ids=large)) == pytest.approx(0.76754, abs=1e-4)
    assert theory.magnitude(Shape(ids=large, bins=(0.2,) * 5)) == pytest.approx(1.21358, abs=1e-4)


def test_the_average_contribution_is_that_of_two_normal_variables_by_quadrature() -> None:
    shape = Shape(ids=1000, shared=0.3)
    at, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    phi = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in at])
    summed = np.array([0.5 * math.erfc(-x * math.sqrt(0.3 / 1.7) / math.sqrt(2)) for x in at])
    covariance = weight @ ((phi - 0.5) * summed)
    slope = covariance / (weight @ (phi - 0.5) ** 2)
    left = 1 - slope * (weight @ (phi * at)) / (weight @ (summed * at))
    assert theory.average_contribution(shape) == pytest.approx(theory.magnitude(shape) * left, rel=1e-3)


@pytest.mark.parametrize(("bins", "most"), [((0.05, 0.2, 0.5, 0.2, 0.05), 0.910151), ((0.2,) * 5, math.sqrt(0.96))])
def test_the_expected_corr_of_the_truth_itself_is_the_most_that_a_target_in_bins_allows(
    bins: tuple[float, ...], most: float
) -> None:
    assert theory.expected_corr(1.0, bins) == pytest.approx(most, abs=1e-6)
    assert theory.expected_corr(-0.4, bins) == -theory.expected_corr(0.4, bins)


def test_the_expected_corr_is_that_of_a_large_draw() -> None:
    random = stream("expected corr")
    latent = random.standard_normal(400_000)
    signal = seen(latent, 0.5, random.standard_normal(400_000))
    found = float(corr(signal, binned(latent, Shape().bins)))
    assert theory.expected_corr(0.5) == pytest.approx(found, abs=5 / math.sqrt(400_000))


def test_a_calibrated_coefficient_is_on_average_what_all_windows_of_four_eras_say() -> None:
    windows = [each for each in itertools.product((True, False), repeat=4) if not all(each)]
    chances = [0.6 ** sum(each) * 0.4 ** (4 - sum(each)) for each in windows]
    counted = sum(c * sum(w) / (4 - sum(w)) for c, w in zip(chances, windows, strict=True)) / sum(chances)
    assert theory.calibrated(0.6, 4) == pytest.approx(counted)


def test_short_windows_have_a_larger_sharpe_ratio_on_average() -> None:
    drawn = stream("sharpe").normal(0.7, 1.0, (20, 60_000))
    found = sharpe(drawn)
    assert theory.short_sharpe(0.7, 20) == pytest.approx(found.mean(), abs=4 * found.std() / math.sqrt(60_000))


def test_what_ratios_pay_a_swinging_model_is_that_of_all_windows_of_six_eras() -> None:
    by = {"scale": 0.1, "clip": 0.25}
    windows = np.array(list(itertools.product((1.0, -1.0), repeat=6))).T
    chances = np.prod(np.where(windows > 0, 0.7, 0.3), axis=0)
    paid = {f: [np.clip(0.1 * f(side), -0.25, 0.25) for side in (windows, -windows)] for f in (sharpe, sortino)}
    assert theory.swinging_sharpe(0.3, 6, **by) == pytest.approx(chances @ paid[sharpe][0])
    assert theory.swinging_sortino_pair(0.3, 6, **by) == pytest.approx(chances @ sum(paid[sortino]))


def test_a_bag_of_all_models_would_reward_nothing_and_smaller_bags_reward_more() -> None:
    crowd = Shape(models=20, ids=200)
    rewards = [theory.redundancy(crowd, fraction) for fraction in (0.2, 0.5, 0.67, 1.0)]
    assert rewards == sorted(rewards, reverse=True)
    assert theory.redundancy(Shape(models=20, ids=200, shared=1.0)) == pytest.approx(0.0, abs=1e-12)


def test_a_giant_is_paid_like_anybody_where_he_stakes_nothing_and_not_at_all_where_he_stakes_all() -> None:
    crowd = Shape(models=20, ids=200)
    assert theory.giant(crowd, 0.0) == pytest.approx(theory.magnitude(crowd))
    assert theory.giant(crowd, 1e9) == pytest.approx(0.0, abs=1e-9)
    left_out = (1 - 1 / 21) ** 14
    assert theory.giant(crowd, 1e9, 0.67) == pytest.approx(theory.magnitude(crowd) * left_out, rel=1e-6)


def test_a_model_that_is_not_neutralised_scores_its_edge_and_a_neutral_one_what_is_its_own() -> None:
    crowd = Shape(edge=0.3, shared=0.5)
    easy, hard = theory.neutral_corrs(crowd, 0.1, 0.0)
    assert easy == pytest.approx(theory.expected_corr(0.4 / math.sqrt(2 + 0.06)))
    assert hard == pytest.approx(theory.expected_corr(-0.2 / math.sqrt(2 - 0.06)))
    easy, hard = theory.neutral_corrs(crowd, 0.1, 1.0)
    own = 0.1 * (1 - 0.3**2) / math.sqrt(1 - 0.03**2)
    assert easy == pytest.approx(hard) == pytest.approx(theory.expected_corr(own))
