"""Small random tournaments as tables, and the same tables in every library, layout and order of rows."""

from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from crowds import random_predictions, varying_target


@dataclass
class World:
    """A tournament as Arrow tables: wide predictions, targets, and a stake for every model but the last."""

    predictions: pa.Table
    targets: pa.Table
    stakes: dict[str, int]
    features: pa.Table

    @property
    def models(self):
        return [name for name in self.predictions.column_names if name not in ("era", "id")]


def world(seed=0, n_eras=3, n_ids=9, n_models=4, absent=True):
    """Predictions that float32 holds exactly; ids and names whose order is not that of the alphabet."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"{letter}{i}" for i, letter in zip(range(n_ids), "zéAa0Z_x9b\U0001f600" * 9, strict=False)])
    models = [f"{letter}_model" for letter in rng.permutation(list("bBéz0A"))[:n_models]]
    eras = np.repeat(np.arange(1, n_eras + 1), n_ids)
    values = np.vstack([random_predictions(rng, n_ids, n_models, True) for _ in range(n_eras)]).astype(np.float32)
    if absent and n_models > 1:
        values[eras == 2, 0] = np.nan
    keys = {"era": eras, "id": np.tile(ids, n_eras)}
    table = pa.table(keys | {name: column(values[:, j]) for j, name in enumerate(models)})
    target = np.concatenate([varying_target(rng, n_ids) for _ in range(n_eras)])
    features = {f"f{k}": rng.integers(0, 5, len(eras)) for k in range(3)}
    stakes = dict(zip(models[:-1] if n_models > 2 else models, rng.integers(1, 1000, n_models).tolist(), strict=False))
    return World(table, pa.table(keys | {"target": target}), stakes, pa.table(keys | features))


def column(values):
    """An Arrow column of doubles, null for NaN."""
    return pa.array(np.asarray(values, np.float64), from_pandas=True)


def long(wide):
    """Wide predictions as long ones, without rows for what is null."""
    frame = pl.from_arrow(wide).unpivot(index=["era", "id"], variable_name="model", value_name="prediction")
    return frame.drop_nulls("prediction").to_arrow()


def shuffled(table, seed=1):
    """The rows in another order, and the columns as well."""
    rng = np.random.default_rng(seed)
    return table.take(rng.permutation(table.num_rows)).select(rng.permutation(table.column_names).tolist())


def with_types(table, **types):
    """The table with some columns cast."""
    for name, kind in types.items():
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return table


def float32(table):
    """All doubles as floats."""
    return with_types(table, **{f.name: pa.float32() for f in table.schema if f.type == pa.float64()})


def nan_for_null(table):
    """A polars frame that says NaN where the table says null."""
    return pl.from_arrow(table).with_columns(pl.col(pl.Float64).fill_null(float("nan")))


def nullable_pandas(table):
    """pandas with its own nullable types throughout."""
    return table.to_pandas().convert_dtypes()


def categorical_pandas(table):
    """pandas with categorical ids, with a category that no row has, and an index that means nothing."""
    frame = table.to_pandas()
    frame["id"] = pd.Categorical(frame["id"], categories=[*frame["id"].unique()[::-1], "nobody"])
    return frame.set_index(pd.Index(range(7, 7 + len(frame)), name="row"))


def object_pandas(table):
    """pandas with ids as Python objects."""
    return table.to_pandas().astype({"id": object})


LIBRARIES = {
    "arrow": lambda table: table,
    "arrow, chunked": lambda table: pa.concat_tables([table.slice(0, 2), table.slice(2)]),
    "arrow, dictionary ids": lambda table: with_types(table, id=pa.dictionary(pa.int8(), pa.string())),
    "arrow, large_string ids": lambda table: with_types(table, id=pa.large_string()),
    "arrow, string_view ids": lambda table: with_types(table, id=pa.string_view()),
    "arrow, int16 eras": lambda table: with_types(table, era=pa.int16()),
    "float32": float32,
    "pandas": lambda table: table.to_pandas(),
    "pandas, nullable": nullable_pandas,
    "pandas, categorical": categorical_pandas,
    "pandas, objects": object_pandas,
    "pandas, ids in the index": lambda table: table.to_pandas().set_index("id"),
    "pandas, arrow types": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars, NaN": nan_for_null,
    "polars, categorical": lambda table: pl.from_arrow(table).with_columns(pl.col("id").cast(pl.Categorical)),
}


def bits(frame):
    """A score table as plain values that compare to the last bit."""
    table = nw.from_native(frame, eager_only=True).to_arrow()
    rows = table.select(sorted(table.column_names)).to_pylist()
    return [{k: v.hex() if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def changed(table, name, row, value):
    """The table with one cell changed."""
    values = table[name].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(name), name, pa.array(values, table[name].type))


def without_model(w, model):
    """The tournament as if a model did not exist."""
    stakes = {name: stake for name, stake in w.stakes.items() if name != model}
    return replace(w, predictions=w.predictions.drop_columns([model]), stakes=stakes)
