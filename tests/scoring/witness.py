"""Each score once more, slow and obvious: one model, one bag, one id at a time, with NumPy and SciPy alone.

Nothing here calls crowdalpha. Whatever decides an order is a whole number or a Fraction, so that a tie is a tie.
"""

from fractions import Fraction

import numpy as np
from scipy import stats

UNIFORM_STD = 0.29


def rank(x, ties="average"):
    x = list(x)
    below = [sum(other < value for other in x) for value in x]
    if ties == "first":
        return np.array([b + 1 + sum(x[k] == x[i] for k in range(i)) for i, b in enumerate(below)], float)
    return np.array([b + (1 + sum(other == x[i] for other in x)) / 2 for i, b in enumerate(below)])


def uniform(x, ties="average"):
    return (rank(x, ties) - 0.5) / len(x)


def gaussianize(x):
    return stats.norm.ppf(uniform(x))


def signed_power(x, p):
    return np.sign(x) * np.abs(x) ** p


def pearson(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return np.corrcoef(x, y)[0, 1]


def neutralize(y, by, proportion=1.0):
    y, by = np.asarray(y, float), np.asarray(by, float).reshape(len(y), -1)
    design = np.column_stack([by, np.ones(len(y))])
    return y - proportion * (design @ (np.linalg.pinv(design) @ y))


def normalize_and_neutralize(p, features, proportion=1.0):
    left = neutralize(stats.norm.ppf(uniform(p, "first")), features, proportion)
    return left / left.std(ddof=1)


def corr(p, t, ties="average"):
    return pearson(uniform(p, ties), t)


def numerai_corr(p, t):
    return pearson(signed_power(gaussianize(p), 1.5), signed_power(t - np.mean(t), 1.5))


def settled(residual):
    """A residual free of rounding, so that ids with equal residuals tie when it is ranked."""
    return np.round(residual, 9)


def fnc(p, features, t):
    return numerai_corr(settled(neutralize(gaussianize(p), features)), t)


def fnc_2021(p, features, t):
    u = uniform(p)
    return corr(settled(u - features @ (np.linalg.pinv(features) @ u)), t)


def weighted_ranks(predictions, weights, ties="average"):
    """sum_j w_j rank_j, id by id, in fractions."""
    columns = [[Fraction(r) for r in rank(p, ties)] for p in predictions.T]
    return [sum(Fraction(w) * c[i] for w, c in zip(weights, columns, strict=True)) for i in range(len(predictions))]


def metamodel(predictions, stakes, ties="average"):
    """A pool without anybody is a constant, whatever breaks ties: the order of the rows is nobody's opinion."""
    if not any(stakes):
        return np.full(len(predictions), 0.5)
    return uniform(weighted_ranks(predictions, stakes, ties), ties)


def every_staker_once(stakes):
    return np.array([[int(s > 0) for s in stakes]])


def mmc2(predictions, stakes, t, j, bags=None, ties="average", exclude_self=False):
    bags = every_staker_once(stakes) if bags is None else bags
    u, scores = uniform(predictions[:, j], ties), []
    for bag in bags:
        weights = [int(c) * s for c, s in zip(bag, stakes, strict=True)]
        if exclude_self:
            weights[j] = 0
        m = metamodel(predictions, weights, ties)
        scores.append(np.cov(neutralize(u, m), t, ddof=1)[0, 1] / UNIFORM_STD**2)
    return np.mean(scores)


def mmc1(predictions, stakes, t, j, bags=None, ties="average"):
    bags = every_staker_once(stakes) if bags is None else bags
    n_stakers = sum(s > 0 for s in stakes)
    gains = []
    for bag in bags:
        weights = [Fraction(int(c) * s) for c, s in zip(bag, stakes, strict=True)]
        mean_stake = sum(weights) / sum(int(c) for c, s in zip(bag, stakes, strict=True) if s > 0)
        without = [0 if k == j else w for k, w in enumerate(weights)]
        within = [mean_stake if k == j else w for k, w in enumerate(weights)]
        s_with = corr(weighted_ranks(predictions, within, ties), t, ties)
        s_without = corr(weighted_ranks(predictions, without, ties), t, ties) if any(without) else 0.0
        gains.append(s_with - s_without)
    return n_stakers * np.mean(gains)


def mmc2024(p, m, t, target_scale=1.0):
    p, m = gaussianize(p), gaussianize(m)
    left = p - m * (m @ p) / (m @ m) if m.any() else p
    return target_scale * ((t - np.mean(t)) @ left) / len(t)


def cwmm(p, m):
    return pearson(signed_power(gaussianize(p), 1.5), m)


def exposures(p, features):
    return np.array([pearson(p, f) for f in features.T])


def correlations_with_others(predictions, j):
    others = [k for k in range(predictions.shape[1]) if k != j and not np.isnan(predictions[:, k]).any()]
    return [pearson(uniform(predictions[:, j]), uniform(predictions[:, k])) for k in others]


def weights(p, neutralizers, sample_weights):
    s = signed_power(gaussianize(p), 1.5)
    return sample_weights * (s - neutralizers @ (neutralizers.T @ (sample_weights * s)))


def alpha(p, neutralizers, sample_weights, t):
    return weights(p, neutralizers, sample_weights) @ (t - np.mean(t)) / len(t)


def mpc(predictions, stakes, neutralizers, sample_weights, t):
    w = np.column_stack([weights(p, neutralizers, sample_weights) for p in predictions.T])
    w = w - w.mean(axis=0)
    x = w @ (np.asarray(stakes, float) / sum(stakes))
    projector = np.eye(len(t)) - np.outer(x, x) / (x @ x)
    return (projector @ w).T @ (t - np.mean(t)) / (50 * np.linalg.norm(x))
