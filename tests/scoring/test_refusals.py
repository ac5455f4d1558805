"""What the scores refuse: each refusal has a code, a place, and says what to do."""

import numpy as np
import pytest

from crowdalpha import scoring
from crowdalpha.scoring import neutral
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

T = [0, 0.25, 0.5, 0.75, 1]
P = np.column_stack([[1, 2, 3, 4, 5], [2, 1, 3, 5, 4]])
NAN_INSIDE = np.where(P == 4, np.nan, P)
INF_INSIDE = np.where(P == 4, np.inf, P)

REFUSED = {
    "ragged": lambda: scoring.rank([[1, 2], [3]]),
    "not_numeric": lambda: scoring.corr(["a", "b"], [0, 1]),
    "wrong_shape": lambda: scoring.rank(np.zeros((2, 2, 2))),
    "wrong_shape of features": lambda: scoring.neutralize(P, np.zeros((5, 1, 1))),
    "too_few_ids": lambda: scoring.rank([1.0]),
    "misaligned target": lambda: scoring.corr(P, T[:-1]),
    "misaligned features": lambda: scoring.neutralize(P, np.zeros((4, 2))),
    "misaligned stakes": lambda: scoring.mmc2(P, [1], T),
    "nan_in_predictions": lambda: scoring.corr(NAN_INSIDE, T),
    "inf_in_predictions": lambda: scoring.corr(INF_INSIDE, T),
    "nan_in_features": lambda: scoring.exposures(P, [[np.nan]] * 5),
    "bad_target": lambda: scoring.corr(P, [*T[:-1], np.nan]),
    "constant_target": lambda: scoring.corr(P, [0.5] * 5),
    "constant_target of numerai_corr": lambda: scoring.numerai_corr(P, [0.5] * 5),
    "bad_ties": lambda: scoring.rank(P, ties="max"),
    "bad_proportion": lambda: scoring.neutralize(P, T, proportion=1.1),
    "bad_bins": lambda: scoring.neutralize_target(T, T, bins=(0.5, 0.6)),
    "bad_bins of one": lambda: scoring.neutralize_target(T, T, bins=(1.0,)),
    "bad_bins of none": lambda: scoring.neutralize_target(T, T, bins=(0.0, 0.4, 0.6)),
    "bad_stakes": lambda: scoring.metamodel(P, [-1, 2]),
    "bad_stakes too large": lambda: scoring.metamodel(P, [1.0, 1e12]),
    "bad_stakes of nan": lambda: scoring.metamodel(P, [1.0, np.nan]),
    "stake_too_small": lambda: scoring.metamodel(P, [1.0, 1e-12]),
    "no_stake": lambda: scoring.metamodel(P, [0, 0]),
    "no_stake of mpc": lambda: scoring.mpc(P, [0, 0], P, T, T),
    "bad_bags of no bag": lambda: scoring.draw_bags([1, 2], n_bags=0, seed=1),
    "bad_bags of fraction": lambda: scoring.draw_bags([1, 2], fraction=1.5, seed=1),
    "bad_bags of shape": lambda: scoring.mmc2(P, [1, 1], T, bags=[[1, 1, 1]]),
    "bad_bags of halves": lambda: scoring.mmc2(P, [1, 1], T, bags=[[0.5, 1]]),
    "bad_bags too heavy": lambda: scoring.mmc2(P, [1, 1], T, bags=[[1, 1], [2**19, 2**19]]),
    "empty_bag": lambda: scoring.mmc2(P, [1, 0], T, bags=[[1, 0], [0, 1]]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_its_name(case):
    with pytest.raises(InputError) as refusal:
        REFUSED[case]()
    assert refusal.value.code == case.split()[0]
    assert all(problem.expected and problem.found and problem.fix for problem in refusal.value.problems)


SHORT, NAN = [0, 0.25, 0.5, 0.75], [0, 0.25, 0.5, 0.75, np.nan]
ALIGN, DROP = "align both to the same ids [misaligned]", "drop those ids everywhere first"
ONE_EACH = "pass one value for each of the 5 ids [misaligned]"

SAID = {
    f"expected by with 5 rows, found 4 rows; {ALIGN}": [lambda: scoring.neutralize(P, SHORT)],
    f"expected features with 5 rows, found 4 rows; {ALIGN}": [lambda: scoring.normalize_and_neutralize(P, SHORT)],
    f"expected design with 5 rows, found 4 rows; {ALIGN}": [lambda: neutral.residual(P, SHORT)],
    "expected values of shape (n_ids, n_columns), found shape (); reshape it [wrong_shape]": [
        lambda: neutral.residual(1.0, T)
    ],
    "expected by of shape (n_ids, n_columns), found shape (); reshape it [wrong_shape]": [
        lambda: scoring.neutralize_target(T, 1.0)
    ],
    "expected benchmarks of shape (n_ids, n_columns), found shape (); reshape it [wrong_shape]": [
        lambda: scoring.bmc(P, 1.0, T)
    ],
    "expected proportion in [0, 1], found 2; choose one in that range [bad_proportion]": [
        lambda: scoring.neutralize(P, T, proportion=2),
        lambda: scoring.normalize_and_neutralize(P, T, proportion=2),
        lambda: scoring.neutralize_target(T, T, proportion=2),
        lambda: neutral.residual(P, T, proportion=2),
    ],
    f"expected target without NaN or infinity, found 1 such values; {DROP} [bad_target]": [
        lambda: scoring.neutralize_target(NAN, T),
        lambda: scoring.mmc2(P, [1, 1], NAN),
        lambda: scoring.mmc2_by_bag(P, [1, 1], NAN),
        lambda: scoring.mmc1(P, [1, 1], NAN),
        lambda: scoring.mmc2024(P, T, NAN),
        lambda: scoring.bmc(P, P, NAN),
    ],
    f"expected metamodel without NaN or infinity, found 1 such values; {DROP} [bad_metamodel]": [
        lambda: scoring.mmc2024(P, NAN, T),
        lambda: scoring.cwmm(P, NAN),
    ],
    f"expected metamodel of shape (5,), one per id, found shape (4,); {ONE_EACH}": [
        lambda: scoring.mmc2024(P, SHORT, T),
        lambda: scoring.cwmm(P, SHORT),
    ],
    f"expected target of shape (5,), one per id, found shape (4,); {ONE_EACH}": [
        lambda: scoring.mmc2024(P, T, SHORT),
        lambda: scoring.mmc2(P, [1, 1], SHORT),
        lambda: scoring.neutralize_target(SHORT, T),
    ],
    "expected 'own', or two or more positive shares that sum to 1, found [0.5, 0.6]; "
    "for example (.05, .2, .5, .2, .05) [bad_bins]": [lambda: scoring.neutralize_target(T, T, bins=(0.5, 0.6))],
    "expected at least one model with stake in the era, found none; give the pool some stake [no_stake]": [
        lambda: scoring.metamodel(P, [0, 0]),
        lambda: scoring.mmc1(P[:, 0], [0], T),
    ],
    "expected a staked and present model in every bag, found none in bag 1; "
    "draw the bags among the stakers of this era [empty_bag]": [
        lambda: scoring.mmc2(P, [1, 0], T, bags=[[1, 0], [0, 1], [0, 0]])
    ],
}


@pytest.mark.parametrize("text", SAID)
def test_a_refusal_says_what_was_expected_what_was_found_and_what_to_do(text):
    for call in SAID[text]:
        with pytest.raises(InputError) as refusal:
            call()
        assert str(refusal.value) == text


def test_every_broken_model_is_named_at_once():
    predictions = np.column_stack([NAN_INSIDE, P, INF_INSIDE])
    with pytest.raises(InputError) as refusal:
        scoring.corr(predictions, T)
    assert [problem.where for problem in refusal.value.problems] == [f"predictions column {j}" for j in (0, 1, 4, 5)]


def test_a_long_list_of_problems_is_counted_in_the_message_and_kept_whole_in_the_value():
    problems = [Problem(f"code{i}", "this", "that", "do so") for i in range(25)]
    with pytest.raises(InputError) as refusal:
        refuse_if_any(problems)
    assert "... and 5 more problems" in str(refusal.value)
    assert len(refusal.value.as_dicts()) == 25
    assert refusal.value.as_dicts()[24]["code"] == "code24"


def test_nothing_wrong_is_not_refused():
    assert refuse_if_any([]) is None


def test_a_pool_that_cancels_out_contributes_nothing_and_refuses_nobody():
    opposite = np.column_stack([P[:, 0], -P[:, 0]])
    assert (scoring.mpc(opposite, [1, 1], np.zeros((5, 1)), np.ones(5), T) == 0.0).all()
