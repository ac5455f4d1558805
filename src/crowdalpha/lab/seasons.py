"""Seasons without a store: rounds scored, paid and compounded by the functions that the engine scores and settles by.

What is played here and what the engine plays of the same eras, stakes and secrets pay the same to the unit: there is
a test of it. The lab has no fairness gate, so that a policy which can be milked is milked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.chance import Floats
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.metrics import Era
from crowdalpha.simulation.replay import FOLD, Timetable
from crowdalpha.tournament import ledger, seeds, settlement
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import FINAL_BAGS, Round
from crowdalpha.tournament.rulesets import NONE, RuleSet, rule_set
from crowdalpha.tournament.scoringday import Inputs, Scored, final_day, score_day
from crowdalpha.tournament.settlement import Settlement
from crowdalpha.tournament.stakes import AtRisk, Balances

Choice = tuple[float, float]
Units = NDArray[np.int64]
WEEKLY = Timetable()


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """What a rule made of a history: a row a round, a column a model, in whole units; `crowd` is the metamodel's CORR.

    `at_risk` and `paid` are (n_rounds, n_models), `opening` and `closing` (n_models,), `scores` one a round.
    """

    rule: str
    models: tuple[str, ...]
    at_risk: Units
    paid: Units
    opening: Units
    closing: Units
    crowd: Floats
    scores: tuple[Scored, ...]


def play(
    eras: Iterable[Era],
    stakes: Mapping[str, int],
    rule: str,
    *,
    choices: Mapping[str, Choice] | None = None,
    custom: Mapping[str, Policy] = NONE,
    master: bytes | None = None,
    bags: int = FINAL_BAGS,
    timetable: Timetable = WEEKLY,
) -> Season:
    """Play eras as rounds whose payouts are staked again: the first opens at the start of the timetable.

    `stakes` are the opening stakes in whole units. A model without a choice that the rule offers has the rule's
    default. `master` is what the bags are drawn from.
    """
    history = list(eras)
    table = _Table(rule_set(rule, custom), sorted({name for era in history for name in era.models}), stakes)
    for number, era in enumerate(history, 1):
        round = timetable.round(number, rule, n_bags=1, final_bags=bags, metrics=metrics_of(table.rules))
        table.resolve(round.close_time)
        frozen = freeze(number, table.models, era, table.rules, choices or {}, table.balances)
        table.risks.append(frozen)
        table.waiting.append((round, frozen, score(round, era, frozen, seed_of(number, master))))
    table.resolve(None)
    return table.season()


class _Table:
    """The state of a season: who holds what, which rounds wait for their end, and what came of the others."""

    def __init__(self, rules: RuleSet, models: Sequence[str], stakes: Mapping[str, int]) -> None:
        self.rules, self.models = rules, tuple(models)
        self.opening = [stakes.get(name, 0) for name in models]
        self.balances = opening_balances(dict(zip(models, self.opening, strict=True)))
        self.waiting: deque[tuple[Round, tuple[AtRisk, ...], Scored]] = deque()
        self.risks: list[tuple[AtRisk, ...]] = []
        self.scored: list[Scored] = []
        self.settled: list[Settlement] = []

    def resolve(self, until: datetime | None) -> None:
        """Pay the rounds that resolve up to a time, or all, in their order."""
        while self.waiting and (until is None or self.waiting[0][0].resolve_time <= until):
            round, frozen, found = self.waiting.popleft()
            self.scored.append(found)
            paid = pay(self.rules, round, frozen, self.scored, balances=self.balances)
            self.settled.append(paid)
            if paid.entry is not None:
                self.balances.update(ledger.changed(self.balances, paid.entry))

    def season(self) -> Season:
        """What came of all."""
        shape = (len(self.risks), len(self.models))
        return Season(
            self.rules.name,
            self.models,
            np.array([[risk.amount for risk in row] for row in self.risks], np.int64).reshape(shape),
            np.array([[payout.paid for payout in each.payouts] for each in self.settled], np.int64).reshape(shape),
            np.array(self.opening, np.int64),
            np.array([self.balances[ledger.stake(name)] for name in self.models], np.int64),
            np.array([each.crowd.get("corr", np.nan) for each in self.scored]),
            tuple(self.scored),
        )


def score(round: Round, era: Era, at_risk: Sequence[AtRisk], seed: bytes) -> Scored:
    """The final scores of an era as a round: everybody who predicts is on time."""
    present = {name: column for name, column in zip(era.models, era.predictions.T, strict=True) if _there(column)}
    sent = [
        Submission(name, round.number, name, round.open_time, "on_time", "", name, len(era.predictions))
        for name in present
    ]
    inputs = Inputs(round, sent, present, at_risk, seed)
    return score_day(inputs, final_day(round), era.given("target"))


def freeze(
    number: int,
    models: Iterable[str],
    era: Era,
    rules: RuleSet,
    choices: Mapping[str, Choice],
    balances: Balances,
) -> tuple[AtRisk, ...]:
    """What every model has at risk in a round: its stake if it predicts, else nothing."""
    there = {name for name, column in zip(era.models, era.predictions.T, strict=True) if _there(column)}
    return tuple(
        AtRisk(
            number,
            name,
            balances.get(ledger.stake(name), 0) if name in there else 0,
            *choice_of(rules, choices.get(name)),
        )
        for name in models
    )


def pay(
    rules: RuleSet, round: Round, at_risk: Sequence[AtRisk], scored: Sequence[Scored], *, balances: Balances
) -> Settlement:
    """Settle a round by its scores, the last of `scored`, and by those before it if the rule looks back."""
    paid = fractions(rules, at_risk, scored)
    return settlement.settle(round.number, at_risk, paid, round.resolve_time, balances=balances)


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


def choice_of(rules: RuleSet, wanted: Choice | None) -> Choice:
    """The multipliers that a model wants, or the rule's default if the rule does not offer them."""
    offered = rules.policy.choices
    if wanted is not None and (wanted in offered or not offered):
        return wanted
    return offered[0] if offered else (1.0, 0.0)


def seed_of(number: int, master: bytes | None) -> bytes:
    """The seed of a round's bags."""
    return seeds.round_seed(number, seeds.round_secret(master or master_of(0), number))


def master_of(seed: object) -> bytes:
    """The master secret of a season, from a seed."""
    return sha256(f"crowdalpha lab {seed}".encode()).digest()


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


def metrics_of(rules: RuleSet) -> tuple[str, ...]:
    """The scores that a rule is paid on, and CORR and MMC2, which all are shown."""
    return tuple(dict.fromkeys(("corr", "mmc2", rules.corr, rules.mmc)))


def _there(column: Floats) -> bool:
    return not np.isnan(column).any()


def opening_balances(stakes: Mapping[str, int]) -> dict[str, int]:
    """Everybody's stake, and a treasury that is far larger, as a replay has them."""
    balances = {ledger.stake(name): units for name, units in stakes.items()}
    return balances | {ledger.TREASURY: FOLD * sum(stakes.values())}
