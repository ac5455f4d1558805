"""The crowd of a replay beside crowds whose stakes never moved: did it get better by letting them compound?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.eras import summarize
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.ranks import rank_models
from crowdalpha.simulation.replay import Replayed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crowds:
    """The CORR of three metamodels in every round, (n_rounds,), NaN where nobody had a stake.

    `compounding` is that of the replay itself. `opening` weights the same submissions by the opening stakes, whatever
    was earned since, `equal` by the same for every model that staked.
    """

    compounding: Floats
    opening: Floats
    equal: Floats


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of one series over another, round by round, with the ends of its 95% block-bootstrap interval."""

    mean: float
    low: float
    high: float
    rounds: int


def crowds(eras: Iterable[Era], played: Replayed) -> Crowds:
    """Score the three metamodels in the rounds of a replay."""
    held = {(risk.round, risk.model): risk.amount for risk in played.at_risk}
    rows = [_round(era, number, played, held) for number, era in enumerate(eras, 1)]
    compounding, opening, equal = np.array(rows, np.float64).reshape(-1, 3).T
    return Crowds(compounding, opening, equal)


def difference(one: Floats, other: Floats) -> Difference:
    """How much better one series is than another in the rounds that have both.

    >>> difference(np.array([0.3, 0.1]), np.array([0.1, np.nan])).mean.round(9)
    np.float64(0.2)
    """
    both = one - other
    found = summarize(both)
    known = int((~np.isnan(both)).sum())
    return Difference(np.float64(found.mean), np.float64(found.mean_low), np.float64(found.mean_high), known)


def _round(era: Era, number: int, played: Replayed, held: Mapping[tuple[int, str], int]) -> Sequence[float]:
    taken = [
        k
        for k, (name, column) in enumerate(zip(era.models, era.predictions.T, strict=True))
        if (str(era.label), name) not in played.refused and not np.isnan(column).any()
    ]
    names = [era.models[k] for k in taken]
    opening = np.array([played.opening[name] for name in names], np.int64)
    moved = np.array([held.get((number, name), 0) for name in names], np.int64)
    ranks = rank_models(era.predictions[:, taken])
    target = era.given("target")
    stakes = (moved, opening, (opening > 0).astype(np.int64))
    return [float(corr(metamodel(ranks, each), target)) if each.any() else float("nan") for each in stakes]
