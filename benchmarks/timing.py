"""Races: contestants take turns, and each is judged by its best time, so that a busy machine hurts all alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from crowdalpha.scoring import kernels


@dataclass(frozen=True)
class Contestant:
    """Something to time. `share` is the part of the whole job that `run` does: its time is divided by it."""

    run: Callable[[], object]
    share: float = 1.0


@dataclass(frozen=True)
class Time:
    """The least processor time and the least wall time of a contestant, in seconds, for the whole job."""

    cpu: float
    wall: float


def race(contestants: dict[str, Contestant], *, rounds: int = 7, seconds: float = 4.0) -> dict[str, Time]:
    """Run all in turn, `rounds` times; a contestant sits out once another run would pass its `seconds`."""
    spent = dict.fromkeys(contestants, 0.0)
    laps: dict[str, list[Time]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            if laps[name] and spent[name] + laps[name][-1].wall * contestant.share > seconds:
                continue
            lap = _lap(contestant)
            laps[name].append(lap)
            spent[name] += lap.wall * contestant.share
    return {name: Time(min(t.cpu for t in times), min(t.wall for t in times)) for name, times in laps.items()}


def _lap(contestant: Contestant) -> Time:
    cpu, wall = time.process_time(), time.perf_counter()
    contestant.run()
    share = contestant.share
    return Time((time.process_time() - cpu) / share, (time.perf_counter() - wall) / share)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Everything inside, ours and theirs, on so many threads."""
    with _environment("CROWDALPHA_THREADS", str(count)), threadpool_limits(limits=count):
        kernels.n_threads.cache_clear()
        yield
    kernels.n_threads.cache_clear()


@contextmanager
def kernel(name: str) -> Iterator[None]:
    """Everything of ours inside by the "numba" loops or by "numpy"."""
    with _environment("CROWDALPHA_KERNEL", name):
        yield


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
