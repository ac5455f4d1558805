"""How often somebody may ask: a bucket of tokens for each of them, filled at a steady rate.

    left(t) = min(burst, left(t0) + rate (t - t0)),   a request takes 1 of it, and is refused if there is none

Kept in the process: several servers allow several times as much.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from crowdalpha.server.catalogue import refusal

REMEMBERED = 50_000
"""Buckets that are kept; one that was not asked for in a long time is full, and may be forgotten."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, and `per_second` in the long run."""

    burst: int
    per_second: float


ASKING = Rate(burst=600, per_second=50)
"""For each token or, without one, each address, behind which may be a whole company."""
LOGIN = Rate(burst=5, per_second=1 / 20)
"""Failed tries to log in with one address: five at once, then three a minute."""
COMING_IN = Rate(burst=30, per_second=1 / 2)
"""Forms that log in or sign up, from one address of the network."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a bucket: whole requests, and the seconds until it is full again."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As programs read it."""
        said = {"Limit": self.limit, "Remaining": self.remaining, "Reset": self.reset}
        return {f"RateLimit-{name}": str(number) for name, number in said.items()}


class Limits:
    """All buckets of a server. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._buckets: OrderedDict[tuple[Rate, str], tuple[float, float]] = OrderedDict()

    def take(self, who: str, rate: Rate = ASKING) -> Left:
        """Take one request from a bucket; `rate_limited` says, in `more`, how long to wait if it is empty."""
        with self._lock:
            now = self._clock()
            held, before = self._buckets.pop((rate, who), (float(rate.burst), now))
            held = min(rate.burst, held + rate.per_second * (now - before))
            allowed = held >= 1
            self._buckets[rate, who] = (held - allowed, now)
            while len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        if not allowed:
            seconds = math.ceil((1 - held) / rate.per_second)
            raise refusal("rate_limited", seconds=seconds, more={"retry_after": seconds})
        return Left(rate.burst, int(held - 1), math.ceil((rate.burst - held + 1) / rate.per_second))

    def forget(self, who: str, rate: Rate) -> None:
        """Fill a bucket again."""
        with self._lock:
            self._buckets.pop((rate, who), None)
