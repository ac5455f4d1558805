"""The claims of the thread: a fixed seed gives the same numbers, and theory's value lies in their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crowdalpha.lab.claims import CLAIMS, Figure, run
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.theory import average_contribution, magnitude
from crowdalpha.scoring.problems import InputError


@pytest.mark.parametrize("name", CLAIMS)
def test_theory_lies_in_the_interval_of_what_a_simulated_crowd_does(name: str) -> None:
    (found,) = run([name], seed=0, seasons=12)
    assert found.holds, found.figures
    assert found.figures


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    one, again, other = (next(iter(run(["noise"], seed=seed, seasons=3))) for seed in (1, 1, 2))
    assert one == again
    assert one.figures != other.figures


def test_a_copy_scores_nothing_unbagged_and_a_little_with_bags() -> None:
    (found,) = run(["copy"], seasons=8)
    unbagged, bagged, share = found.figures
    assert (unbagged.low, unbagged.high) == (0.0, 0.0)
    assert bagged.low > 0
    assert 0 < share.low < share.high < 0.2


def test_a_figure_whose_interval_misses_theory_does_not_hold() -> None:
    assert not Figure("off", 1.0, 0.9, 1.1, theory=1.2).holds
    assert Figure("no closed form", 1.0, 0.9, 1.1).holds


def test_a_claim_that_nobody_made_is_refused() -> None:
    with pytest.raises(InputError, match="one of inverse, copy"):
        list(run(["perpetual motion"]))


def test_k_is_that_of_the_target_s_bins() -> None:
    large = 10**5
    assert magnitude(Shape(ids=large)) == pytest.approx(0.76754, abs=1e-4)
    assert magnitude(Shape(ids=large, bins=(0.2,) * 5)) == pytest.approx(1.21358, abs=1e-4)


def test_the_average_contribution_is_that_of_two_normal_variables_by_quadrature() -> None:
    """An independent witness: the integrals of the derivation, by Gauss-Hermite quadrature."""
    shape = Shape(ids=1000, shared=0.3)
    at, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    phi = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in at])
    summed = np.array([0.5 * math.erfc(-x * math.sqrt(0.3 / 1.7) / math.sqrt(2)) for x in at])
    covariance = weight @ ((phi - 0.5) * summed)
    slope = covariance / (weight @ (phi - 0.5) ** 2)
    left = 1 - slope * (weight @ (phi * at)) / (weight @ (summed * at))
    assert average_contribution(shape) == pytest.approx(magnitude(shape) * left, rel=1e-3)
    assert World(shape).models
