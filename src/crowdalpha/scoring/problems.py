"""What is wrong with an input, as values: every problem has a stable code and says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

SHOWN = 20
"""How many problems an error message spells out before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    `code` is stable (scripts may match on it), `expected` and `found` say what the input should have
    been and what it was, `fix` says what to do, `where` names the place (a file and row, a model and era).
    """

    code: str
    expected: str
    found: str
    fix: str
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}expected {self.expected}, found {self.found}; {self.fix} [{self.code}]"

    def at(self, place: str) -> Problem:
        """The same problem, placed inside something larger."""
        return replace(self, where=f"{place}, {self.where}" if self.where else place)


class InputError(ValueError):
    """An input was refused. `problems` holds everything that is wrong with it, not only the first thing.

    >>> raise InputError(Problem("too_short", "at least 2 ids", "1", "pass the whole era"))
    Traceback (most recent call last):
    ...
    crowdalpha.scoring.problems.InputError: expected at least 2 ids, found 1; pass the whole era [too_short]
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        shown = [str(problem) for problem in problems[:SHOWN]]
        if len(problems) > SHOWN:
            shown.append(f"... and {len(problems) - SHOWN} more problems")
        super().__init__("\n".join(shown))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code

    def as_dicts(self) -> list[dict[str, str]]:
        """The problems as plain dictionaries, for JSON."""
        return [asdict(problem) for problem in self.problems]


def refuse_if_any(problems: Iterable[Problem]) -> None:
    """Raise one InputError that holds all the problems, or do nothing if there are none."""
    found = tuple(problems)
    if found:
        raise InputError(*found)
