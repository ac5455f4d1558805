"""Columns of ids and of predictions in the two forms that the tournament reads: text, and numbers of 64 bits.

Loads pyarrow and nothing else, so that a limited process can use it.
"""

from __future__ import annotations

from typing import Any


def is_text(kind: Any) -> bool:
    """Whether a type is text, or bytes that may be text, plain or in a dictionary."""
    import pyarrow as pa

    kind, types = _plain_type(kind), pa.types
    binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(binary or types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_id(kind: Any) -> bool:
    """Whether a type can be one of ids: text or whole numbers, or null if all are missing.

    Floats cannot: 7.0 does not say whether it was 7 or 007.
    """
    import pyarrow as pa

    plain = _plain_type(kind)
    return bool(pa.types.is_null(plain) or pa.types.is_integer(plain)) or is_text(kind)


def is_number(kind: Any) -> bool:
    """Whether a type can be one of predictions: floats, whole numbers, truths, or null if all are missing."""
    import pyarrow as pa

    kind, types = _plain_type(kind), pa.types
    whole = types.is_null(kind) or types.is_boolean(kind) or types.is_integer(kind)
    return bool(whole or types.is_floating(kind))


def as_text(column: Any) -> Any:
    """Ids, or dates, as large strings with null for missing ones. Raises ArrowInvalid where bytes are not UTF-8."""
    import pyarrow as pa

    chunks = [_plain(chunk) for chunk in _chunks(column)]
    if pa.types.is_timestamp(column.type):
        chunks = [chunk.cast(pa.date32(), safe=False) for chunk in chunks]
    return pa.chunked_array([chunk.cast(pa.large_string()) for chunk in chunks], pa.large_string())


def as_numbers(column: Any) -> Any:
    """Predictions as float64 with NaN for missing ones. True is 1, False 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = [_plain(chunk).cast(pa.float64(), safe=False) for chunk in _chunks(column)]
    return pc.fill_null(pa.chunked_array(chunks, pa.float64()), float("nan"))


def _chunks(column: Any) -> list[Any]:
    return column.chunks if hasattr(column, "chunks") else [column]


def _plain(chunk: Any) -> Any:
    """A chunk whose dictionary, if it has one, is written out."""
    return chunk.dictionary_decode() if hasattr(chunk, "dictionary_decode") else chunk


def _plain_type(kind: Any) -> Any:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind
