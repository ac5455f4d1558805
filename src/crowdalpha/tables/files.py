"""One door for files: CSV, Parquet, Feather and folders of submissions come out as Arrow tables alike.

Everything that is wrong with a file is listed at once, each problem with the file, the row and the reason.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables import columns
from crowdalpha.tables.cells import Reading, read_csv, unreadable
from crowdalpha.tables.submissions import Submissions, folder, one_file

KINDS = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
    ".json": "json",
}
"""Formats by the end of a file's name. JSON is only written."""
READ = "CSV (.csv), Parquet (.parquet) or Feather (.feather)"
MAGIC = {b"PAR1": "parquet", b"ARROW1": "feather"}
"""How a file of each binary format begins; this counts for more than its name."""

Pathlike = str | os.PathLike[str]


def read_table(path: Pathlike, *, era: str = "era", id: str = "id") -> Any:
    """The Arrow table in a CSV, Parquet or Feather file.

    In a CSV the columns `id` and `model` stay text (0012 keeps its zeros), `era` becomes whole numbers if all its
    values are, and columns in which numbers prevail are numbers. Blank, NaN and NA are null.
    Raises InputError with every problem of the file.
    """
    reading = read_file(Path(path), era=era, id=id)
    refuse_if_any(reading.problems)
    return reading.table


def read_predictions(path: Pathlike, *, era: str = "era", id: str = "id") -> Any:
    """Predictions from a file as in `read_table`, or from a folder: each file in it is a model named by its stem.

    A submission has the columns (era,) id and prediction. Result of a folder: one long table era, id, model,
    prediction. Raises InputError with every problem of every file.
    """
    read = read_submissions(Path(path), era=era, id=id)
    refuse_if_any(read.problems)
    return read.table


def read_submissions(path: Path, *, era: str = "era", id: str = "id") -> Submissions:
    """Predictions from a file or a folder, with what was wrong; hidden files are passed over; raises nothing."""
    if not os.path.isdir(path):
        return one_file(path, read_file(path, era=era, id=id), era=era, id=id)
    files = sorted((file for file in path.iterdir() if not file.name.startswith(".")), key=lambda file: file.name)
    if not files:
        return Submissions(None, (Problem("empty", "submission files", "none", "add one a model", str(path)),))
    return folder({file: read_file(file, era=era, id=id) for file in files}, era=era, id=id)


def read_file(path: Path, *, era: str = "era", id: str = "id") -> Reading:
    """A file as read, with what was wrong; raises nothing."""
    import pyarrow as pa

    kind = _kind(path)
    if isinstance(kind, Problem):
        return unreadable(kind)
    if kind == "csv":
        return read_csv(path, (id, "model"), era)
    try:
        table = _read_binary(path, kind)
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = str(error).splitlines()[0][:200]
        return unreadable(Problem("cannot_parse", f"a whole {kind} file", reason, "write it again", str(path)))
    if not table.num_rows:
        return unreadable(Problem("empty", "at least one row", "none", "write the table again", str(path)))
    table = columns.without_index(table, (era, id, "model"))
    return Reading(table, np.arange(1, table.num_rows + 1), ())


def write_table(table: Any, path: Pathlike) -> None:
    """Write an Arrow table as CSV, Parquet, Feather or JSON (a list of records), by the end of the path.

    Numbers are written so that reading them gives the same bits. Raises InputError if the path cannot be written.
    """
    path = Path(path)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        expected = "a path that ends in " + ", ".join(KINDS)
        raise InputError(Problem("unknown_kind", expected, repr(path.name), "change the ending", str(path)))
    try:
        _WRITERS[kind](table, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Problem("cannot_write", "a path in a folder that exists", reason, "choose another path", str(path))
        ) from error


def _kind(path: Path) -> str | Problem:
    """The format of a file by how it begins, then by its name; or why there is none."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        return Problem("not_found", "a file", "nothing there", "check the path", str(path))
    except IsADirectoryError:
        return Problem("not_a_file", "a file", "a folder", "name a file in it", str(path))
    except OSError as error:
        reason = error.strerror or str(error)
        return Problem("cannot_read", "a readable file", reason, "check its path and permissions", str(path))
    if not start:
        return Problem("empty", "a table", "a file of 0 bytes", "write the table again", str(path))
    named = KINDS.get(path.suffix.lower())
    for magic, kind in MAGIC.items():
        if start.startswith(magic):
            return kind
    if named in MAGIC.values():
        found = f"a file that begins with {start!r}"
        return Problem("cannot_parse", f"a {named} file", found, "write it again, or rename it", str(path))
    if named != "csv":
        return Problem("unknown_kind", READ, repr(path.suffix or path.name), "convert the file", str(path))
    return named


def _read_binary(path: Path, kind: str) -> Any:
    import pyarrow as pa

    if kind == "parquet":
        from pyarrow import parquet

        return parquet.ParquetFile(path).read()
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()


def _write_csv(table: Any, path: Path) -> None:
    from pyarrow import csv

    csv.write_csv(table, path, csv.WriteOptions(quoting_style="needed"))


def _write_parquet(table: Any, path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(table, path)


def _write_feather(table: Any, path: Path) -> None:
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _write_json(table: Any, path: Path) -> None:
    rows = ",\n ".join(json.dumps(_json_row(row), ensure_ascii=False) for row in table.to_pylist())
    path.write_text(f"[{rows}]\n", encoding="utf-8")


def _json_row(row: dict[str, Any]) -> dict[str, Any]:
    """A record with null for NaN and the infinities, which JSON does not know, and text for dates."""
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


_WRITERS = {"csv": _write_csv, "parquet": _write_parquet, "feather": _write_feather, "json": _write_json}
