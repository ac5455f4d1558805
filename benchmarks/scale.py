"""`python -m benchmarks.scale` writes docs/scaling.md and its picture: what a round costs, and what a change costs."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.picture import draw
from benchmarks.results import duration, machine
from benchmarks.scaling import Point, measure, sizes, table
from crowdalpha.execution.local import Serial
from crowdalpha.history import Rule, backfill, write_era

BAGS = 20
DOCS = Path(__file__).parent.parent / "docs"


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
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--most", type=int, default=1_000_000, help="models of the largest crowd, which takes 10 GB")
    parser.add_argument("--eras", type=int, default=1000)
    chosen = parser.parse_args()
    from benchmarks.timing import threads

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("scaling", total=None)
        points = {
            what: measure(some, lambda said: progress.update(task, description=said))
            for what, some in sizes(chosen.most).items()
        }
        progress.update(task, description=f"{chosen.eras:,} eras")
        with tempfile.TemporaryDirectory() as folder, threads(1):
            found = rescoring(Path(folder), chosen.eras, n_ids=5_000)
    (DOCS / "scaling.svg").write_text(draw(points), encoding="utf-8")
    (DOCS / "scaling.md").write_text(_page(points, found), encoding="utf-8")


def _first(points: dict[str, list[Point]]) -> float:
    return median(point.first for some in points.values() for point in some)


def _page(points: dict[str, list[Point]], found: Rescoring) -> str:
    lines = [
        "# Scaling",
        "",
        f"Written by `python -m benchmarks.scale` (`make bench-scale`) on {machine()}.",
        "",
        "CORR and MMC2 of one round from ranks on disk, not in memory before; wall time on all cores, each row",
        "a process of its own. Stakes have nine decimals; all models have one. A round of 1,000 models before it loads",
        f"the libraries, once a process: it takes {duration(_first(points))}.",
        "",
        "![Cost a model against models, ids and bags](scaling.svg)",
    ]
    for what, some in points.items():
        lines += ["", f"## More {what}", "", *table(some)]
    lines += [
        "",
        "## More eras",
        "",
        f"A history of {found.n_eras:,} eras of {found.n_models:,} models and {found.n_ids:,} ids, {BAGS} bags, on one",
        f"thread, processor time: an era takes {duration(found.era)}, a rerun in which nothing changed",
        f"{duration(found.nothing)}, one in which one era changed {duration(found.one)}: {found.ratio:.2f} eras.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
