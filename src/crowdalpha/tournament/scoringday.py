"""One scoring of a round: ranks, bags, metamodel and every metric of every model, from arrays to arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.bags import draw_bags
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.metrics import Era, evaluate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scores of a crowd: `scores` maps each metric to (n_models,), in the order of `models`.

    `metamodel_corr` is the un-bagged metamodel's own CORR, NaN where nobody has a stake.
    """

    models: tuple[str, ...]
    scores: Mapping[str, Floats]
    metamodel_corr: float


def score_crowd(
    models: Sequence[str],
    predictions: Sequence[Floats],
    target: Floats,
    *,
    stakes: Sequence[int],
    metrics: Sequence[str],
    n_bags: int,
    seed: bytes,
) -> Scored:
    """Score the models of a round against a target; stakes are whole units, 0 for models that are not pooled.

    Models come in the order of their bytes, for the bags are drawn in it. Without any stake there is no metamodel:
    then MMC2 and all that needs one is NaN.
    """
    if not models:
        return Scored((), {name: np.zeros(0) for name in metrics}, float("nan"))
    units = np.array(stakes, np.int64)
    era = Era(
        np.column_stack(predictions),
        target,
        units,
        draw_bags(units, n_bags=n_bags, seed=seed) if units.any() else None,
        models=tuple(models),
    )
    if units.any():
        return Scored(tuple(models), evaluate(metrics, era), float(corr(era.crowd, target)))
    alone = {name: np.full(len(models), np.nan) for name in metrics} | evaluate(
        [name for name in metrics if name == "corr"], era
    )
    return Scored(tuple(models), alone, float("nan"))
