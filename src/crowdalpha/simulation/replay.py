"""Replay: a history of predictions, targets and opening stakes played through the engine, as a tournament.

Every era becomes a round. Rounds open a week apart and are paid four weeks after they opened, so that four of them are
at risk at once, and what a round pays is staked four rounds later.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdalpha.engine import Engine, Overview
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament import ledger, submissions
from crowdalpha.tournament.rounds import FINAL_BAGS, Round
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

if TYPE_CHECKING:
    from crowdalpha.scoring.metrics import Era

WEEK = timedelta(days=7)
START = datetime(2020, 5, 2, 18, tzinfo=UTC)
"""When the first round opens: the Saturday on which the first MMC round did."""
ANY_NUMBER = submissions.SubmissionRules(lowest=-1e150, highest=1e150)
"""What a history's predictions are checked by: only their order counts, so any range will do."""
FOLD = 1000
"""How many times what is staked the treasury holds."""
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Timetable:
    """When rounds happen: the first opens at `start`, one `every` so often, for `open_for`; paid after `resolved_in`.

    The target arrives once, when a round resolves: a history has no parts of it.
    """

    start: datetime = START
    every: timedelta = WEEK
    open_for: timedelta = timedelta(days=2)
    resolved_in: timedelta = 4 * WEEK

    def round(self, number: int, rule: str, **settings: Any) -> Round:
        """The round of a number, counted from 1."""
        opens = self.start + (number - 1) * self.every
        return Round(
            number=number,
            open_time=opens,
            close_time=opens + self.open_for,
            scoring_times=(),
            resolve_time=opens + self.resolved_in,
            rule=rule,
            commitment="0" * 64,
            **settings,
        )


@dataclass(frozen=True)
class Replayed:
    """What came of a history: its rounds in order, what was at risk in each, what it paid, who ended with what.

    Amounts are whole units. `eras` are the names of the rounds in the history, `opening` and `closing` the stakes of
    every model at the beginning and at the end, `refused` the models that were not taken in an era, and why.
    """

    eras: tuple[str, ...]
    rounds: tuple[Overview, ...]
    at_risk: tuple[AtRisk, ...]
    payouts: tuple[Payout, ...]
    opening: Mapping[str, int]
    closing: Mapping[str, int]
    treasury: int
    refused: Mapping[tuple[str, str], str] = field(default_factory=dict)


def judge(content: bytes, ids: Sequence[str], rules: submissions.SubmissionRules) -> submissions.Verdict:
    """Check a Parquet file that this process has written itself: it needs no limits."""
    import pyarrow.parquet as pq

    return submissions.check(pq.ParquetFile(io.BytesIO(content)).read(use_threads=False), ids, rules)


def replay(
    engine: Engine,
    eras: Iterable[Era],
    stakes: Mapping[str, int],
    *,
    rule: str,
    choice: tuple[float, float] | None = None,
    timetable: Timetable = Timetable(),
    final_bags: int = FINAL_BAGS,
    metrics: Sequence[str] = ("corr", "mmc2"),
    told: Told = lambda done, all: None,
) -> Replayed:
    """Play a history through an engine that has not played yet, and whose rules are ANY_NUMBER.

    `stakes` are the opening stakes of the models in whole units; those without one are scored. All choose `choice`
    (None: the rule's default). Payouts are staked again. `told` hears how many of how many rounds are begun.
    """
    history = list(eras)
    begin = timetable.start - timetable.every
    models = sorted({name for era in history for name in era.models})
    _enter(engine, models, stakes, choice, begin)
    refused: dict[tuple[str, str], str] = {}
    for number, era in enumerate(history, 1):
        round = timetable.round(number, rule, n_bags=1, final_bags=final_bags, metrics=tuple(metrics))
        engine.schedule(round, era.ids, begin)
        engine.tick(round.open_time)
        engine.set_target(number, None, dict(zip(era.ids, era.given("target").tolist(), strict=True)))
        refused |= hand_in(engine, era, number, round.open_time)
        engine.tick(round.close_time)
        told(number, len(history))
    engine.tick(timetable.round(len(history), rule).resolve_time)
    return _outcome(engine, [str(era.label) for era in history], models, stakes, refused)


def _enter(
    engine: Engine, models: Sequence[str], stakes: Mapping[str, int], choice: tuple[float, float] | None, at: datetime
) -> None:
    """Accounts, models and their opening stakes, and a treasury that is far larger."""
    if any(stakes.values()):
        engine.deposit("treasury", FOLD * sum(stakes.values()), at, into=ledger.TREASURY)
    for name in models:
        engine.open_account(name, name, at)
        engine.add_model(name, name, name, at, choice=choice)
        if stakes.get(name, 0):
            engine.deposit(f"opening:{name}", stakes[name], at, into=ledger.wallet(name))
            engine.stake_increase(f"opening:{name}", name, stakes[name], at)


def hand_in(engine: Engine, era: Era, number: int, at: datetime) -> dict[tuple[str, str], str]:
    """Hand in what the models of an era predicted for the round of that number; whose was refused, and why."""
    import pyarrow as pa

    refused, ids = {}, pa.array(era.ids, pa.string())
    for name, column in zip(era.models, era.predictions.T, strict=True):
        if not np.isnan(column).all():
            try:
                engine.submit(f"{number}:{name}", name, _file(ids, column), at)
            except InputError as error:
                refused[str(era.label), name] = str(error)
    return refused


def _file(ids: Any, column: Any) -> bytes:
    """Predictions as the Parquet file that a participant would upload, written and read in the least time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    table = pa.table({"id": ids, "prediction": column})
    pq.write_table(table, out, compression="none", use_dictionary=False, write_statistics=False, store_schema=False)
    return out.getvalue()


def _outcome(
    engine: Engine,
    eras: Sequence[str],
    models: Sequence[str],
    stakes: Mapping[str, int],
    refused: Mapping[tuple[str, str], str],
) -> Replayed:
    with engine.store.reading() as work:
        return Replayed(
            tuple(eras),
            tuple(engine.round_list()),
            tuple(work.find(AtRisk)),
            tuple(work.find(Payout)),
            {name: stakes.get(name, 0) for name in models},
            {name: work.balance(ledger.stake(name)) for name in models},
            work.balance(ledger.TREASURY),
            refused,
        )
