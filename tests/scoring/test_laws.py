"""What must hold of the scores whatever the crowd: the fairness of the game, law by law."""

import numpy as np
import pytest
from crowds import LEVELS, crowds, distinct_columns, features_for, full_crowds, random_bags, random_crowd, seeds
from crowds import varying_target as random_target
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha import scoring
from crowdalpha.scoring import corr, draw_bags, exposure_metrics, metamodel, mmc1, mmc2, neutralize, uniform
from crowdalpha.scoring.problems import InputError

some = settings(max_examples=40)


def same_bits(left, right):
    return np.array_equal(np.asarray(left), np.asarray(right), equal_nan=True)


def scores_that_need_only_ranks(crowd, features):
    """Every score of a crowd that looks at nothing but the order of predictions."""
    p, s, t, bags = crowd.predictions, crowd.stakes, crowd.target, crowd.bags
    m = metamodel(p, s)
    return {
        "metamodel": m,
        "corr": corr(p, t),
        "numerai_corr": scoring.numerai_corr(p, t),
        "mmc2": mmc2(p, s, t, bags=bags),
        "mmc2 without self": mmc2(p, s, t, bags=bags, exclude_self=True),
        "mmc1": mmc1(p, s, t, bags=bags),
        "mmc2024": scoring.mmc2024(p, m, t, target_scale=4),
        "cwmm": scoring.cwmm(p, m),
        "fnc": scoring.fnc(p, features, t),
        "mcwnm": scoring.mcwnm(p),
        "apcwnm": scoring.apcwnm(p),
        "alpha": scoring.alpha(p, features, np.ones(len(t)), t),
        "mpc": scoring.mpc(p, s, features, np.ones(len(t)), t),
    }


def with_columns(crowd, *columns, stakes=None):
    """The crowd's predictions with more models at the end, unstaked unless stakes are given, in no bag."""
    predictions = np.column_stack([crowd.predictions, *columns])
    stakes = [*crowd.stakes, *(stakes or [0] * len(columns))]
    bags = None if crowd.bags is None else np.pad(crowd.bags, ((0, 0), (0, len(columns))))
    return predictions, stakes, bags


def opposite(column):
    return column.max() + column.min() - column


# 1. A model and its opposite


@some
@given(full_crowds, st.data())
def test_the_opposite_of_a_model_gets_the_opposite_mmc2_to_the_bit(crowd, data):
    column = data.draw(distinct_columns(len(crowd.target), 1))[:, 0].astype(float)
    p, s, bags = with_columns(crowd, column, opposite(column))
    scores = mmc2(p, s, crowd.target, bags=bags)
    assert scores[-1] == -scores[-2]


@some
@given(full_crowds, st.integers(1, 1000), st.sampled_from([0.25, 0.05, 1.0]))
def test_a_pair_of_opposites_with_equal_stakes_nets_nothing_under_an_odd_payout(crowd, stake, limit):
    column = np.arange(float(len(crowd.target)))
    p, s, bags = with_columns(crowd, column, opposite(column), stakes=[stake, stake])
    bags = None if bags is None else bags + np.eye(1, len(s), len(s) - 1, dtype=int)
    scores = mmc2(p, s, crowd.target, bags=bags)
    payouts = stake * np.clip(scores[-2:], -limit, limit)
    assert payouts.sum() == 0.0


# 2. Copies of the metamodel


@some
@given(full_crowds, st.sampled_from(["average", "first"]))
def test_a_copy_of_the_metamodel_scores_zero_without_bags(crowd, ties):
    copy = metamodel(crowd.predictions, crowd.stakes, ties=ties)
    p, s, _ = with_columns(crowd, copy)
    assert mmc2(p, s, crowd.target, ties=ties)[-1] == 0.0


@some
@given(full_crowds)
def test_the_inverse_of_the_metamodel_scores_zero_without_bags(crowd):
    inverse = 1.0 - metamodel(crowd.predictions, crowd.stakes)
    p, s, _ = with_columns(crowd, inverse)
    assert mmc2(p, s, crowd.target)[-1] == 0.0


@some
@given(seeds)
def test_a_crowd_of_one_scores_zero_for_it_is_the_metamodel(seed):
    crowd = random_crowd(seed, absent=False, bagged=False, max_models=1)
    assert mmc2(crowd.predictions, crowd.stakes, crowd.target)[0] == 0.0


def crowd_with_an_edge(rng, target, edge, n_models=30):
    """Models that share a signal and most of their error, as a real crowd does."""
    shared = edge * (target - 0.5) / 0.35 + rng.normal(size=len(target))
    return shared[:, None] + rng.normal(size=(len(target), n_models))


@pytest.mark.parametrize("edge", [0.15, -0.15])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_bags_a_copy_of_the_metamodel_scores_a_little_with_the_sign_of_its_edge(edge, seed):
    rng = np.random.default_rng(seed)
    target = random_target(rng, 1000)
    predictions = crowd_with_an_edge(rng, target, edge)
    stakes = np.rint(rng.lognormal(8, 1, 30)).astype(int)
    copy = metamodel(predictions, stakes)
    bags = draw_bags([*stakes, 0], n_bags=60, seed=seed)
    score = mmc2(np.column_stack([predictions, copy]), [*stakes, 0], target, bags=bags)[-1]
    edge_of_metamodel = corr(copy, target)
    assert np.sign(score) == np.sign(edge_of_metamodel) == np.sign(edge)
    assert 0.0 < abs(score) < abs(edge_of_metamodel) / 2


# 3. Only the order counts, and not the order of rows and models


@some
@given(crowds, st.floats(-5, 5))
def test_a_constant_scores_exactly_zero(crowd, constant):
    p, s, bags = with_columns(crowd, np.full(len(crowd.target), constant))
    t, features = crowd.target, features_for(crowd, 2)
    m = metamodel(p, s)
    for score in (
        corr(p, t),
        scoring.numerai_corr(p, t),
        mmc2(p, s, t, bags=bags),
        mmc2(p, s, t, bags=bags, exclude_self=True),
        mmc1(p, s, t, bags=bags),
        scoring.mmc2024(p, m, t),
        scoring.cwmm(p, m),
        scoring.fnc(p, features, t),
        scoring.alpha(p, features, np.ones(len(t)), t),
    ):
        assert score[-1] == 0.0
    assert (scoring.exposures(p, features)[:, -1] == 0.0).all()
    assert (neutralize(p, features)[:, -1] == 0.0).all()


INCREASING = {
    "shifted and stretched": lambda x: 8.0 * x - 3.0,
    "cubed": lambda x: x**3,
    "exponential": lambda x: np.exp(x / 1e6),
    "ranked": lambda x: scoring.rank(x),
}


@some
@given(seeds, st.sampled_from(sorted(INCREASING)))
def test_an_increasing_remapping_of_a_model_changes_no_bit_of_any_score(seed, name):
    crowd = random_crowd(seed)
    crowd.predictions = np.round(crowd.predictions, 3)  # so that the mappings keep apart what is apart
    features = features_for(crowd, seed)
    before = scores_that_need_only_ranks(crowd, features)
    crowd.predictions = INCREASING[name](crowd.predictions)
    after = scores_that_need_only_ranks(crowd, features)
    for score in before:
        assert same_bits(before[score], after[score]), score


@some
@given(seeds, st.booleans())
def test_permuting_the_rows_changes_no_bit_of_any_score(seed, coarse):
    crowd = random_crowd(seed, coarse=coarse)
    features = features_for(crowd, seed)
    before = scores_that_need_only_ranks(crowd, features)
    order = np.random.default_rng(seed).permutation(len(crowd.target))
    before["metamodel"] = before["metamodel"][order]
    crowd.predictions, crowd.target = crowd.predictions[order], crowd.target[order]
    after = scores_that_need_only_ranks(crowd, features[order])
    for score in before:
        assert same_bits(before[score], after[score]), score


@some
@given(seeds, st.booleans())
def test_permuting_the_models_changes_no_bit_of_any_score(seed, coarse):
    crowd = random_crowd(seed, coarse=coarse)
    features = features_for(crowd, seed)
    before = scores_that_need_only_ranks(crowd, features)
    order = np.random.default_rng(seed).permutation(len(crowd.stakes))
    before = {name: score if name == "metamodel" else score[order] for name, score in before.items()}
    crowd.predictions, crowd.stakes = crowd.predictions[:, order], [crowd.stakes[j] for j in order]
    crowd.bags = None if crowd.bags is None else crowd.bags[:, order]
    after = scores_that_need_only_ranks(crowd, features)
    for score in before:
        assert same_bits(before[score], after[score]), score


@some
@given(crowds, st.integers(2, 10**6))
def test_scaling_all_stakes_changes_no_bit(crowd, factor):
    scaled = [factor * stake for stake in crowd.stakes]
    for score in (mmc1, mmc2):
        before = score(crowd.predictions, crowd.stakes, crowd.target, bags=crowd.bags)
        assert same_bits(before, score(crowd.predictions, scaled, crowd.target, bags=crowd.bags))


# 4. Absent models


@some
@given(full_crowds, st.integers(0, 1000))
def test_an_absent_model_changes_no_bit_of_anybody_elses_score(crowd, stake):
    absent = np.full(len(crowd.target), np.nan)
    features = features_for(crowd, stake)
    before = scores_that_need_only_ranks(crowd, features)
    crowd.predictions, crowd.stakes, crowd.bags = with_columns(crowd, absent, stakes=[stake])
    after = scores_that_need_only_ranks(crowd, features)
    assert same_bits(before.pop("metamodel"), after.pop("metamodel"))
    for score in before:
        assert np.isnan(after[score][-1]), score
        assert same_bits(before[score], after[score][:-1]), score


@some
@given(full_crowds, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_broken_submission_is_refused_by_column_and_never_filled(crowd, broken):
    crowd.predictions[0, -1] = broken
    with pytest.raises(InputError) as refusal:
        mmc2(crowd.predictions, crowd.stakes, crowd.target)
    assert refusal.value.problems[0].where == f"predictions column {len(crowd.stakes) - 1}"


# 5. Clones and split stakes


@some
@given(full_crowds, st.integers(0, 10**6))
def test_identical_submissions_get_identical_scores_whatever_their_stakes(crowd, stake):
    p, s, bags = with_columns(crowd, crowd.predictions[:, 0], stakes=[stake])
    scores = mmc2(p, s, crowd.target, bags=bags)
    assert scores[0] == scores[-1]


@some
@given(full_crowds, st.lists(st.integers(0, 10**5), min_size=1, max_size=3))
def test_splitting_a_stake_over_clones_changes_neither_metamodel_nor_scores(crowd, parts):
    before = mmc2(crowd.predictions, crowd.stakes, crowd.target)
    m = metamodel(crowd.predictions, crowd.stakes)
    clones = [crowd.predictions[:, 0]] * len(parts)
    whole = crowd.stakes[0] + sum(parts)
    pooled = mmc2(crowd.predictions, [whole, *crowd.stakes[1:]], crowd.target)
    p, s, _ = with_columns(crowd, *clones, stakes=parts)
    split = mmc2(p, s, crowd.target)
    assert same_bits(metamodel(p, s), metamodel(crowd.predictions, [whole, *crowd.stakes[1:]]))
    assert same_bits(split[: len(before)], pooled)
    assert same_bits(split[len(before) :], np.full(len(parts), pooled[0]))
    assert len(m) == len(crowd.target)


# 6. Pairs of opposites in the pool


@some
@given(full_crowds, st.integers(1, 10**9))
def test_adding_a_pair_of_opposites_leaves_the_metamodel_to_the_bit(crowd, stake):
    column = crowd.predictions[:, 0] + np.arange(len(crowd.target))
    p, s, _ = with_columns(crowd, column, -column, stakes=[stake, stake])
    assert same_bits(metamodel(p, s), metamodel(crowd.predictions, crowd.stakes))


# 7. Contribution to the un-ranked metamodel is zero-sum


@some
@given(full_crowds)
def test_against_the_unranked_metamodel_the_stake_weighted_contributions_sum_to_zero(crowd):
    u, weights = uniform(crowd.predictions), np.array(crowd.stakes) / sum(crowd.stakes)
    left = neutralize(u, u @ weights)
    covariances = (left - left.mean(axis=0)).T @ (crowd.target - crowd.target.mean()) / (len(u) - 1)
    assert weights @ covariances == pytest.approx(0.0, abs=1e-12)


# 8. A giant staker


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_good_giant_with_most_of_the_stake_scores_near_zero_without_bags_and_not_with_them(seed):
    rng = np.random.default_rng(seed)
    target = random_target(rng, 1000)
    predictions = crowd_with_an_edge(rng, target, 0.0)
    predictions[:, 0] += 0.5 * (target - 0.5) / 0.35
    predictions[:, -1] = predictions[:, 0]  # an unstaked clone of the giant
    stakes = np.full(30, 100)
    stakes[0], stakes[-1] = 4 * 100 * 28, 0  # 80 % of all stake
    bags = draw_bags(stakes, n_bags=100, seed=seed)
    alone, bagged = mmc2(predictions, stakes, target), mmc2(predictions, stakes, target, bags=bags)
    assert alone[0] == alone[-1]
    assert bagged[0] == bagged[-1]
    beside_the_others = mmc2(predictions, stakes, target, exclude_self=True)[0]
    assert abs(alone[0]) < beside_the_others / 5
    assert bagged[0] > beside_the_others / 3


# 9. Noise


@pytest.mark.parametrize("shares", [(0.2,) * 5, (0.05, 0.2, 0.5, 0.2, 0.05)])
def test_noise_scores_zero_on_average_with_a_spread_of_k_over_root_n(shares):
    n_ids, n_models = 400, 4000
    rng = np.random.default_rng(9)
    target = np.repeat(LEVELS, np.rint(np.array(shares) * n_ids).astype(int))
    predictions = rng.random((n_ids, n_models + 5))
    stakes = np.r_[np.zeros(n_models, int), 1, 2, 3, 4, 5]
    scores = mmc2(predictions, stakes, target)[:n_models]
    expected = closeness_constant(predictions[:, :1], target) / np.sqrt(n_ids - 1)
    assert abs(scores.mean()) < 4 * expected / np.sqrt(n_models)
    assert scores.std() == pytest.approx(expected, rel=0.05)


# 10. The closed form


def closeness_constant(p, target):
    """k = sd1(u) sd1(t) / 0.29^2."""
    return np.std(uniform(p)[:, 0], ddof=1) * np.std(target, ddof=1) / 0.29**2


@some
@given(full_crowds)
def test_mmc2_is_k_times_corr_less_similarity_times_the_corr_of_the_metamodel(crowd):
    m = metamodel(crowd.predictions, crowd.stakes)
    found = mmc2(crowd.predictions, crowd.stakes, crowd.target)
    for j, p in enumerate(crowd.predictions.T):
        k = closeness_constant(p[:, None], crowd.target)
        similarity = scoring.similarity(np.column_stack([p, m]))[0, 1]
        expected = k * (corr(p, crowd.target) - similarity * corr(m, crowd.target))
        assert found[j] == pytest.approx(expected, abs=1e-12)


@some
@given(st.integers(4, 20).flatmap(lambda n: st.tuples(distinct_columns(n, 3), seeds)))
def test_at_equal_corr_mmc2_falls_with_similarity_by_k_times_the_corr_of_the_metamodel(drawn):
    columns, seed = drawn
    target = random_target(np.random.default_rng(seed), len(columns))
    scores = mmc2(columns, [0, 0, 1], target)
    rho = scoring.similarity(columns)[2]
    k, of_crowd = closeness_constant(columns[:, :1], target), corr(columns, target)
    moved = scores[1] - scores[0] - k * (of_crowd[1] - of_crowd[0])
    assert moved == pytest.approx(-k * of_crowd[2] * (rho[1] - rho[0]), abs=1e-12)


def test_in_a_burn_era_the_model_that_is_more_like_the_crowd_gets_the_higher_mmc2():
    target = np.array([0, 0.25, 0.5, 0.75, 1])
    crowd = np.array([5, 3, 4, 1, 2])  # corr -0.8
    like, unlike = np.array([4, 1, 5, 3, 2]), np.array([4, 3, 1, 5, 2])  # both corr -0.2
    assert corr(crowd, target) == pytest.approx(-0.8)
    assert corr(like, target) == pytest.approx(corr(unlike, target))
    scores = mmc2(np.column_stack([like, unlike, crowd]), [0, 0, 1], target)
    assert scores[0] > scores[1]


@pytest.mark.parametrize(
    ("target_deviation", "k"),
    [
        (np.sqrt(np.mean(np.square(LEVELS - 0.5))), 1.21358),
        (np.sqrt(2 * 0.05 * 0.25 + 2 * 0.2 * 0.0625), 0.76754),
        (np.sqrt(1 / 12), 0.99088),
    ],
)
def test_the_size_of_mmc2_beside_corr_is_k(target_deviation, k):
    assert np.sqrt(1 / 12) * target_deviation / scoring.contribution.UNIFORM_STD**2 == pytest.approx(k, abs=5e-6)


# Beside the laws of the specification


@some
@given(crowds, seeds)
def test_squared_rms_exposure_is_squared_mean_plus_squared_dissimilarity(crowd, seed):
    features = features_for(crowd, seed)
    sizes, c = exposure_metrics(crowd.predictions, features), scoring.exposures(crowd.predictions, features)
    expected = c.mean(axis=0) ** 2 + sizes.std**2
    assert np.asarray(sizes.rms**2) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@some
@given(full_crowds, seeds)
def test_what_is_fully_neutralised_has_no_exposure_left(crowd, seed):
    features = features_for(crowd, seed)
    left = neutralize(crowd.predictions, features)
    scale = np.abs(crowd.predictions).max(axis=0) * len(left)
    inner = np.abs(np.column_stack([features, np.ones(len(left))]).T @ left)
    assert (inner <= 1e-13 * np.maximum(scale, 1e-300)).all()


@some
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(1, 6), st.integers(), st.booleans())
def test_bags_draw_two_thirds_of_the_stakers_and_nobody_else(stakes, n_bags, seed, replacement):
    bags = draw_bags(stakes, n_bags=n_bags, seed=seed, replacement=replacement)
    stakers = np.count_nonzero(stakes)
    assert bags.shape == (n_bags, len(stakes))
    assert (bags[:, np.array(stakes) == 0] == 0).all()
    assert (bags.sum(axis=1) == (max(1, round(0.67 * stakers)) if stakers else 0)).all()
    assert replacement or bags.max(initial=0) <= 1
    assert same_bits(bags[:1], draw_bags(stakes, n_bags=1, seed=seed, replacement=replacement))


@pytest.mark.parametrize(("replacement", "share"), [(True, 1 - np.exp(-0.67)), (False, 0.67)])
def test_a_staker_is_in_half_of_the_bags_with_replacement_and_in_two_thirds_without(replacement, share):
    bags = draw_bags(np.ones(300, int), n_bags=400, seed=1, replacement=replacement)
    assert (bags > 0).mean() == pytest.approx(share, abs=0.005)


@some
@given(seeds)
def test_the_mean_over_bags_of_mmc2_does_not_see_bags_of_the_absent(seed):
    crowd = random_crowd(seed, absent=False)
    rng = np.random.default_rng(seed)
    bags = random_bags(rng, crowd.stakes, 4)
    by_bag = scoring.mmc2_by_bag(crowd.predictions, crowd.stakes, crowd.target, bags=bags)
    found = mmc2(crowd.predictions, crowd.stakes, crowd.target, bags=bags)
    assert found == pytest.approx(by_bag.mean(axis=0), abs=1e-14)
