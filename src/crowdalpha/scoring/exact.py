"""Sums that do not depend on their order: the same bits for any thread count, block size or permutation.

Two tools, both resting on the fact that whole numbers below 2^53 add up exactly in float64 [DN15, OOS12]:

`total` rounds each term once, to a grid fine enough for the column, and adds the terms as integers.
`dot` splits both factors into limbs of few bits, so that every product of limbs, and every sum of such
products, is a whole number a matrix product forms exactly, whatever the order BLAS takes.
"""

from __future__ import annotations

import math

import numpy as np

from crowdalpha.scoring.arrays import Floats

MANTISSA = 53
PRECISION = 64
"""Bits kept below the largest value of a column; what is finer is dropped (float64 itself keeps 53)."""


def total(terms: Floats) -> Floats:
    """Sum over axis 0, the same bits in any order of the rows. Error below n 2^-62 of the largest |term|.

    >>> total(np.array([1e16, 1.0, -1e16]))
    np.float64(1.0)
    """
    largest = np.abs(terms).max(axis=0, initial=0.0)
    exponent = np.frexp(largest)[1]
    shift = np.clip(62 - bit_length(len(terms)) - exponent, -1000, 1000)
    whole = np.rint(terms * np.ldexp(1.0, shift)).astype(np.int64)
    return np.ldexp(whole.sum(axis=0).astype(np.float64), -shift)


def bit_length(n: int) -> int:
    """The smallest b with n <= 2^b."""
    return max(n - 1, 1).bit_length()


def mean(values: Floats) -> Floats:
    """Mean over axis 0, free of order."""
    return total(values) / len(values)


def centred(vector: Floats) -> Floats:
    """A vector less its mean, the mean being the correctly rounded sum divided by n."""
    return vector - math.fsum(vector) / len(vector)


def sum_of_squares(vector: Floats) -> float:
    """Sum of squares of one vector, correctly rounded and so free of order."""
    return math.fsum(vector * vector)


def limbs(x: Floats, bits: int) -> list[tuple[Floats, Floats]]:
    """Columns as sums of whole numbers times powers of two: x = sum_l whole_l * scale_l, |whole_l| <= 2^bits.

    Splitting stops when nothing is left or when PRECISION bits below each column's largest value are kept.
    """
    exponent = np.frexp(np.abs(x).max(axis=0, initial=0.0))[1]
    parts: list[tuple[Floats, Floats]] = []
    rest, kept = x, 0
    while kept < PRECISION and rest.any():
        kept += bits
        shift = np.clip(kept - exponent, -1000, 1000)
        whole = np.rint(rest * np.ldexp(1.0, shift))
        parts.append((whole, np.ldexp(1.0, -shift)))
        rest = rest - whole * np.ldexp(1.0, -shift)
    return parts


def dot(a: Floats, b: Floats) -> Floats:
    """`a.T @ b` of (n, p) and (n, q) arrays, the same bits in any order of the n rows.

    >>> dot(np.array([[1e16], [1.0], [-1e16]]), np.ones((3, 1)))
    array([[1.]])
    """
    budget = MANTISSA - 1 - bit_length(len(a))
    coarse = limbs(a, 8)
    if len(coarse) <= 1:
        bits, parts_a = 8, coarse
    else:
        bits = budget // 2
        parts_a = limbs(a, bits)
    rest = budget - bits
    result = np.zeros((a.shape[1], b.shape[1]))
    for k, (whole_b, scale_b) in enumerate(limbs(b, rest)):
        for i, (whole_a, scale_a) in enumerate(parts_a):
            if i * bits + k * rest < PRECISION:
                result += (whole_a.T @ whole_b) * np.outer(scale_a, scale_b)
    return result
