"""A small history to be replayed, and an engine to replay it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from crowdalpha.engine import Engine
from crowdalpha.simulation.replay import ANY_NUMBER, judge
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.tables.crowd import Crowd
from crowdalpha.tables.frames import eras
from crowdalpha.tournament import seeds

COIN = 10**9
MASTER = b"r" * seeds.SECRET_BYTES
N_ERAS, N_IDS, BAGS = 9, 60, 7
STAKES = {"a": 100 * COIN, "b": 50 * COIN, "c": 25 * COIN}


def history() -> Crowd:
    """Three staked models and one without stake; b is away in era 4 and constant in era 5."""
    rng = np.random.default_rng(1)
    rows = N_ERAS * N_IDS
    era = np.repeat(np.arange(1, N_ERAS + 1), N_IDS)
    target = rng.integers(0, 5, rows) / 4
    columns = {name: 5 * rng.random(rows) + edge * target for name, edge in zip("abcd", (1, 0.5, -0.5, 0), strict=True)}
    columns["b"] = np.where(era == 4, np.nan, np.where(era == 5, 1.0, columns["b"]))
    ids = [f"i{k:03d}" for k in range(N_IDS)] * N_ERAS
    table = pa.table({"era": era, "id": ids, **{name: pa.array(c, from_pandas=True) for name, c in columns.items()}})
    return eras(table, pa.table({"era": era, "id": ids, "target": target}), bags=None)


def engine() -> Engine:
    return Engine(MemoryStore(), MemoryFiles(), judge=judge, master=MASTER, rules=ANY_NUMBER)
