"""Stakes as a caller gives them (nothing, a mapping, a table) as an array for each era."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.bags import UNITS_PER_COIN
from crowdalpha.scoring.options import is_whole, said
from crowdalpha.scoring.problems import Problem
from crowdalpha.tables import columns
from crowdalpha.tables.sheets import shown

Stakes = NDArray[Any]
"""(n_eras or 1, n_models): whole units as int64 if all stakes are integers or some are decimals, else float64 coins."""
MOST = 2**62
"""Units that a stake stays below."""
NINE = Decimal(1).scaleb(-9)


def read_stakes(
    stakes: Any, models: Sequence[str], eras: Sequence[int | str], era: str, unread: frozenset[str] = frozenset()
) -> tuple[Stakes, list[Problem]]:
    """One row of stakes for all eras, or a row an era; 1 for every model if stakes is None.

    stakes: a mapping of model to stake, or an Arrow table with columns model, stake and perhaps era. Integers are
    whole units if all stakes are integers, coins beside floats or decimals; coins count to nine decimals. A model that
    is not listed has stake 0; a listed model that has no predictions at all is a problem, unless it is one of
    those whose predictions could not be read.
    """
    if stakes is None:
        return np.ones((1, len(models)), np.int64), []
    if isinstance(stakes, Mapping):
        return _placed(list(stakes), list(stakes.values()), None, models, eras, unread)
    problems = _unreadable(stakes)
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
    amounts = [] if problems else _amounts(values)
    whole = all(isinstance(amount, int) for amount in amounts)
    out = np.zeros((1 if in_eras is None else len(eras), len(models)), np.int64 if whole else np.float64)
    if not problems:
        for row, name, value in zip(rows, listed, amounts, strict=True):
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


def _unreadable(stakes: Any) -> list[Problem]:
    """What is wrong with the columns of a table of stakes."""
    import pyarrow as pa

    twice = columns.duplicates(stakes.column_names)
    if twice:
        found = f"{shown(twice)} twice"
        return [Problem("duplicate_columns", "each column once", found, "rename or drop one", "stakes")]
    problems = columns.missing_columns(stakes, ["model", "stake"], "stakes")
    if problems:
        return problems
    kind = stakes.column("stake").type
    if not columns.is_numeric(kind.value_type if pa.types.is_dictionary(kind) else kind):
        found = f"stake of type {kind}"
        return [Problem("not_numeric", "stakes as numbers", found, "convert them", "stakes")]
    return []


def _bad_values(names: list[str], values: list[Any]) -> list[Problem]:
    """The stakes that are no numbers from 0 on, too large to count, or so small that nothing would be left."""
    pairs = list(zip(names, values, strict=True))
    wrong = [pair for pair in pairs if not _is_stake(pair[1])]
    if wrong:
        return [
            Problem("bad_stake", "a finite number, 0 or more", said(value), "correct it", f"stakes, model {name}")
            for name, value in wrong
        ]
    whole = _all_whole(values)
    problems = []
    for name, value in pairs:
        units, where = _units(value, whole), f"stakes, model {name}"
        if units >= MOST:
            expected, fix = "less than 4.6e9 coins (2^62 units)", "scale the stakes down: only their ratios matter"
            problems.append(Problem("bad_stake", expected, said(value), fix, where))
        elif value > 0 and units == 0:
            fix = "scale the stakes up: only their ratios matter"
            problems.append(Problem("stake_too_small", "stakes of .000000001 or more", said(value), fix, where))
    return problems


def _is_stake(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value >= 0
    finite = isinstance(value, float | np.floating) and bool(np.isfinite(value) and value >= 0)
    return finite or is_whole(value, 0)


def _all_whole(values: list[Any]) -> bool:
    return all(isinstance(value, int | np.integer) for value in values)


def _amounts(values: list[Any]) -> list[int] | list[float]:
    """Stakes as they are counted: whole units, or coins where there are floats and no decimals."""
    whole = _all_whole(values)
    if whole or any(isinstance(value, Decimal) for value in values):
        return [_units(value, whole) for value in values]
    return [float(value) for value in values]


def _units(value: Any, whole: bool) -> int:
    """A stake in units: integers as they are where all stakes are integers, else coins rounded to nine decimals."""
    if whole:
        return int(value)
    if value >= MOST // UNITS_PER_COIN + 1:
        return MOST
    if isinstance(value, Decimal):
        with localcontext(prec=60):
            return int(value.quantize(NINE) * UNITS_PER_COIN)
    return int(value) * UNITS_PER_COIN if isinstance(value, int | np.integer) else round(float(value) * UNITS_PER_COIN)


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
