"""What a leaderboard is made from: one metric of many models over many rounds, and what they had at risk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from crowdalpha.scoring.arrays import Floats, Mask, Whole
from crowdalpha.scoring.problems import Problem, refuse_if_any

if TYPE_CHECKING:
    from crowdalpha.tournament.records import Score
    from crowdalpha.tournament.rounds import Round

YEAR = timedelta(days=365)
MOST_AT_RISK = 2**62
"""Whole units that a round may have at risk in all, so that their sum is exact in 64 bits."""


class Risk(Protocol):
    """What a model had at risk in a round, in whole units; the stakes' AtRisk is one."""

    @property
    def round(self) -> int:
        """The number of the round."""

    @property
    def model(self) -> str:
        """The model's id."""

    @property
    def amount(self) -> int:
        """Whole units, 0 or more."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One metric over rounds, oldest first: whose, how much, and with how much at risk.

    `rounds` and `resolved` hold the number and the resolve time of each round, `models` the names (of models, or of
    accounts). `scores` (n_rounds, n_models) is NaN where a submission is missing or failed; `at_risk` (n_rounds,
    n_models) is in whole units, and 0 there: nothing is at risk without a score. Nobody writes to the arrays.
    """

    rounds: tuple[int, ...]
    resolved: tuple[datetime, ...]
    models: tuple[str, ...]
    scores: Floats
    at_risk: Whole

    def __post_init__(self) -> None:
        refuse_if_any(_problems_of_shape(self))
        refuse_if_any(_problems_of_values(self))

    @classmethod
    def of(
        cls, rounds: Iterable[Round], scores: Iterable[Score], at_risk: Iterable[Risk] = (), models: Iterable[str] = ()
    ) -> History:
        """The history in a tournament's records: one score at most for each round and model.

        `models` names those who take part even if they have never submitted. Records of other rounds, two scores
        in one place (of two metrics, or two days) and stakes at risk without a score are refused.
        """
        order = sorted(rounds, key=lambda round: round.number)
        scores, at_risk = tuple(scores), tuple(at_risk)
        names = tuple(sorted({*models, *(score.model for score in scores), *(risk.model for risk in at_risk)}))
        row = {round.number: i for i, round in enumerate(order)}
        column = {name: j for j, name in enumerate(names)}
        refuse_if_any([*_strangers("score", scores, row), *_strangers("stake at risk", at_risk, row)])
        shape = (len(order), len(names))
        values, amounts = np.full(shape, np.nan), np.zeros(shape, np.int64)
        for score in scores:
            values[row[score.round], column[score.model]] = score.value
        refuse_if_any(_bad_amount(risk) for risk in at_risk if not 0 <= risk.amount < MOST_AT_RISK)
        for risk in at_risk:
            amounts[row[risk.round], column[risk.model]] = risk.amount
        times = tuple(round.resolve_time for round in order)
        return cls(tuple(row), times, names, values, amounts)

    @property
    def scored(self) -> Mask:
        """Where there is a score, (n_rounds, n_models)."""
        return np.logical_not(np.isnan(self.scores))

    def between(self, first: int, last: int) -> History:
        """The rounds numbered from `first` to `last`, both included."""
        return self._only([first <= number <= last for number in self.rounds])

    def latest(self, n_rounds: int) -> History:
        """The newest rounds, fewer if there are not as many."""
        return self._only([len(self.rounds) - i <= n_rounds for i in range(len(self.rounds))])

    def resolved_within(self, span: timedelta, until: datetime) -> History:
        """The rounds resolved in the span that ends at, and includes, a moment."""
        return self._only([until - span < time <= until for time in self.resolved])

    def year_to(self, now: datetime) -> History:
        """The rounds resolved in the past year: the window of the one-year mean."""
        return self.resolved_within(YEAR, now)

    def by_account(self, accounts: Mapping[str, str]) -> History:
        """The history of accounts: each one's score is that of its models, weighted by what they had at risk.

            score = sum_j score_j at_risk_j / sum_j at_risk_j

        `accounts` maps every model to its account. An account has no score in a round in which it had nothing at
        risk. The result is the same to the bit in any order of the models. Source: [SPEC 3].
        """
        refuse_if_any(_homeless(self.models, accounts))
        names = sorted({accounts[model] for model in self.models})
        place = {name: j for j, name in enumerate(names)}
        owner = [place[accounts[model]] for model in self.models]
        total = np.zeros((len(self.rounds), len(names)), np.int64)
        for j, account in enumerate(owner):
            total[:, account] += self.at_risk[:, j]
        scores = np.where(total > 0, 0.0, np.nan)
        for j in sorted(range(len(owner)), key=self.models.__getitem__):
            share = self.at_risk[:, j] / np.maximum(total[:, owner[j]], 1)
            scores[:, owner[j]] += np.where(share > 0, self.scores[:, j] * share, 0.0)
        return History(self.rounds, self.resolved, tuple(names), scores, total)

    def _only(self, wanted: list[bool]) -> History:
        rows = np.flatnonzero(wanted)
        rounds, resolved = tuple(self.rounds[i] for i in rows), tuple(self.resolved[i] for i in rows)
        return History(rounds, resolved, self.models, self.scores[rows], self.at_risk[rows])


def _problems_of_shape(history: History) -> Iterator[Problem]:
    n_rounds, n_models = len(history.rounds), len(history.models)
    for name in ("scores", "at_risk"):
        found = getattr(history, name).shape
        if found != (n_rounds, n_models):
            expected = f"{name} of shape ({n_rounds}, {n_models})"
            yield Problem("misaligned", expected, f"shape {found}", "give each round and model one", name)
    if len(history.resolved) != n_rounds:
        expected = f"{n_rounds} resolve times"
        yield Problem("misaligned", expected, str(len(history.resolved)), "give each round one", "resolved")
    if not all(older < newer for older, newer in pairwise(history.rounds)):
        yield Problem("bad_rounds", "each round once, oldest first", str(history.rounds), "sort them", "rounds")
    if len(set(history.models)) < n_models:
        yield Problem("bad_models", "each model once", f"{n_models} names, some equal", "merge them", "models")


def _problems_of_values(history: History) -> Iterator[Problem]:
    if np.isinf(history.scores).any():
        found = f"{np.isinf(history.scores).sum()} infinite"
        yield Problem("inf_in_scores", "finite scores, or NaN", found, "put NaN where there is no score", "scores")
    if (history.at_risk < 0).any() or (history.at_risk.sum(axis=1, dtype=np.float64) >= MOST_AT_RISK).any():
        expected = "0 or more whole units each, below 2^62 a round"
        yield Problem("bad_at_risk", expected, "others", "give stakes in units of 10^-9", "at_risk")
    for i, j in np.argwhere(np.isnan(history.scores) & (history.at_risk > 0)):
        place = f"round {history.rounds[i]}, model {history.models[j]}"
        fix = "put nothing at risk where a submission is missing or failed"
        yield Problem("score_missing", "a score where a stake is at risk", "none", fix, place)


def _strangers(what: str, records: Iterable[Score | Risk], known: Mapping[int, int]) -> Iterator[Problem]:
    """Records of rounds that were not named, and second records of a model in a round."""
    seen: set[tuple[int, str]] = set()
    for record in records:
        place = f"round {record.round}, model {record.model}"
        if record.round not in known:
            yield Problem("unknown_round", f"a {what} of the rounds named", "another", "name its round too", place)
        if (record.round, record.model) in seen:
            fix = "choose one metric, rule set and day first"
            yield Problem("twice_in_history", f"one {what}", "another of the same", fix, place)
        seen.add((record.round, record.model))


def _bad_amount(risk: Risk) -> Problem:
    place = f"round {risk.round}, model {risk.model}"
    return Problem("bad_at_risk", "0 to 2^62 whole units", str(risk.amount), "give stakes in units of 10^-9", place)


def _homeless(models: Iterable[str], accounts: Mapping[str, str]) -> Iterator[Problem]:
    for model in models:
        if model not in accounts:
            yield Problem("unknown_model", "an account for every model", "none", "name its account", f"model {model}")
