"""A crowd: what many models predicted, what came true, and what is (as if) at stake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.abc import Traversable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SMALLEST_STAKE = 10_00
LARGEST_STAKE = 5_000_00
TAIL = 1.2
"""The Pareto exponent of simulated stakes: about the heaviness of real wealth (lower is heavier)."""

STAKES_ARE_SIMULATED = (
    "All stakes are simulated: a fixed pseudo-random Pareto draw from each model's name, in whole cents."
)


@dataclass(frozen=True)
class Crowd:
    """A tournament's crowd, ready to be scored."""

    name: str
    """What the crowd is called on pages and in file names."""
    predictions: pa.Table
    """Wide: `era`, `id`, and a float column a model; all null in an era where the model is absent."""
    targets: pa.Table
    """`era`, `id`, `target`, row for row as in `predictions`."""
    stakes: pa.Table
    """`model`, `stake`: **simulated**, in whole cents."""
    features: pa.Table | None
    """`era`, `id`, and a column a feature in [0, 1], row for row as in `predictions`; or None."""
    descriptions: Mapping[str, str]
    """For each model, one sentence (or its team) for people to read."""
    attribution: str
    """Whom to credit and under which licence; shown wherever the numbers are."""
    caveats: tuple[str, ...]
    """What a reader must know before trusting a number: shown wherever the numbers are."""

    @property
    def models(self) -> list[str]:
        """The models, in column order."""
        return [str(name) for name in self.predictions.column_names[2:]]


def data_file(name: str) -> Traversable:
    """The shipped data file of that name."""
    return resources.files("crowdalpha.demo") / "data" / name


def data_table(name: str) -> pa.Table:
    """The shipped Parquet file of that name, as a table."""
    import pyarrow.parquet as pq

    with data_file(name).open("rb") as file:
        return pq.read_table(file)


def simulated_stake(model: str, *, seed: str) -> int:
    """A stake for a model that never staked, in cents.

        stake = min(5000.00, 10.00 (1 - u)^(-1/1.2)),   u = SHA-256(seed, model) / 2^256

    `model` and `seed` are names; u is uniform in [0, 1). A model's stake depends on no other model.

    >>> simulated_stake("some model", seed="an example")
    1857
    """
    digest = hashlib.sha256(f"{seed}\n{model}".encode()).digest()
    u = int.from_bytes(digest[:6], "big") / 2**48
    return min(LARGEST_STAKE, round(SMALLEST_STAKE * (1 - u) ** (-1 / TAIL)))


def simulated_stakes(models: Iterable[str], *, seed: str) -> pa.Table:
    """A table of simulated stakes: `model`, `stake` (int64, cents)."""
    import pyarrow as pa

    names = list(models)
    stakes = [simulated_stake(name, seed=seed) for name in names]
    return pa.table({"model": pa.array(names, pa.string()), "stake": pa.array(stakes, pa.int64())})
