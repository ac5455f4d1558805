"""A whole history scored by a rule: only what is not there yet, era by era, in any order, on any executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial
from crowdalpha.history.eras import PackedEra, era_names
from crowdalpha.history.rule import Rule
from crowdalpha.history.sharding import score_sharded
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.storage.durable import new_file

SCORES = "scores"
HUGE = 2**28
"""Ranks of an era from which it is spread over the workers, rather than given to one."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill did: the eras in order, the file of each one's scores, and which were worked out this time."""

    eras: tuple[int | str, ...]
    files: tuple[str, ...]
    computed: tuple[int | str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files as paths."""
        return tuple(map(Path, self.files))

    def table(self) -> Any:
        """All scores as one Arrow table: era, model and the metrics, sorted by era and model."""
        import pyarrow as pa

        return pa.concat_tables(map(read_scores, self.files))


def backfill(
    executor: Executor,
    folder: Path | str,
    rule: Rule | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    check: bool = False,
) -> Backfill:
    """Score every era of a history by a rule, unless its scores are there.

    The scores of an era are a file whose name follows from the era's content and the rule: what has changed is scored,
    nothing else, and whoever was killed goes on where they were. progress: called with (eras done, eras in all).
    check: read every file of every era first and refuse those that are not what they were, `era_spoiled`. The folder
    must be where the workers see it, at the same path.

    Eras that cannot be scored are refused together when all others have been scored and kept.
    """
    rule = rule or Rule()
    eras = era_names(folder)
    if check:
        opened = (era.open() for era in eras)
        refuse_if_any(problem for _, found in executor.run(PackedEra.spoiled, opened) for problem in found)
    home = Path(folder).resolve() / SCORES
    home.mkdir(exist_ok=True)
    there, names = set(os.listdir(home)), [f"{rule.address(era.label, era.core, era.features)}.arrow" for era in eras]
    paths = [f"{home}/{name}" for name in names]
    missing = [k for k, name in enumerate(names) if name not in there]
    done, problems = len(eras) - len(missing), list[Problem]()
    if progress:
        progress(done, len(eras))
    for found in _scored(executor, [(eras[k].open(), paths[k]) for k in missing], rule):
        problems += found
        done += 1
        if progress:
            progress(done, len(eras))
    refuse_if_any(problems)
    return Backfill(tuple(era.label for era in eras), tuple(paths), tuple(eras[k].label for k in missing))


def score_era(item: tuple[PackedEra, str], rule: Rule) -> list[Problem]:
    """What a worker does with an era: score it and write the scores; what is wrong with it is returned."""
    return _kept(item, rule, Serial())


def read_scores(path: Path | str) -> Any:
    """The scores of one era, an Arrow table."""
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()


def _scored(executor: Executor, missing: list[tuple[PackedEra, str]], rule: Rule) -> Iterable[list[Problem]]:
    """What is wrong with each era, as they are done: the small ones an era a worker, then the huge ones in shards."""
    huge = [item for item in missing if item[0].n_models * item[0].n_ids >= HUGE]
    small = [item for item in missing if item not in huge]
    yield from (found for _, found in executor.run(score_era, small, executor.share(rule)))
    yield from (_kept(item, rule, executor) for item in huge)


def _kept(item: tuple[PackedEra, str], rule: Rule, executor: Executor) -> list[Problem]:
    era, path = item
    try:
        _write(Path(path), _table(era, score_sharded(executor, era, rule)))
    except InputError as refusal:
        return [problem.at(f"era {era.label}") for problem in refusal.problems]
    return []


def _table(era: PackedEra, scores: dict[str, Any]) -> Any:
    import pyarrow as pa

    label = pa.scalar(era.label, pa.int64() if isinstance(era.label, int) else pa.string())
    columns = {"era": pa.repeat(label, era.n_models), "model": era.models.cast(pa.string())}
    return pa.table(columns | {name: pa.array(values, from_pandas=True) for name, values in scores.items()})


def _write(path: Path, table: Any) -> None:
    """Write scores whole or not at all; if somebody was faster, theirs are the same."""
    import pyarrow as pa

    with suppress(FileExistsError), new_file(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
