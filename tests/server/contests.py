"""A tournament in a folder with three players, a round that is open, and a service on it; time stands still."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
from starlette.testclient import TestClient

from crowdalpha.engine import Engine
from crowdalpha.server.app import create_app
from crowdalpha.server.callers import PARTICIPANT, Caller
from crowdalpha.server.service import Service
from crowdalpha.settings import Settings, initialise, open_engine
from crowdalpha.tournament.rounds import Round, daily

START = datetime(2026, 1, 3, 12, tzinfo=UTC)
OPEN = START + timedelta(days=7, hours=1)
COIN = 10**9
IDS = [f"i{k:02d}" for k in range(40)]
PLAYERS = ("ada", "bob", "cy")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def weekly(n: int) -> Round:
    """Round n opens n weeks after the start, for two days."""
    opens = START + n * timedelta(days=7)
    closes = opens + timedelta(days=2)
    return Round(
        number=n, open_time=opens, close_time=closes, scoring_times=daily(closes, 3),
        resolve_time=closes + timedelta(days=4), rule="corr-or-twice-mmc", commitment="0" * 64, n_bags=3, final_bags=5,
    )  # fmt: skip


def target(n: int) -> dict[str, float]:
    return dict(zip(IDS, (np.random.default_rng(n).integers(0, 5, len(IDS)) / 4).tolist(), strict=True))


def upload(seed: int = 0, ids: list[str] = IDS) -> bytes:
    values = np.random.default_rng(seed).random(len(ids)).tolist()
    return ("id,prediction\n" + "".join(f"{i},{v!r}\n" for i, v in zip(ids, values, strict=True))).encode()


@contextmanager
def world(folder: Path, rounds: int = 2, **announced: Any) -> Iterator[tuple[Engine, Settings]]:
    """A new tournament: each player has a model of the same id, 1000 coins and, from the first close on, 100 staked."""
    settings = initialise(folder, name="cup", environ={})
    with open_engine(settings) as engine:
        engine.deposit("treasury", 10**6 * COIN, START, into="treasury")
        for name in PLAYERS:
            engine.open_account(name, name, START)
            engine.add_model(f"{name}-1", name, f"{name}_one", START)
            engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
            engine.stake_increase(f"stake-{name}", f"{name}-1", 100 * COIN, START)
        for n in range(1, rounds + 1):
            engine.schedule(weekly(n), IDS, START, **announced)
        yield engine, settings


def play_first(engine: Engine) -> None:
    """Play round 1 to its end."""
    for day in (None, 1, 2, 3):
        engine.set_target(1, day, target(1))
    for k, name in enumerate(PLAYERS):
        engine.submit(f"first-{name}", f"{name}-1", upload(k), OPEN)
    engine.tick(weekly(1).resolve_time)


def caller(account: str, now: datetime = OPEN, *scopes: str) -> Caller:
    return Caller(account, frozenset(scopes) or PARTICIPANT, now)


def serving(engine: Engine, settings: Settings, now: datetime = OPEN) -> Service:
    return Service(engine, settings, Clock(now))


class Asked:
    """An app with clients: `asked("ada")` has a token of ada's, `asked()` has none, `asked(secret=...)` a wrong one."""

    def __init__(self, service: Service) -> None:
        self.service, self.app = service, create_app(service)
        self.clock = cast(Clock, service.office.clock)
        self._tokens: dict[Any, str] = {}

    def __call__(
        self, account: str | None = None, scopes: Collection[str] = PARTICIPANT, *, secret: str = ""
    ) -> TestClient:
        client = TestClient(self.app, raise_server_exceptions=False)
        if secret:
            client.headers["Authorization"] = f"Bearer ada.{secret}"
        elif account is not None:
            client.headers["Authorization"] = self._token(account, frozenset(scopes))
        return client

    def _token(self, account: str, scopes: frozenset[str]) -> str:
        if (account, scopes) not in self._tokens:
            token, secret = self.service.people.issue(account, "test", sorted(scopes), self.service.now())
            self._tokens[account, scopes] = f"Bearer {token.public_id}.{secret}"
        return self._tokens[account, scopes]
