"""The ranking kernel in numba. Import it through `kernels`: loading numba takes half a second."""

from __future__ import annotations

import numpy as np
from numba import njit

RADIX = 2048
LONGEST_RUN = 48
"""A run of unequal values in one quantile longer than this is left to the 64-bit sort."""


@njit(nogil=True, cache=True)
def _counting_pass(keys, order, out, shift, counts):  # type: ignore[no-untyped-def]
    counts[:] = 0
    for i in range(len(keys)):
        counts[(keys[i] >> shift) & np.uint64(RADIX - 1)] += 1
    start = 0
    for digit in range(RADIX):
        count = counts[digit]
        counts[digit] = start
        start += count
    for i in range(len(order)):
        row = order[i]
        digit = (keys[row] >> shift) & np.uint64(RADIX - 1)
        out[counts[digit]] = row
        counts[digit] += 1


@njit(nogil=True, cache=True)
def _repair(x, order, bucket):  # type: ignore[no-untyped-def]
    """Sort the runs of one bucket by value, stably; False if a run is too long for that."""
    n = len(x)
    start = 0
    while start < n:
        end = start + 1
        mixed = False
        first = bucket[order[start]]
        while end < n and bucket[order[end]] == first:
            mixed |= x[order[end]] != x[order[end - 1]]
            end += 1
        if mixed:
            if end - start > LONGEST_RUN:
                return False
            for i in range(start + 1, end):
                row = order[i]
                j = i - 1
                while j >= start and x[order[j]] > x[row]:
                    order[j + 1] = order[j]
                    j -= 1
                order[j + 1] = row
        start = end
    return True


@njit(nogil=True, cache=True)
def _sort_by_quantile(x, keys, order, spare, counts):  # type: ignore[no-untyped-def]
    low, high = x[0], x[0]
    for i in range(len(x)):
        low = min(low, x[i])
        high = max(high, x[i])
        spare[i] = i
    scale = np.float64(RADIX * RADIX - 1) / (high - low) if high > low else 0.0
    if not np.isfinite(scale) or not np.isfinite(high - low):
        return False
    for i in range(len(x)):
        keys[i] = np.uint64((x[i] - low) * scale)
    _counting_pass(keys, spare, order, np.uint64(0), counts)
    _counting_pass(keys, order, spare, np.uint64(11), counts)
    order[:] = spare
    return _repair(x, order, keys)


@njit(nogil=True, cache=True)
def _sort_by_bits(x, keys, order, spare, counts):  # type: ignore[no-untyped-def]
    top = np.uint64(1) << np.uint64(63)
    bits = (x + 0.0).view(np.uint64)  # + 0.0 makes -0.0 and 0.0 the same value
    for i in range(len(x)):
        keys[i] = ~bits[i] if bits[i] & top else bits[i] | top
        order[i] = i
    for digit in range(6):
        _counting_pass(keys, order, spare, np.uint64(11 * digit), counts)
        order, spare = spare, order


@njit(nogil=True, cache=True)
def rank_block(rows, average, out):  # type: ignore[no-untyped-def]
    """Doubled centred ranks of each row of `rows`, written to `out`."""
    n = rows.shape[1]
    keys = np.empty(n, np.uint64)
    order = np.empty(n, np.int32)
    spare = np.empty(n, np.int32)
    counts = np.empty(RADIX, np.int64)
    for j in range(len(rows)):
        x = rows[j]
        if not _sort_by_quantile(x, keys, order, spare, counts):
            _sort_by_bits(x, keys, order, spare, counts)
        start = 0
        while start < n:
            end = start
            if average:
                while end + 1 < n and x[order[end + 1]] == x[order[start]]:
                    end += 1
            for i in range(start, end + 1):
                out[j, order[i]] = start + end + 1 - n
            start = end + 1
