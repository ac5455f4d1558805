"""What a round is paid by: a policy, and the two scores that it is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crowdalpha.payouts import POLICIES, rules
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem

PAID_ON = (
    (date(2024, 1, 2), "numerai_corr", "mmc2024"),
    (date(2023, 5, 1), "numerai_corr", "mmc2"),
)
"""From when on rules are paid on which scores; before, and for proposals, on CORR and MMC2 [SPEC 2]."""
CORR, MMC = "corr", "mmc2"
NONE: Mapping[str, Policy] = {}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A rule by its name: its policy, the scores `corr` and `mmc` that it pays on, and its threshold in coins.

    The threshold is the total at risk above which the payout factor falls below 1; None: there is no factor.
    """

    name: str
    policy: Policy
    corr: str = CORR
    mmc: str = MMC
    threshold: float | None = None


def rule_set(name: str, custom: Mapping[str, Policy] = NONE) -> RuleSet:
    """The rule set of a name: one of `custom`, a dated rule, or a proposal.

    Refused with code `unknown_rule` if there is none.

    >>> found = rule_set("corr-or-twice-mmc")
    >>> found.corr, found.mmc, found.threshold
    ('corr', 'mmc2', None)
    """
    if name in custom:
        return RuleSet(name, custom[name])
    for rule in rules():
        if rule.name == name:
            scores = next(((corr, mmc) for start, corr, mmc in PAID_ON if rule.start >= start), (CORR, MMC))
            return RuleSet(name, POLICIES[name].policy, *scores, rule.threshold)
    if name in POLICIES:
        return RuleSet(name, POLICIES[name].policy)
    names = ", ".join([*custom, *POLICIES])
    raise InputError(Problem("unknown_rule", f"one of {names}", repr(name), "see `crowdalpha rules`", "rule"))
