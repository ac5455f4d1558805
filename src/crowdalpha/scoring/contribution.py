"""Contribution: what a model adds to the crowd beyond what the crowd already knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring import exact
from crowdalpha.scoring.arrays import Floats, matrix, vector
from crowdalpha.scoring.correlation import Split, pearson_rows, rank_dots, rank_squares, ratio, varying_target
from crowdalpha.scoring.leave_one_out import gains
from crowdalpha.scoring.metamodel import Pool
from crowdalpha.scoring.metamodel import metamodel as pool_models
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, gaussian_rows, rank_models

UNIFORM_STD = 0.29
"""The standard deviation of a uniform variable as the announcement rounded it; 1/sqrt(12) is .2887 [F93#1]."""


def mmc2(
    predictions: ArrayLike | Ranks,
    stakes: ArrayLike,
    target: ArrayLike,
    *,
    bags: ArrayLike | None = None,
    ties: str = "average",
    exclude_self: bool = False,
) -> Any:
    """MMC2, the residual metamodel contribution: the mean over bags of what `mmc2_by_bag` gives for each.

        u = uniform(p);  e_b = neutralize(u, by=m_b);  mmc2 = mean_b cov(e_b, t; ddof=1) / 0.29^2

    predictions: (n_ids, n_models), or Ranks. stakes: (n_models,); models with stake 0 are scored, never pooled.
    target: (n_ids,), raw. bags: (n_bags, n_models) multiplicities from `draw_bags`; None pools every staker once.
    exclude_self takes each model's own stake out of the metamodels it is scored against (an analysis, not a rule:
    the rule leaves it in, and a model with a third of all stake may see its sign flip).
    Result: (n_models,) or a scalar, of about the size of CORR: 0 for a copy of the metamodel, a constant, or on
    average for noise; positive when the part the crowd does not have is right; NaN for an absent model. 1 - p
    gets the opposite. Source: [F93#1], [SPEC 2].

    >>> crowd = [[1, 2], [3, 1], [2, 3], [4, 5], [5, 4]]
    >>> mmc2(crowd, [0, 1], [0, 0.25, 0.5, 0.75, 1]).round(12)
    array([0.62425684, 0.        ])
    """
    ranks = rank_models(predictions, ties=ties)
    by_bag = mmc2_by_bag(ranks, stakes, target, bags=bags, exclude_self=exclude_self)
    return ranks.scores(_mean_over_bags(by_bag))


def mmc2_by_bag(
    predictions: ArrayLike | Ranks,
    stakes: ArrayLike,
    target: ArrayLike,
    *,
    bags: ArrayLike | None = None,
    ties: str = "average",
    exclude_self: bool = False,
) -> Floats:
    """MMC2 against the metamodel of each bag, (n_bags, n_models); its mean over bags is `mmc2`.

    The covariance of the residual has a closed form, so that all models and bags are two matrix products:

        cov(e_b, t) = cov(u, t) - beta_b cov(m_b, t),   beta_b = cov(u, m_b) / var(m_b)

    Arguments as in `mmc2`. The spread over bags tells how much the draw matters. Source: [SPEC 2].
    """
    ranks = rank_models(predictions, ties=ties)
    t = vector(target, "target", ranks.n_ids)
    crowd = Pool.of(ranks, stakes, bags)
    if exclude_self:
        columns = [_residual_covariance(ranks.one(j), crowd.without(j), t) for j in range(ranks.n_models)]
        return np.hstack(columns)
    return _residual_covariance(ranks, crowd.metamodels(), t)


@dataclass(frozen=True, slots=True)
class Residuals:
    """What MMC2 asks of a crowd whatever the target: kept, it makes each further target cost one product a model.

    metamodels: one a bag, ranked. slopes (n_models, n_bags): beta_b of each model. Results have the bits of `mmc2`.

    >>> left = Residuals.of([[1, 2], [3, 1], [2, 3], [4, 5], [5, 4]], [0, 1])
    >>> left.mmc2([0, 0.25, 0.5, 0.75, 1]).round(12)
    array([0.62425684, 0.        ])
    """

    ranks: Ranks
    metamodels: Ranks
    slopes: Floats

    @classmethod
    def of(
        cls,
        predictions: ArrayLike | Ranks,
        stakes: ArrayLike,
        *,
        bags: ArrayLike | None = None,
        ties: str = "average",
    ) -> Residuals:
        """Arguments as in `mmc2`."""
        ranks = rank_models(predictions, ties=ties)
        return cls.against(ranks, Pool.of(ranks, stakes, bags).metamodels())

    @classmethod
    def against(cls, ranks: Ranks, metamodels: Ranks) -> Residuals:
        """Of models beside metamodels that are there already."""
        return cls(ranks, metamodels, _slopes(rank_dots(ranks, metamodels.doubled.T.astype(np.float64)), metamodels))

    def mmc2_by_bag(self, target: ArrayLike) -> Floats:
        """`mmc2_by_bag` of a target (n_ids,)."""
        t = vector(target, "target", self.ranks.n_ids)
        split = Split.of(t[:, None])
        own = rank_dots(self.metamodels, split)[:, 0]
        return _covariance(rank_dots(self.ranks, split), self.slopes, self.metamodels, own)

    def mmc2(self, target: ArrayLike) -> Any:
        """`mmc2` of a target (n_ids,)."""
        return self.ranks.scores(_mean_over_bags(self.mmc2_by_bag(target)))


def mmc1(
    predictions: ArrayLike | Ranks,
    stakes: ArrayLike,
    target: ArrayLike,
    *,
    bags: ArrayLike | None = None,
    ties: str = "average",
) -> Any:
    """The original MMC: how the metamodel's CORR changes when the model is put in at the bag's mean stake.

        mmc1_U = n_stakers mean_b (CORR(M_b with U) - CORR(M_b without U))

    M_b without U leaves out whatever U has in the bag; M_b with U adds it at the mean stake of the bag's draws.
    Arguments and result as in `mmc2`. First-order equal to MMC2 up to scale, but not opposite for 1 - p. A model
    that is the whole pool is compared with a constant metamodel, whose CORR is 0. Source: [SPEC 2], [DOCS].
    """
    ranks = rank_models(predictions, ties=ties)
    t = varying_target(target, ranks.n_ids)
    crowd = Pool.of(ranks, stakes, bags)
    return ranks.scores(crowd.n_stakers * _mean_over_bags(gains(crowd, t)))


def mmc2024(
    predictions: ArrayLike | Ranks, metamodel: ArrayLike, target: ArrayLike, *, target_scale: float = 1.0
) -> Any:
    """MMC since 2024 ("correlation contribution"): the target's covariance with p orthogonal to the metamodel.

        p, m gaussianised;  e = p - m (m.p)/(m.m);  score = (t - mean t).e target_scale / n

    predictions: (n_ids, n_models). metamodel, target: (n_ids,). target_scale brings the target to its buckets
    -2..2: 4 for a target in 0, .25, .. 1; it is never guessed. Result as in `mmc2`; no bags. 0 for a copy of the
    metamodel. Source: [SPEC 2], [NT].
    """
    if not np.isfinite(target_scale):
        raise InputError(Problem("bad_target_scale", "a finite number", repr(target_scale), "4 for a target in 0 .. 1"))
    ranks = rank_models(predictions)
    t = exact.centred(vector(target, "target", ranks.n_ids)) * target_scale
    m = gaussian_rows(rank_models(vector(metamodel, "metamodel", ranks.n_ids)))[0]
    p = gaussian_rows(ranks).T
    slope = ratio(exact.total(p * m[:, None]), np.broadcast_to(exact.total(m * m), len(ranks.doubled)))
    covariance = exact.total(p * t[:, None]) - slope * exact.total((m * t)[:, None])
    return ranks.scores(covariance / ranks.n_ids)


def bmc(
    predictions: ArrayLike | Ranks,
    benchmarks: ArrayLike,
    target: ArrayLike,
    *,
    benchmark_stakes: ArrayLike | None = None,
    target_scale: float = 1.0,
) -> Any:
    """Benchmark model contribution: `mmc2024` against the stake-weighted benchmark models.

    benchmarks: (n_ids, n_benchmarks) or (n_ids,). benchmark_stakes: (n_benchmarks,), None for
    equal ones. Other arguments and
    result as in `mmc2024`. What a model adds to models everybody has. Source: [SPEC 2].
    """
    columns, _ = matrix(benchmarks, "benchmarks")
    weights = np.ones(columns.shape[1]) if benchmark_stakes is None else benchmark_stakes
    return mmc2024(predictions, pool_models(columns, weights), target, target_scale=target_scale)


def cwmm(predictions: ArrayLike | Ranks, metamodel: ArrayLike) -> Any:
    """Correlation with the metamodel: Pearson(signed_power(gaussianize(p), 1.5), m).

    predictions: (n_ids, n_models). metamodel: (n_ids,), taken as it is. Result: (n_models,) in [-1, 1], near 1 for
    a copy, 0 for a constant prediction. Source: [SPEC 2].
    """
    ranks = rank_models(predictions)
    m = vector(metamodel, "metamodel", ranks.n_ids)
    return ranks.scores(pearson_rows(gaussian_rows(ranks, power=1.5), m))


def _residual_covariance(ranks: Ranks, pooled: Ranks, t: Floats) -> Floats:
    """(n_bags, n_models): covariance of each residual with the target over 0.29^2; opposite bits for 1 - p."""
    split = Split.of(np.hstack([t[:, None], pooled.doubled.T]))
    dots = rank_dots(ranks, split)
    return _covariance(dots[:, :1], _slopes(dots[:, 1:], pooled), pooled, rank_dots(pooled, split)[:, 0])


def mean_contribution(with_target: Floats, with_metamodels: Floats, pooled: Ranks, t: Floats) -> Floats:
    """MMC2 (n_models,) from the products of ranks with the target (n_models, 1) and metamodels (n_models, n_bags)."""
    own = rank_dots(pooled, t[:, None])[:, 0]
    return _mean_over_bags(_covariance(with_target, _slopes(with_metamodels, pooled), pooled, own))


def _slopes(dots: Floats, pooled: Ranks) -> Floats:
    """beta_b = cov(u, m_b) / var(m_b); 1 or -1 to the bit for a copy or an inverse, whose covariance is then 0."""
    return ratio(dots, rank_squares(pooled.doubled))


def _covariance(with_target: Floats, slopes: Floats, pooled: Ranks, own: Floats) -> Floats:
    """Of residuals with the target: `own` (n_bags,) are the products of the metamodels' ranks with it."""
    left = with_target - slopes * own
    return np.asarray((left / (2.0 * pooled.n_ids) / (pooled.n_ids - 1) / UNIFORM_STD**2).T)


def _mean_over_bags(by_bag: Floats) -> Floats:
    """The mean over axis 0, added in the order of the bags."""
    added = by_bag[0]
    for row in by_bag[1:]:
        added = added + row
    return np.asarray(added / len(by_bag))
