"""How the order of a sum changes when one of its terms is given another weight: the inner loops, in numba.

Import them through `leave_one_out`. What is added up are whole numbers, few and small enough to be exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 256
"""Neighbours in the order that are looked at together."""
STRIDE = 4
"""Places further on that are looked at together."""
FARTHEST = 128
"""Places that an id may move before it is cheaper to rank anew."""
USUAL = 64
"""Places that ids may move on average."""
DIGIT = 18
"""Bits of the numbers to be added: what a chunk and a stride of them differ by adds up within 32 bits."""
STEPS = 2.0**28
"""Sums are first compared in whole steps, of which so many make up the largest."""
UNREACHED = 2**30
"""Steps that none gets to: they stand behind the last."""
UNASKED, KNOWN, FAR, CLOSE = 0, 1, 2, 3
"""What is known of an order: nothing, all, that ids move too far to be followed, or that two are too close to tell."""


@njit(nogil=True, cache=True)
def least_gaps(sums, gaps):  # type: ignore[no-untyped-def]
    """For each chunk of each row of sorted sums, the least gap to the value d + 1 places on, for d of `gaps`."""
    n = sums.shape[1]
    for b in range(len(sums)):
        for chunk in range(gaps.shape[1]):
            start = chunk * CHUNK
            for d in range(gaps.shape[2]):
                least = np.inf
                for p in range(start, min(start + CHUNK, n - 1 - d)):
                    least = min(least, sums[b, p + d + 1] - sums[b, p])
                gaps[b, chunk, d] = least


@njit(nogil=True, cache=True)
def _reaches(gaps, limit, reach):  # type: ignore[no-untyped-def]
    """How many places on each chunk's ids may meet one they can pass; whether that is near enough to be followed."""
    together = 0
    for chunk in range(len(gaps)):
        d = 0
        while d < gaps.shape[1] and gaps[chunk, d] <= limit:
            d += 1
        reach[chunk] = d
        together += d
        if d == gaps.shape[1]:
            return False
    return together <= USUAL * len(gaps)


@njit(nogil=True, cache=True)
def _pair(x, y, t, u):  # type: ignore[no-untyped-def]
    """By what t changes if x and y change places, and whether they are too close to tell."""
    gap = np.int32(y - x)
    moved = np.int32(t - u) if gap < np.int32(0) else np.int32(0)
    return moved, np.int32(np.uint32(gap + np.int32(2)) <= np.uint32(4))


@njit(nogil=True, cache=True)
def _passed(x, t, start, d, count):  # type: ignore[no-untyped-def]
    """By what t changes where ids pass those d to d + 3 places on, and 1 if whole steps cannot tell a pair apart."""
    moved, close = np.int32(0), np.int32(0)
    here, t_here = x[start : start + count], t[start : start + count]
    a, t_a = x[start + d : start + d + count], t[start + d : start + d + count]
    b, t_b = x[start + d + 1 : start + d + 1 + count], t[start + d + 1 : start + d + 1 + count]
    c, t_c = x[start + d + 2 : start + d + 2 + count], t[start + d + 2 : start + d + 2 + count]
    e, t_e = x[start + d + 3 : start + d + 3 + count], t[start + d + 3 : start + d + 3 + count]
    for i in range(count):
        by, near = _pair(here[i], a[i], t_here[i], t_a[i])
        moved, close = np.int32(moved + by), np.int32(close | near)
        by, near = _pair(here[i], b[i], t_here[i], t_b[i])
        moved, close = np.int32(moved + by), np.int32(close | near)
        by, near = _pair(here[i], c[i], t_here[i], t_c[i])
        moved, close = np.int32(moved + by), np.int32(close | near)
        by, near = _pair(here[i], e[i], t_here[i], t_e[i])
        moved, close = np.int32(moved + by), np.int32(close | near)
    return moved, close


@njit(nogil=True, cache=True)
def _finely(sums, ranks, weight, t, start, d, margin, order, first, degree, moved):  # type: ignore[no-untyped-def]
    """The same in float64, ties included; returns whether all pairs could be told, and what ties take from n^3 - n."""
    n, lost = len(sums), 0
    for p in range(start, min(start + CHUNK, n)):
        key = sums[p] + weight * np.float64(ranks[p])
        for q in range(p + d, min(p + d + STRIDE, n)):
            gap = sums[q] + weight * np.float64(ranks[q]) - key
            turned = 1.0 if gap < 0.0 else 0.0
            if abs(gap) <= margin:
                if margin > 0.0:
                    return False, 0
                turned = 0.5 if not first else 1.0 if order[p] > order[q] else 0.0
                if not first:
                    lost += 2 * (degree[p] + degree[q]) + 6
                    degree[p] += 1
                    degree[q] += 1
            for k in range(len(t)):
                moved[k] += turned * (t[k, p] - t[k, q])
    return True, lost


@njit(nogil=True, cache=True)
def _follow(sums, ranks, weight, reach, margin, order, first, t, x, degree, moved):  # type: ignore[no-untyped-def]
    """Add up half of what the products change by; returns the state and what ties take from n^3 - n."""
    lost = 0
    for chunk in range(len(reach)):
        start = chunk * CHUNK
        count = min(CHUNK, len(sums) - start)
        for d in range(1, reach[chunk] + 1, STRIDE):
            by, close = _passed(x, t[0], start, d, count)
            if close > 0:
                known, less = _finely(sums, ranks, weight, t, start, d, margin, order, first, degree, moved)
                if not known:
                    return CLOSE, 0
                lost += less
            else:
                moved[0] += by
                for k in range(1, len(t)):
                    moved[k] += _passed(x, t[k], start, d, count)[0]
    if lost > 0:
        degree[:] = 0
    return KNOWN, lost


@njit(nogil=True, cache=True)
def follow_block(doubled, order, sums, gaps, t, weights, margins, first, state, moved, lost):  # type: ignore[no-untyped-def]
    """For each model, bag and side where weights are not NaN: half of what its products with t change by.

    doubled (n_models, n_ids); for each bag order, sums (n_ids,) and t (n_digits, n_ids + FARTHEST + STRIDE) in the
    order of the sums, to which the model's ranks are added times its weights (n_models, n_bags, 2). Adds to moved
    (n_models, n_bags, 2, n_digits), fills in state and lost.
    """
    n = doubled.shape[1]
    ranks, x = np.empty(n, np.float32), np.full(t.shape[2], np.int32(UNREACHED))
    degree, reach = np.zeros(n, np.int64), np.empty(gaps.shape[1], np.int64)
    for b in range(len(order)):
        largest = max(abs(sums[b, 0]), abs(sums[b, n - 1]))
        for j in range(len(doubled)):
            for i in range(n):
                ranks[i] = doubled[j, order[b, i]]
            for side in range(2):
                weight = weights[j, b, side]
                if np.isnan(weight):
                    continue
                limit = 2.0 * n * abs(weight) + 2.0 * margins[b]
                if max(limit, margins[b] * STEPS) >= largest or not _reaches(gaps[b], limit, reach):
                    state[j, b, side] = FAR
                    continue
                scale = STEPS / largest
                for i in range(n):
                    x[i] = np.int32(np.rint((sums[b, i] + weight * np.float64(ranks[i])) * scale))
                state[j, b, side], lost[j, b, side] = _follow(
                    *(sums[b], ranks, weight, reach, margins[b], order[b], first),
                    *(t[b], x, degree, moved[j, b, side]),
                )


@njit(nogil=True, cache=True)
def least_steps(keys, doubled, out):  # type: ignore[no-untyped-def]
    """The least step between neighbours in each row of keys, whose doubled ranks are all different."""
    n = keys.shape[1]
    values = np.empty(n)
    for j in range(len(keys)):
        for i in range(n):
            values[(doubled[j, i] + n - 1) // 2] = keys[j, i]
        least = np.inf
        for i in range(n - 1):
            least = min(least, values[i + 1] - values[i])
        out[j] = least
