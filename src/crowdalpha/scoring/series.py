"""Figures of one series of scores in the order of time: level, spread, loss, fall and growth.

Each takes a 1-d array of finite scores and returns a float, NaN where the figure has no meaning. Sums are
rounded once (`math.fsum`), so they depend on no order, block size or number of models beside.
"""

from __future__ import annotations

import math

import numpy as np

from crowdalpha.scoring.arrays import Floats

DRAWDOWN_WINDOW = 100
"""Eras that the rolling maximum of a drawdown looks back on, as in the tournament's example scripts."""

NAN = float("nan")


def ratio(numerator: float, denominator: float) -> float:
    """The quotient, NaN unless the denominator is above 0."""
    return numerator / denominator if denominator > 0 else NAN


def mean(scores: Floats) -> float:
    """The mean, and exactly the score itself where all scores are equal."""
    if not len(scores):
        return NAN
    return min(max(math.fsum(scores) / len(scores), float(scores.min())), float(scores.max()))


def std(scores: Floats, ddof: int) -> float:
    """Standard deviation, sqrt(sum (x - mean)^2 / (n - ddof))."""
    return _root_mean_square(scores - mean(scores), ddof)


def downside(scores: Floats, ddof: int) -> float:
    """Downside deviation against 0, sqrt(sum min(x, 0)^2 / (n - ddof))."""
    return _root_mean_square(np.minimum(scores, 0.0), ddof)


def sharpe(scores: Floats, ddof: int) -> float:
    """mean / std, per era."""
    return ratio(mean(scores), std(scores, ddof))


def hit_rate(scores: Floats) -> float:
    """Share of scores above 0."""
    return ratio(float(np.count_nonzero(scores > 0)), len(scores))


def autocorrelation(column: Floats) -> float:
    """Pearson of neighbours that both have a score; NaN with fewer than two such pairs or without spread.

    Alone here, `column` may hold NaN: leaving missing eras out first would pair scores across the gap.
    """
    before, after = column[:-1], column[1:]
    both = ~np.isnan(before + after)
    before, after = before[both], after[both]
    if len(before) < 2:
        return NAN
    before, after = before - mean(before), after - mean(after)
    scale = math.sqrt(math.fsum(before**2)) * math.sqrt(math.fsum(after**2))
    return ratio(math.fsum(before * after), scale)


def autocorrelation_penalty(lag1: float, n_eras: int) -> float:
    """sqrt(1 + 2 sum_{i=1}^{n-1} (n-i)/n r^i): by how much an AR(1) dependence inflates the std of a mean.

    The double sum is built as the sum over k < n of the geometric sums r + ... + r^k.
    """
    geometric = total = 0.0
    for _ in range(n_eras - 1):
        geometric = lag1 * (1.0 + geometric)
        total += geometric
    inflation = 1.0 + 2.0 * ratio(total, n_eras)
    return math.sqrt(inflation) if inflation > 0 else NAN


def max_drawdown(scores: Floats) -> float:
    """The deepest of the drawdowns: -max((rollmax - v) / rollmax) of v = cumprod(1 + score)."""
    return float(drawdowns(scores).min()) if len(scores) else NAN


def drawdowns(scores: Floats) -> Floats:
    """(v - rollmax) / rollmax of v = cumprod(1 + score), an entry an era; all -1 with a score of -1 or less.

    The rolling maximum looks back on DRAWDOWN_WINDOW eras, fewer at the start. What is left of a peak
    k eras ago is the product of the last k growth factors, which no length of series can overflow.
    """
    growth = 1.0 + scores
    if len(scores) and growth.min() <= 0.0:
        return np.full(len(scores), -1.0)
    left, worst = np.ones(len(growth)), np.ones(len(growth))
    with np.errstate(over="ignore"):
        for k in range(1, min(DRAWDOWN_WINDOW, len(growth))):
            left = left[:-1] * growth[k:]
            worst[k:] = np.minimum(worst[k:], left)
    return worst - 1.0


def apy(scores: Floats, eras_per_year: float) -> float:
    """prod(1 + score)^(eras_per_year / n) - 1; -1 if a score of -1 or less lost everything."""
    if not len(scores):
        return NAN
    if scores.min() <= -1.0:
        return -1.0
    growth = eras_per_year * math.fsum(math.log1p(score) for score in scores) / len(scores)
    return math.expm1(growth) if growth < 700.0 else math.inf


def _root_mean_square(values: Floats, ddof: int) -> float:
    if len(values) <= ddof:
        return NAN
    return math.sqrt(math.fsum(values**2) / (len(values) - ddof))
