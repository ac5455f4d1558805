"""Cost against models, ids and bags: each point is a process of its own, on ranks on disk that are not in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from benchmarks.results import duration, figures

if TYPE_CHECKING:
    from crowdalpha.history.eras import PackedEra

MODELS = (1_000, 10_000, 100_000, 1_000_000)
IDS = (500, 1_000, 5_000, 20_000)
BAGS = (1, 5, 20, 100)
USUAL = (10_000, 5_000, 20)
"""Models, ids and bags where they are not what changes."""
FIRST = 1_000
"""Models of the first round of a process, which loads the libraries."""
DISTINCT = 1_000
"""Models drawn; the others are theirs, with the ids turned."""


@dataclass(frozen=True)
class Point:
    """One round: its size, wall seconds, seconds of reading its bytes once, and megabytes resident at most.

    `first` are the seconds of a small round before it, the first of the process.
    """

    models: int
    ids: int
    bags: int
    seconds: float
    first: float
    reading: float
    megabytes: float

    @property
    def per_model(self) -> float:
        """Seconds a model."""
        return self.seconds / self.models


def measure(sizes: Iterable[tuple[int, int, int]], told: Callable[[str], None] = lambda what: None) -> list[Point]:
    """A point for each size; files are made, read cold, and removed one after the other."""
    points = []
    for models, ids, bags in sizes:
        told(f"{models:,} models x {ids:,} ids x {bags} bags")
        with tempfile.TemporaryDirectory() as home:
            path = _prepare(Path(home), models, ids)
            _forget(path)
            reading = _read(path)
            _forget(path)
            command = [sys.executable, "-m", "benchmarks.scaling", home, str(models), str(ids), str(bags)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            points.append(Point(models, ids, bags, reading=reading, **json.loads(done.stdout)))
    return points


def score(home: Path, models: int, ids: int, bags: int) -> dict[str, float]:
    """Score a round from its ranks on disk, on threads, and say what it took; and what a small one before it did."""
    from crowdalpha.execution.local import Threads
    from crowdalpha.history import Rule
    from crowdalpha.history.sharding import score_sharded

    with tempfile.TemporaryDirectory() as small:
        _prepare(Path(small), FIRST, ids)
        started = time.perf_counter()
        score_sharded(Threads(), _era(Path(small), FIRST, ids), Rule(bags=bags))
        first = time.perf_counter() - started
    started = time.perf_counter()
    found = score_sharded(Threads(), _era(home, models, ids), Rule(bags=bags))
    seconds = time.perf_counter() - started
    assert np.isfinite(found["mmc2"]).all()
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return {"seconds": seconds, "first": first, "megabytes": int(peak.split()[1]) / 1024}


def _era(home: Path, models: int, ids: int) -> PackedEra:
    from crowdalpha.history.eras import PackedEra

    return PackedEra(str(home), 1, models, ids, dict.fromkeys(("ranks", "models", "ids"), "0" * 64))


def _prepare(home: Path, models: int, ids: int) -> Path:
    """An era whose ranks are made up: the bytes of one that was packed. Where the ranks are."""
    import pyarrow as pa

    from crowdalpha.history.eras import write_table

    era, rng = _era(home, models, ids), np.random.default_rng(1)
    names = pa.array((f"m{k:07d}" for k in range(models)), pa.large_string())
    units = np.rint(rng.lognormal(3, 1.5, models) * 1e9).astype(np.int64)
    write_table(era.path("models"), pa.table({"model": names, "stake": units}))
    target = rng.choice([0, 0.25, 0.5, 0.75, 1], ids)
    write_table(era.path("ids"), pa.table({"id": pa.array([str(k) for k in range(ids)]), "target": target}))
    _write(era.path("ranks"), models, ids)
    return era.path("ranks")


def _write(path: Path, models: int, ids: int) -> None:
    rng, distinct = np.random.default_rng(0), min(DISTINCT, models)
    order = rng.permuted(np.tile(np.arange(ids, dtype="<i4"), (distinct, 1)), axis=1)
    rows = (2 * order + 1 - ids).astype("<i2" if ids <= 2**15 else "<i4")
    with path.open("wb") as file:
        npy.write_array_header_1_0(file, {"descr": rows.dtype.str, "fortran_order": False, "shape": (models, ids)})
        for start in range(0, models, distinct):
            file.write(np.roll(rows[: models - start], start // distinct, axis=1).tobytes())
        file.flush()
        os.fsync(file.fileno())


def _forget(path: Path) -> None:
    """Have the system drop what it holds of a file in memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: Path) -> float:
    buffer, started = bytearray(2**22), time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return time.perf_counter() - started


def table(points: Iterable[Point]) -> list[str]:
    """Rows of Markdown."""
    head = ("models", "ids", "bags", "time", "a model", "reading the bytes once", "resident")
    rows = [
        (f"{p.models:,}", f"{p.ids:,}", str(p.bags), duration(p.seconds), duration(p.per_model), duration(p.reading),
         f"{figures(p.megabytes)} MB")
        for p in points
    ]  # fmt: skip
    return ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows)]


def sizes(most: int) -> dict[str, list[tuple[int, int, int]]]:
    """What is measured, by what changes; crowds of at most `most` models."""
    models, ids, bags = USUAL
    return {
        "models": [(n, ids, bags) for n in MODELS if n <= most],
        "ids": [(models, n, bags) for n in IDS],
        "bags": [(models, ids, n) for n in BAGS],
    }


if __name__ == "__main__":
    print(json.dumps(score(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
