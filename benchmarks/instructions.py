"""`python -m benchmarks.instructions`: count instructions instead of seconds, so that a busy machine changes nothing.

A process under valgrind does every job once; others do one of them several times more. The difference, by run, is
compared with what is kept in instructions.json. More than LIMIT times as many fail. `--keep` keeps what was counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEPT = Path(__file__).with_suffix(".json")
LIMIT = 2.0
TIMES = 4
ENVIRONMENT = {
    "CROWDALPHA_KERNEL": "numba",
    "CROWDALPHA_THREADS": "1",
    "NUMBA_CPU_NAME": "x86-64-v3",  # what valgrind knows; the same code on every machine
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
JOBS = {
    "rank 100 models of 2,000 ids": "rank_models(p)",
    "MMC2 of them, 20 bags": "mmc2(p, s, t, bags=b)",
    "MMC1 of 20 of them, 5 bags": "mmc1(p[:, :20], s[:20], t, bags=b[:5, :20] | 1)",
    "numerai_corr of them": "numerai_corr(p, t)",
    "FNC of 20 of them on 30 features": "fnc(p[:, :20], f, t)",
}
SETTING = """
import numpy as np
from crowdalpha.scoring import draw_bags, fnc, mmc1, mmc2, numerai_corr, rank_models
rng = np.random.default_rng(0)
p, s, t = rng.normal(size=(2000, 100)), rng.lognormal(3, 1.5, 100), rng.choice([0, .25, .5, .75, 1], 2000)
b, f = draw_bags(s, seed=1), np.rint(2 * rng.normal(size=(2000, 30)))
"""


def main() -> int:
    """Count, compare, and say which jobs have become too dear."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the counts as what is normal from now on")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: without it, no instruction is counted")
    with tempfile.TemporaryDirectory() as cache:
        found = counted(cache)
    if arguments.keep:
        KEPT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    normal = json.loads(KEPT.read_text(encoding="utf-8"))
    dear = 0
    for name, count in found.items():
        ratio = count / normal[name]
        dear += ratio > LIMIT
        print(f"{name:36s} {count / 1e6:9.1f} million instructions, {ratio:.2f} x normal")
    return 1 if dear else 0


def counted(cache: str) -> dict[str, int]:
    """Instructions of one run of each job, once everything it needs is loaded and compiled."""
    environment = os.environ | ENVIRONMENT | {"NUMBA_CACHE_DIR": cache}
    subprocess.run(_command(""), env=environment, check=True)
    once = _instructions("", environment)
    return {name: (_instructions(job, environment) - once) // TIMES for name, job in JOBS.items()}


def _command(job: str) -> list[str]:
    """A process that does every job once, and then one of them again."""
    again = f"for _ in range({TIMES}):\n    {job or 'pass'}\n"
    return [sys.executable, "-c", SETTING + "\n".join([*JOBS.values(), again])]


def _instructions(job: str, environment: dict[str, str]) -> int:
    counting = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run([*counting, *_command(job)], env=environment, check=True, capture_output=True, text=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind counted nothing: {done.stderr[-500:]}")
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    sys.exit(main())
