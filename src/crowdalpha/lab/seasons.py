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

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.rounds import Choice, Staked, Units, fractions, in_order, metrics_of, pay, places, score, seed_of
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import refuse_if_any
from crowdalpha.simulation.replay import FOLD, Timetable
from crowdalpha.tournament.money import amount_problems
from crowdalpha.tournament.rounds import FINAL_BAGS
from crowdalpha.tournament.rulesets import NONE, RuleSet, rule_set
from crowdalpha.tournament.scoringday import Scored

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
    rule: str | RuleSet,
    *,
    models: Sequence[str] = (),
    choices: Mapping[str, Choice] | None = None,
    custom: Mapping[str, Policy] = NONE,
    master: bytes | None = None,
    bags: int = FINAL_BAGS,
    metrics: Sequence[str] = (),
    timetable: Timetable = WEEKLY,
) -> Season:
    """Play eras as rounds whose payouts are staked again: the first opens at the start of the timetable.

    `stakes` are the opening stakes in whole units. `models` are all that may predict: with them, eras are drawn one at
    a time; without, all are read to find out. A model without a choice that the rule offers has the rule's default.
    `master` is what the bags are drawn from. `metrics` are those of `metrics_of` unless only some are wanted, among
    them those of `paid_on`.
    """
    history = eras if models else list(eras)
    names = sorted(models or {name for era in history for name in era.models})
    rules, secret = rule if isinstance(rule, RuleSet) else rule_set(rule, custom), master or master_of(0)
    table = _Table(rules, Staked.of(rules, {name: stakes.get(name, 0) for name in names}, choices or {}))
    table.treasury = treasury_of(stakes)
    for number, era in enumerate(history, 1):
        round, there = timetable.round(number, rules.name), in_order(era)
        table.resolve(round.close_time)
        units = table.freeze(there.models, round.resolve_time)
        scored = score(there, units, metrics or metrics_of(rules), seed=seed_of(number, secret), bags=bags)
        table.scored.append(scored)
    table.resolve(None)
    return table.season()


class _Table:
    """The state of a season: who holds what, which rounds wait for their end, and what came of the others."""

    def __init__(self, rules: RuleSet, opening: Staked) -> None:
        self.rules, self.opening, self.held = rules, opening, opening.amounts.copy()
        self.treasury = self.rounding = 0
        self.waiting: deque[datetime] = deque()
        self.at_risk: list[Units] = []
        self.scored: list[Scored] = []
        self.paid: list[Units] = []

    def freeze(self, models: tuple[str, ...], resolved: datetime) -> Units:
        """What the models that predict have at risk from now on, until a round is resolved."""
        columns = places(models, self.opening.models)
        at_risk = np.zeros_like(self.held)
        at_risk[columns] = self.held[columns]
        self.at_risk.append(at_risk)
        self.waiting.append(resolved)
        return at_risk[columns]

    def resolve(self, until: datetime | None) -> None:
        """Pay the rounds that resolve up to a time, or all, in their order."""
        while self.waiting and (until is None or self.waiting[0] <= until):
            self.waiting.popleft()
            self._pay(len(self.paid))

    def _pay(self, number: int) -> None:
        """Pay a round, the first being number 0."""
        staked, window = self.opening.with_amounts(self.at_risk[number]), self.rules.policy.window
        given = fractions(self.rules, staked, self.scored[max(0, number + 1 - window) : number + 1])
        found = pay(staked, given, self.held, treasury=self.treasury, rounding=self.rounding)
        self.paid.append(np.array(found.paid, np.int64))
        self.held = self.held + self.paid[-1]
        self.treasury -= found.spent
        self.rounding += found.left_over

    def season(self) -> Season:
        """What came of all."""
        shape = (len(self.at_risk), len(self.held))
        return Season(
            self.rules.name,
            self.opening.models,
            np.array(self.at_risk, np.int64).reshape(shape),
            np.array(self.paid, np.int64).reshape(shape),
            self.opening.amounts,
            self.held,
            np.array([each.crowd.get("corr", np.nan) for each in self.scored]),
            tuple(self.scored),
        )


def treasury_of(stakes: Mapping[str, int]) -> int:
    """What the treasury holds at first: far more than all stakes, as in a replay."""
    units = FOLD * sum(stakes.values())
    refuse_if_any(amount_problems(units, "the treasury"))
    return units


def master_of(seed: object) -> bytes:
    """The master secret of a season, from a seed."""
    return sha256(f"crowdalpha lab {seed}".encode()).digest()
