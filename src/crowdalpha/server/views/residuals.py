"""The residual picture of a resolved round: how a model lies to the metamodel, and where what came true points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.diagnostics.data import Vectors
from crowdalpha.diagnostics.vectors import draw_vectors, sentence
from crowdalpha.engine import Engine
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.server.charts import Chart, Column
from crowdalpha.server.views.memory import Memory
from crowdalpha.server.views.models import ModelView, Played
from crowdalpha.tournament.evidence import numbers_of
from crowdalpha.tournament.records import METAMODEL, Score, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.scoringday import final_day, selected, time_of
from crowdalpha.tournament.stakes import AtRisk

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Residual:
    """The picture of one round."""

    number: int
    vectors: Vectors

    @property
    def chart(self) -> Chart:
        """The same as a drawing to take away, with its numbers."""
        v = self.vectors
        numbers = (
            ("rho", v.rho),
            ("length of the residual", v.residual),
            ("CORR of the model", v.corr_model),
            ("CORR of the metamodel", v.corr_metamodel),
            ("CORR of the model less rho times CORR of the metamodel", v.covariance),
            ("MMC2, mean over bags", v.mmc2),
        )
        return Chart(
            "residual",
            f"The residual picture of round {self.number}",
            sentence(v),
            lambda name, width: draw_vectors(v, name=name),
            (Column("what"), Column("value", "score")),
            numbers,
        )


def residual(engine: Engine, memory: Memory, view: ModelView) -> Residual | None:
    """The picture of the newest resolved round of a model; None if it has none, or nobody had a stake in it."""
    played = next((round for round in reversed(view.played) if math.isfinite(round.corr + round.mmc)), None)
    if played is None:
        return None
    round, sent, risks = sent_in(engine, played.number)
    crowd = _crowd(engine, round)
    own = next((s for s in sent if s.model == view.model.id), None)
    pooled = pooled_of(engine, memory, round, sent, risks)
    if own is None or pooled is None or math.isnan(crowd):
        return None
    return _picture(view, played, numbers_of(engine.files.read(own.predictions)), pooled, crowd)


def sent_in(engine: Engine, number: int) -> tuple[Round, list[Submission], list[AtRisk]]:
    """A round that is resolved, what counted in it, and what was at risk."""
    with engine.store.reading() as work:
        round = work.get(Round, number)
        assert round is not None
        sent = selected(work.find(Submission, round=number), time_of(round, final_day(round)))
        return round, sent, work.find(AtRisk, round=number)


def pooled_of(
    engine: Engine, memory: Memory, round: Round, sent: Sequence[Submission], risks: Sequence[AtRisk]
) -> Floats | None:
    """The metamodel of a resolved round, computed once."""
    return memory.recall(("metamodel", round.number), lambda: _metamodel(engine, sent, risks))


def _picture(view: ModelView, played: Played, ranks: Floats, pooled: Floats, crowd: float) -> Residual | None:
    if not (np.ptp(ranks) and np.ptp(pooled)):
        return None
    rho = float(np.clip(np.corrcoef(ranks, pooled)[0, 1], -1, 1))
    vectors = Vectors(view.model.name, rho, played.corr, crowd, played.mmc)
    return Residual(played.number, vectors) if vectors.known else None


def _metamodel(engine: Engine, sent: Sequence[Submission], risks: Sequence[AtRisk]) -> Floats | None:
    """The metamodel of a round, without bags; None where nobody had a stake."""
    stakes = {risk.model: risk.amount for risk in risks if risk.amount}
    staked = [submission for submission in sent if submission.model in stakes]
    if not staked:
        return None
    columns = np.column_stack([numbers_of(engine.files.read(submission.predictions)) for submission in staked])
    return metamodel(columns, np.array([stakes[submission.model] for submission in staked], np.int64))


def _crowd(engine: Engine, round: Round) -> float:
    with engine.store.reading() as work:
        found = work.get(Score, round.number, round.rule_set, final_day(round), "corr", METAMODEL)
    return math.nan if found is None else found.value
