"""Scorebooks: a model's own history of scores, read from a table, and what a rule would have paid for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.rounds import Choice, choice_of, require_open
from crowdalpha.payouts import PayoutError
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables.columns import is_numeric, numbers
from crowdalpha.tables.files import read_table
from crowdalpha.tournament.rulesets import RuleSet

KEYS = ("round", "era")
CROWD = "metamodel_corr"
"""The column with the metamodel's own CORR, for rules that ask whether an era was hard."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorebook:
    """The rounds of one model, in the order of the table, and the scores (n_rounds,) that a rule pays on."""

    rounds: tuple[str, ...]
    corr: Floats
    mmc: Floats
    crowd: Floats
    choice: Choice


def read_scorebook(path: Path, rules: RuleSet, *, model: str | None = None, choice: Choice | None = None) -> Scorebook:
    """A model's scores: columns round (or era), those that the rule pays on, and, if it asks, `metamodel_corr`.

    A table with a column model, such as `crowdalpha score` writes, needs the model's name. Rounds without a score are
    left out. Refused with codes `missing_column`, `not_numeric`, `unknown_model`, `model_missing`, `repeated_round`,
    `infinite` and `choice_not_open`.
    """
    table = read_table(path)
    chosen = _choice(rules, choice)
    wanted = [name for name, weight in zip((rules.corr, rules.mmc), chosen, strict=True) if weight]
    key = next((name for name in KEYS if name in table.column_names), "")
    refuse_if_any([*_columns(table, wanted, key, str(path))])
    table = _of_model(table, model, str(path))
    labels = tuple(str(label) for label in table.column(key).to_pylist())
    if len(set(labels)) < len(labels):
        fix = "give one row a round; of several models name one with --model"
        raise InputError(Problem("repeated_round", "each round once", "some twice", fix, str(path)))
    corr, mmc, crowd = (_numbers(table, name) for name in (rules.corr, rules.mmc, CROWD))
    refuse_if_any([*_infinite(labels, {rules.corr: corr, rules.mmc: mmc, CROWD: crowd}, str(path))])
    there = ~np.isnan(np.where(chosen[0], corr, 0.0) + np.where(chosen[1], mmc, 0.0))
    kept = tuple(label for label, here in zip(labels, there, strict=True) if here)
    return Scorebook(kept, corr[there], mmc[there], crowd[there], chosen)


def returns(book: Scorebook, rules: RuleSet, *, factor: float = 1.0) -> Floats:
    """What a rule pays of a stake in each round of a scorebook, (n_rounds,), at this payout factor."""
    return np.array([_paid(book, rules, number, factor) for number in range(len(book.rounds))])


def _paid(book: Scorebook, rules: RuleSet, number: int, factor: float) -> float:
    window = rules.policy.window
    corr, mmc = (_looked_at(scores, number, window) for scores in (book.corr, book.mmc))
    try:
        paid = rules.policy.payouts(
            np.ones(1), corr, mmc, corr_multiplier=book.choice[0], mmc_multiplier=book.choice[1], payout_factor=factor,
            metamodel_corr=book.crowd[number],
        )  # fmt: skip
    except PayoutError as error:
        if "metamodel_corr_missing" not in dict(error.problems):
            raise
        fix = "add the metamodel's own CORR in each era: score what `crowdalpha metamodel` writes"
        expected, where = f"a column {CROWD} with a number in each round", f"round {book.rounds[number]}"
        raise InputError(Problem("missing_column", expected, "none", fix, where)) from None
    return float(paid[0])


def _looked_at(scores: Floats, number: int, window: int) -> Floats:
    if window == 1:
        return scores[number : number + 1]
    seen = scores[max(0, number + 1 - window) : number + 1]
    return np.concatenate([np.full(window - len(seen), np.nan), seen])[:, None]


def _choice(rules: RuleSet, wanted: Choice | None) -> Choice:
    require_open(rules, wanted)
    return choice_of(rules, wanted) if rules.policy.choices or wanted is not None else (1.0, 1.0)


def _columns(table: Any, wanted: Iterable[str], key: str, where: str) -> Iterable[Problem]:
    if not key:
        fix = "add the column; rows are in the order of rounds"
        yield Problem("missing_column", "a column round or era", ", ".join(table.column_names), fix, where)
    for name in wanted:
        if name not in table.column_names:
            fix = "add the score that the rule pays on, or name another --policy"
            yield Problem("missing_column", f"a column {name}", ", ".join(table.column_names), fix, where)
        elif not is_numeric(table.column(name).type):
            yield Problem(
                "not_numeric", f"numbers in {name}", str(table.column(name).type), "correct the column", where
            )


def _infinite(labels: Sequence[str], columns: Mapping[str, Floats], where: str) -> Iterable[Problem]:
    for name, scores in columns.items():
        for row in np.flatnonzero(np.isinf(scores)).tolist():
            place = f"{where}, round {labels[row]}"
            yield Problem(
                "infinite", f"a number in {name}", str(scores[row]), "correct the score, or leave it empty", place
            )


def _of_model(table: Any, model: str | None, where: str) -> Any:
    """The rows of one model, or all if there is no column model."""
    if "model" not in table.column_names:
        return table
    import pyarrow.compute as pc

    names = sorted({str(name) for name in table.column("model").to_pylist()})
    if model is None and len(names) > 1:
        fix = "say which with --model"
        raise InputError(Problem("model_missing", "one model", f"{len(names)} models", fix, where))
    if model is not None and model not in names:
        fix = "check the name"
        raise InputError(Problem("unknown_model", f"one of {', '.join(names[:20])}", repr(model), fix, where))
    return table.filter(pc.equal(table.column("model"), model or names[0]))


def _numbers(table: Any, name: str) -> Floats:
    if name not in table.column_names or not is_numeric(table.column(name).type):
        return np.full(table.num_rows, np.nan)
    return np.asarray(numbers(table.column(name)), np.float64)
