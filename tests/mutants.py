"""`make mutants`: no change to the arithmetic of the scores may pass the tests unless docs/mutants.md says why.

mutmut (settings in pyproject.toml) changes the functions of four modules; `by_hand` changes what it leaves alone,
their constants and properties. Exits with 1 on a survivor that the page does not explain, or explains in vain.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

SETTINGS = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["mutmut"]
MODULES = [Path(name) for name in SETTINGS["only_mutate"]]
PAGE = Path("docs/mutants.md")
BIN = Path(sys.executable).parent
QUIET = {
    **os.environ,
    "CROWDALPHA_KERNEL": "numpy",
    **dict.fromkeys(("CROWDALPHA_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}
"""No mutant waits for a compiler, and each has one processor."""

Mutant = tuple[str, str]
"""What is changed, as module.function or module, and the changed line."""


def by_mutmut() -> tuple[int, set[Mutant]]:
    """How many mutants mutmut made, and those that no test killed."""
    shutil.rmtree("mutants", ignore_errors=True)
    subprocess.run([BIN / "mutmut", "run"], env=QUIET, check=True)
    results = mutmut("results", "--all", "true")
    alive = re.findall(r"^ *(\S+): (?!killed)", results, re.MULTILINE)
    return len(re.findall(r"^ *\S+: \w", results, re.MULTILINE)), {changed(name) for name in alive}


def mutmut(*words: str) -> str:
    return subprocess.run([BIN / "mutmut", *words], env=QUIET, check=True, capture_output=True, text=True).stdout


def changed(name: str) -> Mutant:
    """The function of a mutant, without mutmut's numbering, and the line it changed."""
    place = re.sub(r"__mutmut_\d+$", "", name.removeprefix("crowdalpha.scoring."))
    lines = re.findall(r"^[+-](?!\+\+|--).*$", mutmut("show", name), re.MULTILINE)
    added = [line[1:] for line in lines if line.startswith("+")]
    return re.sub(r"\.x(ǁ|_)", ".", place, count=1).replace("ǁ", "."), (added or lines)[0].strip()


def by_hand() -> Iterator[tuple[Path, str, str]]:
    """Constants a half and twice as large, or one more and one less; and the last axis of a property's shape."""
    for module in MODULES:
        for line in module.read_text().splitlines():
            if found := re.match(r"([A-Z_]+) = ([\d.e-]+)$", line):
                name, value = found.groups()
                whole = value.isdigit()
                yield module, line, f"{name} = {int(value) - 1 if whole else float(value) / 2}"
                yield module, line, f"{name} = {int(value) + 1 if whole else float(value) * 2}"
            elif found := re.match(r"        return self\.doubled\.shape\[(\d)\]$", line):
                yield module, line, line.replace(f"[{found[1]}]", f"[{1 - int(found[1])}]")


def survives(module: Path, line: str, mutant: str) -> bool:
    """Whether the tests pass on a copy of the source in which the line is changed."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree("src", f"{folder}/src")
        copy = Path(folder) / module
        copy.write_text(copy.read_text().replace(f"\n{line}\n", f"\n{mutant}\n"))
        tests = ["-x", *SETTINGS["pytest_add_cli_args"], *SETTINGS["pytest_add_cli_args_test_selection"]]
        command = [sys.executable, "-m", "pytest", *tests]
        tested = subprocess.run(command, env={**QUIET, "PYTHONPATH": f"{folder}/src"}, capture_output=True, text=True)
        if tested.returncode not in (0, 1):
            raise SystemExit(f"the tests did not run with {mutant}: {tested.stdout[-2000:]}")
        return tested.returncode == 0


def explained() -> set[Mutant]:
    """The rows of the page: | `module.function` | `changed line` | why |."""
    rows = re.findall(r"^\| `([\w.]+)` \| `(.+?)` \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    return {(place, line.replace("\\|", "|")) for place, line in rows}


def main() -> int:
    number, alive = by_mutmut()
    hand = list(by_hand())
    alive |= {(module.stem, mutant.strip()) for module, line, mutant in hand if survives(module, line, mutant)}
    print(f"{number} mutants by mutmut and {len(hand)} by hand; {len(alive)} different ones survive")
    for title, mutants in (("not explained", alive - explained()), ("explained but dead", explained() - alive)):
        for place, line in sorted(mutants):
            print(f"{title}: {place}: {line}")
    return int(alive != explained())


if __name__ == "__main__":
    sys.exit(main())
