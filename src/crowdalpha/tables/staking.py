"""Stakes as a caller gives them (nothing, a mapping, a table) as an array for each era."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns
from crowdalpha.tables.sheets import shown

Stakes = NDArray[Any]
"""(n_eras or 1, n_models): int64 if all stakes are integers (whole units), else float64 (coins)."""


def read_stakes(
    stakes: Any, models: Sequence[str], eras: Sequence[int | str], era: str, unread: frozenset[str] = frozenset()
) -> tuple[Stakes, list[Problem]]:
    """One row of stakes for all eras, or a row an era; 1 for every model if stakes is None.

    stakes: a mapping of model to stake, or an Arrow table with columns model, stake and perhaps era. A model that
    is not listed has stake 0; a listed model that has no predictions at all is a problem, unless it is one of
    those whose predictions could not be read.
    """
    if stakes is None:
        return np.ones((1, len(models)), np.int64), []
    if isinstance(stakes, Mapping):
        return _placed(list(stakes), list(stakes.values()), None, models, eras, unread)
    problems = columns.missing_columns(stakes, ["model", "stake"], "stakes")
    if problems:
        return np.zeros((1, len(models)), np.int64), problems
    names = stakes.column("model").to_pylist()
    in_eras = _eras(stakes.column(era)) if era in stakes.column_names else None
    return _placed(names, stakes.column("stake").to_pylist(), in_eras, models, eras, unread)


def _placed(
    names: list[Any],
    values: list[Any],
    in_eras: list[str | None] | None,
    models: Sequence[str],
    eras: Sequence[int | str],
    unread: frozenset[str],
) -> tuple[Stakes, list[Problem]]:
    listed = [str(name) for name in names]
    problems = _unknown(listed, {*models, *unread}) + _bad_values(listed, values)
    rows = [0] * len(listed) if in_eras is None else _rows(in_eras, eras)
    column = {name: j for j, name in enumerate(models)}
    keys = list(zip(rows if in_eras is None else in_eras, listed, strict=True))
    problems += _duplicates(keys, in_eras is not None)
    if listed and all(row is None for row in rows):
        found = shown(sorted(set(in_eras or ()), key=str))
        problems.append(Problem("unknown_era", "eras of the predictions", found, "name the same eras", "stakes"))
    whole = all(isinstance(value, int | np.integer) for value in values)
    out = np.zeros((1 if in_eras is None else len(eras), len(models)), np.int64 if whole else np.float64)
    if not problems:
        for row, name, value in zip(rows, listed, values, strict=True):
            if row is not None and name in column:
                out[row, column[name]] = value
    return out, problems


def _eras(column: Any) -> list[str | None]:
    """The eras of the stakes as text, read like those of every other table."""
    keys = columns.era_keys(column)
    if keys is None:
        return [None if each is None else str(each) for each in column.to_pylist()]
    values = [str(each) for each in keys[1].to_pylist()]
    return [values[code] if code >= 0 else None for code in keys[0]]


def _rows(in_eras: list[str | None], eras: Sequence[int | str]) -> list[int | None]:
    row = {str(name): i for i, name in enumerate(eras)}
    return [None if name is None else row.get(name) for name in in_eras]


def _unknown(names: list[str], models: set[str]) -> list[Problem]:
    unknown = sorted(set(names) - models)
    if not unknown:
        return []
    fix = "correct the name, or take its stake out"
    return [Problem("unknown_model", "stakes of models that predict", shown(unknown), fix, "stakes")]


def _bad_values(names: list[str], values: list[Any]) -> list[Problem]:
    return [
        Problem("bad_stake", "a finite number, 0 or more", repr(value), "correct it", f"stakes, model {name}")
        for name, value in zip(names, values, strict=True)
        if not _is_stake(value)
    ]


def _is_stake(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return number and bool(np.isfinite(value)) and value >= 0


def _duplicates(keys: list[tuple[Any, str]], by_era: bool) -> list[Problem]:
    seen: set[tuple[Any, str]] = set()
    twice = {key for key in keys if key in seen or seen.add(key)}  # type: ignore[func-returns-value]
    return [
        Problem(
            "duplicate_stake",
            "one stake a model" + (" and era" if by_era else ""),
            "several",
            "add them up",
            f"stakes, {f'era {key[0]}, ' if by_era else ''}model {key[1]}",
        )
        for key in sorted(twice, key=str)
    ]
