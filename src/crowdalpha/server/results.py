"""What came of it: scores, what rounds paid, leaderboards. Public, as soon as a day is scored."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from crowdalpha.engine import Board
from crowdalpha.server.callers import Caller
from crowdalpha.server.office import Office, found
from crowdalpha.server.rounds import RoundState
from crowdalpha.tournament.history import YEAR
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Account, Model, Progress, Score
from crowdalpha.tournament.resampling import DEFAULT, Resampling
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.scoringday import final_day, time_of
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

ROUNDS_REMEMBERED = 4000


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score of a model on a day, when that day was, and what share of the scores of that day it is above.

    `percentile` lies in [0, 1], ties in the middle of their places; None where there is no score. `value` may be NaN.
    """

    state: RoundState
    score: Score
    at: datetime
    percentile: float | None

    @property
    def resolved(self) -> bool:
        """Whether its round is over."""
        return self.state.progress.stage is Stage.RESOLVED


@dataclass(frozen=True, slots=True)
class Performance:
    """A model in a round: its scores, newest day last, what it had at risk, what it was paid (None before)."""

    state: RoundState
    scores: tuple[ScoreRow, ...]
    at_risk: AtRisk | None
    payout: Payout | None


class Results:
    """Verbs about results."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._ranked = lru_cache(ROUNDS_REMEMBERED)(self._ranked_of)
        self.leaderboard = _once_a_tick(office, self._leaderboard)

    def scores(
        self,
        who: Caller,
        model: str,
        *,
        metric: str | None = None,
        rounds: tuple[int, int] | None = None,
        resolved: bool | None = None,
        latest: bool = False,
        last_rounds: int | None = None,
    ) -> list[ScoreRow]:
        """The scores of a model, newest round first and newest day first in it.

        Of one metric, of rounds numbered from the first to the last of `rounds` or the last few, over or not, all
        days or only the latest of each round.
        """
        with self._office.engine.store.reading() as work:
            found(work.get(Model, model), "model", model)
            every = [s for s in work.find(Score, model=model) if metric is None or s.metric == metric]
            states = {number: _state(work, number) for number in {score.round for score in every}}
        kept = [s for s in every if s.rule_set == states[s.round].round.rule_set]  # rescored ones are no results
        kept = [s for s in kept if rounds is None or rounds[0] <= s.round <= rounds[1]]
        if resolved is not None:
            kept = [s for s in kept if (states[s.round].progress.stage is Stage.RESOLVED) is resolved]
        if last_rounds is not None:
            newest = sorted({score.round for score in kept}, reverse=True)[:last_rounds]
            kept = [s for s in kept if s.round in newest]
        if latest:
            last = {number: max(s.day for s in kept if s.round == number) for number in {s.round for s in kept}}
            kept = [s for s in kept if s.day == last[s.round]]
        kept.sort(key=lambda s: (-s.round, -s.day, s.metric))
        return [self._row(states[score.round], score) for score in kept]

    def performances(self, who: Caller, model: str, *, latest: bool = True) -> list[Performance]:
        """How a model did in each round it was scored or had something at risk in, newest first."""
        scores = self.scores(who, model, latest=latest)
        with self._office.engine.store.reading() as work:
            risks = {risk.round: risk for risk in work.find(AtRisk, model=model)}
            payouts = {payout.round: payout for payout in work.find(Payout, model=model)}
            numbers = {row.score.round for row in scores} | {n for n, risk in risks.items() if risk.amount}
            states = {number: _state(work, number) for number in numbers}
        rows = {number: [row for row in scores if row.score.round == number] for number in numbers}
        return [
            Performance(states[n], tuple(reversed(rows[n])), risks.get(n), payouts.get(n))
            for n in sorted(numbers, reverse=True)
        ]

    def names(self) -> tuple[Mapping[str, Model], Mapping[str, Account]]:
        """All models and all accounts by their ids: what the lines of a leaderboard are called."""
        with self._office.engine.store.reading() as work:
            models, accounts = work.find(Model), work.find(Account)
        return {model.id: model for model in models}, {account.id: account for account in accounts}

    def _leaderboard(
        self,
        who: Caller,
        metric: str = "mmc2",
        *,
        method: str = "mean",
        window: timedelta | None = YEAR,
        by_account: bool = False,
        resampling: Resampling = DEFAULT,
    ) -> Board:
        """Models, or accounts, ranked by a metric over the rounds resolved within the window; `names` names them."""
        return self._office.engine.leaderboard(
            metric, now=who.now, method=method, window=window, by_account=by_account, resampling=resampling
        )

    def _row(self, state: RoundState, score: Score) -> ScoreRow:
        others = self._ranked(score.round, score.rule_set, score.day, score.metric)
        share = None
        if score.value == score.value and others:
            share = (bisect_left(others, score.value) + bisect_right(others, score.value)) / 2 / len(others)
        return ScoreRow(state, score, time_of(state.round, score.day), share)

    def _ranked_of(self, round: int, rule_set: str, day: int, metric: str) -> tuple[float, ...]:
        """All scores of a day in order, but the metamodel's. They are written at once and never change."""
        with self._office.engine.store.reading() as work:
            scores = work.find(Score, round=round, rule_set=rule_set, day=day, metric=metric)
        return tuple(sorted(s.value for s in scores if s.model != METAMODEL and s.value == s.value))


def newest_day(state: RoundState) -> int:
    """The last day that a round has been scored on; 0 for none."""
    if state.progress.stage is Stage.RESOLVED:
        return final_day(state.round)
    return max(state.progress.scored_days, default=0)


def _state(work: Reading, number: int) -> RoundState:
    round, progress = work.get(Round, number), work.get(Progress, number)
    return RoundState(found(round, "round", number), found(progress, "round", number))


def _once_a_tick(office: Office, ask: Callable[..., Board]) -> Callable[..., Board]:
    """Ask again only when another round has resolved, or a day has passed: intervals take thousands of draws."""
    answers: dict[object, Board] = {}

    def asked(who: Caller, metric: str = "mmc2", **how: object) -> Board:
        with office.engine.store.reading() as work:
            over = len(work.find(Progress, stage=Stage.RESOLVED))
        key = (over, len(office.settings.name), who.now.date(), metric, *sorted(how.items(), key=lambda one: one[0]))
        if key not in answers:
            for old in list(answers)[:-50]:
                answers.pop(old, None)
            answers[key] = ask(who, metric, **how)
        return answers[key]

    return asked
