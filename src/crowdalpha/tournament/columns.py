"""Columns of ids and of predictions in the two forms that the tournament reads: text, and numbers of 64 bits.

Loads pyarrow and nothing else, so that a limited process can use it.
"""

from __future__ import annotations

from typing import Any


def as_text(column: Any) -> Any | None:
    """Ids as large strings with null for missing ones, or None if they are neither text nor whole numbers.

    Bytes count as text if they are UTF-8 (ArrowInvalid if not). Floats do not: 7.0 cannot say whether it was 7 or 007.
    """
    import pyarrow as pa

    kind, types = _value_type(column), pa.types
    if types.is_null(kind) or types.is_integer(kind) or _is_text(kind):
        return pa.chunked_array([_plain(chunk).cast(pa.large_string()) for chunk in _chunks(column)], pa.large_string())
    return None


def as_numbers(column: Any) -> Any | None:
    """Predictions as float64 with NaN for missing ones, or None if they are no plain numbers. True is 1, False 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = _value_type(column), pa.types
    if not (types.is_null(kind) or types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind)):
        return None
    chunks = [_plain(chunk).cast(pa.float64(), safe=False) for chunk in _chunks(column)]
    return pc.fill_null(pa.chunked_array(chunks, pa.float64()), float("nan"))


def _chunks(column: Any) -> list[Any]:
    return column.chunks if hasattr(column, "chunks") else [column]


def _plain(chunk: Any) -> Any:
    """A chunk whose dictionary, if it has one, is written out."""
    return chunk.dictionary_decode() if hasattr(chunk, "dictionary_decode") else chunk


def _value_type(column: Any) -> Any:
    import pyarrow as pa

    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(binary or types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
