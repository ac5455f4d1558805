"""What views have computed: kept as long as what it was computed from stays the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

Value = TypeVar("Value")
KEPT = 512
"""Values that are kept: the rounds of two years, and as many leaderboards and drawings as people look at."""


class Memory:
    """The newest values, by keys that say all they depend on. Two threads may compute one twice, never wrongly.

    >>> memory = Memory()
    >>> memory.recall(("square", 3), lambda: 9), memory.recall(("square", 3), lambda: 0)
    (9, 9)
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock = kept, Lock()
        self._values: OrderedDict[Hashable, object] = OrderedDict()

    def recall(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]  # type: ignore[return-value]
        made = make()
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
        return made
