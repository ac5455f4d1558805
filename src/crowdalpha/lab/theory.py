"""What theory says: the closed forms that simulated claims are held against.

Signals are normal, as those of a simulated crowd are; what they know of the truth is their correlation with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np

from crowdalpha.lab.crowds import SPREAD, Shape, binned
from crowdalpha.scoring.bags import BAG_FRACTION
from crowdalpha.scoring.contribution import UNIFORM_STD

POINTS = 24
"""Points of a quadrature: more change no digit that is shown."""


def magnitude(shape: Shape) -> float:
    """k in MMC2 = k (CORR - rho CORR_M), for one metamodel and ranks without ties: sd1(u) sd1(t) / 0.29^2.

    >>> round(magnitude(Shape(ids=1000)), 4)
    0.7683
    """
    place = np.arange(shape.ids, dtype=float)
    spread = np.std((place + 0.5) / shape.ids, ddof=1) * np.std(binned(place, shape.bins), ddof=1)
    return float(spread / UNIFORM_STD**2)


def average_contribution(shape: Shape) -> float:
    """MMC of the average user beside its CORR, in a large crowd of equal stakes whose models share `shared`, c.

        k (1 - 6 asin(sqrt(c) / 2) / (pi sqrt(c)))

    The stake-weighted sum of residual covariances is 0 against the metamodel as it is summed; what is left comes from
    ranking it. It is 0 for c = 1, where all models are copies, and k (1 - 3 / pi) for c = 0. Derived for normal
    signals: the summed metamodel is Phi(a g) with a^2 = c / (2 - c), the ranked one Phi(g).

    >>> round(average_contribution(Shape(ids=1000, shared=0.3)), 4)
    0.0251
    """
    root = math.sqrt(shape.shared)
    kept = 6 * math.asin(root / 2) / (math.pi * root) if root else 3 / math.pi
    return magnitude(shape) * (1 - kept)


def of_ranks(rho: float) -> float:
    """The correlation of the ranks of two normal signals: 6 asin(rho / 2) / pi.

    >>> round(of_ranks(1.0), 4), round(of_ranks(0.5), 4)
    (1.0, 0.4826)
    """
    return 6 * math.asin(rho / 2) / math.pi


def expected_corr(edge: float, bins: Sequence[float] = SPREAD) -> float:
    """CORR of a signal whose correlation with the truth is `edge`, r, when the target is the truth in bins.

        integral_0^r sum_j d phi(q_j) exp(-s^2 q_j^2 / (2 (2 - s^2))) / sqrt(2 pi (2 - s^2)) ds / (sd(u) sd(t))

    q_j are the edges of the bins, d the step between their values. The derivative of E[F(X) G(Y)] by the correlation
    of two normal variables is E[F'(X) G'(Y)], and a target in bins is a sum of steps.

    >>> round(expected_corr(1.0), 6), round(expected_corr(0.03), 4)
    (0.910151, 0.0276)
    """
    reached = np.cumsum(bins)[:-1]
    edges = np.array([NormalDist().inv_cdf(share) for share in reached])
    step, values = 1 / len(edges), np.arange(len(bins)) / len(edges)
    spread = math.sqrt(np.dot(bins, values**2) - np.dot(bins, values) ** 2) / math.sqrt(12)
    at, weight = np.polynomial.legendre.leggauss(POINTS)
    s = (edge * (at + 1) / 2)[:, None]
    density = np.exp(-(edges**2) / 2) / math.sqrt(2 * math.pi)
    slopes = np.exp(-((s * edges) ** 2) / (2 * (2 - s**2))) / np.sqrt(2 * math.pi * (2 - s**2))
    return float(edge / 2 * weight @ (slopes @ density)) * step / spread


def calibrated(easy_share: float, window: int) -> float:
    """The mean of a coefficient that is calibrated over so many eras: E[K / (n - K)], K ~ Bin(n, p), K < n.

    It lies above p / (1 - p), which a long window comes to: a ratio gains more by one hard era fewer than it loses by
    one more.

    >>> round(calibrated(0.6, 20), 4), round(calibrated(0.6, 200), 4)
    (1.7435, 1.5191)
    """
    counts = list(_binomial(window, easy_share))[:window]
    return sum(chance * easy / (window - easy) for easy, chance in counts) / sum(chance for _, chance in counts)


def short_sharpe(ratio: float, window: int) -> float:
    """The mean of the Sharpe ratio of so many normal scores whose true ratio is s: s sqrt(n/2) G((n-2)/2) / G((n-1)/2).

    The ratio is a noncentral t over sqrt(n - 1); G is the gamma function. The spread is that of ddof 0.

    >>> round(short_sharpe(1.0, 20), 4), round(short_sharpe(1.0, 2000), 4)
    (1.0688, 1.0006)
    """
    return ratio * math.sqrt(window / 2) * math.exp(math.lgamma((window - 2) / 2) - math.lgamma((window - 1) / 2))


def swinging_sharpe(hard_share: float, window: int, *, scale: float, clip: float) -> float:
    """What a Sharpe payout pays a model that scores +x or, in hard eras, -x: E[clip(scale (1-2q) / (2 sqrt(q (1-q))))].

    q is the share of hard eras of the window.

    >>> round(swinging_sharpe(0.3, 20, scale=0.1, clip=0.25), 4)
    0.0487
    """

    def paid(q: float) -> float:
        spread = 2 * math.sqrt(q * (1 - q))
        return _clipped(scale * (1 - 2 * q) / spread, clip) if spread else math.copysign(clip, 1 - 2 * q)

    return sum(chance * paid(hard / window) for hard, chance in _binomial(window, hard_share))


def swinging_sortino_pair(hard_share: float, window: int, *, scale: float, clip: float) -> float:
    """What a Sortino payout pays the same model and its inverse together, as a fraction of one stake.

        E[clip(scale (1-2q) / sqrt(q)) - clip(scale (1-2q) / sqrt(1-q))]

    >>> swinging_sortino_pair(0.3, 20, scale=0.1, clip=0.25) > 0
    True
    """

    def paid(q: float) -> float:
        sides = [_clipped(scale * (1 - 2 * q) / math.sqrt(low), clip) if low else math.copysign(clip, 1 - 2 * q)
                 for low in (q, 1 - q)]  # fmt: skip
        return sides[0] - sides[1]

    return sum(chance * paid(hard / window) for hard, chance in _binomial(window, hard_share))


def redundancy(shape: Shape, fraction: float = BAG_FRACTION) -> float:
    """MMC of a copy of the metamodel beside its CORR, with bags of this fraction and equal stakes.

        k (1 - rho_S rho),   rho^2 = (c + (1 - c) / N) / (c + (1 - c) W),   W = 1/m + (m - 1) / (m N)

    N models whose ranks are correlated by c, m draws a bag; W is what the squared weights of a bag add up to, rho the
    correlation of the metamodel of all with that of a bag, rho_S that of their ranks. 0 if a bag were all models.

    >>> round(redundancy(Shape(models=20, ids=200)), 4), round(redundancy(Shape(models=2000, ids=200)), 4)
    (0.0559, 0.0006)
    """
    n, alike = shape.models, of_ranks(shape.shared)
    rho = math.sqrt((alike + (1 - alike) / n) / (alike + (1 - alike) * _squares(_drawn(n, fraction), n)))
    return magnitude(shape) * (1 - of_ranks(rho) * rho)


def giant(shape: Shape, stake: float, fraction: float | None = None) -> float:
    """MMC beside CORR of a giant who alone knows something and stakes `stake` times what the crowd does together.

        k E[1 - rho^2],   rho^2 = s^2 / (s^2 + (1 - s)^2 (c + (1 - c) W))

    s is the giant's share of the metamodel: without bags (`fraction` None) always the same; in a bag of m draws he is
    drawn J ~ Bin(m, 1 / (N + 1)) times, often not at all, and then he is paid in full.

    >>> small = Shape(models=20, ids=200)
    >>> round(giant(small, 4.0), 3), round(giant(small, 4.0, BAG_FRACTION), 3)
    (0.024, 0.394)
    """
    n, alike = shape.models, of_ranks(shape.shared)

    def left(share: float, squares: float) -> float:
        others = (1 - share) ** 2 * (alike + (1 - alike) * squares)
        return others / (share**2 + others)

    if fraction is None:
        return magnitude(shape) * left(stake / (stake + 1), 1 / n)
    m, paid = _drawn(n + 1, fraction), 0.0
    for times, chance in _binomial(m, 1 / (n + 1)):
        if times < m:
            paid += chance * left(stake * n * times / (stake * n * times + m - times), _squares(m - times, n))
    return magnitude(shape) * paid


def neutral_corrs(shape: Shape, edge: float, proportion: float) -> tuple[float, float]:
    """CORR in easy and in hard eras of a model of the crowd after neutralising this much to what all see.

        r = (sqrt(c) e + sqrt(1-c) a - q b e) / sqrt(v - (2q - q^2) b^2)

    e is the shared edge (in hard eras -e), a the `edge` of the model's own part, q the proportion;
    b = sqrt(c) + sqrt(1-c) a e is how much of the shared signal is in the model, v = 1 + 2 sqrt(c (1-c)) a e the
    model's variance.

    >>> [round(score, 3) for score in neutral_corrs(Shape(edge=0.3), 0.1, 0.0)]
    [0.256, -0.132]
    """
    own = math.sqrt(1 - shape.shared) * edge

    def score(shared: float) -> float:
        loading = math.sqrt(shape.shared) + own * shared
        kept = math.sqrt(shape.shared) * shared + own - proportion * loading * shared
        variance = 1 + 2 * math.sqrt(shape.shared) * own * shared
        length = math.sqrt(variance - (2 * proportion - proportion**2) * loading**2)
        return expected_corr(kept / length, shape.bins)

    return score(shape.edge), score(-shape.edge)


def neutral_luck(shape: Shape, proportion: float) -> float:
    """The spread of such a CORR by chance: what features explain of the target does not disturb what is neutral to it.

        sqrt((1 - (2q - q^2) f^2) / (n - 1)),   f the CORR of what all see

    >>> neutral_luck(Shape(edge=0.3), 1.0) < luck(Shape().ids) == neutral_luck(Shape(edge=0.3), 0.0)
    True
    """
    explained = expected_corr(shape.edge, shape.bins) ** 2
    return luck(shape.ids) * math.sqrt(1 - (2 * proportion - proportion**2) * explained)


def two_point_sharpe(easy: float, hard: float, hard_share: float, noise: float) -> float:
    """The Sharpe ratio of scores that are `easy` or `hard` on average, with the standard deviation `noise` about that.

    >>> two_point_sharpe(0.5, 0.5, 0.3, 0.25)
    2.0
    """
    mean = (1 - hard_share) * easy + hard_share * hard
    return mean / math.sqrt(hard_share * (1 - hard_share) * (easy - hard) ** 2 + noise**2)


def luck(ids: int) -> float:
    """The spread of a CORR that is not far from 0, by chance alone: 1 / sqrt(n - 1)."""
    return 1 / math.sqrt(ids - 1)


def _binomial(n: int, share: float) -> Iterator[tuple[int, float]]:
    return ((k, math.comb(n, k) * share**k * (1 - share) ** (n - k)) for k in range(n + 1))


def _clipped(value: float, clip: float) -> float:
    return max(-clip, min(clip, value))


def _drawn(stakers: int, fraction: float) -> int:
    return max(round(fraction * stakers), 1)


def _squares(draws: int, stakers: int) -> float:
    """What the squared weights of a bag of equal stakes add up to, on average."""
    return 1 / draws + (draws - 1) / (draws * stakers)
