"""What is said of a season is what happened in it."""

from __future__ import annotations

import numpy as np
import pytest
from histories import BAGS, COIN, STAKES, engine, history

from crowdalpha.diagnostics import Run, SeasonReport
from crowdalpha.simulation.crowds import Crowds, crowds, difference
from crowdalpha.simulation.replay import Replayed, replay
from crowdalpha.simulation.season import ruling, season, verdict, weights

RULE, CHOICE = "corr-or-twice-mmc", (0.0, 2.0)


@pytest.fixture(scope="module")
def played() -> Replayed:
    return replay(engine(), history(), STAKES, rule=RULE, choice=CHOICE, final_bags=BAGS)


@pytest.fixture(scope="module")
def shown(played: Replayed) -> SeasonReport:
    run = Run(9, 4, "60 a round", BAGS, "0", "0.1.0")
    return season(history(), played, run, title="A season", rule=RULE, choice=CHOICE, caveats=("Beware.",))


def test_the_metamodel_of_the_compounding_stakes_is_that_of_the_engine_to_the_bit(played: Replayed) -> None:
    found = crowds(history(), played)
    assert found.compounding.tolist() == [round.crowd["corr"] for round in played.rounds]


def test_until_the_first_payout_the_opening_stakes_are_the_stakes(played: Replayed) -> None:
    found = crowds(history(), played)
    same = found.compounding == found.opening
    assert same[:4].all()
    assert not same[5:].all()


def test_a_row_is_the_money_of_a_model_in_coins(shown: SeasonReport, played: Replayed) -> None:
    assert [row.change for row in shown.rows] == sorted((row.change for row in shown.rows), reverse=True)
    rows = {row.model: row for row in shown.rows}
    for name, units in played.opening.items():
        assert (rows[name].opening, rows[name].closing) == (units / COIN, played.closing[name] / COIN)
    assert sum(row.opening_share for row in shown.rows) == pytest.approx(1)
    assert sum(row.closing_share for row in shown.rows) == pytest.approx(1)
    assert {name: row.rounds for name, row in rows.items()} == {"a": 9, "b": 7, "c": 9, "d": 0}


def test_shares_of_what_is_at_risk_add_up_to_one_in_every_round(shown: SeasonReport, played: Replayed) -> None:
    sums = np.sum([layer.values for layer in shown.weights.layers], axis=0)
    assert sums == pytest.approx(np.ones(9))
    assert {layer.name for layer in shown.weights.layers} == {"a", "b", "c"}
    few = weights(played, named=1)
    assert [(layer.name, layer.named) for layer in few.layers] == [("a", True), ("2 others", False)]
    assert np.sum([layer.values for layer in few.layers], axis=0) == pytest.approx(np.ones(9))


def test_it_says_who_ended_with_what_and_names_the_refused(shown: SeasonReport) -> None:
    largest = max(shown.rows, key=lambda row: row.closing_share)
    assert shown.says[0].startswith(f"{largest.model} began with {largest.opening_share:.1%} of all stakes")
    assert f"ended with {largest.closing_share:.1%}" in shown.says[0]
    assert "of 3 staked models" in shown.says[1]
    assert [(each.count, each.models) for each in shown.refused] == [(1, ("b",))]
    assert "standard deviation" in shown.refused[0].reason
    assert "simulated" in shown.caveats[0]
    assert shown.caveats[1:] == ("Beware.",)


def test_the_rule_is_shown_with_its_day_its_sources_and_what_was_chosen() -> None:
    found = ruling(RULE, CHOICE)
    assert (found.since, found.choice) == ("2020-05-21", "2 × MMC")
    assert found.sources[0] == "F220 (forum.numer.ai, thread 220)"
    assert ruling(RULE, None).choice == "1 × CORR"


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (np.full(40, 0.02) + np.tile([0.001, -0.001], 20), "the crowd got better by compounding."),
        (np.full(40, -0.02) + np.tile([0.001, -0.001], 20), "the crowd got worse by compounding."),
        (np.tile([0.02, -0.02], 20), "cannot be told."),
        (np.full(6, 0.02) + np.tile([0.001, -0.001], 3), "fewer than 10 rounds are too few to judge by."),
        (np.full(1, 0.02), "cannot be told from 1 round"),
        (np.full(3, np.nan), "cannot be told from 0 rounds."),
    ],
)
def test_whether_the_crowd_got_better_is_said_as_the_interval_has_it(gain: np.ndarray, words: str) -> None:
    fixed = np.full(len(gain), 0.3)
    assert words in verdict(Crowds(fixed + gain, fixed, fixed))


def test_the_mean_difference_leaves_out_rounds_that_lack_one_of_both() -> None:
    one, other = np.array([0.3, 0.2, np.nan]), np.array([0.1, np.nan, 0.1])
    found = difference(one, other)
    assert (found.mean, found.rounds) == (pytest.approx(0.2), 1)


def test_nobody_staked_and_nothing_is_claimed() -> None:
    played = replay(engine(), history(), {}, rule=RULE, final_bags=BAGS)
    run = Run(9, 4, "60 a round", BAGS, "0", "0.1.0")
    shown = season(history(), played, run, title="Idle", rule=RULE, choice=None)
    assert shown.says == ("Nobody staked, so nothing was earned and nothing burned.",)
    assert shown.weights.layers == ()
    assert "cannot be told" in shown.verdict


def test_each_comparison_has_an_interval_of_its_own() -> None:
    wobble = np.tile([0.001, -0.001], 20)
    found = verdict(Crowds(np.full(40, 0.3) + wobble, np.full(40, 0.2), np.full(40, 0.3)))
    assert "Over the opening stakes that is +.1000 a round" in found
    assert "the crowd got better by compounding. Over equal stakes" in found
    assert found.endswith("cannot be told.")
