"""What executors are tried with: functions that workers import in no time."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

GATE = "gate"
"""The pipe in a folder that `behind_the_gate` waits at until somebody has opened it for writing."""


class PlantedError(ValueError):
    """What `refuse` raises."""


def double(item: Any) -> Any:
    """The item, twice."""
    return item * 2


def with_shared(item: Any, *objects: Any) -> tuple[Any, ...]:
    """The item, and what is shared."""
    return (item, *objects)


def weigh(item: Any, array: Any) -> tuple[int, bytes]:
    """The size of a large array that is shared, and a large result."""
    return int(array.sum()), bytes([item]) * 2**22


def refuse(item: int, wrong: int) -> int:
    """An error for one item."""
    if item == wrong:
        raise PlantedError(f"item {item} is wrong")
    return item


def behind_the_gate(item: int, folder: Path, free: int) -> tuple[int, int]:
    """The item and who worked on it. The first few to come pass; all others wait until somebody opens the gate."""
    if not any(_is_first(folder / str(ticket)) for ticket in range(free)):
        os.close(os.open(folder / GATE, os.O_RDONLY))
    return item, os.getpid()


def die_once(item: int, folder: Path, caller: int) -> int:
    """Kill whoever works on it for the first time, unless that is who asked for it."""
    return die(item, caller) if _is_first(folder / str(item)) else item


def die(item: int, caller: int) -> int:
    """Kill whoever works on it, unless that is who asked for it."""
    if os.getpid() != caller:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def _is_first(ticket: Path) -> bool:
    """Whether nobody has taken this ticket yet; it is taken now."""
    try:
        ticket.mkdir()
    except FileExistsError:
        return False
    return True
