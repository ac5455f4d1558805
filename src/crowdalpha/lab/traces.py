"""Traces: what a history shows of its crowd, real or simulated: scores, and how alike predictions are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.chance import Floats
from crowdalpha.scoring.metrics import METRICS, Era, evaluate
from crowdalpha.scoring.ranks import gaussianize

MOST_VALUES = 12
"""Values that a target may have to be taken for one in bins."""
STEPS = 21
"""Bins that a target without bins is put into."""
EDGES = (0.01, 0.99)
"""Quantiles of such a target that are its lowest and its highest bin."""

RANKS_TAKE = 1.25
"""By how much a correlation of ranks falls short, times the number of ids: measured, for correlations of .2 to .8."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a history shows of its crowd.

    `corr` and `mmc` are (n_eras, n_models), NaN where a model stayed away, `crowd` (n_eras,) the metamodel's CORR,
    `alike` (n_eras,) the mean correlation of the predictions of two models, `metrics` the names of both scores.
    `memory` is the correlation of the metamodel with its ranking of the same ids an era ago, NaN if no id returns.
    Targets go from 0 to `top` in bins of the shares `bins`. `stakes` are (n_models,), or None if nobody staked.
    """

    models: tuple[str, ...]
    corr: Floats
    mmc: Floats
    crowd: Floats
    alike: Floats
    bins: tuple[float, ...]
    top: float = 1.0
    memory: float = float("nan")
    metrics: tuple[str, str] = ("corr", "mmc2")
    stakes: Floats | None = None


def trace(
    eras: Iterable[Era], stakes: Mapping[str, int] | None = None, *, metrics: tuple[str, str] = ("corr", "mmc2")
) -> Trace:
    """Score a history, un-bagged; without stakes all models weigh the same.

    >>> from crowdalpha.lab.crowds import Shape, World
    >>> found = trace(drawn.era for drawn in World(Shape(models=3, ids=40)).rounds(5))
    >>> found.corr.shape, found.bins
    ((5, 3), (0.05, 0.2, 0.5, 0.2, 0.05))
    """
    history = list(eras)
    models = tuple(sorted({name for era in history for name in era.models}))
    rows = [_row(_present(era, stakes), models, metrics) for era in history]
    corr, mmc, crowd, alike = (np.array(part) for part in zip(*rows, strict=True))
    bins, top = binning([era.given("target") for era in history])
    weights = None if stakes is None else np.array([stakes.get(name, 0) for name in models], float)
    return Trace(models, corr, mmc, crowd, alike, bins, top, _memory(history, stakes), metrics, weights)


def binning(targets: Sequence[Floats]) -> tuple[tuple[float, ...], float]:
    """The shares of the bins of eras' targets, and how far apart the first bin and the last are.

    Few values that are equally far apart are bins. Other targets are put into equal steps, each era's beside its own
    mean and standard deviation; a usual era's deviation says how far apart the steps are.

    >>> binning([np.array([0.0, 0.5, 0.5, 1.0])])
    ((0.25, 0.5, 0.25), 1.0)
    """
    values, counts = np.unique(np.concatenate(targets), return_counts=True)
    if 1 < len(values) <= MOST_VALUES and np.allclose(np.diff(values), values[1] - values[0]):
        return _shares(counts), float(values[-1] - values[0])
    spreads = [target.std() for target in targets]
    about = np.concatenate([(target - target.mean()) / target.std() for target in targets])
    low, high = np.quantile(about, EDGES)
    steps = np.rint((np.clip(about, low, high) - low) / (high - low) * (STEPS - 1)).astype(np.int64)
    return _shares(np.bincount(steps, minlength=STEPS)), float((high - low) * np.median(spreads))


def figures(found: Trace) -> dict[str, float]:
    """What a researcher asks of a history first, by name."""
    came = ~np.isnan(found.corr).all(axis=0)
    corr, mmc = found.corr[:, came], found.mmc[:, came]
    there = ~np.isnan(corr)
    return {
        "models an era": float(there.sum(axis=1).mean()),
        "correlation of two models": float(np.nanmean(found.alike)),
        "CORR of a model": float(np.nanmean(corr)),
        "between models": _spread(corr),
        "from era to era": _within(corr),
        "MMC of a model": float(np.nanmean(mmc)),
        "between models, MMC": _spread(mmc),
        "from era to era, MMC": _within(mmc),
        "CORR with MMC": float(np.corrcoef(corr[there], mmc[there])[0, 1]),
        "CORR of the metamodel": float(found.crowd.mean()),
        "its standard deviation": float(found.crowd.std()),
        "its Sharpe": float(found.crowd.mean() / found.crowd.std()),
        "eras in which it is below 0": float((found.crowd < 0).mean()),
        "its correlation with the era before": _autocorrelation(found.crowd),
    }


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / counts.sum()).tolist())


def _present(era: Era, stakes: Mapping[str, int] | None) -> Era:
    """An era without the columns of those who stayed away; equal stakes if nobody of them staked."""
    there = np.flatnonzero(~np.isnan(era.predictions).any(axis=0))
    models = tuple(era.models[j] for j in there)
    staked = np.array([1 if stakes is None else stakes.get(name, 0) for name in models], np.int64)
    weights = staked if staked.any() else np.ones_like(staked)
    return replace(era, predictions=era.predictions[:, there], models=models, stakes=weights, bags=None)


def _row(era: Era, models: Sequence[str], metrics: tuple[str, str]) -> tuple[Floats, Floats, float, float]:
    scores = evaluate(metrics, era)
    places = np.searchsorted(np.array(models), np.array(era.models))
    corr, mmc = (np.full(len(models), np.nan) for _ in metrics)
    corr[places], mmc[places] = (scores[name] for name in metrics)
    alone = Era(era.crowd[:, None], era.target)
    return corr, mmc, float(np.ravel(METRICS[metrics[0]](alone))[0]), _alike(era.predictions)


def _alike(predictions: Floats) -> float:
    """The mean correlation between the columns, constant ones left out: from the variance of their sum."""
    values = gaussianize(predictions)
    spread = values.std(axis=0)
    values = values[:, spread > 0] / spread[spread > 0]
    count = values.shape[1]
    if count < 2:
        return float("nan")
    found = (np.var(values.sum(axis=1)) - count) / (count * (count - 1))
    return float(found * (1 + RANKS_TAKE / len(values)))


def _memory(history: Sequence[Era], stakes: Mapping[str, int] | None) -> float:
    found = []
    for before, era in pairwise(history):
        kept, there, here = np.intersect1d(before.ids, era.ids, return_indices=True)
        if len(kept) > 2:
            crowds = _present(before, stakes).crowd[there], _present(era, stakes).crowd[here]
            found.append(float(np.corrcoef(*crowds)[0, 1]))
    return float(np.mean(found)) if found else float("nan")


def _spread(scores: Floats) -> float:
    """The standard deviation of the models' mean scores, each beside those who were there with it."""
    return float(np.nanstd(np.nanmean(scores - np.nanmean(scores, axis=1, keepdims=True), axis=0)))


def _within(scores: Floats) -> float:
    """The standard deviation of a model's score over the eras."""
    return float(np.sqrt(np.nanmean(np.square(scores - np.nanmean(scores, axis=0)))))


def _autocorrelation(series: Floats) -> float:
    return float(np.corrcoef(series[1:], series[:-1])[0, 1])
