"""What an experiment is made of: figures with intervals, what is measured in every round, and claims about them.

An experiment plays seasons that are alike and independent; a figure is a mean over them, or a function of such means,
with its bootstrap interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from crowdalpha.lab.chance import Floats, interval
from crowdalpha.lab.crowds import Drawn, Shape, World
from crowdalpha.scoring.arrays import Whole

SEASONS, ROUNDS, BAGS = 50, 5, 20
"""Seasons are many and short: an interval stands on how many there are."""
CONFIDENCE = 0.99
"""Confidence of intervals: one in a hundred misses by luck."""
ROUNDING = 1e-12
Measure = Callable[[World, int], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a claim: `simulated` with the ends of its interval, and what theory says (None: no closed form).

    `unit` is what it is measured in: figures of the same unit stand on one axis.
    """

    what: str
    simulated: float
    low: float
    high: float
    theory: float | None = None
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether theory's value lies in the interval, but for rounding."""
        return self.theory is None or self.low - ROUNDING <= self.theory <= self.high + ROUNDING


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, where it was made, and the experiment: from a seed and a number of seasons to its figures.

    `says` is the claim in a sentence, `does` what the experiment does, `theory` where theory's values come from, and
    `found` the answer in plain words, with a place in braces for each figure by its number, `{0:.2f}`.
    """

    name: str
    title: str
    says: str
    sources: tuple[str, ...]
    experiment: Callable[[object, int], Iterable[Figure]]
    does: str
    theory: str
    found: str

    @property
    def source(self) -> str:
        """Where the claim was made, in words."""
        return ", ".join(self.sources)


def measured(shape: Shape, one: Measure, seed: object, seasons: int, rounds: int = ROUNDS) -> Floats:
    """The mean of what is measured in each round of each season, (n_seasons, n_measures)."""
    worlds = [World(shape, f"{seed}/{season}") for season in range(seasons)]
    return np.array([np.mean([one(world, number) for number in range(1, rounds + 1)], axis=0) for world in worlds])


def of_season(shape: Shape, one: Callable[[World], tuple[float, ...]], seed: object, seasons: int) -> Floats:
    """What is measured of each season as a whole, (n_seasons, n_measures)."""
    return np.array([one(World(shape, f"{seed}/{season}")) for season in range(seasons)])


def figure(
    what: str,
    samples: Floats,
    statistic: Callable[[Floats], Floats] = lambda means: means[..., 0],
    *,
    theory: float | None = None,
    unit: str = "",
) -> Figure:
    """The figure that a statistic of the means over seasons is, with its interval."""
    return Figure(what, *interval(samples, statistic, confidence=CONFIDENCE), theory=theory, unit=unit)


def ratio(means: Floats) -> Floats:
    """The first mean beside the second."""
    return np.asarray(means[..., 0] / means[..., 1])


def steadiness(means: Floats) -> Floats:
    """The Sharpe ratio of scores whose mean and mean square these are."""
    return np.asarray(means[..., 0] / np.sqrt(means[..., 1] - np.square(means[..., 0])))


def stakes_of(world: World) -> Whole:
    """What the models of a crowd stake, in their order, (n_models,)."""
    return np.array(list(world.stakes.values()), np.int64)


def beside(drawn: Drawn, edge: float, rho: float, noise: Floats, *, shape: Shape) -> Floats:
    """A signal (n_ids,) correlated by `edge` with the truth and by `rho` with what all see, in hard eras too."""
    shared = -shape.edge if drawn.hard else shape.edge
    parts = np.linalg.solve([[1.0, shared], [shared, 1.0]], [edge, rho])
    rest = np.sqrt(1.0 - parts @ [edge, rho])
    return np.asarray(parts[0] * drawn.latent + parts[1] * drawn.shared + rest * noise)
