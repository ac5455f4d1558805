"""Adding a model: what the metamodel becomes at every share of the stake."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from crowdalpha.lab.additions import FIGURES, Addition, add, best, joined, steps, theory
from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.crowds import Shape, World, seen
from crowdalpha.payouts import blend_weights
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError
from crowdalpha.scoring.ranks import uniform

WORLD = World(Shape(models=5, ids=60, own_edge=(0.0, 0.3)), "adding")
COIN = 10**9


def beside(predicts: object, eras: int = 6) -> Iterator[tuple[Era, Floats]]:
    """Eras of the world, with what `predicts` makes of each."""
    return ((drawn.era, predicts(drawn)) for drawn in WORLD.rounds(eras))  # type: ignore[operator]


def own(drawn: object) -> Floats:
    """A model of its own, which knows something."""
    latent = drawn.latent  # type: ignore[attr-defined]
    return seen(latent, 0.2, stream("own", latent[0]).standard_normal(len(latent)))


def two(strong: float, weak: float, history: int = 0) -> Addition:
    """Forty eras of two independent signals of one target, the strong one being the crowd."""

    def pairs() -> Iterator[tuple[Era, Floats]]:
        for number in range(40):
            random = stream("two", strong, weak, number, history)
            latent, noise, other = random.standard_normal((3, 150))
            crowd = seen(latent, strong, noise)[:, None]
            yield Era(crowd, uniform(latent), label=number, models=("a",)), seen(latent, weak, other)

    return add(pairs(), {"a": COIN}, COIN)


def test_a_copy_of_the_metamodel_changes_nothing_in_the_order() -> None:
    stakes = np.array(list(WORLD.stakes.values()))
    found = add(beside(lambda drawn: metamodel(drawn.era.predictions, stakes)), WORLD.stakes, 7 * COIN)
    assert (found.scores == found.without[:, None]).all()
    assert (found.at_stake == found.without).all()
    assert found.alike == pytest.approx(1.0)
    assert all(each.gain == each.low == each.high == 0 for each in steps(found))


@pytest.mark.parametrize(("strong", "weak"), [(0.2, 0.1), (0.15, 0.15)])
def test_the_best_weight_of_an_independent_signal_is_that_of_the_formula_within_its_interval(
    strong: float, weak: float
) -> None:
    expected, found = blend_weights([strong, weak])[1], [two(strong, weak, history) for history in range(8)]
    intervals = [best(each) for each in found]
    assert sum(each.low <= expected <= each.high for each in intervals) >= 7
    assert max(each.high - each.low for each in intervals) < 0.45
    assert np.mean([each.share for each in intervals]) == pytest.approx(expected, abs=0.06)
    assert np.mean([theory(each) for each in found]) == pytest.approx(expected, abs=0.06)


def test_a_signal_that_knows_nothing_gets_next_to_no_weight() -> None:
    assert best(two(0.2, 0.0)).low == 0.0


def test_what_the_closed_form_says_is_the_formula_for_blends_if_signals_are_uncorrelated() -> None:
    ones = np.ones(3)
    found = Addition((0.0, 0.5), ("1", "2", "3"), 0.03 * np.ones((3, 2)), ones, 0.01 * ones, 0 * ones, ones)
    assert theory(found) == pytest.approx(blend_weights([0.03, 0.01])[1])
    negative = Addition((0.0, 0.5), ("1",), 0.03 * np.ones((1, 2)), ones[:1], -0.01 * ones[:1], 0 * ones[:1], ones[:1])
    assert theory(negative) == 0.0


def test_every_point_of_the_curve_is_the_metamodel_of_the_stakes_that_it_names() -> None:
    shares = (0.0, 0.01, 0.2, 0.9)
    found = add(beside(own, 3), WORLD.stakes, 3 * COIN, shares=shares)
    total = sum(WORLD.stakes.values())
    for k, (era, mine) in enumerate(beside(own, 3)):
        predictions = np.column_stack([era.predictions, mine])
        for share, score in zip(shares, found.scores[k], strict=True):
            stakes = np.array([*WORLD.stakes.values(), 0.0]) / total
            pooled = uniform(predictions) @ (stakes + np.append(np.zeros(5), share / (1 - share)))
            assert score == pytest.approx(float(corr(pooled, era.given("target"))), abs=0.01)
        whole = metamodel(predictions, np.array([*WORLD.stakes.values(), 3 * COIN]))
        assert found.at_stake[k] == corr(whole, era.given("target"))
        assert found.without[k] == corr(metamodel(era.predictions, np.array(list(WORLD.stakes.values()))), era.target)


def test_what_is_told_of_a_curve_are_its_mean_and_its_sharpe_ratio() -> None:
    found = add(beside(own, 12), WORLD.stakes, 3 * COIN, shares=(0.0, 0.3))
    zero, some = steps(found)
    assert (zero.gain, zero.low, zero.high, zero.sharpe_gain) == (0, 0, 0, pytest.approx(0))
    scores, without = found.scores[:, 1], found.without
    assert some.corr == pytest.approx(scores.mean())
    assert some.gain == pytest.approx(scores.mean() - without.mean())
    assert some.sharpe == pytest.approx(scores.mean() / scores.std())
    assert some.sharpe_gain == pytest.approx(scores.mean() / scores.std() - without.mean() / without.std())
    assert some.low <= some.gain <= some.high
    assert joined(found, 0.01).corr == pytest.approx(found.at_stake.mean())


def test_a_resampled_figure_is_that_of_the_eras_drawn() -> None:
    scores = stream("figures").standard_normal((10, 3))
    drawn = stream("drawn").integers(10, size=(5, 10))
    weights = np.array([np.bincount(each, minlength=10) / 10 for each in drawn])
    for name, plain in (("mean", lambda x: x.mean(axis=0)), ("sharpe", lambda x: x.mean(axis=0) / x.std(axis=0))):
        np.testing.assert_allclose(FIGURES[name](scores, weights), [plain(scores[each]) for each in drawn])


def test_without_a_staked_crowd_there_is_nothing_to_add_to() -> None:
    with pytest.raises(InputError) as refused:
        add(beside(own), dict.fromkeys(WORLD.models, 0), COIN)
    assert refused.value.code == "no_common_era"
