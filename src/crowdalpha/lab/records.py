"""Rounds of records, one a model: as the engine keeps them, for verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.rounds import choice_of
from crowdalpha.lab.seasons import master_of, treasury_of
from crowdalpha.scoring.metrics import Era
from crowdalpha.tournament import ledger, seeds, settlement
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.rulesets import RuleSet
from crowdalpha.tournament.scoringday import Inputs, Scored, final_day, score_day
from crowdalpha.tournament.stakes import AtRisk

__all__ = ["choice_of", "fractions", "master_of", "opening_balances", "score", "seed_of"]


def score(round: Round, era: Era, at_risk: Sequence[AtRisk], seed: bytes) -> Scored:
    """The final scores of an era as a round: everybody who predicts is on time."""
    present = {name: column for name, column in zip(era.models, era.predictions.T, strict=True) if _there(column)}
    sent = [
        Submission(name, round.number, name, round.open_time, "on_time", "", name, len(era.predictions))
        for name in present
    ]
    inputs = Inputs(round, sent, present, at_risk, seed)
    return score_day(inputs, final_day(round), era.given("target"))


def fractions(rules: RuleSet, at_risk: Sequence[AtRisk], scored: Sequence[Scored]) -> dict[str, float]:
    """What a rule pays of every stake, by the scores of the round, the last of `scored`, and of those before it."""
    names = [risk.model for risk in at_risk]
    return settlement.fractions(
        rules.policy,
        at_risk,
        _window(rules.corr, rules.policy.window, scored, names),
        _window(rules.mmc, rules.policy.window, scored, names),
        payout_factor=settlement.round_factor(at_risk, rules.threshold),
        metamodel_corr=scored[-1].crowd.get(rules.corr, float("nan")),
    )


def seed_of(number: int, master: bytes | None) -> bytes:
    """The seed of a round's bags."""
    return seeds.round_seed(number, seeds.round_secret(master or master_of(0), number))


def _window(metric: str, window: int, scored: Sequence[Scored], names: Sequence[str]) -> Floats:
    """The scores that a policy looks at: (n_models,), or (window, n_models) with NaN where there was none."""
    now = np.array(scored[-1].of(metric, names))
    if window == 1:
        return now
    rows = np.full((window, len(names)), np.nan)
    for row, past in enumerate(scored[-window:-1], window - len(scored[-window:])):
        values = past.scores[metric]
        rows[row] = [values[past.places[name]] if name in past.places else np.nan for name in names]
    rows[-1] = now
    return rows


def _there(column: Floats) -> bool:
    return not np.isnan(column).any()


def opening_balances(stakes: Mapping[str, int]) -> dict[str, int]:
    """Everybody's stake, and a treasury that is far larger, as a replay has them."""
    balances = {ledger.stake(name): units for name, units in stakes.items()}
    return balances | {ledger.TREASURY: treasury_of(stakes)}
