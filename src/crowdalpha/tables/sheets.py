"""Sheets: tables whose eras and ids are whole numbers of one common vocabulary, with their rows found by era."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns
from crowdalpha.tables.columns import Codes, Keys

Rows = NDArray[np.intp]
SHOWN = 5
"""How many eras, ids or columns a problem names before it counts the rest."""
BLANK = "(blank)"


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows gathered by a code: `rows(c)` are the rows with code c, in their own order."""

    order: Rows
    starts: Rows

    @classmethod
    def of(cls, codes: Codes, n_codes: int) -> Groups:
        """Group rows by codes 0..n_codes-1; larger codes belong to no group."""
        narrow = codes.astype(np.uint16) if n_codes < 2**16 - 1 else codes
        order = np.argsort(narrow, kind="stable")
        counts = np.bincount(codes, minlength=n_codes)[:n_codes]
        return cls(order, np.concatenate([[0], np.cumsum(counts)]))

    def rows(self, code: int) -> Rows:
        """The rows with this code."""
        return self.order[self.starts[code] : self.starts[code + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table with its keys as codes: `era` and `id` per row, and the rows of each era."""

    name: str
    table: Any
    era: Codes
    id: Codes
    eras: Groups
    keys: tuple[str, ...]

    @property
    def value_columns(self) -> list[str]:
        """The columns besides the keys."""
        return [name for name in self.table.column_names if name not in self.keys]

    def numbers(self, column: str) -> NDArray[Any]:
        """A numeric column, NaN for null."""
        return columns.numbers(self.table.column(column))


@dataclass(frozen=True, slots=True, eq=False)
class Sheets:
    """All tables of one call. `era_values` are ints or text in order, `id_values` text in order of its bytes."""

    by_name: Mapping[str, Sheet]
    era_values: tuple[int | str, ...]
    id_values: NDArray[np.object_]
    problems: tuple[Problem, ...]

    def get(self, name: str) -> Sheet | None:
        """The sheet of this name; None if it was not given or is too broken to be read."""
        return self.by_name.get(name)

    def era_name(self, code: int) -> str:
        """An era for a person to read."""
        return str(self.era_values[code]) if code < len(self.era_values) else BLANK

    def id_names(self, codes: Sequence[int] | Codes) -> str:
        """The first few of these ids for a person to read."""
        return shown([self.id_values[c] if c < len(self.id_values) else BLANK for c in codes])


def shown(names: Sequence[object]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(str(name) for name in names[:SHOWN]) + more


def read_sheets(tables: Mapping[str, Any], era: str, id: str) -> Sheets:
    """Code the eras and ids of all tables. Without an era column in predictions and targets all is one era, 1.

    A table that lacks a key column, or whose keys are neither text nor whole numbers, is left out of the result
    and its problems are listed.
    """
    in_eras = any(era in tables[name].column_names for name in ("predictions", "targets") if name in tables)
    problems: list[Problem] = []
    era_keys: dict[str, Keys] = {}
    id_keys: dict[str, Keys] = {}
    for name, table in tables.items():
        found = _key_problems(table, name, [era, id] if in_eras else [id])
        keys = None if found else _keys(table, era if in_eras else None, id)
        if keys is None:
            problems += found or [_bad_keys(table, name, [era, id] if in_eras else [id])]
        else:
            era_keys[name], id_keys[name] = keys
    return _coded({name: tables[name] for name in id_keys}, (era, id), era_keys, id_keys, problems)


def _coded(
    tables: Mapping[str, Any],
    keys: tuple[str, str],
    era_keys: dict[str, Keys],
    id_keys: dict[str, Keys],
    problems: list[Problem],
) -> Sheets:
    if not tables:
        return Sheets({}, (), np.zeros(0, object), tuple(problems))
    eras = columns.vocabulary(columns.same_type(list(era_keys.values())))
    ids = columns.vocabulary(list(id_keys.values()))
    sheets = {}
    for name, era_codes, id_codes in zip(tables, eras.codes, ids.codes, strict=True):
        sheets[name] = Sheet(name, tables[name], era_codes, id_codes, Groups.of(era_codes, len(eras)), keys)
        if name != "predictions":
            problems += _blank_keys(name, era_codes == len(eras), id_codes == len(ids))
    names = np.array([*ids.values.to_pylist(), None], object)[:-1]
    return Sheets(sheets, tuple(eras.values.to_pylist()), names, tuple(problems))


def _keys(table: Any, era: str | None, id: str) -> tuple[Keys, Keys] | None:
    import pyarrow as pa

    one_era = (np.zeros(table.num_rows, np.int32), pa.array([1], pa.int64()))
    eras = one_era if era is None else columns.era_keys(table.column(era))
    ids = columns.text_keys(table.column(id))
    return None if eras is None or ids is None else (eras, ids)


def _key_problems(table: Any, name: str, keys: list[str]) -> list[Problem]:
    twice = columns.duplicates(table.column_names)
    if twice:
        return [Problem("duplicate_columns", "each column once", f"{shown(twice)} twice", "rename or drop one", name)]
    if not table.num_rows:
        return [Problem("empty", "at least one row", "none", "pass a table with rows", name)]
    return columns.missing_columns(table, keys, name)


def _bad_keys(table: Any, name: str, keys: list[str]) -> Problem:
    found = ", ".join(f"{key} of type {table.column(key).type}" for key in keys)
    fix = "give ids as text (a float cannot say whether it was 7 or 7.0 or 007)"
    return Problem("bad_key_type", "eras and ids as text or whole numbers below 2^63", found, fix, name)


def _blank_keys(name: str, no_era: NDArray[np.bool_], no_id: NDArray[np.bool_]) -> list[Problem]:
    return [
        Problem(code, f"{what} in every row", f"rows without: {int(blank.sum())}", "fill it in, or drop the rows", name)
        for code, what, blank in (("blank_era", "an era", no_era), ("blank_id", "an id", no_id))
        if blank.any()
    ]
