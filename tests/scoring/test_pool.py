"""The pool in whole numbers: stakes, bags and crowds that floating point could not add up."""

import numpy as np
import pytest
import witness
from crowds import LEVELS, random_crowd, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha import scoring
from crowdalpha.scoring import kernels
from crowdalpha.scoring.metamodel import Pool, _dense, _sort_keys
from crowdalpha.scoring.ranks import normal_scores, rank_models

EXACT = 1e-12
few = settings(max_examples=25)


def rich_crowd(seed, heaviest):
    """Few ids, up to three models with long stakes, and bags that hold them up to `heaviest` times, or no bags."""
    rng = np.random.default_rng(seed)
    crowd = random_crowd(seed, absent=False, max_ids=9, max_models=3)
    n_models = len(crowd.stakes)
    most = 2 ** int(rng.choice([20, 40, 50, 61]))
    stakes = rng.integers(most // 8, most, n_models) | 1
    bags = rng.integers(1, heaviest, (2, n_models), endpoint=True) if heaviest else None
    return crowd.predictions, stakes, crowd.target, bags


weights = st.sampled_from([None, 1, 2, 40, 2**10, 2**17])


@few
@given(seeds, weights)
def test_contributions_of_stakes_and_bags_too_large_for_floating_point(seed, heaviest):
    p, stakes, t, bags = rich_crowd(seed, heaviest)
    plain, every = stakes.tolist(), range(len(stakes))
    expected = [witness.mmc2(p, plain, t, j, bags, exclude_self=True) for j in every]
    assert scoring.mmc2(p, stakes, t, bags=bags, exclude_self=True) == pytest.approx(expected, abs=EXACT)
    expected = [witness.mmc1(p, plain, t, j, bags) for j in every]
    assert scoring.mmc1(p, stakes, t, bags=bags) == pytest.approx(expected, abs=EXACT)


@few
@given(seeds, weights)
def test_metamodels_of_stakes_and_bags_too_large_for_floating_point(seed, heaviest):
    p, stakes, _, bags = rich_crowd(seed, heaviest)
    found = Pool.of(rank_models(p), stakes, bags).metamodels()
    every = np.ones((1, len(stakes)), int) if bags is None else bags
    for row, bag in zip(found.doubled, every, strict=True):
        expected = witness.weighted_ranks(p, [int(c) * int(s) for c, s in zip(bag, stakes, strict=True)])
        assert np.array_equal(row, 2 * witness.rank(expected) - (len(p) + 1))


@pytest.mark.parametrize("heaviest", [2**16, 2**18])
def test_a_heavy_bag_of_stakes_that_differ_in_their_last_unit_only(heaviest):
    p = np.random.default_rng(heaviest).permuted(np.tile(np.arange(100.0), (3, 1)), axis=1).T
    stakes = np.array([2**61, 2**61 + 1, 2**61 - 1])
    bag = np.array([[heaviest, heaviest, heaviest - 1]])
    expected = witness.metamodel(p, [int(c) * int(s) for c, s in zip(bag[0], stakes, strict=True)])
    found = Pool.of(rank_models(p), stakes, bag).metamodels().doubled[0]
    assert np.array_equal((found + 100) / 200, expected)


def in_one_order(n_ids, n_models):
    return rank_models(np.tile(np.arange(float(n_ids)), (n_models, 1)).T)


@pytest.mark.parametrize(("n_ids", "draws"), [(2, 1), (2, 1023), (1024, 1), (1024, 1023), (4096, 3)])
def test_sums_are_right_to_the_unit_where_they_are_largest(n_ids, draws):
    stake = 2**62 - 1  # every digit is full
    pool = Pool.of(in_one_order(n_ids, 2), np.array([stake, 1]), [[draws, 0]])
    found = sum(digit.astype(object) << (pool.width * k) for k, digit in enumerate(pool.sums))
    assert found.tolist() == [[draws * stake * d for d in range(1 - n_ids, n_ids, 2)]]


@pytest.mark.parametrize("draws", [1023, 1024, 2047])
def test_a_model_may_enter_the_largest_bag_at_its_mean_stake(draws):
    ranks = in_one_order(4096, 3)
    for bits in range(20, 63):
        pool = Pool.of(ranks, np.array([2**bits - 1, 5, 1]), [[draws, 0, 0], [0, 1, 1]])
        assert np.array_equal(pool.at_mean_stake(1).doubled[0], ranks.doubled[0])


def test_digits_are_as_wide_as_their_sums_allow():
    of_floats, of_whole_numbers = (Pool.of(in_one_order(1024, 1), [1], [[draws]]).width for draws in (1023, 4095))
    assert 2**52 <= 1023 * 2**of_floats * 1023 < 2**53
    assert 2**62 <= 4096 * 4095 * 2**of_whole_numbers * 1023 < 2**63


def test_how_many_bags_there_are_changes_nothing():
    ranks, stakes, bag = in_one_order(4096, 2), [3, 5], [2**19, 2**19 - 1]
    found = Pool.of(ranks, stakes, [bag] * 256).metamodels().doubled
    assert (found == Pool.of(ranks, stakes, [bag]).metamodels().doubled[0]).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_one_unit_of_stake_breaks_a_tie(sign):
    less, more = 2**60 + 1, 3 * 2**59 + 1  # 3 less - 2 more = 1
    predictions = sign * np.array([[1, 0], [0, 1], [0, 2]])  # the first id is ahead by 3 of the one, behind by 2
    found = scoring.metamodel(predictions, np.array([less, more]))
    assert np.sign(found[0] - found[1]) == sign


@few
@given(seeds, st.sampled_from([1, 3, 2**20, 2**31, 2**40]))
def test_long_whole_numbers_are_ordered_to_the_unit(seed, step):
    rng = np.random.default_rng(seed)
    keys = step * rng.integers(-(2**22), 2**22, (3, 40)) + rng.integers(-1, 2, (3, 40))
    keys[:, ::3] = keys[:, 1:2] + rng.integers(-1, 2, (3, 14))
    for row, key in zip(_dense(keys), keys, strict=True):
        assert np.array_equal(witness.rank(row), witness.rank(key))


@pytest.mark.parametrize("sign", [1, -1])
def test_whole_numbers_of_63_bits_are_ordered_to_the_unit(sign):
    keys = sign * (np.arange(2**53, 2**53 + 6) * 2**9 + [511, 0, 0, 510, 511, 1])
    assert np.array_equal(_dense(keys[None, :])[0], sign * np.arange(-5, 6, 2))


@pytest.mark.parametrize(
    ("digits", "rankings"),
    [([2**53 - 1], 0), ([2**53], 2), ([0, 2**33 - 1], 0), ([0, 2**33], 1), ([0, 2**53 - 1], 1), ([0, 2**53], 2)],
)
def test_whole_numbers_are_replaced_by_ranks_only_where_a_float_cannot_hold_them(digits, rankings, monkeypatch):
    calls, rank_rows = [], kernels.rank_rows
    monkeypatch.setattr(kernels, "rank_rows", lambda rows, ties: calls.append(ties) or rank_rows(rows, ties))
    keys = _sort_keys(np.array(digits)[:, None, None] * np.array([-1, 1]), 20)
    assert np.array_equal(np.argsort(keys), [[0, 1]])
    assert calls == ["average"] * rankings


def test_the_sums_of_a_pool_are_a_job_of_as_many_values_as_it_ranks(monkeypatch):
    jobs = []
    monkeypatch.setattr(
        kernels, "in_threads", lambda work, blocks, n: jobs.append((len(blocks), n)) or map(work, blocks)
    )
    Pool.of(in_one_order(12, 150), np.r_[0, np.ones(149, int)])
    assert jobs == [(3, 150 * 12), (3, 149 * 12)]


@few
@given(seeds, st.integers(1, 3), st.sampled_from([6, 20, 40]))
def test_digits_that_have_not_carried_yet_are_ordered_as_the_numbers_they_stand_for(seed, n_digits, width):
    rng = np.random.default_rng(seed)
    first = rng.integers(-(2**60), 2**60, (n_digits, 1, 1))
    digits = first + rng.integers(-2, 3, (n_digits, 2, 15))
    carried = rng.integers(-3, 4, (n_digits - 1, 2, 15))  # from one digit to the next: the same number
    digits[1:] -= carried
    digits[:-1] += carried << width
    number = sum(digit.astype(object) << (width * k) for k, digit in enumerate(digits))
    for key, expected in zip(_sort_keys(digits, width), number, strict=True):
        assert np.array_equal(witness.rank(key), witness.rank(expected))


def test_a_crowd_of_more_models_than_are_multiplied_at_once():
    rng = np.random.default_rng(4)
    p, stakes = rng.integers(0, 9, (12, 150)), rng.integers(0, 50, 150)
    total = (2 * scoring.rank(p)).astype(int) @ stakes
    assert np.array_equal(scoring.metamodel(p, stakes), witness.uniform(total))


def test_metamodels_are_ranks_of_models_that_are_all_there():
    crowd = random_crowd(3, absent=False, max_models=3)
    pooled = Pool.of(rank_models(crowd.predictions, ties="first"), crowd.stakes, crowd.bags).metamodels()
    assert pooled.present.dtype == bool
    assert pooled.present.tolist() == [True] * len(crowd.bags)
    assert pooled.ties == "first"
    assert not pooled.single


def test_one_model_of_a_ranked_crowd_is_scored_as_it_is_alone():
    p = np.array([[1.0, np.nan, 2.0], [1.0, np.nan, 3.0], [2.0, np.nan, 2.0], [4.0, np.nan, 1.0], [3.0, np.nan, 1.0]])
    for ties in ("average", "first"):
        ranks = rank_models(p, ties=ties)
        assert np.isnan(scoring.corr(ranks.one(1), LEVELS)).tolist() == [True]
        for j in (0, 2):
            assert scoring.corr(ranks.one(j), LEVELS).tolist() == [scoring.corr(p[:, j], LEVELS, ties=ties)]
            assert np.array_equal(scoring.metamodel(ranks.one(j), [1]), scoring.uniform(p[:, j], ties=ties))


def test_ranks_count_absent_models_too():
    ranks = rank_models([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]])
    assert (ranks.n_ids, ranks.n_models) == (3, 2)
    assert ranks.doubled.tolist() == [[-2, 0, 2], [0, 0, 0]]


def test_the_table_of_normal_scores_that_all_crowds_share_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        normal_scores(5)[0] = 0.0


def test_a_signed_power_is_a_float_whatever_it_is_given():
    assert scoring.signed_power([2, -3], 2).dtype == np.float64
    assert scoring.signed_power([10**10, -(10**10)], 2).tolist() == [1e20, -1e20]


def test_the_power_of_one_and_a_half_needs_no_library():
    x = np.random.default_rng(0).normal(size=2000)
    assert np.array_equal(scoring.signed_power(x, 1.5), np.sign(x) * (np.abs(x) * np.sqrt(np.abs(x))))


@few
@given(seeds)
def test_the_scale_of_the_target_is_one_unless_it_is_given(seed):
    crowd = random_crowd(seed, absent=False)
    p, t = crowd.predictions, crowd.target
    assert np.array_equal(scoring.mmc2024(p, t, t), scoring.mmc2024(p, t, t, target_scale=1.0))
    assert np.array_equal(scoring.bmc(p, p, t), scoring.bmc(p, p, t, target_scale=1.0))
    assert scoring.bmc(p, p, t, target_scale=4.0) == pytest.approx(4.0 * scoring.bmc(p, p, t), abs=EXACT)
