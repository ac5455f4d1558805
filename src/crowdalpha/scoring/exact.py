"""Sums that do not depend on their order: the same bits for any thread count, block size or permutation.

Two tools, both resting on the fact that whole numbers below 2^53 add up exactly in float64 [DN15, OOS12]:

`total` rounds each term once, to a grid fine enough for the column, and adds the terms as integers.
`dot` splits both factors into limbs of few bits, so that every product of limbs, and every sum of such
products, is a whole number a matrix product forms exactly, whatever the order BLAS takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdalpha.scoring import kernels
from crowdalpha.scoring.arrays import Floats, Whole

MANTISSA = 53
FLOAT32 = 2.0**24
"""Whole numbers below this add up exactly in float32, twice as fast."""
SPARSE = 16
"""A limb with fewer than one entry in so many is multiplied entry by entry."""
COARSE = (4, 8)
"""Bits of columns of few levels."""
PRECISION = 56
"""Bits kept below the largest value of a column; what is finer is dropped (float64 itself keeps 53)."""


def total(terms: Floats) -> Floats:
    """Sum over axis 0, the same bits in any order of the rows.

    Its error is below n^2 2^-61 of the largest |term|, and a rounding. That holds for terms above 1e-270; what is
    smaller may lose digits.

    >>> total(np.array([1e16, 1.0, -1e16]))
    np.float64(1.0)
    """
    loops = kernels.compiled_for(terms.size) if terms.ndim == 2 else None
    if loops is None:
        shift = _shift(np.abs(terms).max(axis=0, initial=0.0), len(terms))
        sums = np.rint(terms * np.ldexp(1.0, shift)).astype(np.int64).sum(axis=0)
    else:
        rows = kernels.contiguous(terms.T, slice(0, terms.shape[1]), loops)
        most, sums = np.empty(len(rows)), np.empty(len(rows), np.int64)
        loops.largest(rows, most)
        shift = _shift(most, len(terms))
        loops.whole_sums(rows, np.ldexp(1.0, shift), sums)
    return np.ldexp(sums.astype(np.float64), -shift)


def _shift(largest: Floats, n: int) -> Whole:
    """The power of two that makes terms so large use 62 bits of a sum of n."""
    return np.clip(62 - bit_length(n) - np.frexp(largest)[1], -1000, 1000)


def bit_length(n: int) -> int:
    """The smallest b with n <= 2^b."""
    return max(n - 1, 1).bit_length()


def mean(values: Floats) -> Floats:
    """Mean over axis 0, free of order."""
    return total(values) / len(values)


def centred(vector: Floats) -> Floats:
    """A vector less its mean, the mean being the correctly rounded sum divided by n."""
    return vector - math.fsum(vector) / len(vector)


def scaled(x: Floats) -> Floats:
    """Columns (or one vector) times an even power of two that brings the largest |value| to between 1/4 and 1.

    Exact, and so is the square root of the power: correlations and fits keep their bits and cannot overflow.
    """
    exponent = np.frexp(_largest(x, axis=0))[1]
    return x * np.ldexp(1.0, np.clip(-(exponent + exponent % 2), -1000, 1000))


def sum_of_squares(vector: Floats) -> float:
    """Sum of squares of one vector, correctly rounded and so free of order."""
    return math.fsum(vector * vector)


def limbs(x: Floats, bits: int, most: int = PRECISION) -> list[tuple[Floats, Floats]]:
    """Columns as sums of whole numbers times powers of two: x = sum_l whole_l * scale_l, |whole_l| <= 2^bits.

    Splitting stops when nothing is left, when PRECISION bits below each column's largest value are kept, or after
    `most` limbs.
    """
    loops = kernels.compiled_for(x.size)
    rows = np.ascontiguousarray(x.T) if loops is None else kernels.contiguous(x.T, slice(0, x.shape[1]), loops)
    largest = np.empty(len(rows))
    np.max(np.abs(rows), axis=1, initial=0.0, out=largest) if loops is None else loops.largest(rows, largest)
    most = min(most, -(-PRECISION // bits)) if largest.any() else 0
    kept = bits * np.arange(1, most + 1)[:, None]
    shift = np.minimum(np.maximum(kept - np.frexp(largest)[1], -1000), 1000)  # np.clip takes four times as long
    up, down = np.ldexp(1.0, shift), np.ldexp(1.0, -shift)
    whole = np.empty((most, *rows.shape))
    used = (_split if loops is None else loops.split)(rows, up, down, whole)
    return [(whole[k].T, down[k]) for k in range(used)]


def _split(rows: Floats, up: Floats, down: Floats, whole: Floats) -> int:
    """Take from each row the whole numbers rint(rest * up), limb by limb; returns after how many nothing is left."""
    rest = rows
    for k in range(len(up)):
        whole[k] = np.rint(rest * up[k][:, None])
        rest = rest - whole[k] * down[k][:, None]
        if not rest.any():
            return k + 1
    return len(up)


@dataclass(frozen=True, slots=True)
class Factor:
    """Columns (n, p) to be multiplied more than once, looked at once.

    If all are of few levels, as most features are, they are `whole` numbers of so many bits times a step.
    """

    columns: Floats
    whole: Floats | None
    bits: int
    step: float

    @classmethod
    def of(cls, columns: Floats) -> Factor:
        """Look at them."""
        exponent = int(np.frexp(_largest(columns))[1])
        for bits in COARSE:
            scale = 2.0 ** float(np.clip(bits - exponent, -1000, 1000))
            whole = _if_whole(columns, scale)
            if whole is not None:
                return cls(columns, whole, bits, 1.0 / scale)
        return cls(columns, None, 0, 0.0)

    @property
    def turned(self) -> Factor:
        """Rows as columns."""
        return Factor(self.columns.T, None if self.whole is None else self.whole.T, self.bits, self.step)

    def limbs(self, bits: int) -> tuple[list[tuple[Floats, Floats]], int]:
        """Its limbs and their bits: a single one where few do, else of so many bits."""
        if self.whole is not None:
            return [(self.whole, np.full(self.whole.shape[1], self.step))], self.bits
        few = limbs(self.columns, COARSE[-1], 2)
        return (few, COARSE[-1]) if len(few) <= 1 else (limbs(self.columns, bits), bits)


def dot(a: Floats | Factor, b: Floats | Factor) -> Floats:
    """`a.T @ b` of (n, p) and (n, q) arrays, the same bits in any order of the n rows.

    >>> dot(np.array([[1e16], [1.0], [-1e16]]), np.ones((3, 1)))
    array([[1.]])
    """
    left, right = a if isinstance(a, Factor) else Factor.of(a), b.columns if isinstance(b, Factor) else b
    budget = MANTISSA - 1 - bit_length(len(right))
    parts_a, bits = left.limbs(budget // 2)
    rest = budget - bits
    result = np.zeros((left.columns.shape[1], right.shape[1]))
    parts_b = parts_a if b is a and len(parts_a) == 1 and bits <= COARSE[-1] else limbs(right, rest)
    for k, (whole_b, scale_b) in enumerate(parts_b):
        for i, (whole_a, scale_a) in enumerate(parts_a):
            if i * bits + k * rest < PRECISION:
                product = _whole_product(whole_a, whole_b)
                product *= scale_a[:, None]
                product *= scale_b
                result += product
    return result


def _if_whole(x: Floats, scale: float) -> Floats | None:
    """x times the scale if that makes all of it whole, some rows at a time."""
    whole = np.empty(x.shape)
    for block in kernels.column_blocks(len(x), 1 + 2**16 // max(x.shape[1], 1)):
        part = np.multiply(x[block], scale, out=whole[block])
        if not (np.rint(part) == part).all():
            return None
    return whole


def _largest(x: Floats, axis: int | None = None) -> Any:
    """The largest absolute value."""
    return np.maximum(x.max(axis=axis, initial=0.0), -x.min(axis=axis, initial=0.0))


def _whole_product(a: Floats, b: Floats) -> Floats:
    """`a.T @ b` of whole numbers, all of whose sums are exact: any way to multiply them gives the same bits."""
    if b is a and len(a) * _largest(a) ** 2 < FLOAT32:
        narrow = a.astype(np.float32)
        return np.asarray(narrow.T @ narrow, np.float64)
    entries = np.count_nonzero(b)
    loops = kernels.compiled_for(b.size) if entries * SPARSE < b.size else None
    if loops is None:
        return np.asarray(a.T @ b)
    columns, rows = np.nonzero(b.T)
    product = np.zeros((b.shape[1], a.shape[1]))
    loops.sparse_product(np.ascontiguousarray(a), rows, columns, b.T[columns, rows], product)
    return product.T
