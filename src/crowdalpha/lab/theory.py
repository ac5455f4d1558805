"""What theory says: the closed forms that simulated claims are held against."""

from __future__ import annotations

import math

import numpy as np

from crowdalpha.lab.crowds import Shape, binned
from crowdalpha.scoring.contribution import UNIFORM_STD


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
