"""The compiled elimination and substitution give the bits of NumPy, whatever the design repeats or leaves out."""

import numpy as np
import pytest

from crowdalpha.scoring import exact, fnc, kernels, neutral, neutralize

DESIGNS = {
    "independent": lambda rng, p: rng.normal(size=(250, p)),
    "five levels": lambda rng, p: rng.integers(0, 5, (250, p)) / 4,
    "columns that repeat": lambda rng, p: rng.normal(size=(250, p))[:, rng.integers(0, p, p)],
    "columns of zeros": lambda rng, p: rng.normal(size=(250, p)) * (rng.random(p) < 0.7),
    "many scales": lambda rng, p: rng.normal(size=(250, p)) * 10.0 ** rng.integers(-30, 30, p),
    "nearly one column": lambda rng, p: rng.normal(size=(250, 1)) + 1e-3 * rng.normal(size=(250, p)),
    "nothing": lambda rng, p: np.zeros((250, p)),
}


def on(kernel, call, *arrays):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CROWDALPHA_KERNEL", kernel)
        return call(*arrays)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("p", [1, 2, 5, 63, 64, 65, 131])
def test_both_ways_to_eliminate_and_substitute_give_the_same_bits(design, p):
    rng = np.random.default_rng(p)
    x = DESIGNS[design](rng, p)
    gram = x.T @ x
    (slow, kept, sound), (fast, kept_too, sound_too) = (on(k, neutral._cholesky, gram) for k in ("numpy", "numba"))
    assert np.array_equal(slow, fast)
    assert np.array_equal(kept, kept_too)
    assert sound == sound_too
    right = rng.normal(size=(len(slow), 140))
    assert np.array_equal(on("numpy", neutral._solve, slow, right), on("numba", neutral._solve, slow, right))


def test_a_factor_times_its_transpose_is_the_gram_matrix_and_solves_it():
    x = np.random.default_rng(0).normal(size=(250, 90))
    factor, kept, sound = on("numba", neutral._cholesky, x.T @ x)
    assert kept.all()
    assert sound
    assert factor == pytest.approx(np.linalg.cholesky(x.T @ x), rel=1e-10, abs=1e-10)
    right = np.eye(90)
    assert x.T @ x @ on("numba", neutral._solve, factor, right) == pytest.approx(right, abs=1e-10)


@pytest.mark.parametrize("design", DESIGNS)
def test_both_kernels_neutralize_to_the_same_bits(design):
    rng = np.random.default_rng(5)
    by, values, target = DESIGNS[design](rng, 40), rng.normal(size=(250, 80)), np.resize([0, 0.5, 1], 250)
    for call, arrays in ((neutralize, (values, by)), (fnc, (values, by, target))):
        slow, fast = (on(kernel, call, *arrays) for kernel in ("numpy", "numba"))
        assert np.array_equal(slow, fast)


class Spied:
    """The compiled loops, and which of them were taken."""

    def __init__(self):
        self.taken, self.asked = [], []

    def compiled_for(self, n_values):
        self.asked.append(n_values)
        return self

    def __getattr__(self, name):
        self.taken.append(name)
        return getattr(kernels._compiled(), name)


def test_an_elimination_is_worth_the_loading_of_its_loops_as_so_many_ranked_values_are(monkeypatch):
    loops, jobs = Spied(), []
    monkeypatch.setattr(kernels, "compiled_for", loops.compiled_for)
    monkeypatch.setattr(
        kernels, "in_threads", lambda work, blocks, n: jobs.append((len(blocks), n)) or map(work, blocks)
    )
    factor, _, _ = neutral._cholesky(np.eye(64))
    neutral._solve(factor, np.ones((64, 140)))
    assert loops.asked == [64 * 64 * 64 // 50, 64 * 140 * 64 // 50]
    assert loops.taken == ["eliminate", "substitute", "substitute"]
    assert jobs == [(2, 64 * 140)]


def test_a_design_that_repeats_nothing_is_multiplied_as_it_is(monkeypatch):
    multiplied, dot = [], exact.dot
    monkeypatch.setattr(exact, "dot", lambda a, b: multiplied.append(a) or dot(a, b))
    design = exact.Factor.of(np.eye(4)[:, :2])
    neutral._project(np.eye(4), design, np.eye(2), np.ones(2, bool))
    assert multiplied[0] is design
