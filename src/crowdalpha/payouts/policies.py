"""POLICIES: one row a policy, the dated rules first, then what was proposed beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from crowdalpha.payouts import proposals
from crowdalpha.payouts.formula import FormulaPolicy, policy_of_rule
from crowdalpha.payouts.parameters import rule_on, rules
from crowdalpha.payouts.policy import Policy

WINDOW = 20
"""Eras that the Sharpe and Sortino payouts look back on."""

SCALE = 0.1
"""What a Sharpe or Sortino ratio of 1 pays, as a fraction of the stake: our choice, the thread names none."""

COEFFICIENT = 1.5
"""The hard-era coefficient the thread discusses: it breaks even for a contrarian at 60 easy eras to 40 hard ones."""

RANK_BONUS = 0.02
"""What the first model of a round gets on top, in the rank bonus proposal."""

MIXES = ((1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0))
"""The multiplier pairs that the proposals leave to a model: those of 2020-12-14."""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy with its name, its formula in words, one sentence on what it means, and where it is from."""

    name: str
    policy: Policy
    formula: str
    meaning: str
    sources: tuple[str, ...]
    start: date | None = None


def policy_on(day: date) -> FormulaPolicy:
    """The policy in force on a day.

    >>> policy_on(date(2020, 4, 1)).payouts([100, 100], [0.1, -0.3], 0).tolist()
    [10.0, -25.0]
    """
    return policy_of_rule(rule_on(day))


def _dated_rows() -> list[PolicyRow]:
    return [
        PolicyRow(rule.name, policy_of_rule(rule), rule.formula, rule.meaning, rule.sources, rule.start)
        for rule in rules()
    ]


def _proposed_rows() -> list[PolicyRow]:
    hard_era = FormulaPolicy(proposals.hard_era_formula(COEFFICIENT), 0.25, choices=((1.0, 1.0), (0.0, 2.0)))
    sharpe = FormulaPolicy(proposals.sharpe_formula(SCALE), 0.25, choices=MIXES, window=WINDOW)
    sortino = FormulaPolicy(proposals.sortino_formula(SCALE), 0.25, choices=MIXES, window=WINDOW)
    return [
        PolicyRow(
            "hard-era",
            hard_era,
            f"S clip(F (cm corr + mm c mmc), -0.25, 0.25), c = {COEFFICIENT} where the metamodel's corr < 0, else 1",
            "Contribution counts more in the eras in which the crowd was wrong.",
            ("F93#17", "F93#18", "F93#19"),
        ),
        PolicyRow(
            "sharpe",
            sharpe,
            f"S clip(F {SCALE} mean / std, -0.25, 0.25) of the last {WINDOW} eras' cm corr + mm mmc",
            "A model is paid for being steady over a window, not for one era.",
            ("F93#18",),
        ),
        PolicyRow(
            "sortino",
            sortino,
            f"S clip(F {SCALE} mean / downside deviation, -0.25, 0.25) of the last {WINDOW} eras",
            "Like Sharpe, but only losses count as unsteady; a steady winner gains more than its inverse burns.",
            ("F93#18",),
        ),
        PolicyRow(
            "log-symmetric",
            FormulaPolicy(proposals.log_symmetric_formula, 0.25, choices=MIXES),
            "S clip(F f(x), -0.25, 0.25), f(x) = x for x >= 0, x / (1 - x) below",
            "Losses are softened so that a gain and a loss compound alike; a model and its inverse gain by it.",
            ("docs/decisions/fairness-gate.md",),
        ),
        PolicyRow(
            "floor-at-zero",
            FormulaPolicy(proposals.floor_at_zero, 0.25, choices=MIXES),
            "S clip(F max(0, cm corr + mm mmc), 0, 0.25)",
            "Nobody burns, so a model and its inverse together always earn.",
            ("docs/decisions/fairness-gate.md",),
        ),
        PolicyRow(
            "deburner",
            FormulaPolicy(proposals.deburner, 0.25),
            "S clip(F (mmc if mmc >= 0 else min(0, max(corr, mmc))), -0.25, 0.25)",
            "A good correlation forgives a bad contribution, also to one of a model and its inverse.",
            ("docs/decisions/fairness-gate.md",),
        ),
        PolicyRow(
            "rank-bonus",
            FormulaPolicy(proposals.rank_bonus_formula(RANK_BONUS), 0.25, choices=MIXES),
            f"S clip(F (cm corr + mm mmc + {RANK_BONUS} share of models below), -0.25, 0.25)",
            "The place in the round earns a bonus that is never taken back, so enough models always collect some.",
            ("docs/decisions/fairness-gate.md",),
        ),
    ]


POLICIES: dict[str, PolicyRow] = {row.name: row for row in [*_dated_rows(), *_proposed_rows()]}
"""Every policy by name."""
