"""Fitting: the shape of the simulated crowd that would leave a trace like that of a history.

With r_jt the CORR of model j in era t, divided by what ranks and bins take of a correlation, a `World` says

    r_jt = +-h + (1 - h^2) b_j + noise,   h = c^(1/2) e,   b_j = (1 - c)^(1/2) a_j

but for products of three small numbers; the sign is - in hard eras. Era and model effects are told apart by least
squares. What is left is noise: how correlations of two models scatter, which gives the number of ids. Noise explains a
part of the variance of the era effects, V is the rest.

Two values +-h about b, the mean of b_j, explain V for any share q of hard eras: h^2 = V / (4 q (1 - q)). The likeliest
q is taken among those for which own parts do not mislead on average, b >= 0. If noise alone may explain how eras
differ, nothing tells common from own knowledge, and all is put down to the common part: q = 0, b = 0. At last the
correlation A of two models gives c: c = h^2 + (1 + 2 (1 - 2 q) h b) (A - mean r^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.crowds import Shape, binned
from crowdalpha.lab.traces import RANKS_TAKE, Trace
from crowdalpha.scoring.bootstrap import block_starts, default_block, percentile_interval
from crowdalpha.scoring.normal import quantile
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import signed_power

FEWEST_ERAS, FEWEST_MODELS = 10, 3
"""Eras and models that a history must have: spreads over fewer say nothing."""
SHARES = np.arange(0.01, 0.995, 0.01)
"""Shares of hard eras that are tried."""
SURE = 2.0
"""Standard errors by which eras must differ more than noise makes them differ."""
LONGEST = 0.99
"""The longest spells that are fitted, as a probability."""
SPELLS = 4
"""Mean spells that a block of eras holds."""
PLACES = 20_001
RESAMPLES = 400
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fit:
    """The shape that a history is like, and by name the interval of each figure that was fitted.

    Intervals are of the history's own models in other eras: blocks of eras are drawn with replacement. They are rather
    narrow: those of 90% cover about 80% in simulated histories of 100 eras.
    """

    shape: Shape
    spans: Mapping[str, Span]
    confidence: float


@dataclass(frozen=True, slots=True)
class _Moments:
    """The fitted figures; `low` and `high` are the ends of `own_edge`."""

    edge: float
    low: float
    high: float
    shared: float
    hard_share: float
    ids: float
    lasting: float
    present: float
    staying: float


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """What the moments are made of, a row an era: it can be drawn anew.

    `corr` (n_eras, n_models) is rid of `loss`; `next` and `after` are the products of an era's effect with those of the
    two eras behind it, `moved` the number of models that came or went after it, NaN at the end.
    """

    corr: Floats
    alike: Floats
    next: Floats
    after: Floats
    moved: Floats
    loss: float

    def drawn(self, rows: NDArray[np.intp]) -> _Series:
        """These eras of it."""
        return _Series(
            self.corr[rows], self.alike[rows], self.next[rows], self.after[rows], self.moved[rows], self.loss
        )


def fit(found: Trace, *, confidence: float = 0.95, seed: int = 0) -> Fit:
    """The shape of a crowd that leaves such a trace, with intervals.

    `ids` are as many independent ids as would let scores scatter as they do: fewer than a history has if its ids move
    together. What a trace cannot tell keeps its default: `tail` without stakes, `memory` without ids that return.
    Refused with code `short_history` if there are too few eras or models.
    """
    _refuse_short(found)
    series = _series(found)
    best = _moments(series)
    n = len(series.corr)
    block = min(max(default_block(n), round(SPELLS / (1 - max(best.lasting, best.staying)))), n // 3)
    starts = block_starts(n, block, RESAMPLES, seed)
    rows = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, :n] % n
    others = [_moments(series.drawn(each)) for each in rows]
    spans = {
        name: percentile_interval(np.array([getattr(each, name) for each in others]), confidence)
        for name in _Moments.__dataclass_fields__
    }
    return Fit(_shape(found, best), spans, confidence)


def loss(metric: str, bins: tuple[float, ...]) -> float:
    """What is left of a small correlation with the truth when predictions become ranks and the target bins.

    >>> round(loss("corr", (0.05, 0.2, 0.5, 0.2, 0.05)), 4)
    0.9198
    """
    place = (np.arange(PLACES) + 0.5) / PLACES
    z = quantile(place)
    target = binned(z, bins)
    if metric == "numerai_corr":
        place, target = signed_power(z, 1.5), signed_power(target - target.mean(), 1.5)
    return float(np.corrcoef(place, z)[0, 1] * np.corrcoef(target, z)[0, 1])


def tail(stakes: Floats) -> float:
    """The Pareto exponent of stakes, by maximum likelihood; 0 if all stake the same.

    >>> tail(np.array([10.0, 10.0, 10.0]))
    0.0
    """
    staked = stakes[stakes > 0]
    logs = np.log(staked / staked.min()).sum()
    return float((len(staked) - 1) / logs) if logs > 0 else 0.0


def _shape(found: Trace, best: _Moments) -> Shape:
    usual = Shape()
    return Shape(
        models=len(found.models),
        ids=max(2, round(best.ids)),
        edge=best.edge,
        own_edge=(best.low, best.high),
        shared=best.shared,
        hard_share=best.hard_share,
        tail=usual.tail if found.stakes is None else tail(found.stakes),
        bins=found.bins,
        top=found.top,
        lasting=best.lasting,
        present=best.present,
        staying=best.staying,
        memory=usual.memory if np.isnan(found.memory) else max(0.0, found.memory),
    )


def _series(found: Trace) -> _Series:
    left = loss(found.metrics[0], found.bins)
    corr = found.corr / left
    effects, _ = _effects(corr)
    about = effects - effects.mean()
    there = ~np.isnan(corr)
    moved = (there[1:] != there[:-1]).sum(axis=1)
    return _Series(corr, found.alike, _products(about, 1), _products(about, 2), np.append(moved, np.nan), left)


def _products(about: Floats, lag: int) -> Floats:
    return np.append(about[lag:] * about[:-lag], np.full(lag, np.nan))


def _effects(corr: Floats) -> tuple[Floats, Floats]:
    """Era effects (n_eras,) and model effects (n_models,), which add up to 0, by least squares in turns."""
    there = ~np.isnan(corr)
    filled, of_eras, of_models = np.where(there, corr, 0.0), there.sum(axis=1), np.maximum(there.sum(axis=0), 1)
    eras, models = np.zeros(len(corr)), np.zeros(corr.shape[1])
    for _ in range(20):
        eras = (filled - there * models).sum(axis=1) / of_eras
        models = (filled - there * eras[:, None]).sum(axis=0) / of_models
        models -= models[there.any(axis=0)].mean()
    return eras, models


def _moments(series: _Series) -> _Moments:
    corr, there = series.corr, ~np.isnan(series.corr)
    eras, models = _effects(corr)
    known, count = there.any(axis=0), there.sum()
    left = np.where(there, corr - eras[:, None] - models, 0.0)
    scatter = float(np.square(left).sum() / (count - len(eras) - known.sum() + 1))
    alike, mean = float(np.nanmean(series.alike)), float(eras.mean())
    apart, together = _scattering(alike, float(np.square(eras).mean()) * series.loss**2)
    ids = apart / (scatter * series.loss**2)
    taken = 1 + RANKS_TAKE / ids
    eras, models, mean, scatter = eras * taken, models * taken, mean * taken, scatter * taken**2
    noise = scatter * (together / apart + 1 / there.sum(axis=1))
    common, hard_share = _common(eras, noise)
    own = mean - (1 - 2 * hard_share) * common
    size = 1 + 2 * (1 - 2 * hard_share) * common * own
    shared = float(np.clip(common**2 + size * (alike - np.square(eras).mean() + noise.mean()), 0.0, 0.99))
    spread = np.sqrt(max(0.0, models[known].var(ddof=1) - scatter * np.mean(1 / there.sum(axis=0)[known])))
    wide, scale = np.sqrt(3.0) * spread, (1 - min(common, 0.9) ** 2) * np.sqrt(1 - shared)
    low, high = np.clip(np.array([own - wide, own + wide]) / scale, -1.0, 1.0)
    others = there.shape[1] - 1  # a world's first model never stays away
    present = float((there.sum(axis=1).mean() - 1) / others)
    return _Moments(
        edge=float(min(1.0, common / np.sqrt(shared))) if shared else 0.0,
        low=float(low),
        high=float(high),
        shared=shared,
        hard_share=hard_share,
        ids=ids,
        lasting=_lasting(series) if hard_share else 0.0,
        present=present,
        staying=_staying(series, present, others),
    )


def _scattering(alike: float, square: float) -> tuple[float, float]:
    """n times the variance of the correlation of a model beside another's, and n times what both have in common of it.

    For normal variables with correlation `alike` whose squared correlation with the target is `square`.
    """
    together = alike * (1 - 2 * square) - square * (1 - 2 * square - alike**2) / 2
    return float((1 - square) ** 2 - together), float(together)


def _common(eras: Floats, noise: Floats) -> tuple[float, float]:
    """h and q: two values about a centre that explain the mean and the variance of the era effects, the likeliest."""
    mean, usual = eras.mean(), noise.mean()
    beyond = eras.var(ddof=1) - usual
    if beyond <= SURE * usual * np.sqrt(2 / len(eras)):
        return max(float(mean), 0.0), 0.0
    common = np.sqrt(beyond / (4 * SHARES * (1 - SHARES)))
    centre = mean - (1 - 2 * SHARES) * common
    easy, hard = (
        np.log(share) - np.square(eras[:, None] - value) / (2 * noise[:, None])
        for share, value in ((1 - SHARES, centre + common), (SHARES, centre - common))
    )
    likely = np.where(centre >= 0, np.logaddexp(easy, hard).sum(axis=0), -np.inf)
    best = int(np.argmax(likely))
    return (float(common[best]), float(SHARES[best])) if centre[best] >= 0 else (max(float(mean), 0.0), 0.0)


def _lasting(series: _Series) -> float:
    """How fast the correlation of era effects fades: that over two eras beside that over one, which noise spares."""
    once, twice = float(np.nanmean(series.next)), float(np.nanmean(series.after))
    sure = once > 2 * np.nanstd(series.next) / np.sqrt(len(series.next))
    return float(np.clip(twice / once, 0.0, LONGEST)) if sure else 0.0


def _staying(series: _Series, present: float, others: int) -> float:
    """How much rarer models come and go than if each round were drawn anew."""
    anew = 2 * present * (1 - present)
    return float(np.clip(1 - np.nanmean(series.moved) / (anew * others), 0.0, LONGEST)) if anew else 0.0


def _refuse_short(found: Trace) -> None:
    eras, models = found.corr.shape
    if eras < FEWEST_ERAS or models < FEWEST_MODELS:
        expected = f"{FEWEST_ERAS} eras and {FEWEST_MODELS} models or more"
        fix = "take a longer history: spreads over so few say nothing"
        raise InputError(Problem("short_history", expected, f"{eras} eras, {models} models", fix, "history"))
