"""Aligned eras as one value, and tables of what was computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tables.sheets import shown


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Predictions, targets and all else of several eras, aligned: an iterable of `Era`, in order.

    Each era holds the models that are present in it. `models` are all that occur, in order of their bytes;
    `names` the columns of features, benchmarks and neutralizers in the order of their arrays; `left_out` what was
    wrong with models that were left out of an era.
    """

    eras: tuple[Era, ...]
    models: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Era]:
        """The eras in order."""
        return iter(self.eras)

    def __len__(self) -> int:
        """The number of eras."""
        return len(self.eras)

    def only(self, model: str | None = None) -> Crowd:
        """One model and the eras it is in; with None, the only one there is."""
        if model is None and len(self.models) == 1:
            model = self.models[0]
        if model not in self.models:
            found = "none" if model is None else repr(model)
            expected = f"the name of one of {len(self.models)} models: {shown(self.models)}"
            raise InputError(Problem("which_model", expected, found, "name the model to look at", "predictions"))
        return replace(self, eras=tuple(_alone(era, model) for era in self if model in era.models), models=(model,))


def score_table(crowd: Crowd, scores: Mapping[str, Floats], *, era: str = "era") -> Any:
    """Scores, (n_eras, n_models) for each metric, as an Arrow table with a row an era and model."""
    import pyarrow as pa

    parts = {
        era: _labels(one.label for one in crowd for _ in crowd.models),
        "model": pa.array(list(crowd.models) * len(crowd), pa.string()),
    }
    return pa.table(parts | {name: pa.array(values.ravel(), from_pandas=True) for name, values in scores.items()})


def id_table(crowd: Crowd, columns: Mapping[str, Sequence[Floats]], *, era: str = "era", id: str = "id") -> Any:
    """Columns given as one (n_ids,) array an era, as an Arrow table with a row an era and id."""
    import pyarrow as pa

    parts = {
        era: _labels(one.label for one in crowd for _ in one.ids),
        id: pa.array([each for one in crowd for each in one.ids], pa.string()),
    }
    return pa.table(
        parts | {name: pa.array(np.concatenate(values), from_pandas=True) for name, values in columns.items()}
    )


def _labels(labels: Iterable[object]) -> Any:
    import pyarrow as pa

    found = list(labels)
    return pa.array(found, pa.int64() if all(isinstance(label, int) for label in found) else pa.string())


def _alone(era: Era, model: str) -> Era:
    j = era.models.index(model)
    return replace(
        era, predictions=era.predictions[:, j : j + 1], stakes=era.own_stakes[j : j + 1], bags=None, models=(model,)
    )
