"""The normal quantile function in IEEE arithmetic alone, so that its bits do not depend on a libm."""

from __future__ import annotations

import numpy as np

from crowdalpha.scoring.arrays import Floats

# Coefficients of algorithm AS 241, PPND16 [W88]: numerators and denominators, highest power first.
CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
MIDDLE = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip

LN2_HIGH = 0.693147180369123816490
LN2_LOW = 1.90821492927058770002e-10
"""ln 2 in two parts: the first has 32 trailing zero bits, so that multiples of it are exact."""


def log(x: Floats) -> Floats:
    """Natural logarithm from +, -, *, / alone: x = 2^k f, ln f = 2 artanh((f - 1) / (f + 1)) as a series."""
    fraction, exponent = np.frexp(x)
    small = fraction < np.sqrt(0.5)
    fraction = np.where(small, 2.0 * fraction, fraction)
    exponent = exponent - small
    s = (fraction - 1.0) / (fraction + 1.0)
    series = np.zeros_like(s)
    for power in range(23, 1, -2):
        series = (series + 1.0 / power) * (s * s)
    return exponent * LN2_HIGH + (exponent * LN2_LOW + (2.0 * s * series + 2.0 * s))


def quantile(p: Floats) -> Floats:
    """Phi^-1(p) for p in (0, 1), with a relative error near 1e-16. Source: [W88].

    >>> quantile(np.array([0.5, 0.975])).round(6)
    array([0.      , 1.959964])
    """
    q = p - 0.5
    r = np.sqrt(-log(np.where(q < 0, p, 1.0 - p)))
    tail = np.where(r <= 5.0, _ratio(MIDDLE, r - 1.6), _ratio(TAIL, r - 5.0))
    centre = q * _ratio(CENTRE, 0.180625 - q * q)
    return np.where(np.abs(q) <= 0.425, centre, np.copysign(tail, q))


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    numerator, denominator = (np.zeros_like(x), np.zeros_like(x))
    for a, b in zip(*coefficients, strict=True):
        numerator, denominator = numerator * x + a, denominator * x + b
    return numerator / denominator
