"""Work in this process: item by item, or on threads, which is enough for NumPy: it lets go of the interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any


def processors() -> int:
    """CROWDALPHA_THREADS if set, else the processors this process may run on."""
    configured = os.environ.get("CROWDALPHA_THREADS", "")
    if configured.isdigit() and int(configured) > 0:
        return int(configured)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Serial:
    """One item after another, in the thread that asks: what all others are compared with.

    >>> list(Serial().run(pow, [3, 4], Serial().share(2)))
    [(0, 9), (1, 16)]
    """

    def share(self, obj: Any) -> Any:
        """The object itself."""
        return obj

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Any) -> Iterator[tuple[int, Any]]:
        """Each result when it is asked for."""
        for i, item in enumerate(items):
            yield i, fn(item, *shared)


class Threads:
    """Threads of this process, one a processor unless said otherwise; each multiplies matrices by itself.

    >>> sorted(Threads(2).run(pow, [3, 4], 2))
    [(0, 9), (1, 16)]
    """

    def __init__(self, n_threads: int | None = None) -> None:
        self._n_threads = n_threads or processors()

    def share(self, obj: Any) -> Any:
        """The object itself: threads see the same memory."""
        return obj

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Any) -> Iterator[tuple[int, Any]]:
        """As many items at once as there are threads, and as many waiting."""
        from threadpoolctl import threadpool_limits

        waiting = enumerate(items)
        with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(self._n_threads) as pool:
            begun: dict[Future[Any], int] = {}
            try:
                while True:
                    for i, item in islice(waiting, 2 * self._n_threads - len(begun)):
                        begun[pool.submit(fn, item, *shared)] = i
                    if not begun:
                        return
                    for future in wait(begun, return_when=FIRST_COMPLETED).done:
                        yield begun.pop(future), future.result()
            finally:
                for future in begun:
                    future.cancel()
