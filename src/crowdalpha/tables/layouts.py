"""The two layouts of predictions, long and wide: each gives, for one era, a block of models against the universe.

Both leave out of the block, with a problem that says why, every model that does not give each id of the universe
exactly one finite number. A model that says nothing in the era is absent, which is no problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import LARGEST
from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns
from crowdalpha.tables.columns import Codes
from crowdalpha.tables.sheets import Groups, Rows, Sheet, Sheets, shown

Floats = NDArray[np.float64]


class Places:
    """Where ids stand in the universe of an era. The table behind it is made once and used for every era."""

    def __init__(self, n_ids: int) -> None:
        self._place = np.full(n_ids + 1, -1, np.int32)

    def of(self, ids: Codes, universe: Codes) -> Codes:
        """The place of each id in the universe, -1 for an id that is not in it."""
        self._place[universe] = np.arange(len(universe), dtype=np.int32)
        places = self._place[ids]
        self._place[universe] = -1
        return places


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The valid models of an era: `values` (n_present, n_ids), `present` the numbers of these models."""

    values: Floats
    present: Rows
    problems: list[Problem]


class Layout(Protocol):
    """A way to lay out predictions."""

    @property
    def models(self) -> tuple[str, ...]:
        """All model names, in order of their bytes."""
        ...

    def block(self, era: int, universe: Codes, places: Places) -> Block:
        """The models of one era, given its ids in order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """A column a model. Every row holds an id for all models at once.

    `rounded` says of some models in which rows a float64 would round their numbers. `reported` are models about whose
    numbers a reader of files has already complained, row by row.
    """

    sheets: Sheets
    sheet: Sheet
    models: tuple[str, ...]
    arrays: tuple[NDArray[Any], ...]
    rounded: Mapping[int, NDArray[np.bool_]]
    reported: frozenset[str]

    def block(self, era: int, universe: Codes, places: Places) -> Block:
        """The models of one era; all are left out together when the rows do not match the universe."""
        rows = self.sheet.eras.rows(era)
        ids = self.sheet.id[rows]
        place = places.of(ids, universe)
        where = f"predictions, era {self.sheets.era_name(era)}"
        problems = universe_problems(self.sheets, universe, ids, place, where)
        aligned, source, order = not problems, rows, ids
        if aligned:
            source, order = np.empty_like(rows), universe
            source[place] = rows
        values = np.empty((len(self.arrays), len(source)))
        for j, array in enumerate(self.arrays):
            values[j] = array[source]
        present, more = _finite(values)
        for j in more:
            if self.models[j] not in self.reported:
                problems += _value_problems(self.sheets, values[j], order, f"{where}, model {self.models[j]}")
        if not aligned:
            return Block(np.zeros((0, len(universe))), present[:0], problems)
        longer = [j for j, mask in self.rounded.items() if mask[rows].any()]
        problems += _rounded_problems(where, [self.models[j] for j in longer], self.reported)
        return _chosen(values, np.setdiff1d(present, longer), problems)


@dataclass(frozen=True, slots=True, eq=False)
class Long:
    """A row for each id and model: `model` holds the number of each row's model, `value` its prediction.

    `rounded` marks the rows whose number a float64 would round; `reported` as in `Wide`.
    """

    sheets: Sheets
    sheet: Sheet
    models: tuple[str, ...]
    model: Codes
    value: NDArray[Any]
    rounded: NDArray[np.bool_]
    reported: frozenset[str]

    def block(self, era: int, universe: Codes, places: Places) -> Block:
        """The models of one era; each is judged by its own rows."""
        rows = self.sheet.eras.rows(era)
        rows = rows[self.model[rows] < len(self.models)]
        ids, model, value = self.sheet.id[rows], self.model[rows], self.value[rows].astype(np.float64)
        place = places.of(ids, universe)
        inside = place >= 0
        shape = (len(self.models), len(universe))
        cell = model[inside].astype(np.int64) * shape[1] + place[inside]
        ragged = (np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape) != 1).any(axis=1)
        ragged |= np.bincount(model[~inside], minlength=shape[0]) > 0
        values = np.full(shape, np.nan)
        values.ravel()[cell] = value[inside]
        present, broken = _finite(values)
        speaks = np.bincount(model[~np.isnan(value)], minlength=shape[0]) > 0
        faulty = np.union1d(broken, np.flatnonzero(ragged & speaks))
        problems = self._problems(faulty, model, ids, place, value, universe, era) if len(faulty) else []
        longer = np.unique(model[self.rounded[rows]])
        where = f"predictions, era {self.sheets.era_name(era)}"
        problems += _rounded_problems(where, [self.models[j] for j in longer], self.reported)
        return _chosen(values, np.setdiff1d(present[~ragged[present]], longer), problems)

    def _problems(
        self, faulty: Rows, model: Codes, ids: Codes, place: Codes, value: Floats, universe: Codes, era: int
    ) -> list[Problem]:
        problems: list[Problem] = []
        rows_of = Groups.of(model, len(self.models))
        for j in faulty:
            rows, name = rows_of.rows(j), self.models[j]
            where = f"predictions, era {self.sheets.era_name(era)}, model {name}"
            found = universe_problems(self.sheets, universe, ids[rows], place[rows], where)
            if name in self.reported:
                problems += [each for each in found if each.code != "duplicate_ids"]
            else:
                problems += found + _value_problems(self.sheets, value[rows], ids[rows], where)
        return problems


def layout(sheets: Sheets, reported: frozenset[str]) -> tuple[Layout | None, list[Problem]]:
    """The layout of the predictions: long if there are columns `model` and `prediction`, else wide."""
    sheet = sheets.get("predictions")
    if sheet is None:
        return None, []
    if {"model", "prediction"} <= set(sheet.table.column_names):
        return _long(sheets, sheet, reported)
    return _wide(sheets, sheet, reported)


def not_numeric(table: Any, names: Sequence[str], where: str) -> list[Problem]:
    """A problem that names the columns that do not hold numbers, or else those whose numbers would be rounded."""
    if found := no_numbers(table, names, where):
        return found
    bad = [name for name in names if columns.rounded(table.column(name)).any()]
    return [_rounded_problem(where, f"longer ones in {shown(bad)}")] if bad else []


def no_numbers(table: Any, names: Sequence[str], where: str) -> list[Problem]:
    """A problem that names the columns that do not hold numbers."""
    bad = [name for name in names if not columns.is_numeric(table.column(name).type)]
    found = shown([f"{name} of type {table.column(name).type}" for name in bad])
    return [Problem("not_numeric", "columns of numbers", found, "convert or drop these columns", where)] if bad else []


def universe_problems(
    sheets: Sheets, universe: Codes, ids: Codes, place: Codes, where: str, *, extra: bool = True
) -> list[Problem]:
    """What keeps the ids of some rows from being the universe, each once. `extra` ids can be let pass."""
    counts = np.bincount(place[place >= 0], minlength=len(universe))
    kinds = (
        ("missing_ids", "missing", universe[counts == 0], "add them, or drop them from the targets"),
        ("extra_ids", "without a target", ids[place < 0] if extra else ids[:0], "drop them"),
        ("duplicate_ids", "more than once", universe[counts > 1], "keep one row for each"),
    )
    wanted = f"each of the {len(universe)} ids of the era's targets once"
    return [
        Problem(code, wanted, f"ids {what} ({len(codes)}): {sheets.id_names(codes)}", fix, where)
        for code, what, codes, fix in kinds
        if len(codes)
    ]


def _wide(sheets: Sheets, sheet: Sheet, reported: frozenset[str]) -> tuple[Layout | None, list[Problem]]:
    names = sorted(sheet.value_columns, key=str.encode)
    problems = no_numbers(sheet.table, names, "predictions")
    found = f"only {', '.join(sheet.table.column_names)}"
    if not names:
        wanted = "a column for each model, or the columns model and prediction"
        problems = [Problem("missing_columns", wanted, found, "add the predictions", "predictions")]
    elif problems and "model" in names:  # nobody calls a column of text so in a wide table
        wanted, fix = "a column prediction beside the column model", "rename the column of predictions"
        problems = [Problem("missing_columns", wanted, found, fix, "predictions")]
    if problems:
        return None, problems
    masks = {j: columns.rounded(sheet.table.column(name)) for j, name in enumerate(names)}
    rounded = {j: mask for j, mask in masks.items() if mask.any()}
    return Wide(sheets, sheet, tuple(names), tuple(sheet.numbers(name) for name in names), rounded, reported), []


def _long(sheets: Sheets, sheet: Sheet, reported: frozenset[str]) -> tuple[Layout | None, list[Problem]]:
    problems = no_numbers(sheet.table, ["prediction"], "predictions")
    keys = columns.text_keys(sheet.table.column("model"))
    if keys is None:
        found = f"model of type {sheet.table.column('model').type}"
        problems.append(Problem("bad_key_type", "model names as text", found, "convert them", "predictions"))
    if problems or keys is None:
        return None, problems
    names = columns.vocabulary([keys])
    blank = int((names.codes[0] == len(names)).sum())
    if blank:
        found = f"rows without: {blank}"
        problems.append(Problem("blank_model", "a model in every row", found, "drop them", "predictions"))
    models = tuple(names.values.to_pylist())
    values, rounded = sheet.numbers("prediction"), columns.rounded(sheet.table.column("prediction"))
    return Long(sheets, sheet, models, names.codes[0], values, rounded, reported), problems


def _finite(values: Floats) -> tuple[Rows, Rows]:
    """Which rows are finite and not enormous throughout, and which are broken: neither that nor NaN throughout."""
    finite = np.abs(values) <= LARGEST
    whole = finite.all(axis=1)
    if whole.all():
        return np.arange(len(values)), np.zeros(0, np.intp)
    absent = np.isnan(values).all(axis=1)
    return np.flatnonzero(whole), np.flatnonzero(~whole & ~absent)


def _chosen(values: Floats, present: Rows, problems: list[Problem]) -> Block:
    return Block(values if len(present) == len(values) else values[present], present, problems)


def _rounded_problems(where: str, models: Sequence[str], reported: frozenset[str]) -> list[Problem]:
    return [_rounded_problem(f"{where}, model {model}", "longer ones") for model in models if model not in reported]


def _rounded_problem(where: str, found: str) -> Problem:
    fix = "round, rank or shift them yourself: numbers that differ must not become the same"
    return Problem("too_many_digits", "numbers that a float64 can hold", found, fix, where)


def _value_problems(sheets: Sheets, values: Floats, ids: Codes, where: str) -> list[Problem]:
    wanted = "a finite number for each id, or none at all if the model is absent"
    infinite = np.isinf(values)
    kinds = (
        ("nan_in_predictions", wanted, "missing (null or NaN)", np.isnan(values), "give every id a number"),
        ("inf_in_predictions", wanted, "infinite", infinite, "give every id a number"),
        ("too_large", "numbers from -1e150 to 1e150", "larger", ~infinite & (np.abs(values) > LARGEST), "scale down"),
    )
    return [
        Problem(code, expected, f"{int(bad.sum())} {what}: ids {sheets.id_names(ids[bad])}", fix, where)
        for code, expected, what, bad, fix in kinds
        if bad.any()
    ]
