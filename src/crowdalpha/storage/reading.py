"""Inside the limited process that reads an upload: the file is descriptor 0, the answer goes to descriptor 1.

Nothing here trusts the file. A CSV is read with the standard library alone, line by line; of a Parquet file first
the metadata, then no more than the two columns that count, one row group after the other. `intake.py` starts this
and reads the answer; nobody else imports it.
"""

from __future__ import annotations

import csv
import encodings.utf_8_sig  # noqa: F401  (loaded now: later no file can be opened)
import io
import json
import mmap
import os
import re
import signal
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from typing import Any, BinaryIO

from crowdalpha.tournament.columns import as_numbers, as_text, is_id, is_number, is_text
from crowdalpha.tournament.headers import Columns, Headers

READY = b"ready\n"
"""What the process says once it is limited and about to read; had it not said so, the file is not to blame."""
SHOWN = 20
CONTAINER = 10_000
"""The longest list that Parquet metadata may hold: columns, row groups, and what there is to each."""
LIBRARIES = 64 * 2**20
"""What the code of Python and Arrow occupies; RLIMIT_DATA does not count it, the memory of the process does."""
ADDRESSES = 768 * 2**20
"""Addresses that libraries reserve without using them."""
SPACE = " \t\n\v\f\r"
NUMBER = re.compile(rf"[{SPACE}]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[{SPACE}]*")
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
TRUTHS = {"true": 1.0, "false": 0.0}
"""A column of nothing but these words, in any case of letters, is one of numbers: as pandas reads it."""


class RefusalError(Exception):
    """The file breaks a rule of `crowdalpha.tournament.faults`."""

    def __init__(self, rule: str, found: str = "", row: int = 0, **words: Any) -> None:
        super().__init__(rule)
        self.answer = {"rule": rule, "found": found[:200], "row": row, "words": words}


@dataclass(slots=True)
class Text:
    """A column of text as it grows: UTF-8 bytes, where each cell ends, and which cells are there."""

    data: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q", [0]))
    valid: bytearray = field(default_factory=bytearray)

    def append(self, cell: str | None) -> None:
        """Add a cell, None if it is missing."""
        self.valid.append(cell is not None)
        self.data += (cell or "").encode()
        self.ends.append(len(self.data))

    def blocks(self) -> list[Any]:
        """The column as bytes."""
        return [self.valid, self.ends, self.data]


@dataclass(slots=True)
class Answer:
    """What was read: its columns, then bytes for lines, ids, values, unread rows and, if asked for, dates.

    `cells` are line and text of the first of the unread rows, those whose prediction is no number.
    """

    columns: Columns
    rows: int
    blocks: list[Any]
    cells: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """What to read and how much of it. The names are those of `intake.Limits` and `SubmissionRules`."""

    headers: Headers
    missing: frozenset[str]
    rows: int
    line: int
    id_length: int
    row_groups: int
    footer: int
    memory: int
    bytes: int
    cpu_seconds: float
    seconds: float

    def choose(self, names: Sequence[str]) -> Columns:
        """The columns to read; refuses names that break the rules."""
        columns = self.headers.choose(names)
        if isinstance(columns, str):
            raise RefusalError(columns, repr(list(names[:SHOWN])))
        return columns


def main(order: dict[str, Any]) -> None:
    """Limit this process, read the file, answer. From READY on it can open no file and no connection."""
    kind = order.pop("kind")
    given = Order(Headers(**order.pop("headers")), frozenset(order.pop("missing")), **order)
    _limit_memory(given)
    read = _csv_reader(given) if kind == "csv" else _parquet_reader(given)
    with os.fdopen(1, "wb") as out:
        out.write(READY)
        out.flush()
        _limit("RLIMIT_NOFILE", 0)
        _limit_time(given)
        answer(read, out)


def _csv_reader(order: Order) -> Callable[[], Answer]:
    stream = os.fdopen(0, "rb")
    return lambda: read_csv(stream, order)


def _parquet_reader(order: Order) -> Callable[[], Answer]:
    sys.meta_path.insert(0, WithoutPandas())
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    content = mmap.mmap(0, 0, access=mmap.ACCESS_READ)
    return lambda: read_parquet(content, order)


class WithoutPandas(MetaPathFinder):
    """Hides pandas, which pyarrow would load at its first scalar: three quarters of the time of an upload."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """No module, and no search for it."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def answer(read: Callable[[], Answer], out: BinaryIO) -> None:
    """Read, and write what was read or which rule the file breaks."""
    try:
        found = read()
    except RefusalError as refusal:
        _write(out, refusal.answer, [])
    except MemoryError:
        _write(out, RefusalError("costly", "too little memory").answer, [])
    else:
        names = [found.columns.id, found.columns.prediction, found.columns.date]
        _write(out, {"columns": names, "rows": found.rows, "cells": found.cells}, found.blocks)


def _write(out: BinaryIO, head: dict[str, Any], blocks: list[Any]) -> None:
    sizes = [memoryview(block).nbytes for block in blocks]
    out.write(json.dumps(head | {"sizes": sizes}).encode() + b"\n")
    for block in blocks:
        out.write(block)
    out.flush()


def _limit_memory(order: Order) -> None:
    """Set limits that no code in this process can lift again: memory, size of the answer, core files."""
    _limit("RLIMIT_DATA", order.memory - order.bytes - LIBRARIES)
    _limit("RLIMIT_AS", order.memory + ADDRESSES)
    _limit("RLIMIT_FSIZE", order.memory)
    _limit("RLIMIT_CORE", 0)


def _limit(name: str, most: int) -> None:
    try:
        import resource
    except ImportError:  # a system without limits; the deadline of the parent still holds
        return
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        if sys.platform == "linux":  # elsewhere some limits are names without a meaning
            raise


def _limit_time(order: Order) -> None:
    """Die by a signal of the kernel once the time of the processor is used up, whatever code is running then."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
        signal.setitimer(signal.ITIMER_PROF, order.cpu_seconds)


def read_csv(stream: BinaryIO, order: Order) -> Answer:
    """Read the columns that count of a CSV in UTF-8 with a header.

    Too few fields in a row count as missing cells; empty lines are passed over.
    """
    before = csv.field_size_limit(order.line)
    records = _records(stream, order)
    try:
        _, names = next(records, (0, []))
        columns = order.choose(names)
        return _cells(records, names, columns, order)
    except UnicodeDecodeError as error:
        raise RefusalError("text", f"byte {error.object[error.start]:#04x}") from None
    except csv.Error as error:
        raise RefusalError("quote", str(error)) from None
    finally:
        csv.field_size_limit(before)


def _records(stream: BinaryIO, order: Order) -> Iterator[tuple[int, list[str]]]:
    """The line number and fields of each record that is not blank."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    ended = False

    def lines() -> Iterator[str]:
        nonlocal ended
        for number, line in enumerate(iter(lambda: text.readline(order.line + 1), ""), 1):
            if len(line) > order.line:
                raise RefusalError("line", "a longer one", number, limit=order.line)
            if "\0" in line:
                raise RefusalError("text", "a NUL character", number)
            if number > 2 * order.rows + 2:
                raise RefusalError("rows", "more, or blank lines", limit=order.rows)
            yield line
        ended = True

    reader = csv.reader(lines())
    for fields in reader:
        if ended:  # a record that is complete never asks for the line after the last
            raise RefusalError("quote", "the end of the file inside quotes", reader.line_num)
        if fields and (len(fields) > 1 or not fields[0] or fields[0].strip(" \t")):
            yield reader.line_num, fields


def _cells(records: Iterator[tuple[int, list[str]]], names: Sequence[str], columns: Columns, order: Order) -> Answer:
    wanted = [columns.id, columns.prediction, *([columns.date] if order.headers.date_required else [])]
    places = [names.index(name) for name in wanted if name is not None]
    lines, texts, values = array("q"), [Text() for _ in places[1:]], Values(order.missing)
    for row, (line, fields) in enumerate(records):
        if row == order.rows:
            raise RefusalError("rows", "more", limit=order.rows)
        if len(fields) > len(names):
            raise RefusalError("fields", f"{len(fields)} fields", line, expected=len(names))
        cells = [fields[place] if place < len(fields) else "" for place in places]
        if len(cells[0]) > order.id_length:
            raise RefusalError("id_long", f"{len(cells[0])} characters", line, limit=order.id_length)
        lines.append(line)
        values.append(cells.pop(1))
        for text, cell in zip(texts, cells, strict=True):
            text.append(None if cell in order.missing else cell)
    unread = values.unread()
    shown = [(lines[row], repr(cell[:40])) for row, cell in unread[:SHOWN]]
    rows = array("q", [row for row, _ in unread])
    blocks = [lines, *texts[0].blocks(), values.numbers, rows]
    return Answer(columns, len(lines), blocks + [block for text in texts[1:] for block in text.blocks()], shown)


class Values:
    """A column of predictions as it grows: numbers, NaN for missing cells, and the cells that are neither."""

    def __init__(self, missing: frozenset[str]) -> None:
        self.numbers = array("d")
        self._missing = missing
        self._truths: list[tuple[int, str]] = []
        self._others: list[tuple[int, str]] = []
        self._plain = False

    def append(self, cell: str) -> None:
        """Add a cell."""
        row = len(self.numbers)
        if NUMBER.fullmatch(cell) or INFINITE.fullmatch(cell):
            self._plain = True
            self.numbers.append(float(cell))
            return
        if cell.lower() in TRUTHS:
            self._truths.append((row, cell))
        elif cell not in self._missing:
            self._others.append((row, cell))
        self.numbers.append(TRUTHS.get(cell.lower(), float("nan")))

    def unread(self) -> list[tuple[int, str]]:
        """The rows that are neither numbers nor missing. Truths are, unless all cells are truths."""
        mixed = self._plain or self._others
        return sorted(self._others + self._truths) if mixed else []


def read_parquet(content: Any, order: Order) -> Answer:
    """Read the columns that count of a Parquet file, once its metadata say that this is little."""
    import pyarrow as pa

    try:
        return _parquet(content, order)
    except pa.ArrowMemoryError as error:
        raise MemoryError from error
    except UnicodeDecodeError as error:
        raise RefusalError("damaged", str(error)) from None
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, RecursionError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise RefusalError("encrypted" if "crypt" in reason.lower() else "damaged", reason) from None


def _parquet(content: Any, order: Order) -> Answer:
    import pyarrow as pa
    from pyarrow import parquet

    bounds = {"thrift_string_size_limit": order.footer, "thrift_container_size_limit": CONTAINER}
    buffer = pa.py_buffer(content)
    file = parquet.ParquetFile(pa.BufferReader(buffer), **bounds)
    schema = file.schema_arrow
    columns = order.choose(_names(schema))
    wanted = [columns.id, columns.prediction, *([columns.date] if order.headers.date_required else [])]
    _check_types(schema, columns)
    _check_metadata(file.metadata, wanted, buffer.size, order)
    texts = [name for name in wanted if is_text(schema.field(name).type)]
    file = parquet.ParquetFile(
        pa.BufferReader(buffer), read_dictionary=texts, pre_buffer=False, page_checksum_verification=True, **bounds
    )
    tables = [_row_group(file, group, wanted, order) for group in range(file.metadata.num_row_groups)]
    return _answer(pa.concat_tables(tables) if tables else schema.empty_table(), wanted, columns)


def _names(schema: Any) -> list[str]:
    """The columns of a file without the index that pandas has kept beside them."""
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = about.get("index_columns", []) if isinstance(about, dict) else []
    index = [name for name in index if isinstance(name, str)] if isinstance(index, list) else []
    return [name for name in schema.names if name not in index]


def _check_types(schema: Any, columns: Columns) -> None:
    ids, values = schema.field(columns.id).type, schema.field(columns.prediction).type
    if not is_id(ids):
        raise RefusalError("id_type", f"a column of {ids}")
    if not is_number(values):
        raise RefusalError("numeric", f"a column of {values}")


def _check_metadata(metadata: Any, wanted: Sequence[str | None], length: int, order: Order) -> None:
    """Refuse what the metadata own up to. They may lie; the limits of this process do not listen to them."""
    if metadata.num_rows > order.rows:
        raise RefusalError("rows", f"{metadata.num_rows} rows", limit=order.rows)
    if metadata.num_row_groups > order.row_groups:
        raise RefusalError("groups", f"{metadata.num_row_groups} row groups", limit=order.row_groups)
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows or any(group.num_rows < 0 for group in groups):
        raise RefusalError("damaged", "row groups that do not add up to the rows")
    places = [place for place in range(metadata.num_columns) if metadata.schema.column(place).path in wanted]
    size = 0
    for group in filter(lambda group: group.num_rows, groups):
        for chunk in map(group.column, places):
            if chunk.num_values != group.num_rows or not _inside(chunk, length):
                raise RefusalError("damaged", "a column that is not where and what the metadata say")
            size += max(chunk.total_uncompressed_size, 0)
    if size > order.memory:
        raise RefusalError("costly", f"{size} bytes once decompressed")


def _inside(chunk: Any, length: int) -> bool:
    """Whether the pages of a column lie within a file of that length."""
    first, last = sorted([chunk.data_page_offset, chunk.dictionary_page_offset or chunk.data_page_offset])
    return 0 < first <= last < length and first <= first + chunk.total_compressed_size <= length


def _row_group(file: Any, group: int, wanted: Sequence[str | None], order: Order) -> Any:
    """One row group as text and numbers, checked in full."""
    import pyarrow as pa

    table = file.read_row_group(group, columns=wanted, use_threads=False)
    if any(len(column) != file.metadata.row_group(group).num_rows for column in table.columns):
        raise RefusalError("damaged", "fewer rows than the metadata say")
    columns = {}
    for name in wanted:
        column = table.column(name)
        if name == wanted[1]:
            columns[name] = as_numbers(column)
        else:
            _check_lengths(column, order)
            column.validate(full=True)
            columns[name] = as_text(column)
    return pa.table(columns)


def _check_lengths(column: Any, order: Order) -> None:
    """Refuse long ids while they are still in their dictionaries, where each stands but once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type) and is_text(chunk.type.value_type):
            chunk.dictionary.validate(full=True)
            longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            if longest > 4 * order.id_length or (pc.max(_characters(chunk.dictionary)).as_py() or 0) > order.id_length:
                raise RefusalError("id_long", f"{longest} bytes", limit=order.id_length)


def _characters(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.utf8_length(as_text(column))


def _answer(table: Any, wanted: Sequence[str | None], columns: Columns) -> Answer:
    import numpy as np

    rows = table.num_rows
    first, values, *others = [table.column(name) for name in wanted]
    blocks = [np.arange(1, rows + 1), *_text_blocks(first), values.to_numpy(), np.zeros(0, np.int64)]
    return Answer(columns, rows, blocks + [block for other in others for block in _text_blocks(other)])


def _text_blocks(column: Any) -> list[Any]:
    """A column of large strings as the bytes that `Text.blocks` gives."""
    import numpy as np
    import pyarrow as pa

    cells = pa.concat_arrays(column.fill_null("").chunks or [pa.array([], pa.large_string())])
    ends = np.zeros(1, np.int64)
    if len(cells):
        ends = np.frombuffer(cells.buffers()[1], np.int64)[cells.offset : cells.offset + len(cells) + 1]
    data = cells.buffers()[2][ends[0] : ends[-1]] if ends[-1] else b""
    return [column.is_valid().to_numpy().astype(np.uint8), ends - ends[0], data]
