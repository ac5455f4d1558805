"""The two ranking kernels and any number of threads lead to the same bits, whatever the values look like."""

import sys

import numpy as np
import pytest
import witness
from crowds import LEVELS, tie_rules
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdalpha import scoring
from crowdalpha.scoring import draw_bags, kernels, mmc2

TINY, HUGE = np.finfo(float).smallest_subnormal, np.finfo(float).max

awkward = st.one_of(
    st.sampled_from([0.0, -0.0, TINY, -TINY, HUGE, -HUGE, 1.0, np.nextafter(1.0, 2.0), 1e9]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-3, 3).map(float),
)
rows = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(2, 40)), elements=awkward)

SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "coarse": lambda rng, n: rng.integers(0, 5, n) / 4,
    "constant": lambda rng, n: np.full(n, 3.0),
    "one outlier": lambda rng, n: np.r_[rng.normal(size=n - 1), 1e12],
    "heavy tails": lambda rng, n: rng.standard_cauchy(n) ** 3,
    "two scales": lambda rng, n: rng.choice([1.0, 1e-200], n) * rng.normal(size=n),
    "nearly equal": lambda rng, n: 1.0 + np.spacing(1.0) * rng.integers(0, 50, n),
    "nearly equal beside an outlier": lambda rng, n: np.r_[1.0 + np.spacing(1.0) * rng.integers(0, 99, n - 1), 1e9],
    "whole range": lambda rng, n: rng.choice([-HUGE, HUGE], n) * rng.random(n),
    "zeros of both signs": lambda rng, n: rng.choice([0.0, -0.0, TINY], n),
    "sorted": lambda rng, n: np.arange(float(n)),
    "reversed": lambda rng, n: -np.arange(float(n)),
    "sorted halves": lambda rng, n: np.sort(rng.normal(size=n))[np.r_[n // 2 : n, 0 : n // 2]],
}


def ranked(values, ties, kernel):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CROWDALPHA_KERNEL", kernel)
        return kernels.rank_rows(values, ties)


def doubled(row, ties):
    return 2 * witness.rank(row, ties) - (len(row) + 1)


@settings(max_examples=60)
@given(rows, tie_rules)
def test_both_kernels_rank_awkward_values_as_the_witness_does(values, ties):
    expected = np.array([doubled(row, ties) for row in values])
    assert np.array_equal(ranked(values, ties, "numpy"), expected)
    assert np.array_equal(ranked(values, ties, "numba"), expected)


@pytest.mark.parametrize("ties", ["average", "first"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_ids", [2, 3, 600, 5000])
def test_both_kernels_agree_on_every_shape_of_values(shape, n_ids, ties):
    rng = np.random.default_rng(n_ids)
    values = np.stack([SHAPES[shape](rng, n_ids) for _ in range(3)])
    assert np.array_equal(ranked(values, ties, "numpy"), ranked(values, ties, "numba"))


@settings(max_examples=20)
@given(rows, tie_rules, st.integers(1, 3))
def test_neither_the_order_in_memory_nor_the_size_of_blocks_changes_a_rank(values, ties, size):
    expected = ranked(values, ties, "numpy")
    apart = np.repeat(np.repeat(values, 2, axis=0), 2, axis=1)[::2, ::2]
    with pytest.MonkeyPatch.context() as blocks:
        blocks.setattr(kernels, "BLOCK", size)
        for laid_out in (np.ascontiguousarray(values), np.asfortranarray(values), apart):
            assert np.array_equal(ranked(laid_out, ties, "numba"), expected)
            assert np.array_equal(ranked(laid_out, ties, "numpy"), expected)


def scores_on(n_threads, kernel, monkeypatch):
    """MMC2 of a crowd large enough for threads to be used."""
    rng = np.random.default_rng(3)
    predictions = np.round(rng.normal(size=(2000, 300)), 1)
    stakes = rng.lognormal(3, 2, 300)
    monkeypatch.setenv("CROWDALPHA_KERNEL", kernel)
    monkeypatch.setattr(kernels, "n_threads", lambda: n_threads)
    bags = draw_bags(stakes, n_bags=20, seed=1)
    return mmc2(predictions, stakes, np.resize(LEVELS, 2000), bags=bags)


def test_neither_kernel_nor_number_of_threads_changes_a_bit(monkeypatch):
    one = scores_on(1, "numpy", monkeypatch)
    for n_threads, kernel in ((2, "numpy"), (1, "numba"), (2, "numba"), (5, "numba")):
        assert np.array_equal(one, scores_on(n_threads, kernel, monkeypatch)), (n_threads, kernel)


def test_the_number_of_threads_can_be_set(monkeypatch):
    count = kernels.n_threads.__wrapped__
    monkeypatch.setenv("CROWDALPHA_THREADS", "3")
    assert count() == 3
    for nonsense in ("", "0", "many"):
        monkeypatch.setenv("CROWDALPHA_THREADS", nonsense)
        assert count() >= 1


def test_numba_is_loaded_once_it_has_been_worth_it(monkeypatch):
    monkeypatch.delenv("CROWDALPHA_KERNEL", raising=False)
    monkeypatch.setattr(kernels, "_values_met", 0)
    monkeypatch.setattr(kernels, "WORTH_LOADING", 100)
    assert kernels.compiled_for(60) is None
    assert kernels.compiled_for(60) is kernels.compiled_for(1) is not None
    monkeypatch.setenv("CROWDALPHA_KERNEL", "numpy")
    assert kernels.compiled_for(10**9) is None


def test_without_numba_the_same_bits_come_out_slower(monkeypatch):
    values = np.random.default_rng(1).normal(size=(3, 50))
    expected = ranked(values, "average", "numba")
    monkeypatch.setitem(sys.modules, "crowdalpha.scoring.compiled", None)
    monkeypatch.delattr(scoring, "compiled")
    kernels._compiled.cache_clear()
    assert np.array_equal(ranked(values, "average", "numba"), expected)
    assert kernels._compiled() is None
    kernels._compiled.cache_clear()
