"""A folder of submissions: one file a model, read into one long table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import LARGEST
from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns
from crowdalpha.tables.cells import FITS, Reading, listed


@dataclass(frozen=True, slots=True, eq=False)
class Submissions:
    """Predictions as read, with what was wrong row by row. `reported` are the models these problems are about."""

    table: Any
    problems: tuple[Problem, ...] = ()
    reported: frozenset[str] = frozenset()


def one_file(path: Path, reading: Reading, *, era: str, id: str) -> Submissions:
    """Predictions from one file, in whatever layout; a submission is the model that the file is named after."""
    keys = {era, id}
    if reading.table is not None and path.stem not in keys and _is_submission(reading.table, keys):
        names = [path.stem if name == "prediction" else name for name in reading.table.column_names]
        cells = tuple((path.stem if name == "prediction" else name, rows) for name, rows in reading.bad_cells)
        reading = replace(reading, table=reading.table.rename_columns(names), bad_cells=cells)
    return Submissions(reading.table, reading.problems, _models_of_bad_cells(reading))


def _is_submission(table: Any, keys: set[str]) -> bool:
    """Whether a table holds nothing but one column prediction beside its keys."""
    return [name for name in table.column_names if name not in keys] == ["prediction"]


def folder(readings: Mapping[Path, Reading], *, era: str, id: str) -> Submissions:
    """The files of a folder, a model each, as one table (era,) id, model, prediction; raises nothing.

    A file that cannot be read is left out, and so are two files of one model. Cells that are no number are null and
    duplicates are kept, so that whoever leaves faulty models out era by era can still see where they are faulty.
    """
    in_eras = any(era in reading.table.column_names for reading in readings.values() if reading.table is not None)
    keys = [era, id] if in_eras else [id]
    twice = columns.duplicates([file.stem for file in readings])
    problems, tables, reported = [_same_stem(stem, list(readings)) for stem in twice], [], set(twice)
    for file, reading in readings.items():
        found = [*reading.problems, *_row_problems(file, reading, keys)]
        problems += found
        if found:
            reported.add(file.stem)
        if reading.table is not None and file.stem not in twice and not _unusable(reading.table, keys):
            tables.append(_one_model(reading.table, file.stem, keys))
    return Submissions(_stacked(tables, era), tuple(problems), frozenset(reported))


def _same_stem(stem: str, files: list[Path]) -> Problem:
    names = ", ".join(file.name for file in files if file.stem == stem)
    return Problem("duplicate_model", "one file a model", names, "keep one of them", str(files[0].parent))


def _unusable(table: Any, keys: list[str]) -> bool:
    if columns.missing_columns(table, [*keys, "prediction"], "") or _bad_keys(Path(), table, keys):
        return True
    prediction = table.column("prediction")
    return not columns.is_numeric(prediction.type) or bool(columns.rounded(prediction).any())


def _bad_keys(file: Path, table: Any, keys: list[str]) -> list[Problem]:
    """A problem for each key column that cannot be one."""
    *eras, id = keys
    bad = [id] if columns.text_keys(table.column(id)) is None else []
    for era in eras:  # numbers of any kind become text beside text
        column = table.column(era)
        bad += [era] if not columns.is_numeric(column.type) and columns.era_keys(column) is None else []
    expected, fix = "ids and eras as text or whole numbers", "give them as text"
    return [Problem("bad_key_type", expected, f"{key} of type {table.column(key).type}", fix, str(file)) for key in bad]


def _row_problems(file: Path, reading: Reading, keys: list[str]) -> Iterable[Problem]:
    """What is wrong with the rows of one submission on its own, before it is compared with any universe."""
    table, lines = reading.table, reading.lines
    if table is None:
        return []
    found = columns.missing_columns(table, [*keys, "prediction"], str(file))
    found = found or _bad_keys(file, table, keys)
    if found:
        return found
    kind = table.column("prediction").type
    if not columns.is_numeric(kind):
        return [Problem("not_numeric", "numbers in column prediction", f"{kind}", "convert it", str(file))]
    for key in keys:
        blank = np.flatnonzero(table.column(key).is_null().to_numpy(zero_copy_only=False))
        rows = [(line, "nothing") for line in lines[blank].tolist()]
        found += listed(file, f"blank_{key}", f"{key} in every row", "fill it in", rows)
    return found + _value_problems(file, reading) + _duplicates(file, reading, keys)


def _value_problems(file: Path, reading: Reading) -> list[Problem]:
    prediction = reading.table.column("prediction")
    values = columns.numbers(prediction).astype(np.float64)
    already = dict(reading.bad_cells).get("prediction", np.zeros(0, np.intp))
    nothing = np.setdiff1d(np.flatnonzero(np.isnan(values)), already)
    infinite = np.isinf(values)
    huge = ~infinite & (np.abs(values) > LARGEST)
    problems = []
    for code, expected, what, rows, fix in (
        ("nan_in_predictions", "a finite prediction", "nothing or NaN", nothing, "give every id a number"),
        ("inf_in_predictions", "a finite prediction", "inf", np.flatnonzero(infinite), "give every id a number"),
        ("too_large", "a prediction from -1e150 to 1e150", "a larger one", np.flatnonzero(huge), "scale it down"),
        ("too_many_digits", FITS, "a longer one", np.flatnonzero(columns.rounded(prediction)), "round or rank it"),
    ):
        found = [(line, what) for line in reading.lines[rows].tolist()]
        problems += listed(file, code, expected, fix, found)
    return problems


def _duplicates(file: Path, reading: Reading, keys: list[str]) -> list[Problem]:
    codes = [columns.codes_of(reading.table.column(key)) for key in keys]
    later = _later_rows(codes)
    ids = reading.table.column(keys[-1]).take(later).to_pylist()
    found = [(line, f"id {name} again") for line, name in zip(reading.lines[later].tolist(), ids, strict=True)]
    return listed(file, "duplicate_ids", "each id once an era", "keep one row for each", found)


def _later_rows(codes: list[NDArray[np.int32]]) -> NDArray[np.intp]:
    """Rows whose codes have occurred in an earlier row; rows with a blank key aside."""
    key = np.zeros(len(codes[0]), np.int64)
    for column in codes:
        key = key * (int(column.max(initial=0)) + 1) + column
    _, first = np.unique(key, return_index=True)
    later = np.setdiff1d(np.arange(len(key)), first)
    return later[np.all([column[later] >= 0 for column in codes], axis=0)]


def _one_model(table: Any, model: str, keys: list[str]) -> Any:
    import pyarrow as pa

    parts = {key: table.column(key) for key in keys}
    if (text := columns.text_keys(parts[keys[-1]])) is not None:
        indices = pa.array(text[0], mask=text[0] < 0)
        parts[keys[-1]] = pa.DictionaryArray.from_arrays(indices, text[1])
    indices = pa.array(np.zeros(table.num_rows, np.int32))
    parts["model"] = pa.DictionaryArray.from_arrays(indices, pa.array([model], pa.large_string()))
    parts["prediction"] = pa.array(columns.numbers(table.column("prediction")).astype(np.float64))
    return pa.table(parts)


def _stacked(tables: list[Any], era: str) -> Any:
    import pyarrow as pa

    if not tables:
        return None
    if era in tables[0].column_names and len({table.column(era).type for table in tables}) > 1:
        place = tables[0].column_names.index(era)
        tables = [t.set_column(place, era, columns.as_text(t.column(era))) for t in tables]
    return pa.concat_tables(tables).unify_dictionaries()


def _models_of_bad_cells(reading: Reading) -> frozenset[str]:
    """The models that bad cells of one file belong to: a column in the wide layout, rows in the long one."""
    names: set[str] = set()
    for column, rows in reading.bad_cells:
        long = column == "prediction" and "model" in reading.table.column_names
        names |= set(reading.table.column("model").take(rows).to_pylist()) if long else {column}
    return frozenset(names)
