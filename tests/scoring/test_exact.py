"""Sums that no order can change, measured against fractions; and the normal quantile against SciPy."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from crowdalpha.scoring import exact
from crowdalpha.scoring.normal import log, quantile

sizes = st.floats(1e-200, 1e6) | st.floats(1e-9, 1e-6) | st.integers(0, 5).map(float)
numbers = st.builds(lambda size, sign: sign * size, sizes, st.sampled_from([-1.0, 1.0]))
columns = hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=numbers)
pairs = st.integers(2, 20).flatmap(
    lambda n: st.tuples(
        *(hnp.arrays(np.float64, st.tuples(st.just(n), st.integers(1, 3)), elements=numbers) for _ in range(2))
    )
)


some = settings(max_examples=40)


def fraction_sum(terms):
    return sum((Fraction(float(term)) for term in terms), Fraction(0))


@some
@given(columns, st.randoms())
def test_a_total_does_not_depend_on_the_order_of_its_terms(terms, random):
    order = list(range(len(terms)))
    random.shuffle(order)
    assert np.array_equal(exact.total(terms), exact.total(terms[order]))


@some
@given(columns)
def test_a_total_is_within_its_promised_error(terms):
    for found, column in zip(exact.total(terms), terms.T, strict=True):
        allowed = len(column) ** 2 * 2.0**-61 * np.abs(column).max() + abs(found) * 2.0**-52
        assert abs(Fraction(float(found)) - fraction_sum(column)) <= Fraction(float(allowed))


@some
@given(pairs, st.randoms())
def test_a_product_of_matrices_does_not_depend_on_the_order_of_its_rows(factors, random):
    a, b = factors
    order = list(range(len(a)))
    random.shuffle(order)
    assert np.array_equal(exact.dot(a, b), exact.dot(a[order], b[order]))


@some
@given(pairs)
def test_a_product_of_matrices_is_as_good_as_exact(factors):
    a, b = factors
    found = exact.dot(a, b)
    for i, x in enumerate(a.T):
        for j, y in enumerate(b.T):
            expected = fraction_sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x, y, strict=True))
            allowed = len(x) * 2.0**-50 * np.abs(x).max() * np.abs(y).max()
            assert abs(Fraction(float(found[i, j])) - expected) <= Fraction(float(allowed))


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=numbers), st.randoms())
def test_means_and_squares_do_not_depend_on_order(vector, random):
    order = list(range(len(vector)))
    random.shuffle(order)
    shuffled = vector[order]
    assert exact.sum_of_squares(shuffled) == exact.sum_of_squares(vector)
    assert np.array_equal(exact.centred(shuffled), exact.centred(vector)[order])
    assert exact.mean(vector[:, None]) == exact.mean(shuffled[:, None])


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(1e-300, 1e300)))
def test_the_logarithm_agrees_with_the_library(x):
    assert log(x) == pytest.approx(np.log(x), rel=4e-16, abs=4e-16)


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(1e-300, 1 - 1e-12)))
def test_the_normal_quantile_agrees_with_scipy(p):
    assert quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-14, abs=1e-15)


@given(st.integers(1, 10**6))
def test_the_normal_quantile_of_a_half_is_zero_and_it_is_odd(n):
    p = np.array([0.5 - 0.5 / (n + 1), 0.5, 0.5 + 0.5 / (n + 1)])
    low, middle, high = quantile(p)
    assert middle == 0.0
    assert low == pytest.approx(-high, rel=1e-9)


def on(kernel, call, *arrays):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CROWDALPHA_KERNEL", kernel)
        return call(*arrays)


@some
@given(pairs)
def test_the_compiled_loops_give_the_bits_of_numpy(factors):
    a, b = factors
    coarse = np.rint(a).clip(-7, 7)
    for call, arrays in ((exact.total, (a,)), (exact.dot, (a, b)), (exact.dot, (coarse, b)), (exact.dot, (a, a))):
        assert np.array_equal(on("numpy", call, *arrays), on("numba", call, *arrays))
    found, expected = on("numba", exact.limbs, a, 12), on("numpy", exact.limbs, a, 12)
    assert all(
        np.array_equal(x, y)
        for left, right in zip(found, expected, strict=True)
        for x, y in zip(left, right, strict=True)
    )
