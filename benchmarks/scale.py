"""What changes cost: `python -m benchmarks.scale` packs a history, changes one era of it, and scores it again."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crowdalpha.execution.local import Serial
from crowdalpha.history import Rule, backfill, write_era

BAGS = 20


@dataclass(frozen=True)
class Rescoring:
    """Processor seconds: of one era when all are scored, of a rerun with nothing to do, and with one changed era."""

    n_eras: int
    n_models: int
    n_ids: int
    era: float
    nothing: float
    one: float

    @property
    def ratio(self) -> float:
        """What one changed era costs, in eras."""
        return self.one / self.era


def rescoring(folder: Path, n_eras: int = 1000, n_models: int = 500, n_ids: int = 1000, tries: int = 5) -> Rescoring:
    """A history of eras, scored as a whole, again, and again after one era changed: the best of some tries."""
    rng = np.random.default_rng(0)
    predictions, stakes = rng.normal(size=(n_ids, n_models)), rng.integers(1, 10**12, n_models)
    models, ids = [f"model{j:07d}" for j in range(n_models)], [f"id{i:07d}" for i in range(n_ids)]

    def pack(label: int, seed: int) -> None:
        target = np.random.default_rng(seed).permutation(np.arange(n_ids) % 5) / 4
        write_era(folder, label, [predictions], models, stakes, ids, target)

    def fill(expected: int) -> float:
        started = time.process_time()
        done = backfill(Serial(), folder, Rule(bags=BAGS))
        spent = time.process_time() - started
        assert len(done.computed) == expected, done.computed
        return spent

    def changed(k: int) -> float:
        pack(n_eras // 2, n_eras + k)
        return fill(1)

    for label in range(n_eras):
        pack(label, label)
    era = fill(n_eras) / n_eras
    return Rescoring(n_eras, n_models, n_ids, era, _best(lambda _: fill(0), tries), _best(changed, tries))


def _best(run: Callable[[int], float], tries: int) -> float:
    return min(run(k) for k in range(tries))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    for name, number in {"eras": 1000, "models": 500, "ids": 1000}.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    sizes = parser.parse_args()
    from benchmarks.timing import threads

    with tempfile.TemporaryDirectory() as folder, threads(1):
        found = rescoring(Path(folder), sizes.eras, sizes.models, sizes.ids)
    print(f"{found.n_eras:,} eras of {found.n_models:,} models and {found.n_ids:,} ids, {BAGS} bags, one thread")
    print(f"an era {found.era * 1e3:.1f} ms; nothing changed {found.nothing * 1e3:.1f} ms")
    print(f"one era changed {found.one * 1e3:.1f} ms, {found.ratio:.2f} eras")


if __name__ == "__main__":
    main()
