"""Payouts: what a score earns or burns, by every dated rule, as pure functions of arrays."""

from crowdalpha.payouts.fairness import Exploit, exploit_of, require_fair
from crowdalpha.payouts.formula import FormulaPolicy, payout_factor, policy_of, policy_of_rule
from crowdalpha.payouts.incentives import (
    blend_corr,
    blend_weights,
    break_even_coefficient,
    contrarian_profit,
    growth_rate,
)
from crowdalpha.payouts.parameters import ReputationRule, Rule, reputation_rules, rule_on, rules
from crowdalpha.payouts.policies import POLICIES, PolicyRow, policy_on
from crowdalpha.payouts.policy import Policy
from crowdalpha.payouts.proposals import calibrate_hard_era_coefficient, hard_era_coefficient, log_symmetric
from crowdalpha.payouts.refusal import PayoutError
from crowdalpha.payouts.reputation import (
    account_score,
    one_year_reputation,
    reputation_weights,
    weighted_reputation,
)

__all__ = [
    "POLICIES",
    "Exploit",
    "FormulaPolicy",
    "PayoutError",
    "Policy",
    "PolicyRow",
    "ReputationRule",
    "Rule",
    "account_score",
    "blend_corr",
    "blend_weights",
    "break_even_coefficient",
    "calibrate_hard_era_coefficient",
    "contrarian_profit",
    "exploit_of",
    "growth_rate",
    "hard_era_coefficient",
    "log_symmetric",
    "one_year_reputation",
    "payout_factor",
    "policy_of",
    "policy_of_rule",
    "policy_on",
    "reputation_rules",
    "reputation_weights",
    "require_fair",
    "rule_on",
    "rules",
    "weighted_reputation",
]
