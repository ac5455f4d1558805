"""Tournaments behind a real server, whose clock a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from contests import COIN, IDS, PLAYERS, START, Clock
from running import running
from seasons import judge

from crowdalpha.engine import Engine
from crowdalpha.server.pages.visitors import COOKIE
from crowdalpha.server.service import Service
from crowdalpha.settings import initialise, open_engine
from crowdalpha.tournament.rounds import Round, daily

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
OVER = 11
"""Rounds of a tournament in its prime that are over."""


@dataclass
class Town:
    """A server at `url` with its tournament."""

    url: str
    service: Service
    clock: Clock

    def at(self, moment: datetime) -> None:
        """Move the clock, and do what is due."""
        self.clock.now = moment
        self.service.engine.tick(moment)

    def cookie(self, account: str) -> dict[str, str]:
        """The cookie of somebody who is signed in, as a browser takes it."""
        value, _ = self.service.people.begin(account, self.clock.now)
        return {"name": COOKIE, "value": value, "url": self.url}


def week(n: int) -> Round:
    """Round n: open for two days, scored on seven, so that two of them run at a time."""
    opens = START + n * WEEK
    closes = opens + 2 * DAY
    return Round(
        number=n, open_time=opens, close_time=closes, scoring_times=daily(closes, 7),
        resolve_time=closes + 8 * DAY, rule="corr-or-twice-mmc", commitment="0" * 64, n_bags=3, final_bags=5,
    )  # fmt: skip


def truth(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 5, len(IDS)) / 4


def file(n: int, who: int, *, skill: float, ids: list[str] = IDS) -> bytes:
    """What somebody sends who knows the truth more or less."""
    noise = np.random.default_rng([n, who]).random(len(ids))
    values = skill * truth(n)[: len(ids)] + (1 - skill) * noise
    lines = [f"{id},{value:.6f}" for id, value in zip(ids, np.clip(values, 0.001, 0.999), strict=True)]
    return ("id,prediction\n" + "\n".join(lines) + "\n").encode()


@contextmanager
def beginning(folder: Path) -> Iterator[Town]:
    with _town(folder, rounds=1) as town:
        engine = town.service.engine
        town.at(week(1).open_time + HOUR)
        _send(engine, 1, town.clock.now)
        yield town


@contextmanager
def prime(folder: Path) -> Iterator[Town]:
    with _town(folder, rounds=OVER + 3, judge=judge) as town:
        engine = town.service.engine
        for n in range(1, OVER + 2):
            for day in (None, *range(1, 8)):
                engine.set_target(n, day, dict(zip(IDS, truth(n).tolist(), strict=True)))
        for n in range(1, OVER + 3):
            town.at(week(n).open_time + HOUR)
            _send(engine, n, town.clock.now)
        people = town.service.people
        people.set_login("ada", "ada@example.org", "a very long word", town.clock.now)
        yield town


def solve(town: Town, n: int = 1) -> None:
    """Bring what came true in a round."""
    for day in (None, *range(1, 8)):
        town.service.engine.set_target(n, day, dict(zip(IDS, truth(n).tolist(), strict=True)))


def _send(engine: Engine, n: int, now: datetime) -> None:
    for k, name in enumerate(PLAYERS):
        engine.submit(f"{n}-{name}", f"{name}-1", file(n, k, skill=0.1 + 0.15 * k), now)


@contextmanager
def _town(folder: Path, rounds: int, **how: Any) -> Iterator[Town]:
    settings = initialise(folder, name="Weekly cup", environ={})
    size = np.random.default_rng(0).random((3, len(IDS))).round(3).tolist()
    with open_engine(settings, **how) as engine:
        engine.deposit("treasury", 10**6 * COIN, START, into="treasury")
        for name in PLAYERS:
            engine.open_account(name, name, START)
            engine.add_model(f"{name}-1", name, f"{name}_one", START)
            engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
            engine.stake_increase(f"stake-{name}", f"{name}-1", 100 * COIN, START)
        for n in range(1, rounds + 1):
            engine.schedule(week(n), IDS, START, features=dict(zip(("size", "age", "pace"), size, strict=True)))
        clock = Clock(START)
        service = Service(engine, settings, clock)
        with running(service) as url:
            yield Town(url, service, clock)
