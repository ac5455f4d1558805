"""Simulated crowds: what their shape says of them is what they are."""

from __future__ import annotations

import numpy as np
import pytest

from crowdalpha.lab.chance import interval, stream
from crowdalpha.lab.crowds import LARGEST_STAKE, SMALLEST_STAKE, Shape, World, binned
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.money import UNITS


def test_a_round_depends_on_its_seed_and_number_alone() -> None:
    shape = Shape(models=4, ids=50)
    one, again = World(shape, 1).round(3), list(World(shape, 1).rounds(3))[-1]
    assert np.array_equal(one.era.predictions, again.era.predictions)
    assert not np.array_equal(one.era.predictions, World(shape, 2).round(3).era.predictions)
    assert not np.array_equal(one.era.predictions, World(shape, 1).round(2).era.predictions)


def test_models_are_as_good_and_as_alike_as_the_shape_says() -> None:
    shape = Shape(models=2, ids=40_000, edge=0.2, own_edge=(0.1, 0.1), shared=0.6, hard_share=0.0)
    drawn = World(shape, 1).round(1)
    a, b = drawn.era.predictions.T
    expected = np.sqrt(0.6) * 0.2 + np.sqrt(0.4) * 0.1
    assert np.corrcoef(a, drawn.latent)[0, 1] == pytest.approx(expected, abs=0.02)
    alike = 0.6 + 0.4 * 0.1**2 + 2 * np.sqrt(0.24) * 0.2 * 0.1
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(alike, abs=0.02)


def test_in_hard_eras_all_are_wrong_together_as_often_as_the_shape_says() -> None:
    world = World(Shape(models=3, ids=200, edge=0.5, own_edge=(0, 0)), 1)
    rounds = list(world.rounds(300))
    assert np.mean([each.hard for each in rounds]) == pytest.approx(0.4, abs=0.1)
    for each in rounds:
        assert (np.corrcoef(each.shared, each.latent)[0, 1] < 0) == each.hard


def test_the_target_has_the_shares_of_its_bins_in_the_order_of_the_truth() -> None:
    latent = stream("bins").standard_normal(200)
    target = binned(latent, (0.05, 0.2, 0.5, 0.2, 0.05))
    values, counts = np.unique(target, return_counts=True)
    assert values.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert counts.tolist() == [10, 40, 100, 40, 10]
    assert (np.diff(target[np.argsort(latent)]) >= 0).all()


def test_stakes_are_pareto_in_whole_coins() -> None:
    stakes = np.array(list(World(Shape(models=4000), 1).stakes.values()))
    assert (stakes % UNITS == 0).all()
    assert stakes.min() >= SMALLEST_STAKE * UNITS
    assert stakes.max() <= LARGEST_STAKE * UNITS
    assert np.mean(stakes > 100 * UNITS) == pytest.approx(10**-1.2, abs=0.01)
    assert set(World(Shape(models=5, tail=0), 1).stakes.values()) == {SMALLEST_STAKE * UNITS}


def test_a_shape_that_cannot_be_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(InputError) as refusal:
        Shape(models=0, edge=2.0, own_edge=(-2.0, 0.0), bins=(0.5, 0.4))
    assert [problem.code for problem in refusal.value.problems] == ["bad_shape"] * 4


def test_an_interval_covers_the_mean_as_often_as_it_says() -> None:
    draws = stream("cover").standard_normal((200, 40))
    covered = [low <= 0 <= high for _, low, high in (interval(row, confidence=0.9) for row in draws)]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)


def test_hard_eras_come_in_spells_as_long_as_the_shape_says() -> None:
    world = World(Shape(models=1, ids=2, lasting=0.8), 1)
    hard = np.array([drawn.hard for drawn in world.rounds(1500)])
    assert hard.mean() == pytest.approx(0.4, abs=0.12)
    assert np.corrcoef(hard[1:], hard[:-1])[0, 1] == pytest.approx(0.8, abs=0.05)
    assert world.round(700).hard == hard[699]


def test_models_come_and_go_as_the_shape_says_and_the_first_one_stays() -> None:
    world = World(Shape(models=60, ids=5, present=0.7, staying=0.9), 1)
    there = np.array([~np.isnan(drawn.era.predictions).any(axis=0) for drawn in world.rounds(300)])
    assert there[:, 0].all()
    others = there[:, 1:]
    assert others.mean() == pytest.approx(0.7, abs=0.05)
    moved = (others[1:] != others[:-1]).mean()
    assert moved == pytest.approx(2 * 0.7 * 0.3 * (1 - 0.9), abs=0.01)


def test_who_is_there_and_how_long_spells_are_changes_nothing_else() -> None:
    plain, coming = World(Shape(models=5, ids=40), 1), World(Shape(models=5, ids=40, present=0.6), 1)
    for one, other in zip(plain.rounds(5), coming.rounds(5), strict=True):
        there = coming.there(int(str(one.era.label)))
        assert np.array_equal(one.era.predictions[:, there], other.era.predictions[:, there])
        assert np.array_equal(one.target, other.target)
