"""Work in processes of this machine: one that dies is replaced, and what it had is done again."""

from __future__ import annotations

import os
import pickle
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any

from crowdalpha.execution.executor import ALLOWED_DEATHS, WorkersLostError
from crowdalpha.execution.local import processors

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Where libraries of matrices find their number of threads: a worker, one of many, has one, unless told otherwise."""
NUMBERS = count()
GONE = (EOFError, OSError)
"""What a pipe raises whose other end has died."""
Outcome = tuple[bool, Any]
"""(True, result), or (False, what was raised)."""


@dataclass(frozen=True, slots=True)
class Shared:
    """An object for all workers, pickled once."""

    number: int
    pickled: bytes = field(repr=False)


class Worker:
    """A process and the pipe to it. `take`, `give` and `outcome` raise one of GONE when the process has died."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    def take(self, fn: bytes, shared: Sequence[Shared]) -> Outcome:
        """Hand over what a run has in common, in the place of what the run before had."""
        self.pipe.send((fn, [each.number for each in shared]))
        wanted = {each.number: each.pickled for each in shared}
        for number in self.pipe.recv():
            self.pipe.send_bytes(wanted[number])
        return self.outcome()

    def give(self, item: bytes) -> None:
        """Hand over an item."""
        self.pipe.send(item)

    def outcome(self) -> Outcome:
        """What came of the last order."""
        good, value = pickle.loads(self.pipe.recv_bytes())
        return good, value

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.pipe.close()


class Processes:
    """Processes of this machine, one a processor unless said otherwise, started when they are first needed.

    For work that holds the interpreter, or may crash it. Close it, or use it in a `with` block.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        self._n_workers = n_workers or processors()
        self._idle: list[Worker] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        while self._idle:
            self._idle.pop().end()

    def share(self, obj: Any) -> Shared:
        """The object, pickled now."""
        return Shared(next(NUMBERS), pickle.dumps(obj, pickle.HIGHEST_PROTOCOL))

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Shared) -> Iterator[tuple[int, Any]]:
        """An item a worker at any time."""
        yield from _Run(self._idle, self._n_workers, fn, items, shared).results()


class _Run:
    """One run: the workers it has, the item each of them is at, and the items that dead ones left behind."""

    def __init__(
        self,
        idle: list[Worker],
        n_workers: int,
        fn: Callable[..., Any],
        items: Iterable[Any],
        shared: Sequence[Shared],
    ) -> None:
        self._idle, self._n_workers, self._shared = idle, n_workers, shared
        self._fn = pickle.dumps(fn)
        self._waiting = ((i, pickle.dumps(item, pickle.HIGHEST_PROTOCOL)) for i, item in enumerate(items))
        self._again: list[tuple[int, bytes]] = []
        self._deaths: Counter[int] = Counter()
        self._free: list[Worker] = []
        self._busy: dict[Any, tuple[Worker, int, bytes]] = {}

    def results(self) -> Iterator[tuple[int, Any]]:
        """Each result as it arrives; at the end, idle workers are kept for the next run."""
        try:
            self._employ()
            while self._busy:
                for pipe in wait(self._busy):
                    yield from self._received(pipe)
                    self._employ()
        finally:
            for worker, _, _ in self._busy.values():
                worker.end()
            self._idle += self._free
            while len(self._idle) > self._n_workers:  # of runs that went on at once
                self._idle.pop().end()

    def _employ(self) -> None:
        """Give every worker that may work an item, as long as there are any."""
        while len(self._busy) < self._n_workers:
            following = self._again.pop() if self._again else next(self._waiting, None)
            if following is None:
                return
            self._give(*following)

    def _give(self, i: int, item: bytes) -> None:
        worker = self._free.pop() if self._free else self._hired()
        try:
            worker.give(item)
        except GONE:
            self._lost(worker, i, item)
        else:
            self._busy[worker.pipe] = worker, i, item

    def _hired(self) -> Worker:
        """A worker that knows what this run has in common."""
        for _ in range(ALLOWED_DEATHS + self._n_workers):
            worker = self._idle.pop() if self._idle else Worker()
            try:
                good, value = worker.take(self._fn, self._shared)
            except GONE:
                worker.end()
                continue
            if good:
                return worker
            worker.end()
            raise value
        raise WorkersLostError("no worker lives long enough to be given work")

    def _received(self, pipe: Any) -> Iterator[tuple[int, Any]]:
        worker, i, item = self._busy.pop(pipe)
        try:
            good, value = worker.outcome()
        except GONE:
            self._lost(worker, i, item)
            return
        self._free.append(worker)
        if not good:
            raise value
        yield i, value

    def _lost(self, worker: Worker, i: int, item: bytes) -> None:
        worker.end()
        self._deaths[i] += 1
        if self._deaths[i] > ALLOWED_DEATHS:
            raise WorkersLostError(f"item {i} ended {self._deaths[i]} workers, one after another")
        self._again.append((i, item))


def serve(pipe: Connection) -> None:
    """What a worker does until the other end of its pipe is closed: an item an order, or what the next run shares."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever interrupts the program ends its workers
    for name in BLAS_THREADS:  # read when NumPy is loaded, with the first order
        os.environ.setdefault(name, "1")
    call, known = _Call(b"", ()), dict[int, bytes]()
    with suppress(*GONE):
        while True:
            order = pipe.recv()
            if isinstance(order, bytes):
                pipe.send_bytes(_outcome(call.on, order))
                continue
            fn, numbers = order
            missing = sorted(set(numbers) - set(known))
            pipe.send(missing)
            known |= {number: pipe.recv_bytes() for number in missing}
            known = {number: known[number] for number in numbers}
            call = _Call(fn, [known[number] for number in numbers])
            pipe.send_bytes(_outcome(call.load))


class _Call:
    """A function and what it shares, as bytes until both are loaded."""

    def __init__(self, fn: bytes, shared: Sequence[bytes]) -> None:
        self._bytes = fn, shared

    def load(self) -> None:
        fn, shared = self._bytes
        self._fn, self._objects = pickle.loads(fn), [pickle.loads(each) for each in shared]

    def on(self, item: bytes) -> Any:
        return self._fn(pickle.loads(item), *self._objects)


def _outcome(deed: Callable[..., Any], *given: Any) -> bytes:
    """An Outcome, pickled; an error that would not come back as what it is becomes its name and text."""
    try:
        return pickle.dumps((True, deed(*given)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        with suppress(Exception):
            pickled = pickle.dumps((False, error))
            if type(pickle.loads(pickled)[1]) is type(error):
                return pickled
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
