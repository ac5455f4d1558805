"""A tournament from one kind of store into another: what was played in memory, kept in a database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from crowdalpha.tournament.ports import PredictionStore, TournamentStore
from crowdalpha.tournament.records import KEYS

WRITERS = 4
"""Files that are written at once: most of the time goes into waiting for the disk."""


def copy_records(source: TournamentStore, target: TournamentStore) -> None:
    """Every record, entry and event, in one transaction: the chain of the log comes out with the same hashes.

    The target must be empty, or TakenError is raised by the first record that is there already.
    """
    with source.reading() as kept, target.transaction() as work:
        for kind in KEYS:
            work.insert(*kept.find(kind))
        for entry in kept.entries():
            work.post(entry)
        for event in kept.events():
            work.append(event.kind, event.payload, event.at)


def copy_files(
    source: PredictionStore, target: PredictionStore, told: Callable[[int, int], None] = lambda done, all: None
) -> None:
    """Every file under the same name. `told` hears how many of how many are written."""
    names = source.names()
    with ThreadPoolExecutor(WRITERS) as writers:
        written = writers.map(lambda name: target.write(name, source.read(name)), names)
        for done, _ in enumerate(written, 1):
            told(done, len(names))
