"""Work on a cluster of Dask distributed: many machines, any of which may die, and others join, while work goes on.

The scheduler's port runs whatever it is sent: docs/scale.md says how to shut it to all but oneself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from types import TracebackType
from typing import Any

from crowdalpha.execution.executor import WorkersLostError

RETRIES = 5
"""Times that an item is tried again whose function raised: a network disk may be late."""
TRIES = 3
"""Times that an item is handed over: each time, a scheduler gives it up after four deaths unless told otherwise."""
AHEAD = 4
"""Items handed over for each thread of the cluster, so that no worker waits for us."""
LEAST_AHEAD = 64
LOOK_EVERY = 32
"""Results after which the threads of the cluster are counted again: workers come and go."""
CONFIG = {
    "distributed.comm.timeouts.connect": "15s",
    "distributed.comm.timeouts.tcp": "15s",
    "distributed.admin.large-graph-warning-threshold": "1GB",  # what is shared goes with its task, on purpose
}


class Dask:
    """The workers of a Dask scheduler, by its address: tcp://host:8786, or tls:// with certificates in Dask's config.

    They need this version of crowdalpha, and the paths they are to read. An item that ends workers is tried on as many
    as ten others, whatever the scheduler allows. Without workers, a run waits for some. Close it, or use it in a
    `with` block. Raises OSError if there is no scheduler at that address.
    """

    def __init__(self, address: str) -> None:
        import dask
        from distributed import Client

        with ExitStack() as opened:
            opened.enter_context(dask.config.set(CONFIG))
            self._client = opened.enter_context(Client(address, set_as_default=False))
            self._close = opened.pop_all().close

    def __enter__(self) -> Dask:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the cluster, which goes on."""
        self._close()

    @property
    def n_threads(self) -> int:
        """Threads of all workers that are there now."""
        with _in_reach():
            return sum(self._client.nthreads().values())

    def share(self, obj: Any) -> Any:
        """A task that gives the object: workers get it from each other, and when all who have it died, anew."""
        with _in_reach():
            return self._client.submit(_itself, obj, pure=False)

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Any) -> Iterator[tuple[int, Any]]:
        """A few items a thread at any time; those of dead workers are done again by others."""
        return _Run(self._client, fn, items, shared).results()


class _Run:
    """One run: the items that are with the cluster, and how many times each came back undone."""

    def __init__(self, client: Any, fn: Callable[..., Any], items: Iterable[Any], shared: Sequence[Any]) -> None:
        self._client, self._fn, self._shared = client, fn, shared
        self._waiting = enumerate(items)
        self._sent: dict[Any, tuple[int, Any]] = {}
        self._undone: Counter[int] = Counter()
        self._room = 0
        self._done = 0

    def results(self) -> Iterator[tuple[int, Any]]:
        """Each result as it arrives; whatever is with the cluster at the end is called back."""
        from distributed import as_completed

        arrivals = as_completed(loop=self._client.loop)
        try:
            self._fill(arrivals)
            while self._sent:
                yield from self._received(next(arrivals), arrivals)
                self._fill(arrivals)
        finally:
            self._call_back()

    def _fill(self, arrivals: Any) -> None:
        if self._done % LOOK_EVERY == 0:
            with _in_reach():
                self._room = max(LEAST_AHEAD, AHEAD * sum(self._client.nthreads().values()))
        for i, item in islice(self._waiting, max(self._room - len(self._sent), 0)):
            self._send(i, item, arrivals)

    def _send(self, i: int, item: Any, arrivals: Any) -> None:
        with _in_reach():
            future = self._client.submit(self._fn, item, *self._shared, pure=False, retries=RETRIES)
            arrivals.add(future)
        self._sent[future] = i, item

    def _received(self, future: Any, arrivals: Any) -> Iterator[tuple[int, Any]]:
        from distributed.scheduler import KilledWorker

        i, item = self._sent.pop(future)
        if future.cancelled():
            raise WorkersLostError("the scheduler of the cluster is out of reach")
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            self._undone[i] += 1
            if self._undone[i] == TRIES:
                raise WorkersLostError(f"item {i} ended worker after worker")
            self._send(i, item, arrivals)
            return
        if error is not None:
            raise error
        with _in_reach():
            value = future.result()
        self._done += 1
        yield i, value

    def _call_back(self) -> None:
        with suppress(Exception):  # of a cluster that is gone
            self._client.cancel(list(self._sent), force=True)


@contextmanager
def _in_reach() -> Iterator[None]:
    """Whatever goes wrong with the scheduler means the same to us."""
    try:
        yield
    except (OSError, RuntimeError, CancelledError) as error:
        raise WorkersLostError(f"the scheduler of the cluster is out of reach: {error}") from error


def _itself(obj: Any) -> Any:
    return obj
