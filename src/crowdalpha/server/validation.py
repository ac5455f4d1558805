"""Past eras in a file of the operator's: a table with a row an id of an era."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament.columns import as_numbers, as_text, is_number

Floats = NDArray[np.float64]
NEEDED = ("era", "id", "target")
KNOWN = ("metamodel", "benchmark")
TARGETS = "target"


@dataclass(frozen=True, eq=False)
class Validation:
    """Past eras from a table: all but the features is in memory, and those are read an era at a time."""

    universe: Mapping[str, Sequence[str]]
    _rows: Mapping[str, NDArray[np.int64]]
    _columns: Mapping[str, Floats]
    _features: tuple[str, ...]
    _source: Any
    _labels: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Validation:
        """The eras in a CSV or Parquet file; refused with all that is wrong with it."""
        try:
            source = _open(path)
        except (OSError, ValueError) as error:
            found = (str(error).splitlines() or ["nothing"])[0][:200]
            problem = Problem("unreadable", "a CSV or Parquet file", found, "write it anew", str(path))
            raise InputError(problem) from None
        return cls.of(source, str(path))

    @classmethod
    def of(cls, source: Any, where: str) -> Validation:
        """The eras in a dataset of Arrow's."""
        refuse_if_any(problem.at(where) for problem in _of_columns(source.schema))
        names = [name for name in (*NEEDED, *KNOWN) if name in source.schema.names]
        table = source.to_table(columns=names)
        eras, ids = as_text(table.column("era")), as_text(table.column("id"))
        refuse_if_any(problem.at(where) for problem in _of_rows(eras, ids))
        columns = {name: as_numbers(table.column(name)).to_numpy() for name in names[2:]}
        known = ((era, some[~np.isnan(columns["target"][some])]) for era, some in _grouped(eras))
        rows = {era: some for era, some in known if len(some)}
        refuse_if_any(problem.at(where) for problem in _of_values(rows, columns))
        every = ids.to_numpy()
        universe = {era: every[some].tolist() for era, some in rows.items()}
        labels = {era: table.column("era")[int(some[0])] for era, some in rows.items()}
        features = tuple(field.name for field in source.schema if _is_feature(field))
        return cls(universe, rows, columns, features, source, labels)

    def target(self, era: str) -> Floats:
        """What came true, (n_ids,)."""
        return self._columns["target"][self._rows[era]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are used: the target, what is known of the crowd and of an example, and the features."""
        return (*self._columns, *self._features)

    def feature_names(self, era: str) -> tuple[str, ...]:
        """The columns of features, the same in all eras."""
        return self._features

    def features(self, era: str) -> Floats | None:
        """The features of an era, (n_ids, n_features)."""
        if not self._features:
            return None
        import pyarrow as pa
        import pyarrow.compute as pc

        this = pc.field("era") == self._labels[era]
        table = self._source.to_table(columns=["id", *self._features], filter=this)
        wanted = pa.array(self.universe[era], pa.large_string())
        table = table.take(pc.index_in(wanted, value_set=as_text(table.column("id")).combine_chunks()))
        return np.column_stack([as_numbers(table.column(name)).to_numpy() for name in self._features])

    def metamodel(self, era: str) -> Floats | None:
        """What the crowd said, where it is known of every id."""
        return self._whole("metamodel", era)

    def benchmark(self, era: str) -> Floats | None:
        """Example predictions, where there is one of every id."""
        return self._whole("benchmark", era)

    def _whole(self, name: str, era: str) -> Floats | None:
        if name not in self._columns:
            return None
        values = self._columns[name][self._rows[era]]
        return None if np.isnan(values).any() else values


def _open(path: Path) -> Any:
    """A Parquet file to be read in parts; a CSV read as a whole, its eras and ids as text."""
    import pyarrow as pa
    from pyarrow import csv, dataset

    if path.suffix != ".csv":
        return dataset.dataset(path, format="parquet")
    texts = {"era": pa.string(), "id": pa.string()}
    return dataset.dataset(csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=texts)))


def _grouped(eras: Any) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The rows of each era; eras are in the order of their numbers, or of their letters if some are none."""
    codes = eras.combine_chunks().dictionary_encode()
    names: list[str] = codes.dictionary.to_pylist()
    order = np.argsort(codes.indices.to_numpy(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes.indices.to_numpy(), minlength=len(names)))[:-1])
    of = dict(zip(names, parts, strict=True)) if names else {}
    numbered = all(name.isascii() and name.isdigit() for name in names)
    for name in sorted(names, key=lambda name: (int(name) if numbered else 0, name.encode())):
        yield name, of[name]


def _is_feature(field: Any) -> bool:
    other = field.name in (*NEEDED, *KNOWN) or field.name.startswith(TARGETS)
    return is_number(field.type) and not other


def _of_columns(schema: Any) -> Iterator[Problem]:
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        yield Problem("duplicate_columns", "each column once", ", ".join(twice), "keep one of each")
        return
    for name in NEEDED:
        if name not in schema.names:
            found = ", ".join(schema.names[:10])
            yield Problem("missing_columns", f"a column {name}", found, "add it, or rename the one that is meant")
    for name in ("target", *KNOWN):
        if name in schema.names and not is_number(schema.field(name).type):
            found = str(schema.field(name).type)
            yield Problem("not_numeric", f"numbers in the column {name}", found, "write numbers, nothing where none is")


def _of_rows(eras: Any, ids: Any) -> Iterator[Problem]:
    import pyarrow as pa

    for name, column in (("era", eras), ("id", ids)):
        if column.null_count:
            found = f"{column.null_count} without"
            yield Problem(f"null_{name}", f"an {name} in every row", found, "fill them in, or leave the rows out")
    table = pa.table({"era": eras, "id": ids})
    if twice := len(table) - len(table.group_by(["era", "id"]).aggregate([])):
        yield Problem("duplicate_ids", "each id once in an era", f"{twice} rows too many", "keep one of each")


def _of_values(rows: Mapping[str, NDArray[np.int64]], columns: Mapping[str, Floats]) -> Iterator[Problem]:
    if not rows:
        yield Problem("no_target", "a target in some rows", "none", "add what came true")
    for name, values in columns.items():
        if wrong := int(np.isinf(values).sum()):
            yield Problem(f"inf_in_{name}", f"finite numbers in {name}", f"{wrong} infinite", "correct them")
