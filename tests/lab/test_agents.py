"""Agents: each does what is said of it, and knows no more than is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdalpha.lab.agents import AGENTS, on_the_best, view
from crowdalpha.lab.contests import Trial, contest, profits
from crowdalpha.lab.crowds import FEATURES, Shape, World
from crowdalpha.lab.verdicts import judge
from crowdalpha.payouts import FormulaPolicy
from crowdalpha.payouts.proposals import hard_era_formula
from crowdalpha.scoring.ranks import gaussianize
from crowdalpha.tournament.rulesets import rule_set

SMALL = Trial(Shape(models=6, ids=80, edge=0.2, own_edge=(0.0, 0.0)), seasons=4, rounds=8, seed="agents")


def test_the_common_signal_is_the_sum_of_its_features() -> None:
    world = World(Shape(models=2, ids=20_000), 1)
    drawn = world.round(1)
    features = world.features(drawn)
    assert np.allclose(features.sum(axis=1), np.sqrt(FEATURES) * drawn.shared)
    assert np.allclose(np.cov(features.T), np.eye(FEATURES), atol=0.04)
    assert np.corrcoef(features[:, 0], drawn.shared)[0, 1] == pytest.approx(FEATURES**-0.5, abs=0.02)


@pytest.mark.parametrize("memory", [0.0, 0.6, 1.0])
def test_the_laggard_sees_as_much_of_the_metamodel_as_a_round_leaves_of_it(memory: float) -> None:
    seen = view(World(Shape(models=4, ids=20_000, memory=memory), 1), 1)
    (column,) = AGENTS["laggard"].predicts(seen)
    assert np.corrcoef(column, gaussianize(seen.metamodel))[0, 1] == pytest.approx(memory, abs=0.02)


def test_a_learner_is_told_of_rounds_that_have_resolved_and_of_no_other() -> None:
    told: list[NDArray[np.float64]] = []

    def listens(paid: NDArray[np.float64]) -> NDArray[np.float64]:
        told.append(paid.copy())
        return on_the_best(paid)

    found = contest(replace(AGENTS["learner"], allots=listens), replace(SMALL, seasons=1))
    profits(found, rule_set("corr"), (1.0, 0.0))
    assert [len(paid) for paid in told] == [0, 0, 0, 0, 1, 2, 3, 4]
    scores = np.array([scored.of("corr", found.own) for scored in found.seasons[0]])
    assert np.allclose(told[-1], np.clip(scores[:4], -0.25, 0.25))


def test_a_learner_finds_the_bet_that_a_rule_overpays() -> None:
    shape = Shape(models=5, ids=150, edge=0.5, own_edge=(0.0, 0.0), shared=0.3, hard_share=0.5)
    trial = replace(SMALL, shape=shape, rounds=14)
    greedy = {"greedy": FormulaPolicy(hard_era_formula(4.0), 0.25, choices=((0.0, 0.5),))}
    rules, choice = rule_set("greedy", greedy), (0.0, 0.5)
    learner, contrarian = (contest(AGENTS[name], trial) for name in ("learner", "contrarian"))
    best = float(profits(contrarian, rules, choice).mean())
    assert 0.3 * best < float(profits(learner, rules, choice).mean()) < best


@pytest.mark.parametrize(("rule", "finding"), [("corr", "acquitted"), ("five-percent", "documented")])
def test_a_stake_that_costs_nothing_crowds_others_out_where_there_is_a_payout_factor(rule: str, finding: str) -> None:
    honest, crowder = (contest(AGENTS[name], replace(SMALL, rounds=2)) for name in ("honest", "crowder"))
    (found,) = judge(rule, [crowder], honest=honest)
    assert found.profit == 0
    assert found.finding == finding
    assert (found.factor < 1) == (finding == "documented")


def test_who_stays_away_has_nothing_at_risk_and_nothing_to_fear() -> None:
    shape = replace(SMALL.shape, present=0.5, staying=0.5)
    found = contest(AGENTS["honest"], replace(SMALL, shape=shape, seasons=2))
    models = [len(scored.models) for season in found.seasons for scored in season]
    assert 1 < min(models) < max(models)
    assert max(models) <= shape.models + 1
    assert np.isfinite(profits(found, rule_set("half-corr-twice-mmc"), (0.5, 2.0))).all()


def test_a_giant_is_measured_by_himself_and_adds_hardly_anything_to_the_crowd_that_he_is() -> None:
    honest, giant = (contest(AGENTS[name], SMALL) for name in ("honest", "giant"))
    small, large = (
        np.mean([np.abs(scored.of("mmc2", found.own)) for season in found.seasons for scored in season])
        for found in (honest, giant)
    )
    assert large < small / 2
