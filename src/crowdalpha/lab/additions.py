"""Adding a model: what a crowd's metamodel becomes if one more model stakes, for every share of the stake it may have.

    M_w = metamodel of the crowd with stakes S and of the model with stake S w / (1 - w)        0 <= w < 1

Sums are the exact whole ones of the library: a copy of the metamodel leaves its order as it is, to the last id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.planning import blocks
from crowdalpha.lab.rounds import Units
from crowdalpha.scoring.bootstrap import percentile_interval
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.kernels import single_threaded
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.shards import partial_sums, pool, weigh

SHARES = tuple([0.0, 0.005, 0.01, 0.02, 0.03, 0.04] + [k / 40 for k in range(2, 39)])
"""Shares of the stake that the curve shows."""
PARTS = 10_000
"""Parts that a crowd's stake is divided into: what a share is rounded to."""
RESAMPLES = 2_000
"""Resamples of an interval."""
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """A model beside a crowd, era by era.

    `scores` (n_eras, n_shares) is the CORR of the metamodel at each of `shares`, `own` (n_eras,) the model's CORR,
    `alike` its correlation with the metamodel without it, `spread` the standard deviation of the crowd's pooled ranks
    beside that of its own. `at_stake` (n_eras,) is the metamodel's CORR if the model stakes what was asked about.
    """

    shares: tuple[float, ...]
    labels: tuple[str, ...]
    scores: Floats
    at_stake: Floats
    own: Floats
    alike: Floats
    spread: Floats

    @property
    def without(self) -> Floats:
        """The metamodel's CORR without the model, (n_eras,)."""
        return np.asarray(self.scores[:, self.shares.index(0.0)])


@dataclass(frozen=True, slots=True)
class Step:
    """What the metamodel's CORR and its Sharpe ratio gain at a share of the stake, with 95% intervals over eras."""

    share: float
    corr: float
    gain: float
    low: float
    high: float
    sharpe: float
    sharpe_gain: float
    sharpe_low: float
    sharpe_high: float


@dataclass(frozen=True, slots=True)
class Best:
    """The share of the stake at which a figure of the metamodel is highest, with its 95% interval over eras."""

    share: float
    low: float
    high: float


def add(
    pairs: Iterable[tuple[Era, Floats]],
    stakes: Mapping[str, int],
    stake: int,
    *,
    shares: Sequence[float] = SHARES,
    told: Callable[[int], None] = lambda done: None,
) -> Addition:
    """Put a model beside a crowd in each era, given its predictions, (n_ids,), with `stake` whole units.

    `stakes` are those of the crowd. Refused with code `no_common_era` if there is no era with a staked crowd.
    """
    rows, labels = [], []
    with single_threaded():
        for done, (era, mine) in enumerate(pairs, 1):
            units = np.array([stakes[name] for name in era.models], np.int64)
            if units.any():
                rows.append(_era(era, mine, units, stake, shares))
                labels.append(str(era.label))
            told(done)
    if not rows:
        fix = "give the model's predictions for the crowd's eras, and the crowd a stake"
        raise InputError(Problem("no_common_era", "an era with the model and a staked crowd", "none", fix, "model"))
    scores, at_stake, own, alike, spread = zip(*rows, strict=True)
    figures = (np.array(each) for each in (scores, at_stake, own, alike, spread))
    return Addition(tuple(shares), tuple(labels), *figures)


def steps(found: Addition, seed: object = "0") -> tuple[Step, ...]:
    """The curve: what the metamodel gains at each share."""
    return _steps(found.shares, found.scores, found.without, seed)


def joined(found: Addition, share: float, seed: object = "0") -> Step:
    """What the metamodel gains at the stake that was asked about, a `share` of all."""
    return _steps([share], found.at_stake[:, None], found.without, seed)[0]


def best(found: Addition, figure: str = "mean", seed: object = "0") -> Best:
    """The share at which the metamodel's CORR is highest: its mean over eras, or its `sharpe` ratio."""
    observed = FIGURES[figure](found.scores, np.full((1, len(found.labels)), 1 / len(found.labels)))
    again = FIGURES[figure](found.scores, _weights(len(found.labels), seed))
    low, high = percentile_interval(np.array(found.shares)[np.argmax(again, axis=1)], 0.95)
    return Best(found.shares[int(np.argmax(observed))], low, high)


def theory(found: Addition) -> float:
    """The best share by the closed form of two signals, from what was measured of them.

        w / (1 - w) = spread (r_a - rho r_m) / (r_m - rho r_a)

    r_a, r_m: CORR of the model and of the metamodel without it. rho: their correlation. `spread` turns a weight of
    what is pooled into one of stake. With rho = 0 it is `blend_weights`. [F93#20]
    """
    mine, crowd, rho = found.own.mean(), found.without.mean(), found.alike.mean()
    above, below = mine - rho * crowd, crowd - rho * mine
    if above <= 0:
        return 0.0
    odds = found.spread.mean() * above / below if below > 0 else np.inf
    return float(1 / (1 + 1 / odds))


def mean(scores: Floats, weights: Floats) -> Floats:
    """The mean over eras, (n_eras, n_shares), where each era weighs so much, (n_resamples, n_eras)."""
    return np.asarray(weights @ scores)


def sharpe(scores: Floats, weights: Floats) -> Floats:
    """Mean over standard deviation (ddof 0), weighed alike; 0 where nothing varies."""
    centre = scores.mean(axis=0)
    first, second = weights @ (scores - centre), weights @ (scores - centre) ** 2
    variance = second - first**2
    varies = variance > 1e-12 * second
    spread = np.sqrt(np.maximum(variance, 0.0))
    return np.asarray(np.divide(centre + first, spread, out=np.zeros_like(first), where=varies))


FIGURES: Mapping[str, Callable[[Floats, Floats], Floats]] = {"mean": mean, "sharpe": sharpe}
"""What a metamodel may be best by."""


def _era(
    era: Era, mine: Floats, units: Units, stake: int, shares: Sequence[float]
) -> tuple[Floats, float, float, float, float]:
    """The metamodel's CORR at each share and at the stake, and the model's own CORR, likeness and spread."""
    predictions, target = np.column_stack([era.predictions, mine]), era.given("target")
    rows = Era(predictions, target, ties=era.ties).ranks.doubled
    total = sum(units.tolist())
    part = max(total // PARTS, 1)
    times = [round(share / (1 - share) * total / part) for share in shares]
    weights = weigh(
        np.append(units, part), [np.append(units > 0, count).astype(np.int64) for count in times], len(mine)
    )
    curve = np.asarray(corr(pool(partial_sums([rows], weights), weights).bags, target))
    with_it = weigh(np.append(units, stake), (), len(mine))
    alone = weigh(np.append(units, 0), (), len(mine))
    crowd = pool(partial_sums([rows], alone), alone).crowd
    spread = np.std((units / total) @ rows[:-1]) / np.std(rows[-1])
    joined = float(corr(pool(partial_sums([rows], with_it), with_it).crowd, target))
    return curve, joined, float(corr(mine, target)), float(corr(mine, crowd)), float(spread)


def _steps(shares: Sequence[float], scores: Floats, without: Floats, seed: object) -> tuple[Step, ...]:
    n, base = len(without), without[:, None]
    once, again = np.full((1, n), 1 / n), _weights(n, seed)
    gained = [mean(scores - base, weights) for weights in (once, again)]  # of differences, so that none stays none
    steadier = [sharpe(scores, weights) - sharpe(base, weights) for weights in (once, again)]
    columns = [scores.mean(axis=0), *_spans(*gained), sharpe(scores, once)[0], *_spans(*steadier)]
    return tuple(Step(share, *map(float, each)) for share, *each in zip(shares, *columns, strict=True))


def _spans(observed: Floats, again: Floats) -> tuple[Floats, Floats, Floats]:
    """What was observed, with the ends of its 95% interval."""
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    return observed[0], low, high


def _weights(n: int, seed: object) -> Floats:
    """How much each era weighs in each resample, (n_resamples, n_eras): drawn in blocks of consecutive ones."""
    places = blocks(np.arange(n, dtype=np.float64), n, RESAMPLES, seed, "add").astype(np.intp)
    flat = places + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(flat.ravel(), minlength=n * RESAMPLES).reshape(RESAMPLES, n) / n
