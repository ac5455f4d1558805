"""What must be said of numbers that were shipped with a notice, or that lack a model that was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdalpha.scoring.problems import Problem

ROW = re.compile(r", rows? (after )?\d+")
"""The row in the place of a problem."""
NOTICE, ATTRIBUTION = "NOTICE.txt", "ATTRIBUTION.txt"


@dataclass(frozen=True)
class Notices:
    """What a reader must know before trusting a number, a caveat each, and whom to credit."""

    caveats: tuple[str, ...] = ()
    credits: str = ""

    @property
    def first(self) -> str:
        """The caveat that a terminal shows; empty if there is none."""
        return self.caveats[0] if self.caveats else ""


def notices_beside(predictions: Path) -> Notices:
    """The lines of NOTICE.txt and the text of ATTRIBUTION.txt in the folder that the predictions lie in."""
    folder = predictions.resolve().parent
    lines = (line.strip() for line in _text(folder / NOTICE).splitlines())
    return Notices(tuple(line for line in lines if line), " ".join(_text(folder / ATTRIBUTION).split()))


def caveats_of(left_out: Iterable[Problem]) -> tuple[str, ...]:
    """A caveat for each kind of problem in each place, after one that says what leaving out means for the others.

    >>> from crowdalpha.scoring.problems import Problem
    >>> rows = [Problem("blank_id", "an id", "nothing", "fill it in", f"m.csv, row {row}") for row in (2, 3, 7)]
    >>> caveats_of(rows)[1]
    'Left out: m.csv, row 2: expected an id, found nothing; fill it in [blank_id], and 2 more like it'
    """
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in left_out:
        place = ROW.sub("", problem.where)
        alike.setdefault((problem.code, problem.expected, place), []).append(problem)
    found = tuple(
        f"Left out: {first}" + (f", and {len(more)} more like it" if more else "") for first, *more in alike.values()
    )
    others = "Models with problems were left out. All other scores are those as if they had never submitted."
    return (others, *found) if found else ()


def is_about(problem: Problem, model: str) -> bool:
    """Whether a problem names a model: by its submission, as the last part of its place, or as a file's column.

    >>> from crowdalpha.scoring.problems import Problem
    >>> places = "crowd/m.csv, row 3", "era 1, model m", "m2.csv"
    >>> [is_about(Problem("inf_in_predictions", "", "", "", where), "m") for where in places]
    [True, True, False]
    """
    file = problem.where.partition(", row")[0]
    in_column = problem.expected.endswith(f" in column {model}")
    return Path(file).stem == model or in_column or problem.where.endswith(f", model {model}")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
