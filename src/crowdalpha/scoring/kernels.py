"""The ranking kernel: many columns, each in about the time of one radix sort; and the threads it runs on.

Doubled, centred ranks are whole numbers, `2 rank - (n + 1)`, for both tie rules, so everything built from
them can be exact. Two ways lead to the same bits: NumPy (nothing to load, best for small jobs) and a
numba kernel, loaded on the first large job. The kernel orders a column by its value quantised to 22 bits
(two 11-bit counting passes) and then repairs the few neighbours that the quantisation left in input order;
where the values are too skewed for that, it sorts all 64 bits, six passes of 11.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import Floats

Doubled = NDArray[np.int32]

LARGE_JOB = 4_000_000
"""Values from which loading the compiled kernel (about a second) pays for itself."""
BLOCK = 64
"""Columns handled at once: what they need stays in a core's cache."""


@cache
def n_threads() -> int:
    """Threads to use: CROWDALPHA_THREADS if set, else the processors this process may run on."""
    configured = os.environ.get("CROWDALPHA_THREADS", "")
    if configured.isdigit() and int(configured) > 0:
        return int(configured)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def column_blocks(n_columns: int, size: int = BLOCK) -> list[slice]:
    """Consecutive slices of at most `size` columns."""
    return [slice(start, min(start + size, n_columns)) for start in range(0, n_columns, size)]


def in_threads(work: Callable[[slice], Any], blocks: list[slice], n_values: int) -> Iterator[Any]:
    """`work(block)` for each block, in order; on threads, each with one BLAS thread, when the job is large."""
    if n_threads() == 1 or len(blocks) == 1 or n_values < LARGE_JOB // 8:
        yield from map(work, blocks)
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(n_threads()) as pool:
        yield from pool.map(work, blocks)


def rank_rows(rows: Floats, ties: str) -> Doubled:
    """Doubled centred ranks of each row of a (n_models, n_ids) array; ties shared ("average") or in order."""
    out = np.empty(rows.shape, np.int32)
    rank = _compiled() if _prefer_compiled(rows.size) else _rank_with_numpy

    def work(block: slice) -> None:
        rank(np.ascontiguousarray(rows[block]), ties == "average", out[block])

    for _ in in_threads(work, column_blocks(len(rows)), rows.size):
        pass
    return out


def _rank_with_numpy(rows: Floats, average: bool, out: Doubled) -> None:
    n = rows.shape[1]
    order = np.argsort(rows, axis=1, kind="stable")
    place = np.broadcast_to(np.arange(n), rows.shape)
    if average:
        values = np.take_along_axis(rows, order, axis=1)
        new = values[:, 1:] != values[:, :-1]
        edge = np.ones((len(rows), 1), bool)
        first = np.maximum.accumulate(np.where(np.hstack([edge, new]), place, 0), axis=1)
        last = np.minimum.accumulate(np.where(np.hstack([new, edge]), place, n)[:, ::-1], axis=1)[:, ::-1]
        doubled = first + last + 1 - n
    else:
        doubled = 2 * place + 1 - n
    np.put_along_axis(out, order, doubled.astype(np.int32), axis=1)


def _prefer_compiled(n_values: int) -> bool:
    choice = os.environ.get("CROWDALPHA_KERNEL", "")
    if choice:
        return choice == "numba"
    return n_values >= LARGE_JOB or (n_values >= LARGE_JOB // 100 and "crowdalpha.scoring.compiled" in sys.modules)


def _compiled() -> Callable[[Floats, bool, Doubled], None]:
    try:
        from crowdalpha.scoring.compiled import rank_block
    except ImportError:  # a Python that numba does not support yet: slower, the same bits
        return _rank_with_numpy
    return rank_block
