"""Where rounding ends and a residual begins: the thresholds of neutralisation, and its second pass."""

import numpy as np
import pytest
from crowds import LEVELS

from crowdalpha.scoring import neutral, neutralize, neutralize_target, normalize_and_neutralize
from crowdalpha.scoring.neutral import residual, settled, with_intercept


def nearly_collinear(share, n=200):
    """Two features, the second the first plus noise of such a share of its size; and values to neutralise."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=n)
    features = np.column_stack([first, first + np.sqrt(share) * rng.normal(size=n)])
    return features, rng.normal(size=n)


@pytest.mark.parametrize("share", [1e-4, 1e-6, 1e-8, 1e-10])
def test_features_that_nearly_repeat_each_other_leave_no_exposure(share):
    features, values = nearly_collinear(share)
    left = neutralize(values, features)
    difference = (features[:, 1] - features[:, 0]) / np.sqrt(share)
    for direction in (np.ones(200), features[:, 0], difference):
        assert abs(direction @ left) < 2e-11
    assert left @ left > 100


def test_a_feature_that_repeats_another_but_for_rounding_changes_nothing():
    features, values = nearly_collinear(1e-14)
    assert neutralize(values, features) == pytest.approx(neutralize(values, features[:, 0]), abs=1e-12)


def test_features_of_zeros_change_nothing():
    features, values = nearly_collinear(1.0)
    more = np.column_stack([np.zeros(200), features, np.zeros(200)])
    assert neutralize(values, more) == pytest.approx(neutralize(values, features), abs=1e-14)


@pytest.mark.parametrize("size", [1.0, 16.0, 1 / 64])
@pytest.mark.parametrize(
    ("share", "kept", "sound"),
    [(1.5e-3, True, True), (7e-4, True, False), (1.5e-11, True, False), (7e-12, False, True)],
)
def test_a_pivot_is_judged_by_its_share_of_the_column(size, share, kept, sound):
    gram = size * np.array([[1.0, np.sqrt(1.0 - share)], [np.sqrt(1.0 - share), 1.0]])
    _, found, all_sound = neutral._cholesky(gram)
    assert found.tolist() == [True, kept]
    assert all_sound is sound


def test_one_unsound_pivot_is_remembered_through_the_sound_ones():
    gram = np.eye(3)
    gram[0, 1] = gram[1, 0] = np.sqrt(1 - 1e-5)
    assert neutral._cholesky(gram)[2] is False
    assert neutral._cholesky(np.eye(3))[2] is True


def test_a_pivot_at_a_threshold_is_below_it():
    half = np.array([[1.0, 1.0], [1.0, 2.0]])  # its second pivot is half of its column
    kept = np.zeros(2, bool)
    assert neutral._eliminate(half.copy(), 0.25, 0.5, kept) is False
    assert kept.tolist() == [True, True]
    kept = np.zeros(2, bool)
    assert neutral._eliminate(half.copy(), 0.5, 0.5, kept) is True
    assert kept.tolist() == [True, False]


def test_what_the_design_explains_but_for_a_ten_billionth_is_nothing():
    assert residual([1.0, 1e-10, 0.0], [1.0, 0.0, 0.0]).tolist() == [0.0, 0.0, 0.0]
    assert residual([1.0, 1.1e-10, 0.0], [1.0, 0.0, 0.0]).tolist() == [0.0, 1.1e-10, 0.0]


@pytest.mark.parametrize(
    ("column", "moved"),
    [
        ([5.0, 6.0], [-1.0, 0.0]),  # less 3 steps of 2
        ([1e9, 1e9 + 0.5], [0.0, 0.5]),
        ([-1e9, -1e9 - 0.5], [0.0, -0.5]),
        ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.25, 0.5, 0.75, 1.0]),
        ([1.0, 1.0], [1.0, 1.0]),
    ],
)
def test_a_column_beside_an_intercept_is_moved_to_zero_by_whole_steps_above_its_range(column, moved):
    found = neutral._near_zero(np.column_stack([column, column]))
    assert found.T.tolist() == [moved, moved]


@pytest.mark.parametrize("size", [2.0**-890, 2.0**-300, 2.0**498])
def test_features_as_small_or_large_as_numbers_go_are_taken_out_like_others(size):
    rng = np.random.default_rng(3)
    values, small = rng.normal(size=50), rng.integers(0, 16, 50) / 16
    assert neutralize(values, size * small) == pytest.approx(neutralize(values, small), abs=1e-13)


def test_a_large_offset_does_not_make_a_column_look_explained():
    values = 1e12 + np.arange(5.0) ** 2
    assert neutralize(values, np.arange(5.0)) == pytest.approx([2, -1, -2, -1, 2], abs=1e-3)


def test_each_column_is_judged_by_its_own_size():
    by = np.arange(5.0)
    curved = np.array([2.0, -1.0, -2.0, -1.0, 2.0])
    values = np.column_stack([1e-12 * curved, 3.0 * by + 1.0, 1e12 * curved])
    together = neutralize(values, by)
    assert together[:, 0] == pytest.approx(values[:, 0], rel=1e-9)
    assert (together[:, 1] == 0.0).all()
    assert np.array_equal(together, np.column_stack([neutralize(column, by) for column in values.T]))
    alone = residual(values, by)
    assert np.array_equal(alone, np.column_stack([residual(column, by) for column in values.T]))


def test_a_constant_is_judged_by_its_size_where_there_is_no_intercept():
    assert residual([5.0, 5.0, 5.0], [0.0, 1.0, 0.0]).tolist() == [5.0, 0.0, 5.0]
    assert neutralize([5.0, 5.0, 5.0], [0.0, 1.0, 0.0]).tolist() == [0.0, 0.0, 0.0]


def test_a_residual_keeps_the_shape_of_its_values_and_its_share():
    column, design = np.array([3.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0])
    assert residual(column, design).tolist() == [0.0, 1.0, 2.0]
    assert residual(column[:, None], design).tolist() == [[0.0], [1.0], [2.0]]
    assert residual(column, design, proportion=0.5).tolist() == [1.5, 1.0, 2.0]


def test_residuals_settle_at_thirty_six_bits_below_their_column():
    step = 2.0**-36
    values = np.array([[0.75, 3.0], [-0.5, -0.5]])
    left = np.array([[3.4 * step, 8.4 * step], [-1.6 * step, 5.0 * step]])
    assert settled(left, values).tolist() == [[3 * step, 8 * step], [-2 * step, 4 * step]]


def test_the_intercept_is_one_column_of_ones_before_the_others():
    assert with_intercept(np.array([[3.0, 4.0], [5.0, 6.0]])).tolist() == [[1.0, 3.0, 4.0], [1.0, 5.0, 6.0]]


def test_a_normalised_model_has_a_deviation_of_one_at_any_proportion():
    rng = np.random.default_rng(2)
    p, features = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    for proportion in (0.0, 0.3, 1.0):
        found = normalize_and_neutralize(p, features, proportion=proportion)
        assert found.std(axis=0, ddof=1) == pytest.approx(1.0, abs=1e-12)
        assert found.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert np.array_equal(normalize_and_neutralize(p, features), found)


def test_a_normalised_model_that_is_nothing_but_its_features_becomes_zeros_and_an_absent_one_stays_so():
    first = np.arange(6.0)
    p = np.column_stack([first, np.full(6, np.nan), first**2 % 5])
    features = normalize_and_neutralize(first, np.zeros(6))
    found = normalize_and_neutralize(p, features)
    assert found[:, 0].tolist() == [0.0] * 6
    assert np.isnan(found[:, 1]).all()
    assert found[:, 2].any()
    assert normalize_and_neutralize(p[:, 2], features).tolist() == found[:, 2].tolist()


def test_bins_of_two_shares_are_zeros_and_ones():
    target = [0.0, 0.3, 0.5, 0.7, 1.0, 0.9, 0.1, 0.2, 0.4, 0.6]
    found = neutralize_target(target, np.zeros(10), bins=(0.3, 0.7))
    assert found.tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 1, 1]


def test_a_proportion_of_a_target_is_taken_out():
    by = np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    assert neutralize_target(LEVELS, by, proportion=0.0).tolist() == LEVELS.tolist()
    whole, half = neutralize_target(LEVELS, by), neutralize_target(LEVELS, by, proportion=0.5)
    assert half == pytest.approx((LEVELS + whole) / 2, abs=1e-15)


def test_a_feature_whose_mean_is_a_million_times_its_spread_is_taken_out_all_the_same() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal(2000)
    values, time = rng.random(2000) + z, 1.7e9 + 1800 * z
    assert abs(np.corrcoef(neutralize(values, time), time)[0, 1]) < 1e-12


@pytest.mark.parametrize("scale", [1e-170, 1e-12, 1e12, 1e150])
def test_the_scale_of_a_feature_changes_no_residual(scale: float) -> None:
    rng = np.random.default_rng(1)
    values, features = rng.random((200, 3)), rng.random((200, 4))
    assert neutralize(values, features * scale) == pytest.approx(neutralize(values, features), abs=1e-12)
