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
    "constant_target": lambda: scoring.corr(P, [3] * 5),
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
    "bad_bags of a half": lambda: scoring.draw_bags([1, 2], n_bags=2.5, seed=1),
    "bad_bags of True": lambda: scoring.draw_bags([1, 2], n_bags=True, seed=1),
    "bad_bags of a text": lambda: scoring.draw_bags([1, 2], fraction="a", seed=1),
    "bad_bags of nan": lambda: scoring.draw_bags([1, 2], fraction=np.nan, seed=1),
    "bad_bags enormous": lambda: scoring.mmc2(P, [1, 1], T, bags=[[1e308, 1e308]]),
    "bad_seed of none": lambda: scoring.draw_bags([1, 2], seed=None),
    "bad_seed of a list": lambda: scoring.draw_bags([1, 2], seed=[1]),
    "bad_seed of True": lambda: scoring.draw_bags([1, 2], seed=True),
    "bad_seed of a float": lambda: scoring.draw_bags([1, 2], seed=1.0),
    "bad_seed of half a pair": lambda: scoring.draw_bags([1, 2], seed="\ud800"),
    "bad_seed of many digits": lambda: scoring.draw_bags([1, 2], seed=10**5000),
    "bad_stakes of 1e300": lambda: scoring.draw_bags([1.0, 1e300], seed=1),
    "bad_stakes of 1e300 in mmc2": lambda: scoring.mmc2(P, [1.0, 1e300], T),
    "bad_stakes past int64": lambda: scoring.draw_bags([1, 2**63], seed=1),
    "not_numeric stakes past uint64": lambda: scoring.draw_bags([1, 2**70], seed=1),
    "ragged stakes": lambda: scoring.mmc2(P, [[1, 2], [3]], T),
    "ragged stakes of bags": lambda: scoring.draw_bags([[1, 2], [3]], seed=1),
    "masked stakes": lambda: scoring.draw_bags(np.ma.array([1, 2], mask=[0, 1]), seed=1),
    "masked target": lambda: scoring.corr(P, np.ma.array(T, mask=[1, 0, 0, 0, 0])),
    "masked predictions": lambda: scoring.corr(np.ma.array(P, mask=P == 3), T),
    "masked in a list": lambda: scoring.corr(P, [*T[:-1], np.ma.masked]),
    "masked rows": lambda: scoring.rank([np.ma.array([1, 2], mask=[0, 1]), np.ma.array([3, 4])]),
    "masked power": lambda: scoring.signed_power(np.ma.array([1.0, 2.0], mask=[0, 1]), 1.5),
    "masked scores": lambda: scoring.summarize(np.ma.array([0.1, 0.2], mask=[0, 1])),
    "not_numeric power": lambda: scoring.signed_power(["a"], 1.5),
    "bad_p of a text": lambda: scoring.signed_power([1.0], "a"),
    "bad_p below 0": lambda: scoring.signed_power([0.0], -1),
    "too_large power": lambda: scoring.signed_power([1e200], 3),
    "bad_proportion of a text": lambda: scoring.neutralize(P, T, proportion="0.5"),
    "bad_proportion of none": lambda: scoring.neutralize(P, T, proportion=None),
    "bad_proportion of a list": lambda: scoring.neutralize(P, T, proportion=[0.5]),
    "bad_proportion of nan": lambda: scoring.neutralize(P, T, proportion=np.nan),
    "bad_ties of a list": lambda: scoring.rank(P, ties=["first"]),
    "bad_ties of an array": lambda: scoring.rank(P, ties=np.array(["first", "average"])),
    "too_many_digits": lambda: scoring.corr(2**60 + np.arange(5), T),
    "too_many_digits below 0": lambda: scoring.corr(-(2**60) - np.arange(5), T),
    "too_many_digits of a list": lambda: scoring.corr([2**60 + i for i in range(5)], T),
    "too_many_digits beside a float": lambda: scoring.corr([2**60 + 1, 0.5, 3, 2, 1], T),
    "too_many_digits past int64": lambda: scoring.corr([2**63 + 1, -1, 3, 2, 1], T),
    "too_many_digits of uint64": lambda: scoring.corr(np.array([2**64 - 1, 3, 4, 2, 1], np.uint64), T),
    "too_many_digits of the target": lambda: scoring.corr(P, 2**60 + np.arange(5)),
    "too_many_digits of features": lambda: scoring.exposures(P, 2**60 + np.arange(5)),
    "too_large target": lambda: scoring.mmc2(P, [1, 1], [*T[:-1], 1.7e308]),
    "too_large predictions": lambda: scoring.corr(P * 1e200, T),
    "too_large features": lambda: scoring.neutralize(P, np.array(T) * 1e200),
    "too_large scores": lambda: scoring.summarize([1e308] * 3),
    "bad_block": lambda: scoring.summarize([0.1, 0.2], block=2.5),
    "bad_n_resamples": lambda: scoring.summarize([0.1, 0.2], n_resamples=10.5),
    "bad_seed of a summary": lambda: scoring.summarize([0.1, 0.2], seed=1.5),
    "bad_eras_per_year": lambda: scoring.summarize([0.1, 0.2], eras_per_year=10**400),
    "bad_confidence": lambda: scoring.summarize([0.1, 0.2], confidence="a"),
    "bad_ddof": lambda: scoring.corr_mmc_sharpe([0.1, 0.2], [0.1, 0.2], ddof=None),
    "unknown_metric": lambda: scoring.metrics.metric(["corr"]),
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
    "expected 'own', or two or more positive shares that sum to 1, found 'mine'; "
    "for example (.05, .2, .5, .2, .05) [bad_bins]": [lambda: scoring.neutralize_target(T, T, bins="mine")],
    "expected a finite number, found nan; 4 for a target in 0 .. 1 [bad_target_scale]": [
        lambda: scoring.mmc2024(P, T, T, target_scale=np.nan),
        lambda: scoring.bmc(P, P, T, target_scale=np.nan),
    ],
    "expected a power p of 0 or more, found -1; 1.5 stresses the tails [bad_p]": [lambda: scoring.signed_power(P, -1)],
    "expected x whose power is finite, found 1e+200; scale it down [too_large]": [
        lambda: scoring.signed_power([1e200, np.inf, -1.0], 2)
    ],
    "expected x as numbers, found values of type <U1; convert it first [not_numeric]": [
        lambda: scoring.signed_power(["a"], 2)
    ],
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


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="a long double is a double here")
def test_long_doubles_that_a_double_cannot_hold_are_refused_and_others_are_not():
    fine = np.array(T, np.longdouble)
    assert scoring.corr(P, fine).tolist() == scoring.corr(P, T).tolist()
    for x in (fine + np.finfo(np.longdouble).eps, fine * np.longdouble("1e4000")):
        with pytest.raises(InputError) as refusal:
            scoring.corr(P, x)
        assert refusal.value.code == "too_many_digits"


def test_whole_numbers_that_a_double_holds_are_no_problem_at_any_size():
    assert scoring.corr(2**60 * np.arange(1, 6), T) == scoring.corr([1, 2, 3, 4, 5], T)
    assert scoring.corr(np.array([-(2**63), 0, 1, 2**53, 2**62]), T) == scoring.corr([1, 2, 3, 4, 5], T)


def test_a_mask_that_hides_nothing_is_no_mask():
    assert scoring.corr(np.ma.array(P), np.ma.array(T)).tolist() == scoring.corr(P, T).tolist()


def test_stakes_of_more_than_53_bits_are_whole_units_like_any_other():
    assert scoring.metamodel(P, [2**61 + 1, 2**61]).tolist() == scoring.metamodel(P[:, :1], [1]).tolist()


def test_a_seed_is_the_same_as_a_number_a_text_or_bytes():
    bags = [scoring.draw_bags([1, 2, 3, 4], seed=seed).tolist() for seed in (7, np.int64(7), "7", b"7")]
    assert bags == [bags[0]] * 4
