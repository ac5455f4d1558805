"""The claims of the announcement's thread, each as an experiment: what theory says beside what a simulated crowd does.

A claim is a row: its words and its experiment, a function of a seed and of a number of seasons that gives figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crowdalpha.diagnostics.formats import MINUS
from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial
from crowdalpha.lab.claims import eras, scores, steadiness, users
from crowdalpha.lab.claims.experiment import CONFIDENCE, SEASONS, Claim, Figure
from crowdalpha.scoring.kernels import single_threaded
from crowdalpha.scoring.problems import InputError, Problem

__all__ = ["CLAIMS", "CONFIDENCE", "SEASONS", "Claim", "Figure", "Finding", "run"]

CLAIMS: Mapping[str, Claim] = {row.name: row for row in (*scores.ROWS, *users.ROWS, *eras.ROWS, *steadiness.ROWS)}
"""Every claim by name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an experiment found."""

    claim: Claim
    figures: tuple[Figure, ...]

    @property
    def holds(self) -> bool:
        """Whether every figure agrees with theory."""
        return all(figure.holds for figure in self.figures)

    @property
    def answer(self) -> str:
        """The answer in plain words, with the figures in it."""
        words = self.claim.found.format(*(figure.simulated for figure in self.figures))
        return re.sub(r"-(?=\.?\d)", MINUS, words)


def run(
    names: Sequence[str] = (), *, seed: object = 0, seasons: int = SEASONS, executor: Executor | None = None
) -> Iterator[Finding]:
    """Run the experiments of these names, or all, from a seed; an executor's workers take one each.

    Findings come in the order of the names, the same on any executor. Refused with code `unknown_claim` if there is
    none of a name.
    """
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        fix = "see `crowdalpha lab claims`"
        raise InputError(Problem("unknown_claim", f"one of {', '.join(CLAIMS)}", ", ".join(unknown), fix, "claim"))
    chosen, found, executor = tuple(names or CLAIMS), dict[int, tuple[Figure, ...]](), executor or Serial()
    told = 0
    for k, figures in executor.run(figures_of, chosen, executor.share((seed, seasons))):
        found[k] = figures
        while told in found:
            yield Finding(CLAIMS[chosen[told]], found.pop(told))
            told += 1


def figures_of(name: str, asked: tuple[object, int]) -> tuple[Figure, ...]:
    """What a worker does: the experiment of a claim, from a seed and a number of seasons."""
    seed, seasons = asked
    with single_threaded():
        return tuple(CLAIMS[name].experiment(f"{seed}/{name}", seasons))
