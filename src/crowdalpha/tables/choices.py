"""What the caller of a table function chooses beside the tables: metrics, bags, a seed, the names of the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crowdalpha.scoring.arrays import tie_rule
from crowdalpha.scoring.metrics import METRICS
from crowdalpha.scoring.options import is_whole, said, seed_bytes
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables.alignment import Choices

RESERVED = ("model", "prediction", "stake")
"""Columns that mean something else than an era or an id."""


def metric_names(metrics: Any) -> list[Any]:
    """The metrics asked for as a list; whether they are names of metrics is another question."""
    try:
        return [metrics] if isinstance(metrics, str) else list(metrics)
    except TypeError:
        wanted = "names of metrics in a list"
        raise InputError(Problem("bad_metrics", wanted, said(metrics), "see `crowdalpha metrics`", "metrics")) from None


def is_metric(name: object) -> bool:
    """Whether this is the name of a metric."""
    return isinstance(name, str) and name in METRICS


def checked_choices(
    bags: int | None, seed: int | str | bytes, ties: str, era: str, id: str, metrics: Sequence[Any]
) -> Choices:
    """The choices of a caller, or a refusal of what nobody can choose."""
    if bags is not None and not is_whole(bags, 0):
        raise InputError(Problem("bad_bags", "bags of 0 or more", said(bags), "the rule of 2020 is 20"))
    seed_bytes(seed)
    refuse_if_any(_bad_keys({"era": era, "id": id}, [*RESERVED, *(name for name in metrics if is_metric(name))]))
    return Choices(bags, seed, tie_rule(ties), era, id)


def _bad_keys(keys: Mapping[str, Any], taken: Sequence[str]) -> list[Problem]:
    """A key column has a name of its own, which no column of predictions, stakes or scores has."""
    wanted = f"a name other than {', '.join(taken)}"
    problems = [
        Problem("bad_key", wanted, f"{key}={said(name)}", "rename the column", key)
        for key, name in keys.items()
        if not isinstance(name, str) or name in taken
    ]
    if not problems and keys["era"] == keys["id"]:
        problems = [Problem("bad_key", "two columns for era and id", said(keys["id"]), "name another", "id")]
    return problems
