"""From tables to a history: eras are aligned, ranked and written; of Parquet files, one at a time is in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crowdalpha.history.eras import PackedEra, write_era
from crowdalpha.history.slices import ERA, ID, MODEL, Slices, by_era
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables.files import read_table
from crowdalpha.tables.frames import Invalid, eras
from crowdalpha.tables.sheets import shown

AT_ONCE = 512
"""Models that are ranked at once."""
Progress = Callable[[int, int], None] | None
Tables = tuple[Any, Any, Any, Any]
"""Predictions, targets, stakes and features, each of one era or of all; stakes and features may be None."""


def pack(
    folder: Path | str,
    predictions: Path | str,
    targets: Path | str,
    stakes: Path | str | None = None,
    *,
    features: Path | str | None = None,
    invalid: Invalid = "refuse",
    problems: list[Problem] | None = None,
    progress: Progress = None,
) -> list[PackedEra]:
    """Put the eras of files as `crowdalpha.score` takes them into a history, in the place of those of the same names.

    Of Parquet predictions whose eras are numbers or text, one era at a time is read, with what belongs to it; fast if
    the file is sorted by era. Any other file is read as a whole. invalid: "refuse", or "leave_out", which leaves models
    with problems out of the era they are in and puts the problems into `problems`. progress: called with (eras done,
    eras in all).

    All problems of all eras are refused together, when the eras without any have been written. An era that comes as
    it was keeps its scores.
    """
    packed, wrong = list[PackedEra](), list[Problem]()
    paths = [None if path is None else Path(path) for path in (predictions, targets, stakes, features)]
    for n_eras, (predicted, target, staked, beside) in _parts(paths, wrong):
        try:
            crowd = eras(predicted, target, staked, features=beside, bags=0, invalid=invalid, problems=problems)
        except InputError as refusal:
            wrong += refusal.problems
            continue
        for era in crowd:
            packed.append(_written(folder, era, crowd.names.get("features", ())))
            if progress:
                progress(len(packed), n_eras or len(crowd))
    refuse_if_any(dict.fromkeys(wrong))
    return packed


def _parts(paths: list[Path | None], wrong: list[Problem]) -> Iterator[tuple[int, Tables]]:
    """How many eras there are, 0 if that is not known yet, with the tables of one or of all."""
    predictions, targets, stakes, features = paths
    sliced = Slices(predictions) if predictions and by_era(predictions) else None
    if sliced is None or sliced.names is None or targets is None:
        yield 0, (predictions, targets, stakes, features)
        return
    outcomes, owned = Slices(targets), None if stakes is None else read_table(stakes)
    beside, seen = None if features is None else Slices(features), set[str]()
    for era in sliced.names:
        table = sliced.of(era)
        models = _models(table)
        seen |= models
        staked = None if owned is None else _of(owned, era, models)
        yield len(sliced.names), (table, outcomes.of(era), staked, None if beside is None else beside.of(era))
    if owned is not None:
        unknown = sorted(set(_text(owned, MODEL)) - seen)
        fix = "correct the name, or take its stake out"
        wrong += [Problem("unknown_model", "stakes of models that predict", shown(unknown), fix, "stakes")][
            : len(unknown)
        ]


def _models(table: Any) -> set[str]:
    """The models of one era, by whichever layout."""
    return set(_text(table, MODEL)) or set(table.column_names) - {ERA, ID}


def _of(stakes: Any, era: str, models: set[str]) -> Any:
    """The stakes of models in an era; nobody's if it is not among those that the table tells of."""
    rows = np.array([model in models for model in _text(stakes, MODEL)], bool)
    if ERA in stakes.column_names:
        rows &= np.array([each == era for each in _text(stakes, ERA)], bool)
    return stakes.filter(rows) if rows.any() or not _text(stakes, MODEL) else {}


def _text(table: Any, name: str) -> list[str]:
    """A column as text; nothing if there is no such column, which others will say."""
    if table.column_names.count(name) != 1:
        return []
    return [str(each) for each in table.column(name).to_pylist()]


def _written(folder: Path | str, era: Era, features: tuple[str, ...]) -> PackedEra:
    named = None if era.features is None else dict(zip(features, era.features.T, strict=True))
    target: Any = era.target  # pack asks for targets
    label: Any = era.label
    columns = (era.predictions[:, k : k + AT_ONCE] for k in range(0, len(era.models), AT_ONCE))
    return write_era(folder, label, columns, era.models, era.own_stakes, era.ids, target, named)
