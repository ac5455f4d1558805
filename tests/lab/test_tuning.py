"""Tuning: designs measured on simulated crowds, and the front of those that none is better than."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.execution.local import Serial
from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.contests import UNINFORMED, Trial, contests, profits
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.frontpage import front_page
from crowdalpha.lab.fronts import GOALS, front, goals_of
from crowdalpha.lab.seasons import play
from crowdalpha.lab.thriving import Crowd, play_season, stakes, thrive
from crowdalpha.lab.tuning import ATTACKS, Attacked, Search, Space, Tuned, draw, tune
from crowdalpha.payouts import exploit_of
from crowdalpha.payouts.designs import Design
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.rulesets import rule_set

SMALL = Shape(models=6, ids=40)
SPACE = Space(bags=(3,), fractions=(0.67, 1.0), clips=(0.05, 0.25), floors=(None, 0.0), kinds=2)
SEARCH = Search(designs=16, seasons=10, rounds=3, shape=SMALL, space=SPACE)


@cache
def tuned() -> Tuned:
    return tune(SEARCH)


@dataclass(frozen=True)
class Point:
    figures: dict[str, float]


values = st.sampled_from([0.0, 1.0, 2.0]) | st.floats(-1, 1)
points = st.builds(lambda *row: Point(dict(zip(GOALS, row, strict=True))), *[values] * len(GOALS))


@given(st.lists(points, min_size=1, max_size=12), st.sets(st.sampled_from(list(GOALS)), min_size=1))
def test_no_point_of_a_front_is_dominated_and_every_other_point_is_dominated_by_one_of_it(
    found: list[Point], names: set[str]
) -> None:
    goals = goals_of(sorted(names))

    def better(one: Point, other: Point) -> bool:
        gains = [goal.sign * (one.figures[goal.name] - other.figures[goal.name]) for goal in goals]
        return min(gains) >= 0 and max(gains) > 0

    best = front(found, goals)
    for each in best:
        assert not any(better(other, each) for other in found)
    for each in found:
        assert each in best or any(better(other, each) for other in best)


def test_no_design_of_the_front_is_dominated_by_any_candidate() -> None:
    found = tuned()
    assert found.front
    for each in found.front:
        for other in found.candidates:
            gains = [goal.sign * (other.figures[goal.name] - each.figures[goal.name]) for goal in found.goals]
            assert min(gains) < 0 or max(gains) <= 0


def test_a_design_with_a_floor_at_zero_is_never_on_the_safe_part() -> None:
    found = tuned()
    floored = [each for each in found.candidates if each.design.floor == 0]
    assert floored
    assert all("pair" in each.convicted for each in floored)
    assert not set(map(id, floored)) & set(map(id, found.safe))
    assert found.safe


def test_an_engine_could_play_every_safe_design_of_the_front() -> None:
    for each in tuned().safe:
        assert exploit_of(each.design.policy()) is None


def test_the_same_seed_gives_the_same_front_and_another_one_other_designs() -> None:
    assert tune(SEARCH) == tuned()
    other = draw(replace(SEARCH, seed="1"))
    assert other != draw(SEARCH)
    assert sum(map(len, other.values())) == SEARCH.designs


def test_every_attack_is_measured_and_each_design_is_drawn_once() -> None:
    for designs in draw(Search()).values():
        assert len(set(designs)) == len(designs)
        assert not any(design.choices == ((0.0, 0.0),) for design in designs)
    assert {"pair", "inverter", "contrarian", "noise"} <= {agent.name for agent in ATTACKS}


def test_what_an_attack_earns_is_what_its_contest_pays_it() -> None:
    design = Design(choices=((0.5, 2.0),), clip=0.05, hard_era=1.5)
    trial = Trial(replace(UNINFORMED, models=6, ids=40, present=0.7), seasons=2, rounds=4, bags=3)
    for found in contests([AGENTS[name] for name in ("noise", "pair", "contrarian", "splitter")], trial):
        paid = profits(found, rule_set("mine", {"mine": design.policy()}), (0.5, 2.0))
        np.testing.assert_allclose(Attacked.of(found).profits(design), paid, atol=1e-9)


def test_stakes_follow_payouts_as_a_season_of_the_lab_does() -> None:
    world, policy = World(SMALL, "stakes"), Design(choices=((0.5, 0.0),), clip=0.25).policy()
    season = play([each.era for each in world.rounds(9)], world.stakes, "mine", custom={"mine": policy}, bags=3)
    paid = season.paid / season.at_risk
    assert np.abs(stakes(season.opening, paid) - season.at_risk).max() <= 9
    assert (season.at_risk[-1] != season.at_risk[0]).any()


def test_without_payouts_nothing_is_gained_and_nothing_swings() -> None:
    (found,) = thrive(Crowd(SMALL, 6, 3, 0.67, 0), [Design(choices=((0.0, 0.0),))], 2, Serial(), lambda done, all: None)
    assert found.gain.tolist() == found.steady.tolist() == found.swing.tolist() == [0.0, 0.0]


def test_designs_of_one_season_do_not_depend_on_each_other() -> None:
    one, two = (Design(choices=((0.0, mmc),)) for mmc in (1.0, 4.0))
    crowd = Crowd(replace(SMALL, present=0.8), 6, 3, 0.67, 0)
    both = play_season(0, (crowd, (one, two)))
    assert np.array_equal(both[1], play_season(0, (crowd, (two,)))[0])


def test_a_goal_that_nobody_knows_and_a_search_of_nothing_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        tune(SEARCH, ["fame"])
    assert refused.value.code == "unknown_goal"
    for nothing in ({"rounds": 1}, {"seasons": 9}, {"designs": 0}):
        with pytest.raises(InputError) as refused:
            Search(**nothing)  # type: ignore[arg-type]
        assert refused.value.code == "bad_search"


def test_with_one_goal_the_front_is_the_best_by_it() -> None:
    found = tuned()
    best = front(found.candidates, goals_of(["steady"]))
    assert {each.figures["steady"] for each in best} == {max(each.figures["steady"] for each in found.candidates)}


def test_a_page_shows_every_design_as_a_dot_and_the_front_as_rows() -> None:
    found = tuned()
    page = front_page(found, "Designs <found>", "What came of it.")
    assert page.count("<circle") == 2 * len(found.candidates)
    assert page.count("<tr") == 1 + len(found.front)
    assert "Designs &lt;found&gt;" in page
    assert "milked by" in page or all(each.safe for each in found.front)
