"""Past eras: what has come true, to hold predictions of it against.

The operator gives them in a file, `validation.parquet` or `validation.csv` among the tournament's datasets, where
everybody finds it; a row an id of an era:

    era, id, target     rows whose target is missing have not come true, and are left out
    metamodel           what the crowd said, if that is known
    benchmark           example predictions, if there are any
    others              features, if they are numbers and not further targets (target...)

Without such a file they are the tournament's own resolved rounds, by their numbers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdalpha.engine import Engine
from crowdalpha.engine.desk import features_name, target_name
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.server.datasets import FOLDER
from crowdalpha.server.validation import Validation
from crowdalpha.settings import Settings
from crowdalpha.tournament.evidence import feature_names, features_of, numbers_of
from crowdalpha.tournament.records import Progress, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.scoringday import final_day, selected, time_of
from crowdalpha.tournament.stakes import AtRisk

Floats = NDArray[np.float64]
FILES = ("validation.parquet", "validation.csv")
"""Where past eras are looked for; the first that is there is taken."""


class Past(Protocol):
    """Past eras, in the order of time."""

    @property
    def universe(self) -> Mapping[str, Sequence[str]]:
        """The ids of each era."""

    def target(self, era: str) -> Floats:
        """What came true, (n_ids,)."""

    def feature_names(self, era: str) -> tuple[str, ...]:
        """What its features are called; none if it has none."""

    def features(self, era: str) -> Floats | None:
        """Its features, (n_ids, n_features)."""

    def metamodel(self, era: str) -> Floats | None:
        """What the crowd said, (n_ids,); None if that is not known."""

    def benchmark(self, era: str) -> Floats | None:
        """Example predictions, (n_ids,); None if there are none."""


def has_past(engine: Engine, settings: Settings) -> bool:
    """Whether there are past eras; nothing is read for that."""
    if any((settings.folder / FOLDER / name).is_file() for name in FILES):
        return True
    with engine.store.reading() as work:
        return bool(work.find(Progress, stage=Stage.RESOLVED))


def past_eras(engine: Engine, settings: Settings) -> Past:
    """The past eras of a tournament."""
    for name in FILES:
        path = settings.folder / FOLDER / name
        if path.is_file():
            return read_validation(path)
    return PastRounds(engine)


def publish(settings: Settings, path: Path) -> Validation:
    """Make a CSV or Parquet file the past eras of a tournament, if it is in order; the one before it goes."""
    eras = Validation.read(path)
    folder = settings.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = FILES[1] if path.suffix == ".csv" else FILES[0]
    part = folder / f".{name}.part"
    shutil.copyfile(path, part)
    os.replace(part, folder / name)
    for other in set(FILES) - {name}:
        (folder / other).unlink(missing_ok=True)
    return eras


def read_validation(path: Path) -> Validation:
    """The past eras in a file; the newest that was read is remembered for as long as nobody touches it."""
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _size: int) -> Validation:
    return Validation.read(path)


@dataclass(frozen=True)
class PastRounds:
    """The resolved rounds of a tournament, on their final targets; its metamodel is the one without bags."""

    engine: Engine

    @cached_property
    def _rounds(self) -> dict[str, Round]:
        with self.engine.store.reading() as work:
            over = sorted(progress.round for progress in work.find(Progress, stage=Stage.RESOLVED))
            rounds = [work.get(Round, number) for number in over]
        return {str(round.number): round for round in rounds if round is not None}

    @cached_property
    def universe(self) -> Mapping[str, Sequence[str]]:
        """The ids of each round."""
        return {era: self.engine.universe(round) for era, round in self._rounds.items()}

    def target(self, era: str) -> Floats:
        """The final target."""
        return numbers_of(self.engine.files.read(target_name(self._rounds[era].number, None)))

    def feature_names(self, era: str) -> tuple[str, ...]:
        """What the round was announced with."""
        round = self._rounds[era]
        return feature_names(self.engine.files.read(features_name(round))) if round.features else ()

    def features(self, era: str) -> Floats | None:
        """What the round was announced with."""
        round = self._rounds[era]
        if not round.features:
            return None
        return features_of(self.engine.files.read(features_name(round)), len(self.universe[era]))

    def metamodel(self, era: str) -> Floats | None:
        """The stake-weighted crowd; None where nobody had a stake."""
        round = self._rounds[era]
        with self.engine.store.reading() as work:
            sent = selected(work.find(Submission, round=round.number), time_of(round, final_day(round)))
            stakes = {risk.model: risk.amount for risk in work.find(AtRisk, round=round.number) if risk.amount}
        staked = [one for one in sent if one.model in stakes]
        if not staked:
            return None
        columns = np.column_stack([numbers_of(self.engine.files.read(one.predictions)) for one in staked])
        return metamodel(columns, np.array([stakes[one.model] for one in staked], np.int64))

    def benchmark(self, era: str) -> Floats | None:
        """None: no model is the example."""
        return None
