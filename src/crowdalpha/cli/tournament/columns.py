"""The tables that a round is about: its ids, their features, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdalpha.scoring.problems import Problem
    from crowdalpha.tables.sheets import Sheet, Sheets

ERA = "era"


def read_ids(path: Path, id: str) -> list[str]:
    """The ids in a file, in their order."""
    sheets, sheet = _sheet(path, id)
    return [str(sheets.id_values[code]) for code in sheet.id]


def read_features(path: Path, id: str) -> tuple[list[str], dict[str, list[float]]]:
    """The ids in a file and, in their order, the features: every other column."""
    sheets, sheet = _sheet(path, id)
    names = [name for name in sheet.value_columns if name != ERA]
    ids = [str(sheets.id_values[code]) for code in sheet.id]
    return ids, _numbers(sheet, names, path)


def read_target(path: Path, id: str, column: str) -> dict[str, float]:
    """What came of each id, from a column of that name: a target is for good, so none is guessed."""
    from crowdalpha.scoring.problems import refuse_if_any
    from crowdalpha.tables.columns import missing_columns

    sheets, sheet = _sheet(path, id)
    refuse_if_any([*missing_columns(sheet.table, [column], str(path)), *_twice(sheets, sheet, path)])
    values = _numbers(sheet, [column], path)[column]
    return {str(sheets.id_values[code]): value for code, value in zip(sheet.id, values, strict=True)}


def _sheet(path: Path, id: str) -> tuple[Sheets, Sheet]:
    """The one sheet in a file, its rows keyed by their ids."""
    from crowdalpha.scoring.problems import refuse_if_any
    from crowdalpha.tables.files import read_table
    from crowdalpha.tables.sheets import read_sheets

    name = str(path)
    sheets = read_sheets({name: read_table(path, era=ERA, id=id)}, ERA, id)
    refuse_if_any(sheets.problems)
    return sheets, sheets.by_name[name]


def _numbers(sheet: Sheet, names: list[str], path: Path) -> dict[str, list[float]]:
    """Columns of finite numbers, by name."""
    import numpy as np

    from crowdalpha.scoring.problems import Problem, refuse_if_any
    from crowdalpha.tables.layouts import not_numeric

    refuse_if_any(not_numeric(sheet.table, names, str(path)))
    found = {name: sheet.numbers(name).astype(float) for name in names}
    refuse_if_any(
        Problem("not_finite", f"a number in every row of {name}", "gaps, or infinite ones", "complete it", str(path))
        for name, column in found.items()
        if not np.isfinite(column).all()
    )
    return {name: column.tolist() for name, column in found.items()}


def _twice(sheets: Sheets, sheet: Sheet, path: Path) -> list[Problem]:
    import numpy as np

    from crowdalpha.scoring.problems import Problem

    often = np.flatnonzero(np.bincount(sheet.id) > 1)
    found = f"{sheets.id_names(often.tolist())} again"
    return [Problem("id_twice", "each id once", found, "keep one row for each", str(path))] if len(often) else []
