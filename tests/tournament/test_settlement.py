"""Settlement: what moves is what the policy says of what was at risk, to the unit, and never more than is there."""

from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from crowdalpha.payouts import POLICIES, policy_on, rule_on
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament import ledger
from crowdalpha.tournament.money import UNITS, parse_amount
from crowdalpha.tournament.settlement import Payout, fractions, round_factor, settle
from crowdalpha.tournament.stakes import AtRisk

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROUND = 7
AMOUNT = st.one_of(st.integers(0, 20), st.integers(0, 2**62))
HELD = st.one_of(st.integers(0, 20), st.integers(0, 2**58))
FRACTION = st.one_of(st.sampled_from([0.0, 0.5, -0.5, 0.25, -0.25, 1.0, -1.0]), st.floats(-1, 1))
SMALL = st.integers(0, 12)


def at_risk(model, amount, cm=1.0, mm=0.0):
    return AtRisk(ROUND, model, amount, cm, mm)


@st.composite
def rounds(draw, amounts=AMOUNT, held=HELD):
    """A closed round: models with something at risk, fractions, and whatever the accounts hold by now."""
    names = [f"m{i}" for i in range(draw(st.integers(1, 6)))]
    balances = {"treasury": draw(amounts), "rounding": draw(SMALL)}
    for name in names:
        balances |= {ledger.stake(name): draw(held), ledger.release(name): draw(st.just(0) | held)}
    balances["external"] = -sum(balances.values())
    return [at_risk(name, draw(amounts)) for name in names], {name: draw(FRACTION) for name in names}, balances


def half_even(exact):
    """Rounded by hand: down, and up again past a half, or at one if that makes it even."""
    below = exact.numerator // exact.denominator
    over = exact - below
    return below + (over > Fraction(1, 2) or (over == Fraction(1, 2) and below % 2 == 1))


def witness(risks, shares, balances):
    """The settlement once more, account by account in plain ifs: the balances after it."""
    after = dict(balances)
    exact = {risk.model: Fraction(*shares[risk.model].as_integer_ratio()) * risk.amount for risk in risks}
    for model, share in exact.items():
        burn = half_even(-share) if share < 0 else 0
        for account in (f"stake:{model}", f"release:{model}"):
            taken = min(burn, after[account])
            after[account] -= taken
            after["burned"] = after.get("burned", 0) + taken
            burn -= taken
    owed = {model: half_even(share) for model, share in exact.items() if share > 0}
    total = half_even(Fraction(sum(share for share in exact.values() if share > 0)))
    asked = sum(owed.values())
    pot = after["treasury"]
    if asked >= total:
        helped = min(asked - total, after["rounding"])
        enough, spent = pot >= asked - helped, asked - helped
    else:
        enough, spent = pot >= asked, min(total, pot)
    if not enough:
        owed, spent = {model: half_even(Fraction(pot * p // asked)) for model, p in owed.items()}, pot
    after["treasury"] -= spent
    after["rounding"] += spent - sum(owed.values())
    for model, amount in owed.items():
        after[f"stake:{model}"] += amount
    return after


def after(settlement, balances):
    return ledger.apply(balances, settlement.entry) if settlement.entry else dict(balances)


def settled(risks, shares, balances):
    return settle(ROUND, risks, shares, NOON, balances=balances)


def codes(refused):
    return [problem.code for problem in refused.value.problems]


@given(rounds())
def test_every_account_ends_where_the_slow_witness_says(case):
    _, _, balances = case
    result = after(settled(*case), balances)
    assert {k: v for k, v in result.items() if v} == {k: v for k, v in witness(*case).items() if v}


@given(rounds(SMALL, SMALL))
def test_every_account_ends_where_the_slow_witness_says_when_single_units_decide(case):
    _, _, balances = case
    result = after(settled(*case), balances)
    assert {k: v for k, v in result.items() if v} == {k: v for k, v in witness(*case).items() if v}


@given(rounds())
def test_the_sum_over_all_accounts_does_not_move_and_none_goes_below_zero(case):
    _, _, balances = case
    result = after(settled(*case), balances)
    assert sum(result.values()) == sum(balances.values()) == 0
    assert all(held >= 0 for account, held in result.items() if account != "external")
    assert result["external"] == balances["external"]


@given(rounds())
def test_a_burn_exceeds_neither_what_was_at_risk_nor_what_is_still_held(case):
    risks, _, balances = case
    for risk, payout in zip(sorted(risks, key=lambda risk: risk.model), settled(*case).payouts, strict=True):
        held = balances[ledger.stake(risk.model)] + balances[ledger.release(risk.model)]
        assert -payout.paid <= min(risk.amount, held)
        assert abs(payout.paid) <= abs(payout.owed) <= risk.amount
        assert payout.paid == payout.owed or payout.paid == -held or payout.owed > 0


@given(rounds())
def test_what_is_owed_is_within_half_a_unit_of_the_exact_product(case):
    for payout in settled(*case).payouts:
        assert abs(payout.owed - Fraction(payout.fraction) * payout.at_risk) <= Fraction(1, 2)


@given(rounds())
def test_the_payouts_say_what_the_entry_does(case):
    _, _, balances = case
    settlement = settled(*case)
    result = after(settlement, balances)
    for payout in settlement.payouts:
        accounts = (ledger.stake(payout.model), ledger.release(payout.model))
        assert payout.paid == sum(result[account] - balances[account] for account in accounts)
    burned = -sum(payout.paid for payout in settlement.payouts if payout.paid < 0)
    assert result.get("burned", 0) == burned


@given(rounds(), st.randoms())
def test_the_order_of_the_models_does_not_matter(case, random):
    risks, shares, balances = case
    shuffled = random.sample(risks, len(risks))
    reordered = {risk.model: shares[risk.model] for risk in shuffled}
    assert settled(shuffled, reordered, balances) == settled(*case)


@given(rounds())
def test_a_rich_treasury_pays_everybody_what_is_owed_and_in_all_the_exact_total(case):
    risks, shares, balances = case
    assume(sum(risk.amount for risk in risks) + sum(balances.values()) - balances["external"] < 2**62)
    rich = balances | {"treasury": 2**62, "external": balances["external"] + balances["treasury"] - 2**62}
    result = settled(risks, shares, rich)
    assert all(payout.paid == payout.owed for payout in result.payouts if payout.owed > 0)
    exact = sum((Fraction(shares[risk.model]) * risk.amount for risk in risks if shares[risk.model] > 0), Fraction(0))
    spent = 2**62 - after(result, rich)["treasury"]
    asked = sum(payout.owed for payout in result.payouts if payout.owed > 0)
    assert spent == max(half_even(exact), asked - rich["rounding"])


@given(rounds())
def test_a_short_treasury_is_emptied_and_everybody_gives_up_the_same_share_rounded_down(case):
    _, _, balances = case
    earned = [payout for payout in settled(*case).payouts if payout.owed > 0]
    asked = sum(payout.owed for payout in earned)
    assume(asked > balances["treasury"] + balances["rounding"])
    assert after(settled(*case), balances)["treasury"] == 0
    for payout in earned:
        assert 0 <= Fraction(payout.owed * balances["treasury"], asked) - payout.paid < 1
    left = balances["treasury"] - sum(payout.paid for payout in earned)
    assert 0 <= left < len(earned)
    assert after(settled(*case), balances)["rounding"] == balances["rounding"] + left


@given(rounds(), st.integers(0, 2**61))
def test_burns_do_not_depend_on_what_the_treasury_holds(case, treasury):
    risks, shares, balances = case
    other = balances | {"treasury": treasury, "external": balances["external"] + balances["treasury"] - treasury}
    burns = [
        [payout for payout in settled(risks, shares, each).payouts if payout.owed < 0] for each in (balances, other)
    ]
    assert burns[0] == burns[1]


@given(AMOUNT, FRACTION)
@example(1, 0.5)
@example(3, 0.5)
def test_a_model_and_its_inverse_with_the_same_stake_net_exactly_zero(amount, fraction):
    amount //= 2
    balances = {"treasury": amount, "stake:p": amount, "stake:q": amount}
    result = settled([at_risk("p", amount), at_risk("q", amount)], {"p": fraction, "q": -fraction}, balances)
    assert sum(payout.paid for payout in result.payouts) == 0


@given(st.integers(0, 2**62), st.floats(0, 1))
def test_an_unlucky_treasury_never_makes_a_model_and_its_inverse_earn(treasury, fraction):
    balances = {"treasury": treasury, "stake:p": 2**61, "stake:q": 2**61}
    result = settled([at_risk("p", 2**61), at_risk("q", 2**61)], {"p": fraction, "q": -fraction}, balances)
    assert sum(payout.paid for payout in result.payouts) <= 0


@given(st.integers(1, 2**60), st.integers(1, 5), FRACTION)
def test_splitting_a_stake_over_clones_changes_its_payout_by_less_than_a_unit_a_clone(amount, clones, fraction):
    parts = [amount // clones + (i < amount % clones) for i in range(clones)]
    split = {ledger.stake(f"m{i}"): part for i, part in enumerate(parts)} | {"treasury": 2**62}
    risks = [at_risk(f"m{i}", part) for i, part in enumerate(parts)]
    apart = settled(risks, {risk.model: fraction for risk in risks}, split)
    whole = settled([at_risk("m", amount)], {"m": fraction}, {"stake:m": amount, "treasury": 2**62})
    assert abs(sum(payout.paid for payout in apart.payouts) - whole.payouts[0].paid) <= (clones + 1) / 2


def test_large_amounts_are_exact_where_floats_are_not():
    amount = 2**62 - 1
    (payout,) = settled([at_risk("m", amount)], {"m": 0.1}, {"stake:m": amount, "treasury": amount}).payouts
    assert payout.paid == half_even(Fraction(3602879701896397, 36028797018963968) * amount) == 461168601842738816
    assert int(0.1 * float(2**62 - 3)) == int(0.1 * float(2**62 + 3))


def test_a_fraction_is_the_binary_number_that_it_is():
    (payout,) = settled([at_risk("m", 10**18)], {"m": 0.1}, {"stake:m": 0, "treasury": 10**18}).payouts
    assert payout.paid == 10**17 + 6


def test_halves_go_to_the_even_unit_and_what_that_costs_to_rounding():
    balances = {"stake:a": 1, "stake:b": 3, "stake:c": 0, "treasury": 100, "rounding": 0}
    result = settled([at_risk("a", 1), at_risk("b", 3)], {"a": 0.5, "b": 0.5}, balances)
    assert [payout.paid for payout in result.payouts] == [0, 2]
    assert after(result, balances)["treasury"] == 98
    three = settled([at_risk("a", 1), at_risk("b", 1), at_risk("c", 1)], dict.fromkeys("abc", 0.5), balances)
    assert [payout.paid for payout in three.payouts] == [0, 0, 0]
    assert {posting.account: posting.amount for posting in three.entry.postings} == {"treasury": -2, "rounding": 2}


def test_when_units_are_missing_rounding_gives_what_it_has_and_the_treasury_the_rest():
    risks = [at_risk(name, 3) for name in "abcd"]
    shares = dict.fromkeys("abcd", 0.5)
    for rounding, spent in ((0, 8), (1, 7), (2, 6), (9, 6)):
        balances = {"treasury": 10, "rounding": rounding}
        result = settled(risks, shares, balances)
        assert [payout.paid for payout in result.payouts] == [2, 2, 2, 2]
        assert after(result, balances)["treasury"] == 10 - spent
        assert after(result, balances)["rounding"] == rounding - (8 - spent)


def test_a_treasury_that_holds_exactly_its_part_pays_everybody_in_full():
    risks, shares = [at_risk(name, 3) for name in "abcd"], dict.fromkeys("abcd", 0.5)
    balances = {"treasury": 6, "rounding": 2}
    result = settled(risks, shares, balances)
    assert [payout.paid for payout in result.payouts] == [2, 2, 2, 2]
    assert (after(result, balances)["treasury"], after(result, balances)["rounding"]) == (0, 0)


def test_the_treasury_sets_aside_for_rounding_no_more_than_it_has():
    risks, shares, balances = [at_risk(name, 1) for name in "abc"], dict.fromkeys("abc", 0.5), {"treasury": 1}
    assert after(settled(risks, shares, balances), balances) == {"treasury": 0, "rounding": 1}


def test_rounding_never_stands_in_for_an_empty_treasury():
    result = settled([at_risk("a", 10)], {"a": 1.0}, {"treasury": 4, "rounding": 50})
    assert result.payouts[0].paid == 4
    assert settled([at_risk("a", 10)], {"a": 1.0}, {"rounding": 50}).entry is None


def test_a_burn_takes_the_stake_first_and_then_what_is_in_release():
    balances = {"stake:m": 30, "release:m": 50}
    entry = settled([at_risk("m", 80)], {"m": -0.5}, balances).entry
    assert {posting.account: posting.amount for posting in entry.postings} == {
        "stake:m": -30,
        "release:m": -10,
        "burned": 40,
    }


def test_a_burn_stops_at_what_earlier_rounds_have_left():
    (payout,) = settled([at_risk("m", 100)], {"m": -0.25}, {"stake:m": 7, "release:m": 3}).payouts
    assert payout == Payout(ROUND, "m", 100, -0.25, -25, -10)


def test_a_burn_does_not_feed_the_treasury():
    balances = {"treasury": 0, "stake:loser": 100}
    result = settled([at_risk("loser", 100), at_risk("winner", 100)], {"loser": -1.0, "winner": 1.0}, balances)
    assert after(result, balances) == {"treasury": 0, "stake:loser": 0, "burned": 100}


def test_where_no_money_moves_there_is_no_entry():
    assert settled([], {}, {}).entry is None
    assert settled([at_risk("m", 5)], {"m": 0.0}, {"treasury": 5}).entry is None
    assert settled([at_risk("m", 5)], {"m": -1.0}, {}).entry is None


def test_a_model_with_nothing_at_risk_needs_no_fraction_and_gets_nothing():
    result = settled([at_risk("m", 0), at_risk("n", 0)], {"n": float("nan")}, {"treasury": 5})
    assert result.payouts == (Payout(ROUND, "m", 0, 0.0, 0, 0), Payout(ROUND, "n", 0, 0.0, 0, 0))


def test_the_entry_is_named_after_the_round_so_that_it_is_posted_once():
    entry = settled([at_risk("m", 10)], {"m": 1.0}, {"treasury": 10}).entry
    assert (entry.id, entry.kind, entry.at) == ("settle:7", "settle", NOON)


COINS = {"corr": 0.0, "mmc": 0.0, "cm": 1.0, "mm": 0.0, "factor": 1.0}


@pytest.mark.parametrize(
    ("on", "scores", "pays"),
    [
        (date(2019, 8, 1), {"corr": 0.042}, "100"),
        (date(2019, 8, 1), {"corr": -0.2}, "-100"),
        (date(2020, 4, 1), {"corr": 0.1}, "10"),
        (date(2020, 4, 1), {"corr": -0.3}, "-25"),
        (date(2020, 5, 21), {"corr": -0.05, "mmc": 0.02, "cm": 0.0, "mm": 2.0}, "4"),
        (date(2020, 7, 27), {"corr": 0.03, "mmc": 0.02, "mm": 1.0}, "5"),
        (date(2020, 12, 14), {"corr": 0.03, "mmc": -0.02, "mm": 2.0}, "-1"),
        (date(2021, 2, 20), {"corr": 0.02, "mmc": 0.002, "mm": 2.0, "factor": 0.8}, "1.92"),
        (date(2021, 2, 20), {"corr": 0.02, "mmc": 0.002, "factor": 0.8}, "1.6"),
        (date(2021, 2, 20), {"corr": -0.03, "mmc": 0.002, "mm": 0.5, "factor": 0.8}, "-2.32"),
        (date(2021, 2, 20), {"corr": 0.9, "factor": 0.5}, "12.5"),
        (date(2022, 6, 16), {"corr": 0.9, "factor": 0.5}, "25"),
        (date(2023, 5, 1), {"corr": 0.9}, "5"),
        (date(2024, 1, 2), {"corr": 0.02, "mmc": 0.01, "cm": 0.5, "mm": 2.0}, "3"),
        (date(2026, 1, 1), {"corr": -0.02, "mmc": -0.01, "cm": 0.75, "mm": 2.25}, "-3.75"),
    ],
)
def test_a_stake_of_100_coins_is_paid_what_the_rule_of_the_day_says_to_the_unit(on, scores, pays):
    case = COINS | scores
    risks = [at_risk("m", 100 * UNITS, case["cm"], case["mm"])]
    shares = fractions(policy_on(on), risks, [case["corr"]], [case["mmc"]], payout_factor=case["factor"])
    (payout,) = settled(risks, shares, {"treasury": 1000 * UNITS, "stake:m": 100 * UNITS}).payouts
    assert payout.paid == parse_amount(pays)


@pytest.mark.parametrize(
    ("on", "coins", "factor"),
    [
        (date(2021, 2, 20), (400_000,), 0.75),
        (date(2021, 2, 20), (500_000, 100_000), 0.5),
        (date(2021, 2, 20), (1_000_000,), 0.3),
        (date(2023, 5, 1), (200_000,), 0.36),
        (date(2023, 5, 1), (300_000, 500_000), 0.09),
        (date(2023, 5, 1), (72_000,), 1.0),
        (date(2023, 5, 1), (), 1.0),
        (date(2020, 4, 1), (10**9,), 1.0),
    ],
)
def test_the_payout_factor_of_a_round_at_its_published_points(on, coins, factor):
    risks = [at_risk(f"m{i}", each * UNITS) for i, each in enumerate(coins)]
    assert round_factor(risks, rule_on(on).threshold) == factor


def test_the_factor_counts_only_what_is_at_risk():
    risks = [at_risk("on-time", 400_000 * UNITS), at_risk("late", 0)]
    assert round_factor(risks, 300_000) == 0.75


def test_a_model_without_anything_at_risk_may_lack_its_scores():
    risks = [at_risk("late", 0), at_risk("m", UNITS)]
    assert fractions(policy_on(date(2020, 4, 1)), risks, [np.nan, 0.1], [np.nan, np.nan]) == {"late": 0.0, "m": 0.1}


def test_a_policy_that_looks_back_is_given_its_window_and_a_hard_era_its_metamodel():
    risks = [at_risk("m", UNITS, 1.0, 1.0)]
    window = np.full((20, 1), 0.02) + np.linspace(-0.01, 0.01, 20)[:, np.newaxis]
    assert 0 < fractions(POLICIES["sharpe"].policy, risks, window, 0 * window)["m"] <= 0.25
    easy, hard = (
        fractions(POLICIES["hard-era"].policy, risks, [0.02], [0.02], metamodel_corr=corr)["m"]
        for corr in (0.01, -0.01)
    )
    assert (easy, hard) == (0.04, 0.05)


@given(rounds(), st.sampled_from([name for name, row in POLICIES.items() if row.policy.window == 1]), st.data())
def test_every_policy_settles_without_moving_the_sum(case, name, data):
    risks, _, balances = case
    policy = POLICIES[name].policy
    choice = data.draw(st.sampled_from(policy.choices or ((1.0, 1.0),)))
    risks = [at_risk(risk.model, risk.amount, *choice) for risk in risks]
    corr, mmc = (data.draw(st.lists(st.floats(-1, 1), min_size=len(risks), max_size=len(risks))) for _ in "cm")
    shares = fractions(policy, risks, corr, mmc, payout_factor=round_factor(risks, 72_000), metamodel_corr=-0.01)
    result = after(settled(risks, shares, balances), balances)
    assert {k: v for k, v in result.items() if v} == {k: v for k, v in witness(risks, shares, balances).items() if v}


@pytest.mark.parametrize(
    ("code", "risks", "shares"),
    [
        ("wrong_round", [AtRisk(8, "m", 5, 1, 0)], {"m": 0.1}),
        ("model_twice", [at_risk("m", 5), at_risk("m", 6)], {"m": 0.1}),
        ("negative_at_risk", [at_risk("m", -5)], {"m": 0.1}),
        ("not_whole_units", [at_risk("m", 5.0)], {"m": 0.1}),
        ("not_whole_units", [at_risk("m", True)], {"m": 0.1}),
        ("amount_too_large", [at_risk("m", 2**63)], {"m": 0.1}),
        ("missing_fraction", [at_risk("m", 5)], {}),
        ("bad_fraction", [at_risk("m", 5)], {"m": float("nan")}),
        ("bad_fraction", [at_risk("m", 5)], {"m": float("-inf")}),
        ("bad_fraction", [at_risk("m", 5)], {"m": 1.0000000000000002}),
        ("bad_fraction", [at_risk("m", 5)], {"m": -1.5}),
        ("bad_fraction", [at_risk("m", 5)], {"m": 1}),
        ("bad_fraction", [at_risk("m", 5)], {"m": Fraction(1, 2)}),
        ("nothing_at_risk", [at_risk("m", 5)], {"m": 0.1, "n": 0.1}),
    ],
)
def test_what_cannot_be_settled_is_refused_by_name(code, risks, shares):
    with pytest.raises(InputError) as refused:
        settled(risks, shares, {"treasury": 100, "stake:m": 100})
    assert codes(refused) == [code]
    assert all(problem.where == f"round 7, {problem.where[9:]}" for problem in refused.value.problems)


def test_everything_that_keeps_a_round_from_being_settled_is_said_at_once():
    with pytest.raises(InputError) as refused:
        settled([AtRisk(8, "a", 5, 1, 0), at_risk("b", 5), at_risk("c", 2)], {"a": 0.1, "c": 7.0, "d": 0.0}, {})
    assert codes(refused) == ["wrong_round", "missing_fraction", "bad_fraction", "nothing_at_risk"]
