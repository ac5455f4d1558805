"""A round on arrays pays what the settlement of records pays, and a season what the slow way of records comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.rounds import Staked, fractions, in_order, paid_on, pay
from crowdalpha.lab.seasons import master_of, play
from crowdalpha.payouts import POLICIES
from crowdalpha.scoring.metrics import Era
from crowdalpha.simulation.replay import FOLD, Timetable
from crowdalpha.tournament import ledger, seeds, settlement
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.rulesets import rule_set
from crowdalpha.tournament.scoringday import Inputs, Scored, final_day, score_day
from crowdalpha.tournament.stakes import AtRisk

START, BAGS = Timetable().start, 3
Choices = Mapping[str, tuple[float, float]]
AMOUNTS = st.integers(0, 10**16)
SCORES = st.floats(-1, 1) | st.sampled_from([0.0, 0.25, -0.25, 0.5, 1e-300])


@given(
    st.sampled_from(sorted(POLICIES)),
    st.lists(st.tuples(AMOUNTS, AMOUNTS, SCORES, SCORES, st.integers(0, 3)), min_size=1, max_size=12),
    AMOUNTS,
    st.integers(0, 9),
    st.floats(-1, 1),
)
def test_a_round_on_arrays_is_paid_as_records_are_to_the_unit(
    rule: str, rows: list[tuple[int, int, float, float, int]], treasury: int, rounding: int, crowd: float
) -> None:
    rules = rule_set(rule)
    names = tuple(f"m{j:02d}" for j in range(len(rows)))
    offered = rules.policy.choices or ((1.0, 0.0), (0.5, 2.0))
    choices = {name: offered[row[4] % len(offered)] for name, row in zip(names, rows, strict=True)}
    staked = Staked.of(rules, {name: row[0] for name, row in zip(names, rows, strict=True)}, choices)
    columns = {rules.corr: np.array([row[2] for row in rows]), rules.mmc: np.array([row[3] for row in rows])}
    scored = [Scored(names, columns, {rules.corr: crowd})]
    given = fractions(rules, staked, scored)
    found = pay(staked, given, np.array([row[1] for row in rows]), treasury=treasury, rounding=rounding)

    risks = [AtRisk(7, name, row[0], *choices[name]) for name, row in zip(names, rows, strict=True)]
    window = rules.policy.window
    seen = [np.full((window, len(rows)), np.nan) if window > 1 else columns[name] for name in (rules.corr, rules.mmc)]
    if window > 1:
        seen[0][-1], seen[1][-1] = columns[rules.corr], columns[rules.mmc]
    shares = settlement.fractions(
        rules.policy, risks, *seen,
        payout_factor=settlement.round_factor(risks, rules.threshold), metamodel_corr=crowd,
    )  # fmt: skip
    balances = {ledger.stake(name): row[1] for name, row in zip(names, rows, strict=True)}
    balances |= {ledger.TREASURY: treasury, ledger.ROUNDING: rounding}
    settled = settlement.settle(7, risks, shares, START, balances=balances)
    assert list(found.paid) == [payout.paid for payout in settled.payouts]
    assert list(found.owed) == [payout.owed for payout in settled.payouts]
    moved = {posting.account: posting.amount for posting in settled.entry.postings} if settled.entry else {}
    assert -found.spent == moved.get(ledger.TREASURY, 0)
    assert found.left_over == moved.get(ledger.ROUNDING, 0)
    assert found.burned == moved.get(ledger.BURNED, 0)


@settings(max_examples=12)
@given(
    st.sampled_from(["corr-or-twice-mmc", "hard-era", "sharpe", "factor-inside-the-clip", "rank-bonus", "heavier-mmc"]),
    st.integers(0, 10**6),
    st.sampled_from([1.0, 0.6]),
    st.sampled_from([0.0, 1.2]),
)
def test_a_season_comes_to_what_the_slow_way_of_records_comes_to(
    rule: str, seed: int, present: float, tail: float
) -> None:
    world = World(Shape(models=5, ids=30, edge=0.6, present=present, tail=tail), seed)
    eras = [shuffled(drawn.era, seed) for drawn in world.rounds(7)]
    choices = {"m000": (0.0, 2.0), "m001": (1.0, 1.0)}
    stakes = {name: units for name, units in world.stakes.items() if name != "m002"}
    found = play(eras, stakes, rule, choices=choices, master=master_of(seed), bags=BAGS)
    slow = Slow(rule, world.models, stakes, choices)
    slow.play(eras, master_of(seed))
    assert found.models == world.models
    assert found.at_risk.tolist() == [[risk.amount for risk in row] for row in slow.risks]
    assert found.paid.tolist() == [[payout.paid for payout in each.payouts] for each in slow.settled]
    assert found.closing.tolist() == [slow.balances.get(ledger.stake(name), 0) for name in world.models]
    assert (found.crowd == [each.crowd["corr"] for each in slow.scores]).all()
    lazily = play(iter(eras), stakes, rule, models=world.models, choices=choices, master=master_of(seed), bags=BAGS)
    assert lazily.paid.tolist() == found.paid.tolist()
    barely = play(
        eras, stakes, rule, choices=choices, master=master_of(seed), bags=BAGS, metrics=paid_on(rule_set(rule))
    )
    assert barely.paid.tolist() == found.paid.tolist()
    assert barely.crowd.tolist() == found.crowd.tolist()


def test_columns_are_put_in_order_and_who_is_absent_is_left_out() -> None:
    era = Era(np.array([[1.0, np.nan, 3.0], [2.0, np.nan, 1.0]]), models=("c", "b", "a"))
    ordered = in_order(era)
    assert ordered.models == ("a", "c")
    assert ordered.predictions.tolist() == [[3.0, 1.0], [1.0, 2.0]]
    assert in_order(ordered) is ordered


def test_a_treasury_that_no_ledger_could_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="the treasury"):
        play([], {"rich": 2**60}, "corr")


def shuffled(era: Era, seed: int) -> Era:
    """The same era with its columns in another order."""
    order = np.random.default_rng(seed).permutation(len(era.models))
    return replace(era, predictions=era.predictions[:, order], models=tuple(era.models[j] for j in order))


class Slow:
    """A season with a record for everything, as the engine keeps them: what is at risk and paid, and all balances."""

    def __init__(self, rule: str, models: Sequence[str], stakes: Mapping[str, int], choices: Choices) -> None:
        self.rules, self.models, self.choices = rule_set(rule), models, choices
        self.balances = {ledger.stake(name): units for name, units in stakes.items()}
        self.balances[ledger.TREASURY] = FOLD * sum(stakes.values())
        self.rounds: list[Round] = []
        self.risks: list[list[AtRisk]] = []
        self.scores: list[Scored] = []
        self.settled: list[settlement.Settlement] = []

    def play(self, eras: Sequence[Era], master: bytes) -> None:
        for number, era in enumerate(eras, 1):
            metrics = ("corr", "mmc2", self.rules.corr, self.rules.mmc)
            round = Timetable().round(number, self.rules.name, n_bags=1, final_bags=BAGS, metrics=metrics)
            while len(self.settled) < number - 1 and self.rounds[len(self.settled)].resolve_time <= round.close_time:
                self.settle()
            columns = dict(zip(era.models, era.predictions.T, strict=True))
            there = {name: column for name, column in columns.items() if not np.isnan(column).any()}
            self.rounds.append(round)
            self.risks.append([self.risk(number, name, name in there) for name in self.models])
            sent = [Submission(name, number, name, round.open_time, "on_time", "", name, 1) for name in there]
            seed = seeds.round_seed(number, seeds.round_secret(master, number))
            inputs = Inputs(round, sent, there, self.risks[-1], seed)
            self.scores.append(score_day(inputs, final_day(round), era.given("target")))
        while len(self.settled) < len(self.rounds):
            self.settle()

    def risk(self, number: int, name: str, there: bool) -> AtRisk:
        offered = self.rules.policy.choices
        wanted = self.choices.get(name, offered[0])
        amount = self.balances.get(ledger.stake(name), 0) if there else 0
        return AtRisk(number, name, amount, *(wanted if wanted in offered else offered[0]))

    def settle(self) -> None:
        k = len(self.settled)
        shares = settlement.fractions(
            self.rules.policy,
            self.risks[k],
            self.looked_at(k, self.rules.corr),
            self.looked_at(k, self.rules.mmc),
            payout_factor=settlement.round_factor(self.risks[k], self.rules.threshold),
            metamodel_corr=self.scores[k].crowd[self.rules.corr],
        )
        settled = settlement.settle(k + 1, self.risks[k], shares, START, balances=self.balances)
        self.settled.append(settled)
        self.balances.update(ledger.changed(self.balances, settled.entry) if settled.entry else {})

    def looked_at(self, k: int, metric: str) -> list[Any]:
        rows = [self.past(each, metric) for each in range(k + 1 - self.rules.policy.window, k)]
        rows.append(self.scores[k].of(metric, self.models))
        return rows if len(rows) > 1 else rows[0]

    def past(self, k: int, metric: str) -> list[float]:
        known = dict(zip(self.scores[k].models, self.scores[k].scores[metric].tolist(), strict=True)) if k >= 0 else {}
        return [known.get(name, np.nan) for name in self.models]
