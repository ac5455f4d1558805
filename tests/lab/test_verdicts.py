"""Verdicts: policies that can be milked are convicted and the attack is named; fair ones are acquitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.contests import Contest, Trial, contest, contests, profits
from crowdalpha.lab.crowds import Shape
from crowdalpha.lab.verdicts import conviction, judge, sentence
from crowdalpha.payouts import FormulaPolicy, rules
from crowdalpha.payouts.proposals import hard_era_formula
from crowdalpha.tournament.rulesets import rule_set

TRIAL = Trial(Shape(models=8, ids=120, edge=0.2, own_edge=(0.0, 0.0)), seasons=16, rounds=4, seed="verdicts")


@pytest.fixture(scope="module")
def played() -> dict[str, Contest]:
    return dict(zip(AGENTS, contests(list(AGENTS.values()), TRIAL), strict=True))


@pytest.fixture(scope="module")
def honest(played: dict[str, Contest]) -> Contest:
    return played["honest"]


@pytest.fixture(scope="module")
def attacks(played: dict[str, Contest]) -> list[Contest]:
    return [each for name, each in played.items() if name != "honest"]


@pytest.mark.parametrize("rule", ["floor-at-zero", "deburner", "rank-bonus"])
def test_what_can_be_milked_is_convicted_and_the_pair_is_named(
    rule: str, attacks: list[Contest], honest: Contest
) -> None:
    found = judge(rule, attacks, honest=honest)
    guilty = conviction(found)
    assert guilty is not None
    assert guilty.agent == "pair"
    assert guilty.low > 0
    assert sentence(rule, found).startswith(f"{rule} is convicted by the pair. {rule} pays the pair +")


@pytest.mark.parametrize("rule", [rule.name for rule in rules()])
def test_the_dated_rules_are_acquitted(rule: str, attacks: list[Contest], honest: Contest) -> None:
    found = judge(rule, attacks, honest=honest)
    assert conviction(found) is None
    assert sentence(rule, found).startswith(f"{rule} is acquitted")


@pytest.mark.parametrize("rule", [rule.name for rule in rules()])
def test_a_pair_nets_nothing_to_the_unit_under_every_dated_rule(rule: str, played: dict[str, Contest]) -> None:
    dated = rule_set(rule)
    for choice in dated.policy.choices:
        earned = profits(played["pair"], dated, choice)
        assert (earned <= 0).all()
        if not rule.startswith("corr-over-band"):  # its band is centred at .002: both of the pair pay for it
            assert (earned == 0).all()


def test_a_hard_era_coefficient_that_is_too_large_is_convicted_by_the_contrarian() -> None:
    shape = Shape(models=5, ids=200, edge=0.4, own_edge=(0.0, 0.0), shared=0.3, hard_share=0.5)
    trial = Trial(shape, seasons=12, rounds=6, seed="verdicts")
    found = [contest(AGENTS[name], trial) for name in ("honest", "contrarian")]
    greedy, fair = (FormulaPolicy(hard_era_formula(c), 0.25, choices=((0.0, 0.5),)) for c in (4.0, 1.0))
    guilty = conviction(judge("greedy", found, honest=found[0], custom={"greedy": greedy}))
    assert guilty is not None
    assert guilty.agent == "contrarian"
    assert conviction(judge("fair", found, honest=found[0], custom={"fair": fair})) is None


def test_where_the_crowd_is_always_right_its_copier_is_paid_for_corr_and_not_for_mmc() -> None:
    shape = replace(TRIAL.shape, hard_share=0.0)
    copier = contest(AGENTS["copier"], replace(TRIAL, shape=shape))
    rule = rule_set("corr-or-twice-mmc")
    by_corr, by_mmc = (float(np.mean(profits(copier, rule, choice))) for choice in ((1.0, 0.0), (0.0, 2.0)))
    assert by_corr > 0.05
    assert abs(by_mmc) < by_corr / 4
    honest = contest(AGENTS["honest"], replace(TRIAL, shape=shape))
    (found,) = judge("corr", [copier], honest=honest)
    assert found.finding == "documented"
    assert "what it knows already" in str(found)
