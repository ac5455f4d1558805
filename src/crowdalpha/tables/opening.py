"""Opening stakes: what each model stakes before a history is played, in whole units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables.files import read_table
from crowdalpha.tables.staking import read_stakes

UNITS = 10**9
MOST = 4_000_000
"""Coins that may be staked in all: what a treasury a thousand times as large still counts in 64 bits."""


def opening_stakes(stakes: Any, models: Sequence[str]) -> dict[str, int]:
    """The stakes of a table with the columns model and stake, in whole units by model; 0 for one that is not listed.

    Stakes are coins, with up to nine decimals. InputError with all problems at once; one of them is `stakes_by_era`,
    for a history is played on what was staked before it began.

    >>> import pyarrow as pa
    >>> opening_stakes(pa.table({"model": ["a"], "stake": [2]}), ["a", "b"])
    {'a': 2000000000, 'b': 0}
    """
    import pyarrow as pa

    table = stakes if isinstance(stakes, pa.Table) else read_table(stakes)
    if "era" in table.column_names:
        fix = "leave the column out: later stakes come from what is earned"
        raise InputError(Problem("stakes_by_era", "one opening stake a model", "a column era", fix, "stakes"))
    rows, problems = read_stakes(_in_coins(table), models, ["1"], "era")
    refuse_if_any(problems)
    units = [_units(value) for value in rows[0].tolist()]
    if sum(units) > MOST * UNITS:
        expected = f"at most {MOST:,} coins in all"
        fix = "scale the stakes down: ratios matter, and the payout factor of rules that have one"
        raise InputError(Problem("stakes_too_large", expected, f"{sum(units) / UNITS:,.0f}", fix, "stakes"))
    return dict(zip(models, units, strict=True))


def _in_coins(table: Any) -> Any:
    """Whole numbers as coins like all others, for they would be taken for units."""
    import pyarrow as pa

    at = table.column_names.index("stake") if "stake" in table.column_names else -1
    if at < 0 or not pa.types.is_integer(table.column(at).type):
        return table
    coins = pa.array([None if v is None else Decimal(v) for v in table.column(at).to_pylist()], pa.decimal128(38, 9))
    return table.set_column(at, "stake", coins)


def _units(value: int | float) -> int:
    """Units as they are; coins in floats to the nearest unit."""
    return value if isinstance(value, int) else round(value * UNITS)
