"""Leases: of several servers, one does a thing at a time, and if it dies, another goes on once the lease has run out.

A lease saves work and proves nothing: what is done under it must come out the same if two do it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdalpha.tournament.ports import TournamentStore


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does a thing, and until when nobody else does."""

    name: str
    holder: str
    until: datetime


def take(store: TournamentStore, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Take a lease that is free, or go on holding one's own; False if somebody else holds it."""
    wanted = Lease(name, holder, now + lasting)
    with store.transaction() as work:
        held = work.get(Lease, name, lock=True)
        if held is None:
            work.insert(wanted)
        elif held.holder == holder or held.until <= now:
            work.update(wanted)
        else:
            return False
    return True


def give_back(store: TournamentStore, name: str, holder: str, now: datetime) -> None:
    """End one's own lease; nothing happens to one that somebody else holds."""
    with store.transaction() as work:
        held = work.get(Lease, name, lock=True)
        if held is not None and held.holder == holder and held.until > now:
            work.update(Lease(name, holder, now))
