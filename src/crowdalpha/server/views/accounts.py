"""One account's own page: all its models at once, its money, what it sent in, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crowdalpha.engine import Engine, Holding, Statement
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.charts import Column
from crowdalpha.server.results import newest_day
from crowdalpha.server.rounds import RoundState
from crowdalpha.server.views.rounds import running
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import rule_set

LATEST = 20
"""Submissions and movements of money that the page shows; the files have all."""
WORDS = {
    "deposit": "Paid in",
    "withdrawal": "Paid out",
    "settle": "Round settled",
    "reserve": "Reserved for a stake",
    "stake": "Staked",
    "release": "Released",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission with the round it was for, and its newest scores, if that round has any: final once it is over."""

    submission: Submission
    model: str
    round: Round
    stage: Stage
    day: int
    scores: Mapping[str, float]

    @property
    def final(self) -> bool:
        """Whether the scores are those that paid."""
        return self.stage is Stage.RESOLVED


@dataclass(frozen=True, slots=True)
class Own:
    """A model on its owner's page: its money, what it sent in for the open round, and the payouts it may choose."""

    holding: Holding
    sent: Submission | None
    chosen: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry as it moved this account: what came into the wallet, and into its models."""

    entry: Entry
    words: str
    wallet: int
    models: int


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as only its owner may see it."""

    statement: Statement
    models: tuple[Own, ...]
    sent: tuple[Sent, ...]
    movements: tuple[Movement, ...]
    open: Round | None
    coming: Round | None
    choices: tuple[tuple[float, float], ...]

    @property
    def staked(self) -> int:
        """What all its models have staked."""
        return sum(own.holding.stake for own in self.models)

    @property
    def table(self) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
        """Every movement as columns and rows, for a file."""
        columns = (
            Column("time"),
            Column("what"),
            Column("entry"),
            Column("wallet", "change"),
            Column("models", "change"),
        )
        rows = tuple((m.entry.at.isoformat(), m.entry.kind, m.entry.id, m.wallet, m.models) for m in self.movements)
        return columns, rows


def account_view(engine: Engine, id: str, now: datetime) -> AccountView:
    """The page of an account; refused with code `unknown` if there is none."""
    statement = engine.account(id)
    open, coming = running(engine, now)
    names = {holding.model.id: holding.model.name for holding in statement.models}
    with engine.store.reading() as work:
        sent = [found for model in names for found in work.find(Submission, model=model)]
        newest = sorted(sent, key=lambda s: (s.received_at, s.id), reverse=True)
        shown = tuple(_sent(work, submission, names) for submission in newest[:LATEST])
    counted = {s.model: s for s in reversed(newest) if open and s.round == open.number and s.status == "on_time"}
    models = tuple(_own(holding, counted.get(holding.model.id)) for holding in statement.models)
    movements = tuple(_movement(entry, statement) for entry in reversed(statement.entries))
    return AccountView(statement, models, shown, movements, open, coming, _choices(open or coming))


def _own(holding: Holding, sent: Submission | None) -> Own:
    model = holding.model
    chosen = None
    if model.corr_multiplier is not None and model.mmc_multiplier is not None:
        chosen = (model.corr_multiplier, model.mmc_multiplier)
    return Own(holding, sent, chosen)


def _sent(work: Reading, submission: Submission, names: Mapping[str, str]) -> Sent:
    """A submission with the scores of the last day that its round has been scored on."""
    round, progress = work.get(Round, submission.round), work.get(Progress, submission.round)
    assert round is not None
    assert progress is not None
    day = newest_day(RoundState(round, progress))
    key = {"round": round.number, "rule_set": round.rule_set, "day": day, "model": submission.model}
    scores = {score.metric: score.value for score in work.find(Score, **key)} if day else {}
    return Sent(submission, names[submission.model], round, progress.stage, day, scores)


def _movement(entry: Entry, statement: Statement) -> Movement:
    wallet = f"wallet:{statement.account.id}"
    own = {holding.model.id for holding in statement.models}
    moved = {posting.account: posting.amount for posting in entry.postings}
    models = sum(amount for name, amount in moved.items() if name != wallet and name.partition(":")[2] in own)
    return Movement(entry, WORDS.get(entry.kind, entry.kind.capitalize()), moved.get(wallet, 0), models)


def _choices(round: Round | None) -> tuple[tuple[float, float], ...]:
    """The pairs of multipliers that the rule of a round leaves to a model."""
    if round is None:
        return ()
    try:
        return tuple(rule_set(round.rule).policy.choices)
    except InputError:
        return ()


def model_of(view: AccountView, id: str) -> Model | None:
    """One of the account's own models."""
    return next((own.holding.model for own in view.models if own.holding.model.id == id), None)
