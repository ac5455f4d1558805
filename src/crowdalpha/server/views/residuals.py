"""The residual picture of a resolved round: how a model lies to the metamodel, and where what came true points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.diagnostics.data import Vectors
from crowdalpha.engine import Engine
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.server.views.memory import Memory
from crowdalpha.server.views.models import ModelView, Played
from crowdalpha.tournament.evidence import numbers_of
from crowdalpha.tournament.ports import Reading
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


def residual(engine: Engine, memory: Memory, view: ModelView) -> Residual | None:
    """The picture of the newest resolved round of a model; None if it has none, or nobody had a stake in it."""
    played = next((round for round in reversed(view.played) if math.isfinite(round.corr + round.mmc)), None)
    if played is None:
        return None
    with engine.store.reading() as work:
        round = work.get(Round, played.number)
        assert round is not None
        sent = selected(work.find(Submission, round=round.number), time_of(round, final_day(round)))
        risks = work.find(AtRisk, round=round.number)
        crowd = _crowd(work, round)
    own = next((s for s in sent if s.model == view.model.id), None)
    pooled = memory.recall(("metamodel", round.number), lambda: _metamodel(engine, sent, risks))
    if own is None or pooled is None or math.isnan(crowd):
        return None
    return _picture(view, played, numbers_of(engine.files.read(own.predictions)), pooled, crowd)


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


def _crowd(work: Reading, round: Round) -> float:
    found = work.get(Score, round.number, round.rule_set, final_day(round), "corr", METAMODEL)
    return math.nan if found is None else found.value
