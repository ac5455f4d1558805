"""The ranks of a large round in one file, made from its submissions when it is first scored and kept while it runs.

It can be made again at any time: backups leave it out, and `verify` reads the submissions themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from crowdalpha.engine.desk import Desk
from crowdalpha.scoring.arrays import Floats
from crowdalpha.tables.rankfile import RankFile, write_ranks
from crowdalpha.tournament.evidence import numbers_of
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import Round

AT_ONCE = 256
"""Submissions that are read and ranked together."""


def packed(desk: Desk, folder: Path, round: Round, sent: Sequence[Submission]) -> RankFile:
    """The ranks of these submissions, in their order, in a file of a folder; older ones of the round are removed."""
    path = folder / f"{round.number}-{sha256(repr([s.predictions for s in sent]).encode()).hexdigest()}.npy"
    if path.exists():
        return RankFile.open(path)
    drop(folder, round)
    folder.mkdir(parents=True, exist_ok=True)
    return write_ranks(path, _columns(desk, sent), len(sent), len(desk.universe(round)))


def drop(folder: Path, round: Round) -> None:
    """Remove what was kept of a round."""
    for path in folder.glob(f"{round.number}-*.npy"):
        path.unlink(missing_ok=True)


def _columns(desk: Desk, sent: Sequence[Submission]) -> Iterator[Floats]:
    for start in range(0, len(sent), AT_ONCE):
        some = sent[start : start + AT_ONCE]
        yield np.column_stack([numbers_of(desk.files.read(submission.predictions)) for submission in some])
