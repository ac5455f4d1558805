"""The dated policies: laws for any scores, a slow witness written from the formulas, and what they refuse."""

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crowdalpha.payouts import (
    POLICIES,
    FormulaPolicy,
    PayoutError,
    payout_factor,
    policy_of,
    policy_of_rule,
    policy_on,
    rules,
)

RULES = st.sampled_from(rules())
SCORE = st.integers(-(10**9), 10**9).map(lambda billionths: billionths / 10**9)
STAKE = st.integers(0, 10**15).map(lambda whole_units: whole_units / 10**9)
FACTOR = st.floats(1e-3, 1)
WITH_FACTOR = [rule for rule in rules() if rule.order != "none"]
ODD = st.sampled_from(rules()[1:])


def paid(rule, stake, corr, mmc, choice, factor=1.0):
    return policy_of_rule(rule).payouts(
        stake, corr, mmc, corr_multiplier=choice[0], mmc_multiplier=choice[1], payout_factor=factor
    )


def clip(value, limit):
    return max(-limit, min(limit, value))


def witness(day, stake, corr, mmc, cm, mm, factor):
    """The table of rules again, in whole fractions and plain ifs, without looking at rules.toml."""
    S, c, m, cm, mm, F = (Fraction(value) for value in (stake, corr, mmc, cm, mm, factor))
    quarter, twentieth = Fraction(1, 4), Fraction(1, 20)
    if day < date(2020, 4, 1):
        return S * clip((c - Fraction(2, 1000)) / Fraction(4, 100), 1)
    if day < date(2020, 5, 21):
        return S * clip(c, quarter)
    if day < date(2020, 7, 27):
        return S * clip(2 * m if mm == 2 else c, quarter)
    if day < date(2020, 12, 14):
        return S * clip(c + m if mm == 1 else c, quarter)
    if day < date(2021, 2, 20):
        return S * clip(c + mm * m, quarter)
    if day < date(2022, 6, 16):
        return F * S * clip(cm * c + mm * m, quarter)
    if day < date(2023, 5, 1):
        return S * clip(F * (cm * c + mm * m), quarter)
    if day < date(2024, 1, 2):
        return S * clip(F * (cm * c + mm * m), twentieth)
    if day < date(2026, 1, 1):
        return S * clip(F * (c / 2 + 2 * m), twentieth)
    return S * clip(F * (3 * c / 4 + 9 * m / 4), twentieth)


@given(RULES, st.data(), STAKE, SCORE, SCORE, FACTOR)
def test_every_rule_pays_what_a_slow_witness_in_fractions_pays(rule, data, stake, corr, mmc, factor):
    choice = data.draw(st.sampled_from(rule.choices))
    exact = float(witness(rule.start, stake, corr, mmc, *choice, factor))
    assert paid(rule, stake, corr, mmc, choice, factor) == pytest.approx(exact, rel=1e-12, abs=1e-14 * stake)


@given(ODD, st.data(), STAKE, SCORE, SCORE, FACTOR)
def test_a_model_and_its_inverse_with_the_same_stake_net_exactly_zero(rule, data, stake, corr, mmc, factor):
    choice = data.draw(st.sampled_from(rule.choices))
    pair = paid(rule, [stake, stake], [corr, -corr], [mmc, -mmc], choice, factor)
    assert pair.sum() == 0


@given(STAKE, SCORE)
def test_under_the_rule_of_2019_a_model_and_its_inverse_never_gain(stake, corr):
    pair = paid(rules()[0], [stake, stake], [corr, -corr], [0, 0], (1, 0))
    assert pair.sum() <= 0


@given(RULES, st.data(), STAKE, SCORE, SCORE, FACTOR)
def test_a_burn_never_exceeds_the_stake_nor_a_payout_the_clip(rule, data, stake, corr, mmc, factor):
    payout = paid(rule, stake, corr, mmc, data.draw(st.sampled_from(rule.choices)), factor)
    assert abs(payout) <= rule.clip * stake <= stake


@given(st.sampled_from(WITH_FACTOR), SCORE, SCORE, FACTOR)
def test_the_factor_shrinks_payouts_and_burns_alike(rule, corr, mmc, factor):
    for choice in rule.choices:
        full, shrunk = paid(rule, 1, corr, mmc, choice), paid(rule, 1, corr, mmc, choice, factor)
        assert np.sign(shrunk) == np.sign(full)
        assert abs(shrunk) <= abs(full)
        assert shrunk == -paid(rule, 1, -corr, -mmc, choice, factor)


@given(st.floats(-0.25, 0.25), FACTOR)
def test_below_the_clip_the_order_of_factor_and_clip_does_not_matter(corr, factor):
    first, then = rules()[5], rules()[6]
    assert paid(first, 1, corr, 0, (1, 0), factor) == pytest.approx(paid(then, 1, corr, 0, (1, 0), factor), rel=1e-15)


@given(st.floats(0.26, 1), st.floats(0.01, 0.99))
def test_above_the_clip_shrinking_first_pays_more_than_clipping_first(corr, factor):
    clipped_first, shrunk_first = (paid(rule, 1, corr, 0, (1, 0), factor) for rule in (rules()[5], rules()[6]))
    assert clipped_first == pytest.approx(0.25 * factor, rel=1e-15)
    assert shrunk_first == pytest.approx(min(0.25, factor * corr), rel=1e-15)
    assert shrunk_first > clipped_first


@given(RULES, st.lists(st.tuples(STAKE, SCORE, SCORE), min_size=1, max_size=8), st.randoms())
def test_each_model_is_paid_by_its_own_scores_whatever_the_order_of_models(rule, models, random):
    policy = policy_of_rule(rule)
    together = policy.payouts(*zip(*models, strict=True))
    alone = [policy.payouts(*model) for model in models]
    assert together.tolist() == [float(payout) for payout in alone]
    shuffled = random.sample(range(len(models)), len(models))
    assert policy.payouts(*zip(*(models[i] for i in shuffled), strict=True)).tolist() == together[shuffled].tolist()


@given(RULES, STAKE, SCORE, SCORE)
def test_twice_the_stake_is_paid_exactly_twice(rule, stake, corr, mmc):
    policy = policy_of_rule(rule)
    assert policy.payouts(2 * stake, corr, mmc) == 2 * policy.payouts(stake, corr, mmc)
    assert policy.payouts(stake, corr, mmc) == stake * policy.payouts(1, corr, mmc)


def test_models_may_each_choose_for_themselves():
    policy = policy_on(date(2020, 6, 1))
    payouts = policy.payouts([100, 100], [0.03, 0.03], [0.02, 0.02], corr_multiplier=[1, 0], mmc_multiplier=[0, 2])
    assert payouts.tolist() == [3.0, 4.0]


def test_several_eras_can_be_paid_in_one_call():
    payouts = policy_on(date(2020, 4, 1)).payouts([100, 50], [[0.1, 0.1], [-0.1, -0.5]], 0.0)
    assert payouts.tolist() == [[10.0, 5.0], [-10.0, -12.5]]


def test_a_score_that_nobody_is_paid_on_may_be_missing():
    assert policy_on(date(2020, 4, 1)).payouts([100], [0.1], [np.nan]).tolist() == [10.0]
    mmc_only = {"corr_multiplier": 0, "mmc_multiplier": 2}
    assert policy_on(date(2020, 6, 1)).payouts([100], [np.nan], [0.02], **mmc_only).tolist() == [4.0]


def test_a_model_without_stake_may_lack_its_scores_and_is_paid_nothing():
    assert policy_on(date(2024, 1, 2)).payouts([0, 100], [np.nan, 0.02], [np.nan, 0.005]).tolist() == [0.0, 2.0]


def test_dated_rows_carry_the_rules_own_words():
    for rule in rules():
        row = POLICIES[rule.name]
        assert (row.start, row.formula, row.meaning, row.sources) == (
            rule.start, rule.formula, rule.meaning, rule.sources
        )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "arguments", "options"),
    [
        ("stake_invalid", ([100, -1], [0.1, 0.1], [0, 0]), {}),
        ("stake_invalid", ([np.nan], [0.1], [0]), {}),
        ("stake_invalid", ([np.inf], [0.1], [0]), {}),
        ("score_missing", ([100], [np.nan], [0]), {}),
        ("score_infinite", ([100], [np.inf], [0]), {}),
        ("score_infinite", ([100], [0], [-np.inf]), {}),
        ("shape_mismatch", ([100, 100], [0.1, 0.1, 0.1], [0, 0, 0]), {}),
        ("payout_factor_range", ([100], [0.1], [0]), {"payout_factor": 1.1}),
        ("payout_factor_range", ([100], [0.1], [0]), {"payout_factor": 0}),
        ("payout_factor_range", ([100], [0.1], [0]), {"payout_factor": np.nan}),
        ("choice_not_open", ([100], [0.1], [0]), {"mmc_multiplier": 3}),
    ],
)
def test_what_cannot_be_paid_is_refused_by_name(code, arguments, options):
    with pytest.raises(PayoutError) as refused:
        policy_on(date(2021, 3, 1)).payouts(*arguments, **options)
    assert refused.value.code == code


def test_a_closed_choice_is_told_what_is_open():
    with pytest.raises(PayoutError, match=r"chose 1 x CORR \+ 2 x MMC; .* 1 x CORR \+ 0 x MMC or 0 x CORR \+ 2 x MMC"):
        policy_on(date(2020, 6, 1)).payouts([100], [0.1], [0.1], mmc_multiplier=2)


def test_all_problems_are_said_at_once():
    with pytest.raises(PayoutError) as refused:
        policy_on(date(2020, 6, 1)).payouts([-1, 5], [0.1, np.nan], [0.1, 0.1], mmc_multiplier=[2, 0])
    assert [code for code, _ in refused.value.problems] == ["stake_invalid", "choice_not_open", "score_missing"]


def test_a_policy_of_ones_own_takes_any_multipliers():
    policy = FormulaPolicy(lambda scores: scores.weighted, clip=0.05)
    assert policy.payouts([100], [0.01], [0.01], corr_multiplier=0.3, mmc_multiplier=1.7)[0] == pytest.approx(2.0)


def test_a_clip_above_the_stake_is_refused():
    with pytest.raises(PayoutError, match=r"clip is 1\.5"):
        policy_of(lambda corr, mmc: corr, clip=1.5)


def test_a_formula_that_gives_no_number_is_refused():
    with pytest.raises(PayoutError, match="the formula gave NaN"):
        policy_of(lambda corr, mmc: corr * np.nan).payouts([1], [0.1], [0.1])


@pytest.mark.parametrize(
    ("total", "threshold", "factor"),
    [
        (400_000, 300_000, 0.75),
        (600_000, 300_000, 0.5),
        (1_000_000, 300_000, 0.3),
        (200_000, 72_000, 0.36),
        (800_000, 72_000, 0.09),
        (72_000, 72_000, 1.0),
        (0, 72_000, 1.0),
        (10**9, None, 1.0),
    ],
)
def test_the_payout_factor_at_its_published_points(total, threshold, factor):
    assert payout_factor(total, threshold) == pytest.approx(factor, abs=1e-12)


@given(st.floats(0, 1e12), st.floats(1, 1e9))
def test_with_the_factor_at_most_the_threshold_is_ever_exposed(total, threshold):
    factor = payout_factor(total, threshold)
    assert 0 < factor <= 1
    assume(total > 0)
    assert factor * total <= threshold * (1 + 1e-15)


@pytest.mark.parametrize(("total", "threshold"), [(-1, 100), (np.nan, 100), (np.inf, 100), (100, 0), (100, -5)])
def test_a_payout_factor_of_impossible_totals_is_refused(total, threshold):
    with pytest.raises(PayoutError):
        payout_factor(total, threshold)
