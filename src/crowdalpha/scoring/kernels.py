"""The ranking kernel: many columns, each in about the time of one radix sort; and the threads it runs on.

Doubled, centred ranks are whole numbers, `2 rank - (n + 1)`, for both tie rules, so everything built from
them can be exact. Two ways lead to the same bits: NumPy (nothing to load, best for small jobs) and a
numba kernel, loaded on the first large job. The kernel orders a column by its value cut into 2^16 to 2^22
steps of equal width (two counting passes), then repairs the few neighbours left in input order; where the
values are too skewed for that, it sorts by their upper 32 bits and repairs, or at last by all 64.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring import device as on_device
from crowdalpha.scoring.arrays import Floats

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Doubled = NDArray[np.int32]

WORTH_LOADING = 12_000_000
"""Values to rank by NumPy in the time (about a second) that loading numba takes: from then on, it is loaded."""
LARGE_JOB = 500_000
"""Values of a job from which threads pay."""
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
    if n_threads() == 1 or len(blocks) == 1 or n_values < LARGE_JOB or getattr(_this_thread, "is_one_of_many", False):
        yield from map(work, blocks)
        return
    with (
        _blas().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(n_threads(), initializer=one_of_many) as pool,
    ):
        yield from pool.map(work, blocks)


@cache
def _blas() -> ThreadpoolController:
    """The matrix library that is loaded, looked for once: walking all libraries while a thread loads one may hang."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_of_many() -> None:
    """Say of this thread that others work beside it: what it does from now on starts no threads of its own."""
    _this_thread.is_one_of_many = True


@contextmanager
def single_threaded() -> Iterator[None]:
    """Within the block this thread starts no threads of its own: for workers of which there is one a processor.

    BLAS is for whoever starts the workers to limit. To limit it here would be to walk the loaded libraries, under the
    loader's lock and calling Python for each, while an import in another thread may hold Python and wait for that lock.
    """
    before = getattr(_this_thread, "is_one_of_many", False)
    one_of_many()
    try:
        yield
    finally:
        _this_thread.is_one_of_many = before


_this_thread = threading.local()


def rank_rows(rows: Floats, ties: str) -> Doubled:
    """Doubled centred ranks of each row of a (n_models, n_ids) array; ties shared ("average") or in order."""
    device = _device()
    if device is not None:
        return on_device.rank_rows(device, np.ascontiguousarray(rows), ties)
    out = np.empty(rows.shape, np.int32)
    loops = compiled_for(rows.size)

    def work(block: slice) -> None:
        if loops is None:
            _rank_with_numpy(np.ascontiguousarray(rows[block]), ties == "average", out[block])
        else:
            loops.rank_block(contiguous(rows, block, loops), ties == "average", out[block])

    for _ in in_threads(work, column_blocks(len(rows), max(min(BLOCK, 2**20 // rows.shape[1]), 1)), rows.size):
        pass
    return out


def contiguous(rows: Floats, block: slice, loops: Any) -> Floats:
    """The rows of a block, one after the other in memory: a view where they are, else a transposition by tiles."""
    if rows.flags.c_contiguous or not rows.flags.f_contiguous:
        return np.ascontiguousarray(rows[block])
    out = np.empty(rows[block].shape)
    loops.transpose_block(rows.T, block.start, out)
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


def compiled_for(n_values: int) -> Any:
    """The compiled loops, for a job of so many values; None where NumPy does: until loading them has been worth it.

    CROWDALPHA_KERNEL=numpy or numba decides instead, if set. Both ways give the same bits.
    """
    global _values_met
    _values_met += n_values
    choice = os.environ.get("CROWDALPHA_KERNEL", "")
    if choice == "numpy" or (choice != "numba" and _values_met < WORTH_LOADING):
        return None
    return _compiled()


_values_met = 0


def product(a: Floats, b: NDArray[Any]) -> Floats:
    """a @ b of whole numbers whose sums all stay below 2^53: exact, wherever it is done."""
    device = _device()
    if device is not None:
        return device.product(a, b)
    return np.asarray(a @ b.astype(np.float64, copy=False))


def _device() -> on_device.Device | None:
    return on_device.device_for(os.environ.get("CROWDALPHA_KERNEL", ""))


@cache
def _compiled() -> Any:
    try:
        from crowdalpha.scoring import compiled
    except ImportError:  # a Python that numba does not support yet: slower, the same bits
        return None
    return compiled
