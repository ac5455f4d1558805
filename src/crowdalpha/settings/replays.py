"""A replay that stays: played in memory, then kept as a tournament in a folder that all commands work on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from crowdalpha.engine import Engine
from crowdalpha.settings.file import Settings
from crowdalpha.settings.keeping import initialise
from crowdalpha.settings.opening import open_files, open_store
from crowdalpha.settings.places import MEMORY
from crowdalpha.simulation.replay import ANY_NUMBER, Replayed, judge, replay
from crowdalpha.storage.copying import copy_files, copy_records
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.tournament.ports import PredictionStore
from crowdalpha.tournament.rounds import FINAL_BAGS

if TYPE_CHECKING:
    from crowdalpha.scoring.metrics import Era

TAKES = {"lowest": ANY_NUMBER.lowest, "highest": ANY_NUMBER.highest}
"""What a replayed tournament asks of submissions: any number, as only their order counts."""
Told = Callable[[str, int, int], None]


def replay_in_memory(
    eras: Iterable[Era],
    stakes: Mapping[str, int],
    *,
    rule: str,
    choice: tuple[float, float] | None = None,
    final_bags: int = FINAL_BAGS,
    seed: str = "0",
    told: Told = lambda what, done, all: None,
) -> tuple[Replayed, Engine]:
    """Play a history and keep nothing but the engine it was played by. `told` hears what is done, and how far.

    The bags are drawn from `seed`: the same history and seed give the same payouts to the unit.
    """
    from threadpoolctl import threadpool_limits

    master = sha256(f"crowdalpha replay {seed}".encode()).digest()
    engine = Engine(MemoryStore(), MemoryFiles(), judge=judge, master=master, rules=ANY_NUMBER)
    with threadpool_limits(limits=1, user_api="blas"):  # for arrays this small, threads that wait take twice the time
        played = replay(
            engine,
            eras,
            stakes,
            rule=rule,
            choice=choice,
            final_bags=final_bags,
            told=lambda done, all: told("Playing rounds", done, all),
        )
    return played, engine


def replay_into(
    folder: Path | str,
    eras: Iterable[Era],
    stakes: Mapping[str, int],
    *,
    rule: str,
    choice: tuple[float, float] | None = None,
    final_bags: int = FINAL_BAGS,
    seed: str = "0",
    name: str | None = None,
    told: Told = lambda what, done, all: None,
    environ: Mapping[str, str] = os.environ,
) -> Replayed:
    """Play a history and make a tournament of it in a folder, as `initialise` would.

    The files go first and the records after them in one transaction: the rounds are all there, or none is. Their
    secrets, which come from `seed`, are revealed in them; the folder's own secret is a new one, for the rounds to come.
    """
    settings = initialise(folder, name=name, submissions=TAKES, environ=environ)
    played, engine = replay_in_memory(
        eras, stakes, rule=rule, choice=choice, final_bags=final_bags, seed=seed, told=told
    )
    _keep(engine, settings, told)
    return played


def _keep(engine: Engine, settings: Settings, told: Told) -> None:
    copy_files(engine.files, files := _quick(settings), lambda done, all: told("Writing files", done, all))
    if isinstance(files, FolderFiles):
        files.sync()
    with open_store(settings) as store:
        copy_records(engine.store, store)


def _quick(settings: Settings) -> PredictionStore:
    """The store of the files; a folder is told once, at the end, that they are to last."""
    on_this_machine = settings.files != MEMORY and "://" not in settings.files
    return FolderFiles(settings.files, lasting=False) if on_this_machine else open_files(settings)
