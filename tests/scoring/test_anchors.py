"""Worked examples whose inputs and outputs are public, or follow from the published recipe by hand."""

import numpy as np
import pytest
from scipy import stats

from crowdalpha.scoring import corr, gaussianize, metamodel, mmc1, mmc2, mmc2024, neutralize, numerai_corr, uniform
from crowdalpha.scoring.neutral import residual

EXACT = 1e-12

HAND_TARGET = np.array([0, 0.25, 0.5, 0.75, 1])
HAND_USER = np.array([1, 3, 2, 4, 5])
HAND_METAMODEL = np.array([2, 1, 3, 5, 4])

TARGET = np.repeat(HAND_TARGET, 2)
FOUR = np.array(
    [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        [2, 1, 5, 3, 4, 8, 6, 7, 10, 9],
        [9, 1, 2, 10, 3, 4, 5, 6, 7, 8],
        [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    ]
).T
STAKES = [10, 30, 60, 0]

SIMILAR_METAMODEL = np.array(
    [1, 0, 0.25, 1, 0.5, 0.75, 0.5, 0.5, 1, 0.75, 0.75, 0, 0, 0.25, 0.25, 1, 0, 0.25, 0.5, 0.75]
)
SIMILAR_HIGH = np.array([1, 0, 0.25, 1, 0.25, 0.75, 0.5, 0.5, 1, 0.75, 0.75, 0, 0, 0.25, 0.25, 1, 0, 0.5, 0.5, 0.75])
SIMILAR_LOW = np.array([1, 1, 0.75, 0, 0.5, 0.25, 0.5, 0.25, 0, 0.5, 0.25, 1, 1, 0.75, 0.75, 0, 0, 0.75, 0.5, 0.25])
SIMILAR_TARGET = np.repeat(HAND_TARGET, 4)


def test_the_hand_example_has_the_correlations_done_by_hand():
    assert corr(HAND_USER, HAND_TARGET) == pytest.approx(0.9, abs=EXACT)
    assert corr(HAND_METAMODEL, HAND_TARGET) == pytest.approx(0.8, abs=EXACT)
    assert np.corrcoef(uniform(HAND_USER), uniform(HAND_METAMODEL))[0, 1] == pytest.approx(0.6, abs=EXACT)


def test_the_hand_example_has_the_residual_done_by_hand():
    left = neutralize(uniform(HAND_USER), uniform(HAND_METAMODEL))
    assert left == pytest.approx([-0.28, 0.24, -0.20, -0.04, 0.28], abs=EXACT)
    assert np.cov(left, HAND_TARGET)[0, 1] == pytest.approx(0.0525, abs=EXACT)


def test_the_hand_example_has_the_mmc2_done_by_hand():
    crowd = np.column_stack([HAND_USER, HAND_METAMODEL])
    assert mmc2(crowd, [0, 1], HAND_TARGET)[0] == pytest.approx(0.0525 / 0.0841, abs=EXACT)
    assert mmc2(crowd, [0, 1], HAND_TARGET)[0] == pytest.approx(0.624256837098692, abs=EXACT)


def test_four_models_have_the_weighted_mean_of_uniforms_written_down():
    weighted = uniform(FOUR) @ STAKES / 100
    expected = [0.56, 0.06, 0.25, 0.68, 0.30, 0.49, 0.50, 0.60, 0.76, 0.80]
    assert weighted == pytest.approx(expected, abs=EXACT)
    assert np.array_equal(metamodel(FOUR, STAKES), uniform(expected))


def test_four_models_have_the_corr_written_down():
    expected = [0.9847319278346616, 0.9108770332470622, 0.22156468376279892, -0.9847319278346617]
    assert corr(FOUR, TARGET) == pytest.approx(expected, abs=EXACT)


def test_four_models_have_the_correlation_with_the_metamodel_written_down():
    m = metamodel(FOUR, STAKES)
    found = [np.corrcoef(uniform(p), m)[0, 1] for p in FOUR.T]
    assert found == pytest.approx([0.6606060606, 0.5757575758, 0.8666666667, -0.6606060606], abs=5e-11)
    assert found == pytest.approx([109 / 165, 95 / 165, 143 / 165, -109 / 165], abs=EXACT)


def test_four_models_have_the_mmc2_written_down():
    expected = [0.7538724542291722, 0.7276490629641638, -0.4469987228607921, -0.7538724542291718]
    assert mmc2(FOUR, STAKES, TARGET) == pytest.approx(expected, abs=EXACT)


def test_four_models_have_the_mmc1_written_down_where_ties_keep_their_order():
    expected = [0.7385489458759958, 0.9601136296387951, -0.3692744729379981, -1.4032429971643927]
    assert mmc1(FOUR, STAKES, TARGET, ties="first") == pytest.approx(expected, abs=EXACT)


def test_sharing_ties_changes_the_mmc1_of_a_alone_as_only_the_metamodel_without_a_has_a_tie():
    first = mmc1(FOUR, STAKES, TARGET, ties="first")
    average = mmc1(FOUR, STAKES, TARGET, ties="average")
    assert average[0] == pytest.approx(0.7704178270446059, abs=EXACT)
    assert average[1:] == pytest.approx(first[1:], abs=EXACT)


def test_four_models_have_the_mmc_of_2024_written_down():
    expected = [0.6727628409892952, 0.6095487402599435, -0.4651561876382395, -0.6727628409892951]
    found = mmc2024(FOUR, metamodel(FOUR, STAKES), TARGET, target_scale=4)
    assert found == pytest.approx(expected, abs=EXACT)


def test_four_models_have_the_numerai_corr_written_down():
    expected = [0.9431906713203247, 0.9091173153125822, 0.2018752370996059, -0.943190671320325]
    assert numerai_corr(FOUR, TARGET) == pytest.approx(expected, abs=EXACT)


def contribution_without_ranking(p):
    """Residual covariance over 0.29^2 of values taken as they are, as the forum's example does it."""
    left = neutralize(p, SIMILAR_METAMODEL)
    return np.cov(left, SIMILAR_TARGET)[0, 1] / 0.29**2


@pytest.mark.parametrize(
    ("p", "cross", "shown_cross", "contribution", "shown_contribution"),
    [
        (SIMILAR_HIGH, 0.950366, 0.95, 0.1085409, "0.108"),
        (SIMILAR_LOW, -0.631534, -0.63, -0.4370971, "-0.43"),
    ],
)
def test_two_models_of_one_corr_differ_by_their_likeness_to_the_metamodel(
    p, cross, shown_cross, contribution, shown_contribution
):
    likeness = corr(p, SIMILAR_METAMODEL, ties="first")
    assert likeness == pytest.approx(cross, abs=5e-7)
    assert round(likeness, 2) == shown_cross
    assert corr(p, SIMILAR_TARGET, ties="first") == pytest.approx(0.0245256, abs=5e-8)
    assert f"{corr(p, SIMILAR_TARGET, ties='first'):.2%}" == "2.45%"
    assert contribution_without_ranking(p) == pytest.approx(contribution, abs=5e-8)
    assert str(contribution_without_ranking(p)).startswith(shown_contribution)


def test_the_signals_toy_is_ranked_filled_and_ranked_again():
    raw = np.array([0.4, 0.2, 0.8, 0.3])
    assert uniform(raw) == pytest.approx([0.625, 0.125, 0.875, 0.375], abs=EXACT)
    filled = np.insert(uniform(raw), 3, 0.5)
    assert uniform(filled) == pytest.approx([0.7, 0.1, 0.9, 0.5, 0.3], abs=EXACT)
    shown = [0.524401, -1.281552, 1.281552, 0, -0.524401]
    assert gaussianize(filled) == pytest.approx(shown, abs=5e-7)
    assert gaussianize(filled) == pytest.approx(stats.norm.ppf([0.7, 0.1, 0.9, 0.5, 0.3]), abs=EXACT)


def test_the_signals_toy_is_neutralised_without_an_intercept_and_scores_three_tenths():
    z = gaussianize([0.625, 0.125, 0.875, 0.5, 0.375])
    features = np.array([[-0.2, 0.3, 0.1, -0.5, 0.3], [0.3, 0.1, -0.2, -0.3, 0.1]]).T
    left = residual(z, features)
    assert left == pytest.approx([0.549010, -0.944742, 1.235272, -0.651949, -0.187591], abs=5e-7)
    assert corr(left, [0.4, 0.2, 0.8, 1, 0.6]) == pytest.approx(0.3, abs=EXACT)
