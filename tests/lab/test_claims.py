"""The claims of the thread: a fixed seed gives the same numbers, and theory's value lies in their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from crowdalpha.lab.chance import stream
from crowdalpha.lab.claims import CLAIMS, Figure, run
from crowdalpha.lab.claims.eras import coefficient
from crowdalpha.lab.claims.experiment import beside
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.scoring.problems import InputError

LONG = {"calibration", "hard-eras", "neutralisation", "ratios"}
"""Claims that take many eras to tell."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in CLAIMS])
def test_theory_lies_in_the_interval_of_what_a_simulated_crowd_does(name: str) -> None:
    (found,) = run([name], seed=0, seasons=20)
    assert found.holds, found.figures
    assert found.figures


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    one, again, other = (next(iter(run(["noise"], seed=seed, seasons=3))) for seed in (1, 1, 2))
    assert one == again
    assert one.figures != other.figures


def test_a_copy_scores_nothing_unbagged_and_a_little_with_bags() -> None:
    (found,) = run(["copy"], seasons=12)
    unbagged, bagged, share = found.figures
    assert (unbagged.low, unbagged.high) == (0.0, 0.0)
    assert bagged.low > 0
    assert 0 < share.low < share.high < 0.2


def test_a_steady_model_s_contribution_is_less_steady_than_its_score() -> None:
    (found,) = run(["steadier"], seasons=8)
    left, crowd, own, contribution = found.figures
    assert left.high < 1
    assert contribution.high < own.low
    assert crowd.high < own.low


def test_bags_and_not_the_stake_pay_a_giant_who_alone_knows_something() -> None:
    (found,) = run(["giant"], seasons=8)
    alone, bagged, clone = found.figures
    assert alone.high < 0.1 < 0.3 < bagged.low
    assert (clone.low, clone.high) == (0.0, 0.0)


def test_the_answer_has_the_figures_in_it() -> None:
    (found,) = run(["hard-eras"], seasons=2)
    assert "{" not in found.answer
    assert all(f"{abs(figure.simulated):.2f}" in found.answer for figure in found.figures)


def test_a_coefficient_is_that_of_the_window_or_of_more_where_the_window_has_no_hard_era() -> None:
    easy, hard = [0.02] * 12, [-0.01] * 8
    assert coefficient(np.array(hard + easy + hard), 20) == 1.5
    assert coefficient(np.array(hard + 2 * easy), 20) == 24.0


@pytest.mark.parametrize("number", [1, 2])
def test_a_signal_beside_the_crowd_knows_what_it_is_said_to_in_easy_and_in_hard_eras(number: int) -> None:
    shape = Shape(models=1, ids=40_000, edge=0.4, hard_share=float(number == 2))
    drawn = World(shape, "beside").round(number)
    found = beside(drawn, 0.2, 0.6, stream("beside").standard_normal(shape.ids), shape=shape)
    known = np.corrcoef([found, drawn.latent, drawn.shared])
    assert drawn.hard == (number == 2)
    assert known[0] == pytest.approx([1.0, 0.2, 0.6], abs=4 / np.sqrt(shape.ids))
    assert found.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 / shape.ids))


def test_a_figure_whose_interval_misses_theory_does_not_hold() -> None:
    assert not Figure("off", 1.0, 0.9, 1.1, theory=1.2).holds
    assert Figure("no closed form", 1.0, 0.9, 1.1).holds


def test_a_claim_that_nobody_made_is_refused() -> None:
    with pytest.raises(InputError, match="one of inverse, copy"):
        list(run(["perpetual motion"]))
