"""What was measured, as rows, and the page they make."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Row:
    """One figure beside its target. `met` None: reported, nothing was promised; `further`: a later milestone's."""

    what: str
    target: str
    measured: str
    met: bool | None
    times: str = ""
    further: bool = False

    def markdown(self) -> str:
        met = {True: "yes", False: "not yet" if self.further else "**no**", None: ""}[self.met]
        return f"| {self.what} | {self.target} | {self.measured} | {met} | {self.times} |"


def at_least(what: str, ratio: float, target: float, times: str = "", *, further: bool = False) -> Row:
    """A ratio that should be large."""
    return Row(what, f">= {target:g} x", f"{figures(ratio)} x", ratio >= target, times, further)


def at_most(what: str, value: float, target: float, unit: str, times: str = "", *, further: bool = False) -> Row:
    """A ratio or a time that should be small."""
    return Row(what, f"<= {target:g} {unit}", f"{figures(value)} {unit}", value <= target, times, further)


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
    """The page: how to read it, the machine, a table a section."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}` in {seconds:.0f} s on {machine()}.",
        "",
        "Every figure is a ratio against a peer of the same run, or a time. Contestants take turns in one process,",
        "and the best of several turns counts: processor time on one thread (ours and BLAS alike) unless wall time is",
        "said. Other jobs may have shared the machine: compare within a row. Peers too slow to be run in full were",
        "timed on the part said and scaled up. *Not yet*: the target is one of a later milestone. The targets are for",
        "the full run, not for `--quick`.",
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


def machine() -> str:
    """The processor, the cores this process may use, and the versions that matter."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "pandas", "scipy", "numerai-tools"))
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
