"""CSV read as text first and as numbers after, so that every cell that is not a number is known by its row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import LARGEST_WHOLE
from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"
NOTHING = ["", "nan", "na", "n/a", "null", "none"]
"""What stands for a missing number, in any case of letters."""
LONG = r"^[+-]?\d{16,300}$"
"""Whole numbers that may have more digits than a float64 holds."""
FITS = "a number that a float64 can hold"
LISTED = 100
"""Rows that are listed one by one for each kind of problem in a file; the rest is counted."""

Lines = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A file as read: an Arrow table, or None if it could not be read; the line of each row; what was wrong.

    Lines count from 1 as an editor shows them; a CSV's header is line 1, and other formats count rows.
    `bad_cells` maps a column to the rows (from 0) whose text was no number, or one of too many digits; these cells
    are null.
    """

    table: Any
    lines: Lines
    problems: tuple[Problem, ...]
    bad_cells: tuple[tuple[str, NDArray[np.intp]], ...] = ()


def unreadable(*problems: Problem) -> Reading:
    """The reading of a file from which no table came."""
    return Reading(None, np.zeros(0, np.int64), problems)


def read_csv(path: Path, text: Sequence[str], era: str) -> Reading:
    """Read a CSV in UTF-8 with a header. Columns in `text` stay text; `era` becomes whole numbers if all are.

    Of the other columns, those in which numbers prevail are numbers, and their other cells are problems.
    """
    try:
        names = _header(path)
    except UnicodeDecodeError as error:
        return unreadable(Problem("not_utf8", "text in UTF-8", str(error), "save the file as UTF-8", str(path)))
    except csv.Error as error:
        return unreadable(Problem("cannot_parse", "a CSV", str(error), "check the quotes", str(path)))
    twice = columns.duplicates(names)
    if twice:
        found = f"{', '.join(twice)} more than once"
        return unreadable(Problem("duplicate_columns", "each column once", found, "rename or drop one", str(path)))
    if not any(names):
        return unreadable(Problem("empty", "a header and rows", "nothing", "write the table again", str(path)))
    if not all(names):
        fix = "name it, or write the table without its index"
        return unreadable(Problem("unnamed_column", "a name for each column", "a blank one", fix, str(path)))
    table, lines, problems = _text_table(path, names)
    if table is None:
        return unreadable(*problems)
    return _typed(path, table, lines, problems, text, era)


def listed(
    path: Path, code: str, expected: str, fix: str, found: Sequence[tuple[int, str]], whose: str = ""
) -> list[Problem]:
    """A problem for each of the first rows of a kind, and one that counts the others; `whose` ends their places."""
    problems = [Problem(code, expected, what, fix, f"{path}, row {line}{whose}") for line, what in found[:LISTED]]
    if len(found) > LISTED:
        more = f"the same in {len(found) - LISTED} more rows"
        problems.append(Problem(code, expected, more, fix, f"{path}, rows after {found[LISTED - 1][0]}{whose}"))
    return problems


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [name.strip() for name in next(csv.reader(file), [])]


def _text_table(path: Path, names: list[str]) -> tuple[Any, Lines, list[Problem]]:
    """All cells as text; rows with too many or too few fields are left out and listed, empty lines left out."""
    import pyarrow as pa

    ragged: list[tuple[int, str]] = []
    try:
        try:
            table = _parse(path, names, None)
        except pa.ArrowInvalid:
            table = _parse(path, names, ragged)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        found = [Problem("cannot_parse", f"a CSV of {len(names)} columns", reason, "save it again as CSV", str(path))]
        return None, np.zeros(0, np.int64), found
    bad = [line for line, _ in ragged]
    lines = np.setdiff1d(np.arange(2, table.num_rows + len(bad) + 2), bad)
    said = np.zeros(table.num_rows, bool)
    for column in table.columns:
        said |= column.is_valid().to_numpy(zero_copy_only=False)
    advice = "quote fields that contain commas"
    problems = listed(path, "wrong_number_of_fields", f"{len(names)} fields", advice, ragged)
    if not said.all():
        table, lines = table.filter(pa.array(said)), lines[said]
    if not table.num_rows:
        fix = "write the table again"
        problems = problems or [Problem("empty", "at least one row", "only a header", fix, str(path))]
        return None, lines, problems
    return table, lines, problems


def _parse(path: Path, names: list[str], ragged: list[tuple[int, str]] | None) -> Any:
    """Parse on all threads, or, to learn the line of each ragged row, on one."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    def skip(row: Any) -> str:
        assert ragged is not None
        ragged.append((row.number, f"{row.actual_columns} fields"))
        return "skip"

    return arrow.read_csv(
        path,
        read_options=arrow.ReadOptions(column_names=names, skip_rows=1, use_threads=ragged is None),
        parse_options=arrow.ParseOptions(
            ignore_empty_lines=False, invalid_row_handler=None if ragged is None else skip
        ),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()), null_values=[""], strings_can_be_null=True
        ),
    )


def _typed(path: Path, table: Any, lines: Lines, problems: list[Problem], text: Sequence[str], era: str) -> Reading:
    bad_cells = []
    for place, name in enumerate(table.column_names):
        column = table.column(name)
        if name == era:
            table = table.set_column(place, name, _whole_if_all_are(column))
        elif name not in text:
            typed, bad = _numbers(column)
            longer = _rounded(column, typed)
            table = table.set_column(place, name, _without(typed, longer))
            for code, expected, fix, rows in (
                ("too_many_digits", f"{FITS}, in column {name}", "round or rank it", longer),
                ("not_a_number", f"a number in column {name}", "correct the cell", bad),
            ):
                for whose, some in _by_model(table, name, rows):
                    cells = zip(lines[some].tolist(), map(repr, column.take(some).to_pylist()), strict=True)
                    problems += listed(path, code, expected, fix, [*cells], whose)
            if len(bad) or len(longer):
                bad_cells.append((name, np.union1d(bad, longer)))
    return Reading(table, lines, tuple(problems), tuple(bad_cells))


def _by_model(table: Any, column: str, rows: NDArray[np.intp]) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows by the model they name, if this is the column of predictions in the long layout; else as they are."""
    if column != "prediction" or "model" not in table.column_names or not len(rows):
        return [("", rows)]
    models = np.array(table.column("model").take(rows).to_pylist(), object)
    return [(f", model {name}", rows[models == name]) for name in dict.fromkeys(models)]


def _without(column: Any, rows: NDArray[np.intp]) -> Any:
    """The column with nothing in these rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(rows):
        return column
    kept = np.ones(len(column), bool)
    kept[rows] = False
    return pc.if_else(pa.array(kept), column, pa.scalar(None, column.type))


def _whole_if_all_are(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count < len(column) and pc.all(pc.match_substring_regex(column, WHOLE)).as_py():
        return column.cast(pa.int64())
    return column


def _rounded(column: Any, typed: Any) -> NDArray[np.intp]:
    """The rows whose text is a whole number that the float it was read as cannot hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_float64(typed.type) or not (pc.max(pc.abs(typed)).as_py() or 0.0) > LARGEST_WHOLE:
        return np.zeros(0, np.intp)
    trimmed = pc.utf8_trim_whitespace(column)
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(trimmed, LONG), False).to_numpy())
    texts = trimmed.take(rows).to_pylist()
    return rows[[int(float(text)) != int(text) for text in texts]] if len(rows) else rows


def _numbers(column: Any) -> tuple[Any, NDArray[np.intp]]:
    """A column of numbers and the rows that hold anything else; or the text as it is, if text prevails."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for kind in (pa.int64(), pa.float64()):
        try:
            return column.cast(kind), np.zeros(0, np.intp)
        except pa.ArrowInvalid:
            continue
    trimmed = pc.utf8_trim_whitespace(column)
    said = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(NOTHING, pa.large_string()))
    nothing = pc.or_(said, pc.is_null(trimmed))
    number = pc.fill_null(pc.match_substring_regex(trimmed, NUMBER), False)
    bad = np.flatnonzero(~pc.or_(nothing, number).to_numpy())
    if len(bad) > pc.sum(number).as_py():
        return column, np.zeros(0, np.intp)
    return pc.if_else(number, trimmed, pa.scalar(None, pa.large_string())).cast(pa.float64()), bad
