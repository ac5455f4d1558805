"""What the machine can do at best, on one thread, and what part of it the scoring reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.inputs import crowd
from benchmarks.results import Row, duration, figures
from benchmarks.timing import Contestant, race
from crowdalpha.scoring import mmc2, rank_models

if TYPE_CHECKING:
    from benchmarks.cases import Section, Sizes

SQUARE = 1024
"""Rows of the matrices whose product says how fast this machine multiplies."""
COPIED = 2**23
"""Values that are copied: far more than any cache holds."""


def limits(sizes: Sizes) -> Section:
    """Memory, matrix products and sorting, each beside what of ours leans on it."""
    era, rng = crowd(sizes.models, sizes.ids), np.random.default_rng(0)
    ranks, rows = rank_models(era.predictions), np.ascontiguousarray(era.predictions.T)
    square, source = rng.normal(size=(SQUARE, SQUARE)), np.ones(COPIED)
    sink = np.empty_like(source)
    best = race(
        {
            "copy": Contestant(lambda: np.copyto(sink, source)),
            "product": Contestant(lambda: square @ square),
            "sort": Contestant(lambda: np.sort(rows, axis=1)),
            "rank": Contestant(lambda: rank_models(era.predictions)),
            "score": Contestant(lambda: mmc2(ranks, era.stakes, era.target, bags=era.bags)),
        }
    )
    seconds = {name: time.cpu for name, time in best.items()}
    copying, multiplying = 2 * source.nbytes / seconds["copy"], 2 * SQUARE**3 / seconds["product"]
    needed = 2 * 2 * len(era.bags) * ranks.doubled.size
    read = 2 * ranks.doubled.nbytes
    again = duration(seconds["score"])
    lines = [
        _limit("memory, copied", copying / 1e9, "GB/s"),
        _limit(f"products of float64 matrices, {SQUARE:,} x {SQUARE:,}", multiplying / 1e9, "GFLOP/s"),
        _limit("`np.sort`, which keeps no order and shares no ties", rows.size / seconds["sort"] / 1e6, "million/s"),
        Row(
            "ranking, as fast as `np.sort`",
            "",
            f"{seconds['sort'] / seconds['rank']:.3g} x",
            None,
            duration(seconds["rank"]),
        ),
        _part("MMC2 from kept ranks beside its products", needed / multiplying / seconds["score"], again),
        _part("the same beside reading the ranks twice", read / copying / seconds["score"], again),
    ]
    text = (
        "What one thread of this machine does at best, and the part of it that the scoring reaches: the time the limit "
        f"allows over the time taken. MMC2 of {sizes.models:,} models on {sizes.ids:,} ids needs two products with "
        f"{len(era.bags)} bags; exact sums of stakes with nine decimals take a third."
    )
    return "The machine's limits", text, lines


def _limit(what: str, value: float, unit: str) -> Row:
    return Row(what, "", f"{figures(value)} {unit}", None)


def _part(what: str, part: float, took: str) -> Row:
    return Row(what, "", f"{part:.0%}", None, took)
