"""Tables in, a table out, in the caller's own library: the one file that knows pandas, polars and the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.metrics import evaluate, metric, missing_inputs
from crowdalpha.scoring.options import said
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tables import columns
from crowdalpha.tables.alignment import REFERENCES, Aligned, Choices, align
from crowdalpha.tables.choices import checked_choices, is_metric, metric_names
from crowdalpha.tables.crowd import Crowd, id_table, score_table
from crowdalpha.tables.files import read_file, read_submissions

__all__ = ["Crowd", "as_arrow", "eras", "id_table", "score", "score_table"]

Invalid = Literal["refuse", "leave_out"]
Report = Callable[[Problem], None] | list[Problem] | None
Progress = Callable[[int, int], None] | None


def score(
    predictions: Any,
    targets: Any,
    stakes: Any = None,
    *,
    metrics: str | Sequence[str] = ("corr", "mmc2"),
    bags: int | None = 20,
    seed: int | str | bytes = 0,
    features: Any = None,
    metamodel: Any = None,
    benchmarks: Any = None,
    neutralizers: Any = None,
    sample_weights: Any = None,
    ties: str = "average",
    invalid: Invalid = "refuse",
    problems: Report = None,
    progress: Progress = None,
    era: str = "era",
    id: str = "id",
) -> Any:
    """Score every model in every era: a table with a row an era and model, and a column a metric.

    predictions: a table, long (era, id, model, prediction) or wide (era, id, a column of numbers a model), or the
    path of a file or of a folder with a file a model. targets: era, id and one more column, or one named target.
    Both without an era column are one era, 1. The ids of an era are those of its targets: a model predicts each
    once, or is absent from the era (no rows, or nothing but nulls).
    stakes: None for 1 each, {model: stake}, or a table (model, stake) or (era, model, stake); a model that is not
    listed is scored but not pooled. Integers are whole units, floats and decimals are coins; only the ratios matter.
    features, benchmarks, neutralizers: era, id and columns of numbers. metamodel, sample_weights: era, id and one
    column. They may hold more eras and ids than asked for. Any table can be a path.
    metrics: names from METRICS. bags: subsamples an era, drawn from seed and era; 0 or None pools every staker once.
    invalid: "refuse" raises InputError with all problems at once; "leave_out" leaves a model with a problem out of
    the era it is in and hands the problems to `problems`, a list or a function; nobody else's score changes.
    progress: called with (eras done, eras in all).

    Result: columns era, model and the metrics, sorted by era and model; null where a model is absent; in the
    library of `predictions`, Arrow for a path. The same bits for any library, layout and order of rows.

    >>> import pyarrow as pa
    >>> ids = ["a", "b", "c", "d", "e"]
    >>> crowd = pa.table({"id": ids, "mine": [1, 3, 2, 4, 5], "theirs": [2, 1, 3, 5, 4]})
    >>> targets = pa.table({"id": ids, "target": [0, 0.25, 0.5, 0.75, 1]})
    >>> scores = score(crowd, targets, {"theirs": 100}, bags=0)
    >>> scores.column_names, scores["model"].to_pylist(), [round(x, 9) for x in scores["mmc2"].to_pylist()]
    (['era', 'model', 'corr', 'mmc2'], ['mine', 'theirs'], [0.624256837, 0.0])
    """
    names = metric_names(metrics)
    references = {
        "features": features,
        "metamodel": metamodel,
        "benchmarks": benchmarks,
        "neutralizers": neutralizers,
        "sample_weights": sample_weights,
    }
    choices = checked_choices(bags, seed, ties, era, id, names)
    wrong = _wrong_metrics(names, targets, references)
    crowd = _crowd(predictions, targets, stakes, references, choices, invalid, problems, wrong)
    return _like(predictions, score_table(crowd, _evaluated(crowd, names, progress), era=era))


def eras(
    predictions: Any,
    targets: Any = None,
    stakes: Any = None,
    *,
    metrics: Sequence[str] = (),
    bags: int | None = 20,
    seed: int | str | bytes = 0,
    ties: str = "average",
    invalid: Invalid = "refuse",
    problems: Report = None,
    era: str = "era",
    id: str = "id",
    **references: Any,
) -> Crowd:
    """The aligned arrays that `score` works on, for whoever needs more than scores.

    Arguments as in `score`; references are features, metamodel, benchmarks, neutralizers and sample_weights. metrics
    are names that the eras shall be good for. Without targets, an era's universe is what any model predicts in it.

    >>> import pyarrow as pa
    >>> crowd = pa.table({"id": ["b", "a"], "mine": [2, 1]})
    >>> for one in eras(crowd, pa.table({"id": ["a", "b"], "target": [0, 1]})):
    ...     print(one.label, one.ids, one.models, one.predictions.ravel(), one.target)
    1 ('a', 'b') ('mine',) [1. 2.] [0. 1.]
    """
    unknown = set(references) - set(REFERENCES)
    if unknown:
        raise TypeError(f"eras() takes no {', '.join(sorted(unknown))}; tables are {', '.join(REFERENCES)}")
    names = metric_names(metrics)
    choices = checked_choices(bags, seed, ties, era, id, names)
    wrong = _wrong_metrics(names, targets, references) if names else []
    return _crowd(predictions, targets, stakes, references, choices, invalid, problems, wrong)


def as_arrow(frame: Any, name: str, keys: Sequence[str] = ("era", "id")) -> tuple[Any, list[Problem]]:
    """A frame of any library as an Arrow table, or None and why not. An index named like a key is a column."""
    import narwhals.stable.v2 as nw
    import pyarrow as pa
    from narwhals.exceptions import DuplicateError

    if isinstance(frame, pa.Table):
        return frame, []
    try:
        eager = nw.from_native(frame, eager_only=True)
    except TypeError:
        found = f"{type(frame).__module__}.{type(frame).__name__}"
        fix = "collect a lazy frame first" if hasattr(frame, "collect") else "pass a frame or a path"
        wanted = "a pandas, polars or pyarrow table, or a path"
        return None, [Problem("not_a_table", wanted, found, fix, name)]
    except DuplicateError as error:
        return None, [_twice(error, name)]
    try:
        named = eager.rename({column: str(column) for column in eager.columns if not isinstance(column, str)})
        table = named.to_arrow()
    except DuplicateError as error:
        return None, [_twice(error, name)]
    except pa.ArrowException as error:
        found = " ".join(str(part) for part in error.args)[:200]
        return None, [Problem("mixed_types", "columns of one type each", found, "convert the column", name)]
    except UnicodeError as error:
        return None, [Problem("not_utf8", "text that UTF-8 can hold", str(error), "correct the text", name)]
    except OverflowError as error:
        return None, [Problem("too_many_digits", "whole numbers below 2^63", str(error), "give them as text", name)]
    except TypeError as error:
        wanted, fix = "columns that Arrow can hold", "convert the column; a sparse one with .sparse.to_dense()"
        return None, [Problem("cannot_convert", wanted, str(error), fix, name)]
    return columns.without_index(table, keys), []


def _twice(error: Exception, name: str) -> Problem:
    found = " ".join(str(error).split())[:200]
    return Problem("duplicate_columns", "each column once", found, "rename or drop one", name)


def _wrong_metrics(names: list[str], targets: Any, references: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for name in names:
        try:
            metric(name)
        except InputError as unknown:
            problems += unknown.problems
    given = [name for name, value in {"target": targets, **references}.items() if value is not None]
    problems += missing_inputs([name for name in names if is_metric(name)], given)
    if not names:
        problems.append(Problem("no_metrics", "at least one metric", "none", "name one of METRICS", "metrics"))
    return problems


def _crowd(
    predictions: Any,
    targets: Any,
    stakes: Any,
    references: Mapping[str, Any],
    choices: Choices,
    invalid: Invalid,
    report: Report,
    wrong: Iterable[Problem],
) -> Crowd:
    if not isinstance(invalid, str) or invalid not in ("refuse", "leave_out"):
        raise InputError(
            Problem("bad_invalid", "invalid 'refuse' or 'leave_out'", said(invalid), "choose one of the two")
        )
    fatal = list(wrong)
    tables, faults, reported = _predictions(predictions, choices)
    if not tables:
        fatal, faults = fatal + faults, []
    given = {name: source for name, source in {"targets": targets, **references}.items() if source is not None}
    if targets is None and tables:
        tables["targets"] = _universe(tables["predictions"], choices)
    for name, source in given.items():
        table, found = _open(source, name, choices)
        fatal += found
        if table is not None:
            tables[name] = table
    if stakes is not None and not isinstance(stakes, Mapping):
        stakes, found = _open(stakes, "stakes", choices)
        fatal += found
    aligned = align(tables, stakes, choices, reported=reported)
    crowd = _checked(aligned, fatal, faults, invalid, report)
    return crowd if targets is not None else replace(crowd, eras=tuple(replace(era, target=None) for era in crowd))


def _checked(aligned: Aligned, fatal: list[Problem], faults: list[Problem], invalid: Invalid, report: Report) -> Crowd:
    fatal, faults = [*fatal, *aligned.fatal], [*faults, *aligned.faults]
    refuse_if_any(fatal + faults if fatal or invalid == "refuse" else [])
    for problem in faults:
        if isinstance(report, list):
            report.append(problem)
        elif report is not None:
            report(problem)
    return Crowd(aligned.eras, aligned.models, aligned.names, tuple(faults))


def _universe(predictions: Any, choices: Choices) -> Any:
    """Every era and id that is predicted, once, with a target that only holds its place."""
    import pyarrow as pa

    keys = predictions.select([key for key in choices.keys if key in predictions.column_names])
    distinct = keys.group_by(keys.column_names).aggregate([]).drop_null()
    return distinct.append_column("target", pa.nulls(len(distinct), pa.float64()).fill_null(0.0))


def _predictions(source: Any, choices: Choices) -> tuple[dict[str, Any], list[Problem], frozenset[str]]:
    if not isinstance(source, str | os.PathLike):
        table, found = as_arrow(source, "predictions", choices.keys)
        return ({} if table is None else {"predictions": table}), found, frozenset()
    read = read_submissions(Path(source), era=choices.era, id=choices.id)
    tables = {} if read.table is None else {"predictions": read.table}
    return tables, list(read.problems), read.reported


def _open(source: Any, name: str, choices: Choices) -> tuple[Any, list[Problem]]:
    if not isinstance(source, str | os.PathLike):
        return as_arrow(source, name, choices.keys)
    reading = read_file(Path(source), era=choices.era, id=choices.id)
    return reading.table, list(reading.problems)


def _evaluated(crowd: Crowd, names: list[str], progress: Progress) -> dict[str, Floats]:
    """(n_eras, n_models) for each metric, NaN where a model is absent; all that the metrics refuse, at once."""
    scores = {name: np.full((len(crowd), len(crowd.models)), np.nan) for name in names}
    place, problems = {model: j for j, model in enumerate(crowd.models)}, []
    for i, one in enumerate(crowd):
        if one.models:
            present = [place[model] for model in one.models]
            try:
                for name, values in evaluate(names, one).items():
                    scores[name][i, present] = values
            except InputError as error:
                problems += [problem.at(f"era {one.label}") for problem in error.problems]
        if progress is not None:
            progress(i + 1, len(crowd))
    refuse_if_any(problems)
    return scores


def _like(frame: Any, table: Any) -> Any:
    """An Arrow table in the library of a frame; Arrow itself for a path."""
    import narwhals.stable.v2 as nw

    if isinstance(frame, str | os.PathLike):
        return table
    backend = nw.from_native(frame, eager_only=True).implementation
    return nw.from_arrow(table, backend=backend).to_native()
