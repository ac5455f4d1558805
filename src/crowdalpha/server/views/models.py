"""A model's page: its scores in the rounds that are over, what it earned and burned, and where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from crowdalpha.diagnostics.bars import draw_bars
from crowdalpha.diagnostics.data import Bars, Lines, Point, Scatter, Series
from crowdalpha.diagnostics.lines import draw_lines
from crowdalpha.diagnostics.scatter import draw_scatter
from crowdalpha.engine import Engine
from crowdalpha.server.charts import Chart, Column
from crowdalpha.tournament import ledger
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import Account, Model, Progress, Score
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout

CORR, MMC = "corr", "mmc2"
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Played:
    """A resolved round that a model took part in: its scores, and what was paid (None for a benchmark)."""

    number: int
    resolved: datetime
    corr: float
    mmc: float
    payout: Payout | None


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as everybody may see it."""

    model: Model
    account: Account
    stake: int
    earned: int
    burned: int
    played: tuple[Played, ...]

    @property
    def mean_corr(self) -> float:
        """The mean of its CORR."""
        return _mean([round.corr for round in self.played])

    @property
    def mean_mmc(self) -> float:
        """The mean of its MMC2."""
        return _mean([round.mmc for round in self.played])

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Its history as drawings with their tables; none before its first score."""
        if not self.played:
            return ()
        money = (self._payouts,) if any(round.payout for round in self.played) else ()
        return (self._history, self._contributions, self._plane, *money)

    @property
    def _eras(self) -> tuple[str, ...]:
        return tuple(str(round.number) for round in self.played)

    @property
    def _history(self) -> Chart:
        corr, mmc = _sums([r.corr for r in self.played]), _sums([r.mmc for r in self.played])
        series = (Series("CORR", corr, "highlight"), Series("MMC2", mmc, "metamodel"))
        value = Lines("Scores added up", "cumulative score", self._eras, series)
        rows = tuple(
            (r.number, r.resolved.date().isoformat(), r.corr, r.mmc, c, m)
            for r, c, m in zip(self.played, corr, mmc, strict=True)
        )
        columns = (Column("round", "whole"), Column("resolved"), Column("CORR", "score"), Column("MMC2", "score"))
        return Chart(
            "history",
            "Scores added up",
            "CORR and MMC2, round after round. A straight climb is a steady edge; a flat line is none.",
            lambda name, width: draw_lines(value, name=name, width=width, height=360 if width > 600 else 300),
            (*columns, Column("CORR added up", "score"), Column("MMC2 added up", "score")),
            rows,
        )

    @property
    def _contributions(self) -> Chart:
        value = Bars("MMC2 round by round", "MMC2", self._eras, tuple(r.mmc for r in self.played))
        return Chart(
            "contribution",
            "Contribution round by round",
            "MMC2 of every round, the dashed line at its mean.",
            lambda name, width: draw_bars(value, name=name, width=width),
            (Column("round", "whole"), Column("MMC2", "score")),
            tuple((r.number, r.mmc) for r in self.played),
        )

    @property
    def _plane(self) -> Chart:
        corners = (
            "right, and news to the crowd",
            "wrong alone, yet corrects the crowd",
            "wrong, and no help",
            "right, but its difference hurts",
        )
        total = sum(_at_risk(r) for r in self.played) or 1
        points = tuple(Point(f"round {r.number}", r.corr, r.mmc, _at_risk(r) / total) for r in self.played)
        value = Scatter("Contribution against correlation", "CORR", "MMC2", points, corners)
        return Chart(
            "plane",
            "Contribution against correlation",
            "A disc for every round; its area is what was at risk in it, and it is hollow where that was nothing.",
            lambda name, width: draw_scatter(value, name=name, width=width, height=460 if width > 600 else 400),
            (Column("round", "whole"), Column("CORR", "score"), Column("MMC2", "score")),
            tuple((r.number, r.corr, r.mmc) for r in self.played),
        )

    @property
    def _payouts(self) -> Chart:
        paid = tuple(r.payout.paid / UNITS if r.payout else NAN for r in self.played)
        value = Bars("Earned and burned", "coins", self._eras, paid)
        rows = tuple(
            (r.number, r.payout.at_risk, r.payout.fraction, r.payout.paid) for r in self.played if r.payout is not None
        )
        return Chart(
            "payouts",
            "Earned and burned",
            "What each round added to the stake or burned of it, in coins; the dashed line is the mean.",
            lambda name, width: draw_bars(value, name=name, width=width),
            (
                Column("round", "whole"),
                Column("at risk", "amount"),
                Column("fraction of it", "score"),
                Column("earned or burned", "change"),
            ),
            rows,
        )


def model_view(engine: Engine, id: str) -> ModelView | None:
    """A model and what it did in the rounds that are resolved; None if there is none with that id."""
    with engine.store.reading() as work:
        model = work.get(Model, id)
        account = work.get(Account, model.account) if model else None
        if model is None or account is None:
            return None
        played = _played(work, id)
        paid = [round.payout.paid for round in played if round.payout]
        earned, burned = sum(p for p in paid if p > 0), -sum(p for p in paid if p < 0)
        return ModelView(model, account, work.balance(ledger.stake(id)), earned, burned, played)


def _played(work: Reading, id: str) -> tuple[Played, ...]:
    over = {progress.round for progress in work.find(Progress, stage=Stage.RESOLVED)}
    rounds = {round.number: round for round in work.find(Round) if round.number in over}
    payouts = {payout.round: payout for payout in work.find(Payout, model=id)}
    found: dict[int, dict[str, float]] = {}
    for score in work.find(Score, model=id, final=True):
        if score.round in rounds and score.rule_set == rounds[score.round].rule_set:
            found.setdefault(score.round, {})[score.metric] = score.value
    return tuple(
        Played(number, rounds[number].resolve_time, scores.get(CORR, NAN), scores.get(MMC, NAN), payouts.get(number))
        for number, scores in sorted(found.items())
    )


def _at_risk(round: Played) -> int:
    """What was at risk in a round."""
    return round.payout.at_risk if round.payout else 0


def _sums(values: list[float]) -> tuple[float, ...]:
    """The values added up; a missing one adds nothing."""
    return tuple(accumulate(0.0 if math.isnan(value) else value for value in values))


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else NAN
