"""Which columns of a file are the ids and the predictions. Loads nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Wrong = Literal["headers", "date"]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a submission: `id`, `prediction`, and the `date` that came with them, if any."""

    id: str
    prediction: str
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """The names that the columns of a submission may have.

    After `ignored` columns and the first of the `dates` are set aside there must be exactly two: one of `ids`, then
    one of `predictions`. With `date_required`, one of `dates` must have been there.
    """

    ids: tuple[str, ...] = ("id",)
    predictions: tuple[str, ...] = ("prediction", "probability")
    dates: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    date_required: bool = False

    def choose(self, names: Sequence[str]) -> Columns | Wrong:
        """The columns to read, or which rule the names break: "headers" or "date".

        >>> Headers().choose(["id", "probability"])
        Columns(id='id', prediction='probability', date=None)
        >>> Headers().choose(["prediction", "id"])
        'headers'
        """
        if len(set(names)) < len(names):
            return "headers"
        kept = [name for name in names if name not in self.ignored]
        date = next((name for name in kept if name in self.dates), None)
        if self.date_required and date is None:
            return "date"
        if date is not None:
            kept = [name for name in kept if name != date]
        if len(kept) != 2 or kept[0] not in self.ids or kept[1] not in self.predictions:
            return "headers"
        return Columns(kept[0], kept[1], date)


MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
    *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""What stands for nothing in a cell of a CSV, to the letter: the words pandas reads so."""
