"""`python -m benchmarks`: run every race and write docs/benchmarks.md; `--quick` takes small ones and only prints."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run the races and write the page."""
    arguments = _arguments()
    from benchmarks.cases import QUICK, SECTIONS, Sizes
    from benchmarks.results import page
    from benchmarks.timing import kernel, threads

    sizes, started = QUICK if arguments.quick else Sizes(), time.perf_counter()
    with (
        Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress,
        threads(1),
        kernel("numba"),
    ):
        _compile()
        done = [section(sizes) for section in progress.track(SECTIONS, description="benchmarks")]
    command = "python -m benchmarks" + (" --quick" if arguments.quick else "")
    text = page(done, command, time.perf_counter() - started)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under half a minute, no targets")
    parser.add_argument("--output", type=Path, help="where to write the page (full run: docs/benchmarks.md)")
    arguments = parser.parse_args()
    if arguments.output is None and not arguments.quick:
        arguments.output = PAGE
    return arguments


def _compile() -> None:
    """Load the kernels, and compile them if this machine has not yet, before anything is timed."""
    import numpy as np

    from crowdalpha.scoring import fnc, mmc2, numerai_corr

    rng = np.random.default_rng(0)
    for order in ("C", "F"):
        predictions, target = np.asarray(rng.normal(size=(300, 4)), order=order), np.arange(300.0)
        mmc2(predictions, np.ones(4), target)
        numerai_corr(predictions, target)
        fnc(predictions, np.rint(rng.normal(size=(300, 3))), target)


if __name__ == "__main__":
    main()
