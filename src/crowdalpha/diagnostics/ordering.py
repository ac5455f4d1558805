"""Likeness as an order: models that resemble each other stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .data import Heatmap

Matrix = NDArray[np.float64]


def order_by_likeness(similarity: Matrix) -> tuple[int, ...]:
    """An order of the rows of a symmetric matrix in which alike ones are neighbours.

    Average-linkage clustering: the two groups with the highest mean similarity are joined, turned so that
    their most alike ends meet, until one group is left. NaN counts as 0.
    O(n^3); the same matrix always gives the same order.

    >>> order_by_likeness(np.array([[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1]]))
    (0, 2, 1)
    """
    likeness = np.nan_to_num(np.asarray(similarity, dtype=np.float64), nan=0.0)
    between = likeness.copy()
    np.fill_diagonal(between, -np.inf)
    groups: dict[int, list[int]] = {i: [i] for i in range(len(likeness))}
    while len(groups) > 1:
        kept, gone = divmod(int(np.argmax(between)), len(likeness))
        joined = _meet(groups[kept], groups.pop(gone), likeness)
        _merge(between, kept, gone, len(groups[kept]), len(joined) - len(groups[kept]))
        groups[kept] = joined
    return tuple(next(iter(groups.values()), []))


def _meet(left: list[int], right: list[int], likeness: Matrix) -> list[int]:
    """Both lists as one, turned so that the most alike ends touch."""
    turns = [(a, b) for a in (left, left[::-1]) for b in (right, right[::-1])]
    first, second = max(turns, key=lambda turn: likeness[turn[0][-1], turn[1][0]])
    return [*first, *second]


def _merge(between: Matrix, kept: int, gone: int, size_kept: int, size_gone: int) -> None:
    """Put the size-weighted mean of two groups' similarities in the place of one, and retire the other."""
    total = size_kept + size_gone
    mean = (size_kept * between[kept] + size_gone * between[gone]) / total
    between[kept], between[:, kept] = mean, mean
    between[gone], between[:, gone] = -np.inf, -np.inf
    between[kept, kept] = -np.inf


def arranged(value: Heatmap, kept: Sequence[int] | None = None) -> Heatmap:
    """The same correlations with alike models side by side; only those of the `kept` rows, if given."""
    rows = list(range(len(value.names)) if kept is None else kept)
    matrix = np.array([[value.values[i][j] for j in rows] for i in rows], dtype=np.float64).reshape(
        len(rows), len(rows)
    )
    order = [rows[i] for i in order_by_likeness(matrix)]
    values = tuple(tuple(value.values[i][j] for j in order) for i in order)
    return Heatmap(value.title, tuple(value.names[i] for i in order), values)
