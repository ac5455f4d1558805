"""The inner loops in numba. Import them through `kernels` or `exact`: loading numba takes half a second.

Every loop does the operations of its NumPy twin on each number in the same order, without fused
multiply-add, so both ways lead to the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

WIDEST = 11
"""Bits of a counting pass: its 2048 counters stay in the first-level cache."""
GAVE_UP, DISTINCT, TIED = 0, 1, 2
"""What a sort has to say of the values."""
BLOCK = 64
"""Rows eliminated at once: they are read from the second-level cache for each row that follows."""
STRIP = 256
"""Places of a row eliminated at once: those of a block of rows stay in the second-level cache."""
TILE = 128
"""Rows transposed at once: their part of a block of columns stays in the second-level cache."""


@njit(nogil=True, cache=True)
def transpose_block(columns, start, out):  # type: ignore[no-untyped-def]
    """Write columns `start`, `start` + 1, ... of a C-ordered (n_ids, n_models) array to the rows of `out`."""
    n = len(columns)
    for top in range(0, n, TILE):
        for j in range(len(out)):
            for i in range(top, min(top + TILE, n)):
                out[j, i] = columns[i, start + j]


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _extremes(x):  # type: ignore[no-untyped-def]
    """The smallest and the largest value, in one vectorised pass; which sign a zero has does not matter."""
    low = high = x[0]
    for value in x:
        low = min(low, value)
        high = max(high, value)
    return low, high


@njit(nogil=True, cache=True)
def _starts(counts):  # type: ignore[no-untyped-def]
    """Turn counts into the places where each digit starts."""
    start = np.uint32(0)
    for digit in range(len(counts)):
        count = counts[digit]
        counts[digit] = start
        start += count


@njit(nogil=True, cache=True)
def _squares(counts):  # type: ignore[no-untyped-def]
    """The sum of their squares."""
    squares = np.int64(0)
    for count in counts:
        squares += np.int64(count) * np.int64(count)
    return squares


@njit(nogil=True, cache=True)
def _repair(x, order, values):  # type: ignore[no-untyped-def]
    """Stable insertion sort of rows that are nearly in order; GAVE_UP once its moves pass half their number."""
    moves, found = 0, DISTINCT
    for i in range(len(x)):
        row = order[i]
        value = x[row]
        values[i] = value
        if i > 0 and values[i - 1] >= value:
            j = i
            while j > 0 and values[j - 1] > value:
                values[j] = values[j - 1]
                order[j] = order[j - 1]
                j -= 1
            values[j] = value
            order[j] = row
            if j > 0 and values[j - 1] == value:
                found = TIED
            moves += i - j
            if moves > len(x) // 2:
                return GAVE_UP
    return found


@njit(nogil=True, cache=True)
def _sort_by_quantile(x, keys, order, spare, values, counts):  # type: ignore[no-untyped-def]
    """Two counting passes over values cut into 2^16 to 2^22 steps of equal width, then repair."""
    n = len(x)
    width = 8
    while width < WIDEST and 1 << (2 * width - 7) < n:
        width += 1
    low, high = _extremes(x)
    span = high - low
    scale = np.float64((1 << (2 * width)) - 1) / span if span > 0.0 else 0.0
    if not np.isfinite(scale) or not np.isfinite(span) or n > 1 << (32 - WIDEST):
        return GAVE_UP
    mask = np.uint32((1 << width) - 1)
    fine, coarse = counts[0, : 1 << width], counts[1, : 1 << width]
    fine[:] = 0
    coarse[:] = 0
    for i in range(n):
        keys[i] = np.uint32(np.int32((x[i] - low) * scale))
    for i in range(n):
        fine[keys[i] & mask] += 1
        coarse[keys[i] >> np.uint32(width)] += 1
    if _squares(coarse) > n * len(fine) and span > 0.0:  # repair would take n / 4 moves
        return GAVE_UP
    _starts(fine)
    _starts(coarse)
    shift = np.uint32(32 - WIDEST)
    for i in range(n):
        digit = keys[i] & mask
        spare[fine[digit]] = (keys[i] >> np.uint32(width)) << shift | np.uint32(i)
        fine[digit] += 1
    rest = (np.uint32(1) << shift) - np.uint32(1)
    for i in range(n):
        digit = spare[i] >> shift
        order[coarse[digit]] = spare[i] & rest
        coarse[digit] += 1
    return _repair(x, order, values)


@njit(nogil=True, cache=True)
def _sort_by_word(x, bit, keys, order, spare, counts):  # type: ignore[no-untyped-def]
    """Counting passes over 32 bits of each value, from bit 0 or 32 up, that keep the order of equal words."""
    n, sign = len(x), np.uint64(1) << np.uint64(63)
    width = 8 if n <= 1024 else WIDEST
    digits, mask = -(-32 // width), np.uint32((1 << width) - 1)
    counts[:] = 0
    words = x.view(np.uint64)
    for i in range(n):
        word = words[i] if words[i] != sign else np.uint64(0)  # -0.0 and 0.0 are the same value
        keys[i] = np.uint32((~word if word & sign else word | sign) >> np.uint64(bit))
        for digit in range(digits):
            counts[digit, (keys[i] >> np.uint32(digit * width)) & mask] += 1
    source, sink = order, spare
    for digit in range(digits):
        shift, places = np.uint32(digit * width), counts[digit]
        _starts(places[: 1 << width])
        for i in range(n):
            row = source[i]
            value = (keys[row] >> shift) & mask
            sink[places[value]] = row
            places[value] += 1
        source, sink = sink, source
    if digits % 2:
        order[:] = spare


@njit(nogil=True, cache=True)
def _sort_by_bits(x, whole, keys, order, spare, values, counts):  # type: ignore[no-untyped-def]
    """Sort by the upper 32 bits of the values, or by all 64, then repair."""
    for i in range(len(x)):
        order[i] = i
    if whole:
        _sort_by_word(x, 0, keys, order, spare, counts)
    _sort_by_word(x, 32, keys, order, spare, counts)
    return _repair(x, order, values)


@njit(nogil=True, cache=True)
def rank_block(rows, average, out):  # type: ignore[no-untyped-def]
    """Doubled centred ranks of each row of `rows`, written to `out`."""
    n = rows.shape[1]
    keys, order, spare = np.empty(n, np.uint32), np.empty(n, np.uint32), np.empty(n, np.uint32)
    values = np.empty(n, np.float64)
    counts = np.empty((4, 1 << WIDEST), np.uint32)
    for j in range(len(rows)):
        x = rows[j]
        found = _sort_by_quantile(x, keys, order, spare, values, counts)
        if found == GAVE_UP:
            found = _sort_by_bits(x, False, keys, order, spare, values, counts)
        if found == GAVE_UP:
            found = _sort_by_bits(x, True, keys, order, spare, values, counts)
        for i in range(n):
            out[j, order[i]] = 2 * i + 1 - n
        start = 0
        for end in range(1, n + 1 if average and found == TIED else 0):
            if end == n or values[end] != values[start]:
                for i in range(start, end if end - start > 1 else start):
                    out[j, order[i]] = start + end - n
                start = end


@njit(nogil=True, cache=True)
def largest(rows, out):  # type: ignore[no-untyped-def]
    """The largest absolute value of each row."""
    for j in range(len(rows)):
        most = 0.0
        for i in range(rows.shape[1]):
            size = abs(rows[j, i])
            most = size if size > most else most
        out[j] = most


@njit(nogil=True, cache=True)
def whole_sums(rows, scale, out):  # type: ignore[no-untyped-def]
    """The sum of each row, each term times the row's scale and rounded to a whole number."""
    for j in range(len(rows)):
        whole = np.int64(0)
        for i in range(rows.shape[1]):
            whole += np.int64(np.rint(rows[j, i] * scale[j]))
        out[j] = whole


@njit(nogil=True, cache=True)
def split(rows, up, down, whole):  # type: ignore[no-untyped-def]
    """`exact._split`, row by row."""
    used = 0
    rest = np.empty(rows.shape[1])
    for j in range(len(rows)):
        rest[:] = rows[j]
        left = True
        for k in range(len(up)):
            if left:
                used = max(used, k + 1)
            left = False
            for i in range(len(rest)):
                number = np.rint(rest[i] * up[k, j])
                whole[k, j, i] = number
                rest[i] -= number * down[k, j]
                left |= rest[i] != 0.0
    return used


@njit(nogil=True, cache=True)
def sparse_product(a, rows, columns, values, out):  # type: ignore[no-untyped-def]
    """Add S.T @ a to `out`, S given by its entries that are not 0."""
    for e in range(len(values)):
        for f in range(a.shape[1]):
            out[columns[e], f] += a[rows[e], f] * values[e]


@njit(nogil=True, cache=True)
def _subtract(target, left, weights, rows, order):  # type: ignore[no-untyped-def]
    """Subtract weights[k] rows[k] from target, from place `left` on, for each k of `order` in turn; four a pass."""
    whole = len(order) // 4 * 4
    for e in range(0, whole, 4):
        a, b, c, d = order[e], order[e + 1], order[e + 2], order[e + 3]
        wa, wb, wc, wd = weights[a], weights[b], weights[c], weights[d]
        for i in range(left, len(target)):
            target[i] = (((target[i] - wa * rows[a, i]) - wb * rows[b, i]) - wc * rows[c, i]) - wd * rows[d, i]
    for e in range(whole, len(order)):
        a = order[e]
        for i in range(left, len(target)):
            target[i] -= weights[a] * rows[a, i]


@njit(nogil=True, cache=True)
def _subtract_twice(targets, j, left, right, weights, rows, order):  # type: ignore[no-untyped-def]
    """`_subtract` weights[k, j] rows[k] from targets[j], and so for j + 1, between two places; eight a pass."""
    one, two = targets[j, left:right], targets[j + 1, left:right]
    whole = len(order) // 8 * 8
    for first in range(0, whole, 8):
        a, b, c, d = order[first], order[first + 1], order[first + 2], order[first + 3]
        e, f, g, h = order[first + 4], order[first + 5], order[first + 6], order[first + 7]
        va, vb, vc, vd = weights[a, j], weights[b, j], weights[c, j], weights[d, j]
        ve, vf, vg, vh = weights[e, j], weights[f, j], weights[g, j], weights[h, j]
        wa, wb, wc, wd = weights[a, j + 1], weights[b, j + 1], weights[c, j + 1], weights[d, j + 1]
        we, wf, wg, wh = weights[e, j + 1], weights[f, j + 1], weights[g, j + 1], weights[h, j + 1]
        ra, rb, rc, rd = rows[a, left:right], rows[b, left:right], rows[c, left:right], rows[d, left:right]
        re, rf, rg, rh = rows[e, left:right], rows[f, left:right], rows[g, left:right], rows[h, left:right]
        for i in range(right - left):
            xa, xb, xc, xd, xe, xf, xg, xh = ra[i], rb[i], rc[i], rd[i], re[i], rf[i], rg[i], rh[i]
            v = (((one[i] - va * xa) - vb * xb) - vc * xc) - vd * xd
            w = (((two[i] - wa * xa) - wb * xb) - wc * xc) - wd * xd
            one[i] = (((v - ve * xe) - vf * xf) - vg * xg) - vh * xh
            two[i] = (((w - we * xe) - wf * xf) - wg * xg) - wh * xh
    for at in range(whole, len(order)):
        a = order[at]
        for i in range(right - left):
            one[i] -= weights[a, j] * rows[a, left + i]
            two[i] -= weights[a, j + 1] * rows[a, left + i]


@njit(nogil=True, cache=True, error_model="numpy")
def eliminate(u, negligible, sound, kept):  # type: ignore[no-untyped-def]
    """`neutral._eliminate`, in blocks of rows: each row is made ready by those before it, then taken from the rest."""
    p = len(u)
    size = np.diag(u).copy()
    all_sound = True
    order = np.empty(BLOCK, np.int64)
    for start in range(0, p, BLOCK):
        end, count = min(start + BLOCK, p), 0
        for k in range(start, end):
            _subtract(u[k], k, u[:, k], u, order[:count])
            pivot = u[k, k]
            kept[k] = pivot > negligible * size[k]
            if kept[k]:
                all_sound &= pivot > sound * size[k]
                u[k, k:] /= np.sqrt(pivot)
                order[count] = k
                count += 1
        for left in range(end, p, STRIP):
            right = min(left + STRIP, p)
            for j in range(end, right - 1, 2):
                _subtract_twice(u, j, max(j, left), right, u, u, order[:count])
            if (right - end) % 2:
                _subtract(u[right - 1, :right], max(right - 1, left), u[:, right - 1], u, order[:count])
    return all_sound


@njit(nogil=True, cache=True, error_model="numpy")
def substitute(lower, upper, x):  # type: ignore[no-untyped-def]
    """`neutral._substitute`, in blocks of rows; lower is the transpose of upper."""
    p, q = x.shape
    for start in range(0, p, BLOCK):
        end = min(start + BLOCK, p)
        order = np.arange(start, end)
        for k in range(start, end):
            _subtract(x[k], 0, lower[k], x, order[: k - start])
            x[k] /= lower[k, k]
        for j in range(end, p - 1, 2):
            _subtract_twice(x, j, 0, q, upper, x, order)
        if (p - end) % 2:
            _subtract(x[p - 1], 0, lower[p - 1], x, order)
    for end in range(p, 0, -BLOCK):
        start = max(end - BLOCK, 0)
        order = np.arange(end - 1, start - 1, -1)
        for k in range(end - 1, start - 1, -1):
            _subtract(x[k], 0, upper[k], x, order[: end - 1 - k])
            x[k] /= upper[k, k]
        for j in range(0, start - 1, 2):
            _subtract_twice(x, j, 0, q, lower, x, order)
        if start % 2:
            _subtract(x[start - 1], 0, upper[start - 1], x, order)
