"""Crowds in shards have the bits of crowds in one piece."""

from itertools import pairwise

import numpy as np
import pytest
from crowds import random_crowd, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha import scoring
from crowdalpha.scoring.bags import draws, whole_units
from crowdalpha.scoring.contribution import Residuals
from crowdalpha.scoring.metrics import Era, evaluate
from crowdalpha.scoring.problems import InputError
from crowdalpha.scoring.ranks import rank_models
from crowdalpha.scoring.shards import SHARDED, Judge, Weights, partial_sums, pool, score_shard, weigh

few = settings(max_examples=25)


def in_shards(predictions, stakes, target, cuts, *, bags, ties="average", **choices):
    ranks = rank_models(predictions)
    n_models, n_ids = ranks.doubled.shape
    weights = weigh(whole_units(stakes), bags, n_ids, present=ranks.present)
    edges = sorted({0, n_models, *(cut % (n_models + 1) for cut in cuts)})
    shards = [slice(*pair) for pair in pairwise(edges)]
    rows = [ranks.doubled[shard].astype(np.int16) for shard in shards]
    sums = [
        partial_sums([some[:1], some[1:]], weights.of(shard), ties) for some, shard in zip(rows, shards, strict=True)
    ]
    metamodels = pool(sum(sums[::-1]), weights, ties)
    each = [
        score_shard(some, metamodels, Judge.of(metamodels, target), present=ranks.present[shard], **choices)
        for some, shard in zip(rows, shards, strict=True)
    ]
    return {name: np.concatenate([scores[name] for scores in each]) for name in each[0]}


cutting = st.lists(st.integers(0, 1000), max_size=4)


@few
@given(seeds, cutting, st.sampled_from(["average", "first"]))
def test_every_score_of_a_crowd_in_shards_has_the_bits_of_the_crowd_in_one_piece(seed, cuts, ties):
    crowd = random_crowd(seed, min_ids=6)
    bags = scoring.draw_bags(np.where(rank_models(crowd.predictions).present, crowd.stakes, 0), n_bags=5, seed=seed)
    rng = np.random.default_rng(seed)
    features = np.rint(2 * rng.normal(size=(len(crowd.target), 2)))
    benchmarks = rng.normal(size=(len(crowd.target), 2))
    found = in_shards(
        crowd.predictions, crowd.stakes, crowd.target, cuts, bags=bags, ties=ties,
        metrics=SHARDED, features=features, benchmarks=benchmarks,
    )  # fmt: skip
    era = Era(crowd.predictions, crowd.target, crowd.stakes, bags, features, benchmarks=benchmarks, ties=ties)
    for name, expected in evaluate(SHARDED, era).items():
        assert np.array_equal(found[name], expected, equal_nan=True), name


@pytest.mark.parametrize("heaviest", [1, 2**10, 2**17])
@pytest.mark.parametrize("bits", [1, 34, 40, 61])
def test_stakes_and_bags_of_any_size_are_added_to_the_unit(bits, heaviest):
    rng = np.random.default_rng(bits + heaviest)
    predictions, target = rng.integers(0, 4, (40, 150)).astype(float), rng.normal(size=40)
    stakes = rng.integers(2 ** (bits - 1), 2**bits, 150)
    bags = rng.integers(0, heaviest, (3, 150), endpoint=True)
    bags[:, 0] = 1
    if bags.sum(axis=1).max() >= 2**20:
        bags[:, 5:] = 0
    found = in_shards(predictions, stakes, target, [70], bags=bags)
    assert np.array_equal(found["mmc2"], scoring.mmc2(predictions, stakes, target, bags=bags))


def test_sums_are_carried_before_they_could_overflow(monkeypatch):
    monkeypatch.setattr("crowdalpha.scoring.shards.BLOCKS", 2)
    rng = np.random.default_rng(0)
    predictions, target, stakes = rng.normal(size=(30, 700)), rng.normal(size=30), rng.integers(2**60, 2**61, 700)
    bags = scoring.draw_bags(stakes, n_bags=2, seed=1)
    found = in_shards(predictions, stakes, target, [], bags=bags)
    assert np.array_equal(found["mmc2"], scoring.mmc2(predictions, stakes, target, bags=bags))


def test_a_million_stakers_of_the_longest_stakes_leave_room_in_the_highest_place():
    units = np.full(100_000, 2**34 - 1)
    units[0] -= 1
    weights = weigh(units, draws(units, n_bags=2, seed=0), 5_000)
    assert isinstance(weights, Weights)
    rows = np.tile(np.where(np.arange(5_000) < 2_500, -4_999, 4_999).astype(np.int16), (64, 1))
    sums = partial_sums((rows for _ in range(1_563)), weigh(np.full(100_032, 2**34 - 1) - (np.arange(100_032) == 0),
                        [], 5_000))  # fmt: skip
    total = (100_032 * (2**34 - 1) - 1) * 4_999
    width = weights.width
    assert sum(int(place[0, -1]) << (width * k) for k, place in enumerate(sums)) == total


def test_a_kept_crowd_scores_any_target_as_a_fresh_one_does():
    crowd = random_crowd(5, min_ids=20)
    bags = scoring.draw_bags(np.where(rank_models(crowd.predictions).present, crowd.stakes, 0), n_bags=7, seed=1)
    kept = Residuals.of(crowd.predictions, crowd.stakes, bags=bags)
    for seed in range(3):
        target = np.random.default_rng(seed).normal(size=len(crowd.target))
        fresh = scoring.mmc2(crowd.predictions, crowd.stakes, target, bags=bags)
        assert np.array_equal(kept.mmc2(target), fresh, equal_nan=True)


def test_a_metric_that_looks_at_the_other_models_is_refused():
    with pytest.raises(InputError, match="not_sharded"):
        in_shards(np.eye(4), np.ones(4), np.arange(4.0), [], bags=[np.ones(4, int)], metrics=["mmc1"])


@pytest.mark.parametrize(("stakes", "bag", "code"), [([0, 0], [1, 1], "no_stake"), ([1, 0], [0, 1], "empty_bag")])
def test_a_pool_without_anybody_is_refused(stakes, bag, code):
    with pytest.raises(InputError, match=code):
        weigh(np.array(stakes), [np.array(bag)], 5)
