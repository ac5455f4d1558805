"""MMC1 by following each order as it changes has the bits of MMC1 by ranking every metamodel from exact sums."""

import numpy as np
import pytest
from crowds import LEVELS, crowds, random_bags, seeds, tie_rules
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.scoring import draw_bags, kernels, leave_one_out, mmc1
from crowdalpha.scoring.correlation import varying_target
from crowdalpha.scoring.metamodel import Pool
from crowdalpha.scoring.ranks import rank_models

STAKES = {
    "lognormal": lambda rng, n: rng.lognormal(3, 1.5, n),
    "equal": lambda rng, n: np.ones(n, int),
    "a few coins": lambda rng, n: rng.integers(0, 4, n) + (np.arange(n) == 0),
    "a giant": lambda rng, n: np.r_[1e6, rng.lognormal(3, 1, n - 1)],
    "one staker": lambda rng, n: np.eye(n, dtype=int)[0],
    "many digits": lambda rng, n: rng.integers(2**50, 2**61, n) | 1,
}
PREDICTIONS = {
    "distinct": lambda rng, shape: rng.normal(size=shape),
    "coarse": lambda rng, shape: np.round(rng.normal(size=shape), 1),
    "twins": lambda rng, shape: np.repeat(rng.normal(size=(-(-shape[0] // 2), shape[1])), 2, axis=0)[: shape[0]],
}
TARGETS = {
    "binned": lambda rng, n: rng.choice(LEVELS, n),
    "returns": lambda rng, n: rng.standard_t(3, n) * np.exp(rng.normal(size=n)),
}


def on(kernel, *arrays, **options):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CROWDALPHA_KERNEL", kernel)
        return mmc1(*arrays, **options)


def crowd_of(predictions, stakes, target, seed=0, n_ids=700, n_models=40):
    rng = np.random.default_rng(seed)
    p = PREDICTIONS[predictions](rng, (n_ids, n_models))
    p[:, 3] = np.nan
    s = STAKES[stakes](rng, n_models)
    bags = draw_bags(np.where(np.arange(n_models) == 3, 0, s), n_bags=3, seed=seed)
    return p, s, TARGETS[target](rng, n_ids), bags


@settings(max_examples=60, deadline=None)
@given(crowds, tie_rules)
def test_small_crowds_with_ties_absent_models_and_single_stakers_have_the_same_bits(crowd, ties):
    arrays = crowd.predictions, crowd.stakes, crowd.target
    options = {"bags": crowd.bags, "ties": ties}
    assert np.array_equal(on("numba", *arrays, **options), on("numpy", *arrays, **options), equal_nan=True)


@pytest.mark.parametrize("ties", ["average", "first"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stakes", STAKES)
@pytest.mark.parametrize("predictions", PREDICTIONS)
def test_crowds_of_every_kind_have_the_same_bits(predictions, stakes, target, ties):
    p, s, t, bags = crowd_of(predictions, stakes, target)
    assert np.array_equal(on("numba", p, s, t, bags=bags, ties=ties), on("numpy", p, s, t, bags=bags, ties=ties), True)


@settings(max_examples=20, deadline=None)
@given(seeds, tie_rules, st.integers(2, 600), st.sampled_from([8, 2**20, 2**45]))
def test_small_stakes_among_many_are_followed_to_the_same_bits(seed, ties, n_ids, most):
    rng = np.random.default_rng(seed)
    p, t = np.round(rng.normal(size=(n_ids, 60)), rng.integers(1, 9)), np.r_[0.0, rng.choice(LEVELS, n_ids - 2), 1.0]
    s = rng.integers(0, most, 60) + (np.arange(60) == 7)
    bags = random_bags(rng, s, 2)
    assert np.array_equal(on("numba", p, s, t, bags=bags, ties=ties), on("numpy", p, s, t, bags=bags, ties=ties))


def test_no_number_of_threads_and_no_order_of_ids_or_models_changes_a_bit(monkeypatch):
    rng = np.random.default_rng(1)
    p, s, t = rng.normal(size=(600, 150)), rng.lognormal(3, 1, 150), rng.normal(size=600)
    bags = draw_bags(s, n_bags=4, seed=1)
    expected = on("numba", p, s, t, bags=bags)
    rows, models = rng.permutation(600), rng.permutation(150)
    turned = on("numba", p[rows][:, models], s[models], t[rows], bags=bags[:, models])
    assert np.array_equal(turned, expected[models])
    monkeypatch.setattr(kernels, "n_threads", lambda: 3)
    monkeypatch.setattr(kernels, "BLOCK", 7)
    assert np.array_equal(on("numba", p, s, t, bags=bags), expected)


def states(predictions, stakes, seed=0, n_models=200, n_ids=700):
    """How many metamodels were known by following, by ranking, and only by exact sums."""
    p, s, t, bags = crowd_of(predictions, stakes, "binned", seed, n_ids, n_models)
    pool, loops = Pool.of(rank_models(p), s, bags), leave_one_out._loops(10**9)
    followed = leave_one_out._Followed.of(pool, varying_target(t, n_ids), loops)
    weights = followed.bags.weights(slice(0, n_models))
    state, lost = np.zeros(weights.shape, np.int8), np.zeros(weights.shape, np.int64)
    moved = np.zeros((*weights.shape, followed.digits.shape[1]))
    bags = followed.bags
    parts = bags.order, bags.sorted, bags.gaps, followed.digits, weights, bags.margins
    loops.follow_block(pool.ranks.doubled, *parts, False, state, moved, lost)
    return {name: int((state == getattr(loops, name)).sum()) for name in ("KNOWN", "FAR", "CLOSE")}, lost


def test_every_way_is_taken(monkeypatch):
    monkeypatch.setenv("CROWDALPHA_KERNEL", "numba")
    plain, _ = states("distinct", "lognormal")
    assert plain["KNOWN"] > plain["FAR"] > 0
    assert plain["CLOSE"] == 0
    assert states("twins", "lognormal")[0]["CLOSE"] > 0
    equal, lost = states("distinct", "equal")
    assert equal["CLOSE"] == 0
    assert (lost > 0).any()


def test_a_model_that_cannot_be_told_is_taken_the_plain_way(monkeypatch):
    p, s, t, bags = crowd_of("distinct", "many digits", "binned")
    taken, plain = [], leave_one_out.by_ranking
    monkeypatch.setattr(leave_one_out, "by_ranking", lambda pool, j, t: taken.append(j) or plain(pool, j, t))
    expected = on("numpy", p, s, t, bags=bags)
    assert sorted(taken) == [j for j in range(40) if j != 3]
    taken.clear()
    assert np.array_equal(on("numba", p, s, t, bags=bags), expected, True)
    assert taken == []
    monkeypatch.setattr(leave_one_out, "ROUNDING", 1e-6)
    assert np.array_equal(on("numba", p, s, t, bags=bags), expected, True)
    assert taken


def test_long_numbers_are_sums_of_their_digits():
    limbs = np.array([[2.0**50 + 3.0, 0.0], [-(2.0**49) - 1.0, 5.0]])
    digits, joining = leave_one_out._digits(limbs, 18)
    assert np.abs(digits).max() <= 2**17
    assert np.array_equal(digits @ joining, limbs)
