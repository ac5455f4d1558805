"""A history under several rules: to the unit what `crowdalpha replay` pays, and figures that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.replays import Comparison, compare, drawdown, gini
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError
from crowdalpha.settings.replays import replay_in_memory

WORLD = World(Shape(models=5, ids=60, edge=0.3), seed="replays")
RULES = ("corr", "corr-or-twice-mmc", "heavier-mmc")
CHOICE, BAGS = (0.0, 2.0), 5


def history() -> list[Era]:
    """A model is away in one era and constant in another."""
    eras = [drawn.era for drawn in WORLD.rounds(6)]
    for number, value in ((1, np.nan), (3, 0.5)):
        predictions = eras[number].predictions.copy()
        predictions[:, 2] = value
        eras[number] = replace(eras[number], predictions=predictions)
    return eras


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare(history(), WORLD.stakes, RULES, choice=CHOICE, bags=BAGS, seed="7")


@pytest.mark.parametrize("which", range(len(RULES)))
def test_payouts_are_those_of_a_replay_by_the_engine_to_the_unit(compared: Comparison, which: int) -> None:
    rule, season = RULES[which], compared.seasons[which]
    choice = CHOICE if rule == "corr-or-twice-mmc" else None
    played, _ = replay_in_memory(history(), WORLD.stakes, rule=rule, choice=choice, final_bags=BAGS, seed="7")
    paid = {(payout.round, payout.model): payout.paid for payout in played.payouts}
    assert {
        (number + 1, name): int(season.paid[number, j]) for number in range(6) for j, name in enumerate(season.models)
    } == paid
    assert len(played.refused) == 1


def test_what_all_hold_in_the_end_is_what_they_held_and_what_was_paid_and_burned(compared: Comparison) -> None:
    for outcome in compared.outcomes:
        assert outcome.closing == outcome.opening + outcome.earned - outcome.burned
        assert outcome.volatility > 0
        assert 0 <= outcome.drawdown <= 1
        assert 0 <= outcome.gini <= 1


def test_shifts_compare_every_model_with_the_first_rule_the_one_that_gains_most_first(compared: Comparison) -> None:
    for rule in RULES[1:]:
        gains = [shift.gain.mean for shift in compared.shifts if shift.rule == rule]
        assert len(gains) == 5
        assert gains == sorted(gains, reverse=True)
    first, other = compared.seasons[:2]
    shift = next(shift for shift in compared.shifts if shift.rule == RULES[1])
    j = first.models.index(shift.model)
    there = first.at_risk[:, j] > 0
    fractions = [season.paid[there, j] / season.at_risk[there, j] for season in (other, first)]
    assert shift.gain.mean == pytest.approx(np.mean(fractions[0] - fractions[1]))


def test_under_one_rule_twice_nobody_gains() -> None:
    found = compare(history(), WORLD.stakes, ("corr", "corr"), bags=BAGS)
    assert {shift.gain.mean for shift in found.shifts} == {0.0}
    assert found.outcomes[0] == found.outcomes[1]


def test_a_rule_that_is_not_there_is_refused_before_anything_is_played() -> None:
    with pytest.raises(InputError, match="perpetual"):
        compare(history(), WORLD.stakes, ("corr", "perpetual"))


def test_gini_is_half_the_relative_mean_difference() -> None:
    stakes = np.array([3, 1, 4, 1, 5, 9])
    pairs = np.abs(stakes[:, None] - stakes).mean() / (2 * stakes.mean())
    assert gini(stakes) == pytest.approx(pairs)
    assert gini(np.zeros(3, np.int64)) == 0
    assert drawdown(np.array([1.0, 2.0, 3.0])) == 0
