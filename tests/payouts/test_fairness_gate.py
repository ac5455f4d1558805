"""The fairness gate: what a model and its inverse together can never earn from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.payouts import POLICIES, FormulaPolicy, PayoutError, exploit_of, policy_of, require_fair, rules

FAIR = [*(rule.name for rule in rules()), "hard-era", "sharpe"]
UNFAIR = ["sortino", "log-symmetric", "floor-at-zero", "deburner", "rank-bonus"]
FEW = settings(max_examples=25)
HUNDREDTHS = st.integers(1, 100).map(lambda n: n / 100)


def test_every_policy_has_been_judged_here():
    assert set(FAIR) | set(UNFAIR) == set(POLICIES)


@pytest.mark.parametrize("name", FAIR)
def test_every_dated_rule_passes_and_so_does_every_odd_proposal(name):
    assert exploit_of(POLICIES[name].policy) is None
    require_fair(POLICIES[name].policy)


@pytest.mark.parametrize("name", UNFAIR)
def test_a_policy_that_can_be_milked_is_refused_and_the_pair_is_named(name):
    exploit = exploit_of(POLICIES[name].policy)
    with pytest.raises(PayoutError) as refused:
        require_fair(POLICIES[name].policy)
    assert refused.value.code == "unfair_policy"
    assert f"CORR {exploit.corr:+.3f} and MMC {exploit.mmc:+.3f}" in str(refused.value)
    assert f"earns {exploit.profit:+.2%}" in str(refused.value)


@pytest.mark.parametrize("name", [name for name in UNFAIR if name != "rank-bonus"])
def test_the_named_pair_really_earns_in_both_outcomes_of_the_era(name):
    policy, exploit = POLICIES[name].policy, exploit_of(POLICIES[name].policy)
    options = {"corr_multiplier": exploit.choice[0], "mmc_multiplier": exploit.choice[1]}
    past = np.array(exploit.history)[:, np.newaxis] if policy.window > 1 else 1.0
    for outcome in (1, -1):
        corr, mmc = (np.array([1, -1]) * outcome * score * past for score in (exploit.corr, exploit.mmc))
        pair = policy.payouts([1, 1], corr, mmc, payout_factor=exploit.payout_factor, **options)
        assert pair.sum() == pytest.approx(exploit.profit, abs=1e-12)
        assert pair.sum() > 0


def test_the_rank_bonus_pays_a_pair_in_a_round_of_honest_models():
    policy = POLICIES["rank-bonus"].policy
    others = np.linspace(-0.03, 0.03, 99)
    paid = policy.payouts(np.ones(101), [0.05, -0.05, *others], np.zeros(101))
    assert paid[:2].sum() == pytest.approx(0.02, abs=1e-12)


def test_the_deburner_forgives_one_of_the_pair_and_pays_the_other():
    deburner = POLICIES["deburner"].policy
    assert deburner.payouts([1, 1], [0.05, -0.05], [-0.02, 0.02]).tolist() == [0.0, 0.02]


def test_a_pair_with_likely_scores_is_named_if_there_is_one():
    exploit = exploit_of(lambda corr, mmc: np.abs(corr))
    assert abs(exploit.corr) == pytest.approx(0.1)
    assert exploit.profit == pytest.approx(0.2)


def test_a_pair_with_unlikely_scores_is_named_if_there_is_no_other():
    exploit = exploit_of(lambda corr, mmc: np.where(corr > 0.2, 2 * corr, corr))
    assert exploit.corr > 0.2


def test_a_factor_that_shrinks_burns_only_is_found_out():
    lenient = FormulaPolicy(lambda scores: scores.weighted, 0.25)

    class Lenient:
        choices = ((1.0, 0.0),)
        window = 1

        def payouts(self, stake, corr, mmc, *, payout_factor=1.0, **options):
            full = lenient.payouts(stake, corr, mmc, **options)
            return np.where(full > 0, full, full * payout_factor)

    exploit = exploit_of(Lenient())
    assert exploit.payout_factor == 0.1
    assert "payout factor 0.1" in str(exploit)


def test_only_one_of_several_choices_needs_to_be_unfair():
    def soft_on_mmc(scores):
        soft = np.where(scores.mmc_multiplier == 2, np.maximum(scores.weighted, -0.05), scores.weighted)
        return np.asarray(soft)

    exploit = exploit_of(FormulaPolicy(soft_on_mmc, 0.25, choices=((1.0, 0.0), (0.0, 2.0))))
    assert exploit.choice == (0.0, 2.0)


def test_an_unfairness_of_hard_eras_only_is_found():
    def gentle_when_hard(scores):
        return np.where(scores.metamodel_corr < 0, np.maximum(scores.weighted, 0), scores.weighted)

    assert exploit_of(FormulaPolicy(gentle_when_hard)).metamodel_corr < 0


def test_a_sharpe_that_only_looks_at_good_history_is_found():
    def best_era(scores):
        return np.max(scores.weighted, axis=0)

    exploit = exploit_of(FormulaPolicy(best_era, 0.25, window=5))
    assert len(exploit.history) == 5
    assert "after" in str(exploit)


@FEW
@given(st.floats(0, 5), st.floats(0, 5), st.floats(0.01, 1))
def test_any_clipped_mix_of_corr_and_mmc_is_fair(corr_weight, mmc_weight, limit):
    assert exploit_of(policy_of(lambda corr, mmc: corr_weight * corr + mmc_weight * mmc, clip=limit)) is None


@FEW
@given(st.floats(1e-6, 0.2))
def test_any_gift_however_small_is_found_and_any_fee_is_fair(amount):
    assert exploit_of(lambda corr, mmc: corr + amount).profit == pytest.approx(2 * amount, abs=1e-9)
    assert exploit_of(lambda corr, mmc: corr - amount) is None


@FEW
@given(HUNDREDTHS, HUNDREDTHS)
def test_a_payout_is_fair_only_if_losses_weigh_at_least_as_much_as_gains(gain, loss):
    exploit = exploit_of(lambda corr, mmc: np.where(mmc > 0, gain * mmc, loss * mmc))
    assert (exploit is None) == (gain <= loss)
