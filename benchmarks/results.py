"""What was measured, as rows, and the page they make."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PEERS = ("numba", "pandas", "scipy", "numerai-tools", "numerblox")


@dataclass(frozen=True)
class Row:
    """One figure beside its target. `met` None: reported, nothing was promised; text: which of two targets it meets."""

    what: str
    target: str
    measured: str
    met: bool | str | None
    times: str = ""

    def markdown(self) -> str:
        met = {True: "yes", False: "not yet reached", None: ""}.get(self.met, self.met)
        return f"| {self.what} | {self.target} | {self.measured} | {met} | {self.times} |"


def at_least(what: str, ratio: float, *targets: float, times: str = "") -> Row:
    """A ratio that should be large; targets in the order in which they are to be met."""
    named = ", ".join(f">= {target:g} x" for target in targets)
    return Row(what, named, f"{figures(ratio)} x", _met([ratio >= target for target in targets]), times)


def at_most(what: str, value: float, *targets: float, unit: str = "x", times: str = "") -> Row:
    """A ratio or a time that should be small; targets in the order in which they are to be met."""
    named = ", ".join(f"<= {target:g} {unit}".rstrip() for target in targets)
    return Row(what, named, f"{figures(value)} {unit}".rstrip(), _met([value <= target for target in targets]), times)


def _met(reached: list[bool]) -> bool | str:
    return "the first only" if any(reached) and not all(reached) else all(reached)


def figures(value: float) -> str:
    """Three figures, no exponent for usual sizes."""
    return f"{value:.3g}" if 1e-4 <= abs(value) < 1000 else f"{value:,.0f}" if value >= 1000 else f"{value:.1e}"


def duration(seconds: float) -> str:
    """A time with the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def page(sections: Iterable[tuple[str, str, list[Row]]], command: str, seconds: float) -> str:
    """The page: how to read it, the machine, what was missed, a table a section."""
    sections = list(sections)
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}` in {seconds:.0f} s on {machine()}.",
        "",
        "Every figure is a ratio against a peer of the same run, or a time. Contestants take turns in one process,",
        "and the best of several turns counts: processor time on one thread (ours and BLAS alike) unless wall time is",
        "said. Other jobs may have shared the machine: compare within a row. Peers too slow to be run in full were",
        "timed on the part said and scaled up. The targets are for the full run, not for `--quick`.",
        "",
        *misses([row for _, _, rows in sections for row in rows]),
    ]
    for title, text, rows in sections:
        lines += [
            "",
            f"## {title}",
            "",
            text,
            "",
            "| What | Target | Measured | Met | Times |",
            "|---|---|---|---|---|",
        ]
        lines += [row.markdown() for row in rows]
    return "\n".join(lines) + "\n"


def misses(rows: list[Row]) -> list[str]:
    """One plain sentence about the targets that are not met."""
    promised = [row for row in rows if row.met is not None]
    missed = [row for row in promised if row.met is not True]
    if not missed:
        return [f"All {len(promised)} rows with a target reach it."]
    return [
        f"**{len(missed)} of the {len(promised)} rows with a target do not reach it.** They are marked and stay here "
        "until they do;",
        "no target was lowered.",
    ]


def machine() -> str:
    """The processor, the cores this process may use, and the versions that matter."""
    packages = ", ".join(f"{name} {version(name)}" for name in PEERS if find_spec(name.replace("-", "_")))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, NumPy {np.__version__}, {packages}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    return (
        f"{named.get('model name', platform.machine())} (family {named.get('cpu family')}, model {named.get('model')})"
    )
