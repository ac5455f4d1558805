"""Arrow columns as arrays: keys (ids, eras, models) become whole numbers in a fixed order, the rest floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import lost_digits
from crowdalpha.scoring.problems import Problem

Codes = NDArray[np.int32]
Keys = tuple[Codes, Any]
"""A code per row (-1 for a null), and the Arrow array of values the codes point into."""

MIDNIGHT = " 00:00:00"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The distinct keys of several columns in their fixed order: whole numbers by size, text by its UTF-8 bytes.

    `values` is the Arrow array of them, `codes` an array per column: the place of each row's key in `values`,
    and `len(values)` where the key is null.
    """

    values: Any
    codes: tuple[Codes, ...]

    def __len__(self) -> int:
        return len(self.values)


def vocabulary(columns: list[Keys]) -> Vocabulary:
    """One vocabulary for several columns of keys of one type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    distinct = pc.unique(pa.concat_arrays([values for _, values in columns])).drop_null()
    ordered = distinct.take(pc.sort_indices(distinct))
    codes = tuple(_recode(indices, values, ordered) for indices, values in columns)
    used = np.zeros(len(ordered) + 1, bool)
    for column in codes:
        used[column] = True
    used[-1] = True
    if used.all():
        return Vocabulary(ordered, codes)
    place = (np.cumsum(used) - 1).astype(np.int32)
    return Vocabulary(ordered.filter(pa.array(used[:-1])), tuple(place[column] for column in codes))


def text_keys(column: Any) -> Keys | None:
    """Ids or model names as text: text as it is, whole numbers in decimals. None if the column is neither."""
    distinct = _distinct(column)
    text = distinct and _as_text(distinct[1])
    return (distinct[0], text) if distinct and text is not None else None


def era_keys(column: Any) -> Keys | None:
    """Eras as int64 or text; dates as text, year first. None if the column holds anything else."""
    import pyarrow as pa

    try:
        return _era_keys(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # numbers past 2^63; intervals of time
        return None


def _era_keys(column: Any) -> Keys | None:
    import pyarrow as pa

    distinct = _distinct(column)
    if distinct is None:
        return None
    indices, values = distinct
    if pa.types.is_floating(values.type):
        whole = _whole_numbers(values)
        return None if whole is None else (indices, whole)
    if pa.types.is_integer(values.type):
        return indices, values.cast(pa.int64())
    if pa.types.is_temporal(values.type):
        return indices, _dates(values)
    text = _as_text(values)
    return None if text is None else (indices, text)


def codes_of(column: Any) -> Codes:
    """A number for each distinct value of a column of keys, -1 for null."""
    found = _distinct(column)
    return np.full(len(column), -1, np.int32) if found is None else found[0]


def as_text(column: Any) -> Any:
    """A column of eras as text, as it would be beside text."""
    import pyarrow as pa

    keys = era_keys(column)
    if keys is None:
        return column.cast(pa.large_string())
    indices = pa.array(keys[0], mask=keys[0] < 0)
    return pa.chunked_array([keys[1].cast(pa.large_string()).take(indices)])


def same_type(columns: list[Keys]) -> list[Keys]:
    """Eras of several tables made comparable: int64 if all of them are, else all text."""
    import pyarrow as pa

    if all(pa.types.is_integer(values.type) for _, values in columns):
        return columns
    return [(indices, values.cast(pa.large_string())) for indices, values in columns]


def is_numeric(kind: Any) -> bool:
    """Whether values of this Arrow type can be read as numbers; a column of nulls can."""
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
    )


def numbers(column: Any) -> NDArray[Any]:
    """A numeric column as an array of its own width where NumPy has one, with NaN for null."""
    import pyarrow as pa

    plain = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    array = (column if plain else column.cast(pa.float64())).to_numpy(zero_copy_only=False)
    return np.asarray(array)


def rounded(column: Any) -> NDArray[np.bool_]:
    """The rows whose number a float64 would round: integers of too many digits, decimals that would become the same."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(column.type):
        return lost_digits(column.fill_null(0).to_numpy())
    if not pa.types.is_decimal(column.type):
        return np.zeros(len(column), bool)
    floats, times = np.unique(pc.unique(column).drop_null().cast(pa.float64()).to_numpy(), return_counts=True)
    return np.isin(numbers(column), floats[times > 1])


def duplicates(names: list[str]) -> list[str]:
    """The names that occur more than once."""
    return sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []


def without_index(table: Any, keys: Sequence[str]) -> Any:
    """The table less the index that pandas has put into it, but for levels that are named like a key."""
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    return table.drop_columns([name for name in index if name in table.column_names and name not in keys])


def missing_columns(table: Any, wanted: list[str], where: str) -> list[Problem]:
    """A problem that names the columns a table lacks, if it lacks any."""
    names = table.column_names
    lacking = [name for name in wanted if name not in names]
    if not lacking:
        return []
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return [
        Problem(
            "missing_columns",
            f"the columns {', '.join(wanted)}",
            f"no {', '.join(lacking)} among {shown or 'no columns'}",
            "rename the columns, or say what they are called",
            where,
        )
    ]


def _distinct(column: Any) -> Keys | None:
    """Codes and values of a column, through Arrow's dictionary encoding; None for lists, records and the like."""
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(column.type):
            merged = column.unify_dictionaries().combine_chunks()
        else:
            plain = column.cast(pa.large_string()) if column.type == pa.string_view() else column
            merged = plain.combine_chunks().dictionary_encode()
    except pa.ArrowNotImplementedError:
        return None
    indices = merged.indices.cast(pa.int32()).fill_null(-1)
    return indices.to_numpy(zero_copy_only=False), merged.dictionary


def _recode(indices: Codes, values: Any, ordered: Any) -> Codes:
    import pyarrow.compute as pc

    place = pc.index_in(values, value_set=ordered).fill_null(len(ordered)).to_numpy(zero_copy_only=False)
    return np.append(place, len(ordered)).astype(np.int32)[indices]


def _as_text(values: Any) -> Any:
    import pyarrow as pa

    types, kind = pa.types, values.type
    text = types.is_string(kind) or types.is_large_string(kind) or kind == pa.string_view()
    if text or types.is_integer(kind) or types.is_null(kind):
        return values.cast(pa.large_string())
    return None


def _whole_numbers(values: Any) -> Any:
    """Floats that are whole numbers as int64 (a library without null integers turns them into floats)."""
    import pyarrow as pa

    clean = values.cast(pa.float64())
    clean = pa.array(clean.to_numpy(zero_copy_only=False), from_pandas=True)
    try:
        return clean.cast(pa.int64())
    except pa.ArrowInvalid:
        return None


def _dates(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = values.cast(pa.large_string())
    if pa.types.is_timestamp(values.type):
        return pc.replace_substring_regex(text, f"{MIDNIGHT}(\\.0*)?Z?$", "")
    return text
