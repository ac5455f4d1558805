"""The rows of a table as lines that every database reads alike.

The first line names the columns; each further one is a row as a JSON list, in the order of the key, its values as they
stand in the database (see `tables.py`), with true and false where some databases know only 1 and 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from crowdalpha.storage import tables

AT_ONCE = 1000
"""How many rows are read or written in one go."""


def dump(connection: sa.Connection, name: str) -> Iterator[bytes]:
    """The lines of a table."""
    table = tables.metadata.tables[name]
    columns, key = table.columns.keys(), table.primary_key.columns.keys()
    flags = [i for i, column in enumerate(table.columns) if isinstance(column.type, tables.Flag)]
    yield _line(columns)
    query = sa.select(*map(_plain, columns)).select_from(sa.table(name)).order_by(*map(_plain, key))
    for some in connection.execute(query, execution_options={"yield_per": AT_ONCE}).partitions():
        yield b"".join(_line(_with_flags(list(row), flags)) for row in some)


def load(connection: sa.Connection, name: str, chunks: Iterable[bytes]) -> None:
    """Put the rows of a table's lines into an empty one with the same columns."""
    lines = map(json.loads, _lines(chunks))
    columns = next(lines)
    insert = sa.insert(sa.table(name, *map(_plain, columns)))
    while some := list(islice(lines, AT_ONCE)):
        connection.execute(insert, [dict(zip(columns, row, strict=True)) for row in some])
    if connection.dialect.name == "postgresql":
        _count_on(connection, name)


def _plain(column: str) -> sa.ColumnClause[Any]:
    """A column whose values are taken as the driver gives them."""
    return sa.column(column)


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def _with_flags(row: list[Any], flags: list[int]) -> list[Any]:
    for i in flags:
        row[i] = bool(row[i])
    return row


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def _count_on(connection: sa.Connection, name: str) -> None:
    """Numbers that the database gives out itself go on behind those that were put in."""
    catalogue = sa.text(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema AND table_name = :name AND column_default LIKE 'nextval(%'"
    )
    for (column,) in connection.execute(catalogue, {"name": name}).all():
        sequence = sa.func.pg_get_serial_sequence(f'"{name}"', column)
        connection.execute(sa.select(sa.func.setval(sequence, sa.func.max(_plain(column)))).select_from(sa.table(name)))
