"""Resemblance: what a history shows beside what simulated histories of a shape show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.traces import Trace, figures, trace
from crowdalpha.scoring.kernels import single_threaded

LONGEST = 120
"""Eras of a simulated history; one that is as long as a long history would only take longer."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a history, with the mean, the least and the most of those of simulated ones."""

    name: str
    real: float
    mean: float
    low: float
    high: float

    @property
    def alike(self) -> bool:
        """Whether the history's lies among the simulated ones."""
        return self.low <= self.real <= self.high


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated: so many eras of a crowd of a shape, from a seed, scored by these metrics."""

    shape: Shape
    eras: int
    metrics: tuple[str, str]
    seed: object = 0


def resemblance(
    found: Trace,
    shape: Shape,
    executor: Executor,
    *,
    histories: int = 10,
    seed: object = 0,
    told: Callable[[int, int], None] = lambda done, all: None,
) -> tuple[Figure, ...]:
    """The figures of a history beside those of simulated ones, as long as it is or `LONGEST`."""
    shared = executor.share(Plan(shape, min(len(found.corr), LONGEST), found.metrics, seed))
    simulated: list[dict[str, float]] = [{} for _ in range(histories)]
    for done, (number, shown) in enumerate(executor.run(simulate, range(histories), shared), 1):
        simulated[number] = shown
        told(done, histories)
    return tuple(_figure(name, real, [each[name] for each in simulated]) for name, real in figures(found).items())


def simulate(number: int, plan: Plan) -> dict[str, float]:
    """What a worker does: the figures of a simulated history from its number."""
    world = World(plan.shape, f"{plan.seed}/{number}")
    with single_threaded():
        eras = (drawn.era for drawn in world.rounds(plan.eras))
        return figures(trace(eras, world.stakes, metrics=plan.metrics))


def _figure(name: str, real: float, simulated: list[float]) -> Figure:
    return Figure(name, real, float(np.mean(simulated)), min(simulated), max(simulated))
