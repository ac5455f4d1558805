"""Pareto fronts: what is left to choose from if one wants several things at once.

a dominates b    if a is as good as b by every goal, and better by one
the front        those that nobody dominates
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from crowdalpha.lab.chance import Floats
from crowdalpha.scoring.problems import InputError, Problem


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to want: `sign` is 1 if more of it is better and -1 if less is; `says` puts it in words."""

    name: str
    says: str
    sign: int


GOALS: Mapping[str, Goal] = {
    goal.name: goal
    for goal in (
        Goal("metamodel", "what compounding stakes add to the Sharpe ratio of the metamodel's CORR", 1),
        Goal("attack", "the most that an attack may earn a round, in swings of an honest model", -1),
        Goal("steady", "Sharpe ratio of what a round pays an honest model", 1),
    )
}
"""What a design may be wanted for, by name."""


class Measured(Protocol):
    """Anything that has a figure for each goal."""

    @property
    def figures(self) -> Mapping[str, float]:
        """The figures by the names of their goals."""


M = TypeVar("M", bound=Measured)


def goals_of(names: Sequence[str]) -> tuple[Goal, ...]:
    """The goals of these names, all without any. Refused with code `unknown_goal`."""
    unknown = sorted(set(names) - GOALS.keys())
    if unknown:
        fix = "leave --goal out to want them all"
        raise InputError(Problem("unknown_goal", f"one of {', '.join(GOALS)}", ", ".join(unknown), fix, "goal"))
    return tuple(GOALS[name] for name in dict.fromkeys(names or GOALS))


def front(candidates: Sequence[M], goals: Sequence[Goal]) -> tuple[M, ...]:
    """Those that no candidate dominates, in the order they came in."""
    table = np.array([[goal.sign * each.figures[goal.name] for goal in goals] for each in candidates])
    return tuple(each for each, row in zip(candidates, table, strict=True) if not dominated(row, table))


def dominated(row: Floats, table: Floats) -> bool:
    """Whether a row of the table, of which more is better, is as good as this one everywhere and better somewhere.

    >>> table = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    >>> [dominated(row, table) for row in table]
    [False, False, True]
    """
    return bool(np.any(np.all(table >= row, axis=1) & np.any(table > row, axis=1)))
