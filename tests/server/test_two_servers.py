"""Several servers of one tournament in PostgreSQL: whoever is killed in the middle of a round, it is settled once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from contests import COIN, IDS, OPEN, PLAYERS, START, Clock, target, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.server.clock import LASTING
from crowdalpha.server.clock import Clock as Ticking
from crowdalpha.server.metrics import Metrics
from crowdalpha.server.service import Service
from crowdalpha.server.worker import Worker, WorkerDiedError
from crowdalpha.settings import Settings, initialise, open_engine
from crowdalpha.storage import audit
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament.records import KEYS, Lease
from servers import Postgres

SECOND = timedelta(seconds=1)
RESOLVES = weekly(1).resolve_time
BEFORE = RESOLVES - SECOND
WAITING = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def begun(folder: Path, database: str | None = None) -> Settings:
    """A tournament whose only round is about to be resolved, with the same secret wherever it is kept."""
    folder.mkdir()
    (folder / "master.secret").write_bytes(b"m" * 32)
    (folder / "master.secret").chmod(0o600)
    settings = initialise(folder, name="cup", database=database, environ={})
    with open_engine(settings) as engine:
        engine.deposit("treasury", 10**6 * COIN, START, into="treasury")
        engine.schedule(weekly(1), IDS, START)
        for day in (None, 1, 2, 3):
            engine.set_target(1, day, target(1))
        for k, name in enumerate(PLAYERS):
            engine.open_account(name, name, START)
            engine.add_model(f"{name}-1", name, f"{name}_one", START)
            engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
            engine.stake_increase(f"stake-{name}", f"{name}-1", 100 * COIN, START)
            engine.submit(f"first-{name}", f"{name}-1", upload(k), OPEN)
    return settings


def state_of(engine: Engine) -> list[str]:
    """All that is kept but who ticks, and that nothing is wrong with it."""
    with engine.store.reading() as work:
        assert audit.faults(work) == ()
        kept = [*(work.find(kind) for kind in KEYS if kind is not Lease), sorted(work.balances().items())]
        return [repr(part) for part in [*kept, work.entries(), work.events()]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What one server alone makes of it: just before the end, and after it."""
    with open_engine(begun(tmp_path_factory.mktemp("alone") / "cup")) as engine:
        engine.tick(BEFORE)
        before = state_of(engine)
        engine.tick(RESOLVES)
        return before, state_of(engine)


@pytest.fixture
def settings(postgres: Postgres, tmp_path: Path) -> Iterator[Settings]:
    """The tournament in PostgreSQL."""
    with postgres.database(empty=True) as url:
        yield begun(tmp_path / "cup", url)


@contextmanager
def at_the_door(store: SqlStore, many: int) -> Iterator[Callable[[], None]]:
    """Let nobody write; gives what waits until so many have scored and want to write down what comes of it."""

    def wait() -> None:
        until = time.monotonic() + 60
        while True:
            with store.engine.connect() as connection:
                if connection.execute(WAITING).scalar_one() >= many:
                    return
            assert time.monotonic() < until
            time.sleep(0.01)

    with store.transaction():
        yield wait


def test_a_worker_killed_in_the_middle_of_a_settlement_is_followed_by_another_server(
    settings: Settings, undisturbed: tuple[list[str], list[str]]
) -> None:
    with ExitStack() as opened:
        engine, other = (opened.enter_context(open_engine(settings)) for _ in range(2))
        now, workers = Clock(BEFORE), [Worker(settings) for _ in range(2)]
        first, second = (
            Ticking(Service(one, settings, now), Metrics(), ticker=worker)
            for one, worker in zip((engine, other), workers, strict=True)
        )
        for worker in workers:
            opened.callback(worker.close)
        assert first.tick()[-1] == "score:1:3"
        assert second.tick() == []
        now.now = RESOLVES
        error = _killed(engine.store, first, workers[0])
        assert isinstance(error, WorkerDiedError)
        assert state_of(engine) == undisturbed[0]
        assert second.tick() == []
        now.now += LASTING
        assert second.tick() == ["resolve:1"]
        assert first.tick() == []
        assert state_of(engine) == undisturbed[1]


def _killed(store: object, clock: Ticking, worker: Worker) -> BaseException | None:
    """Kill a worker that has scored and not yet written; what its server says."""
    assert isinstance(store, SqlStore)
    with ThreadPoolExecutor() as threads, at_the_door(store, 1) as wait:
        ticking = threads.submit(clock.tick)
        wait()
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        return ticking.exception(60)


def test_two_workers_that_settle_at_once_settle_once(
    settings: Settings, undisturbed: tuple[list[str], list[str]]
) -> None:
    with open_engine(settings) as engine, ExitStack() as opened, ThreadPoolExecutor() as threads:
        workers = [Worker(settings) for _ in range(2)]
        for worker in workers:
            opened.callback(worker.close)
        for worker in workers:
            worker.tick(BEFORE, lambda: None)
        assert isinstance(engine.store, SqlStore)
        with at_the_door(engine.store, 2) as wait:
            both: list[Future[list[str]]] = [threads.submit(_tick, worker, RESOLVES) for worker in workers]
            wait()
            assert state_of(engine) == undisturbed[0]
        assert [each.result(60) for each in both] == [["resolve:1"]] * 2
        assert state_of(engine) == undisturbed[1]


def _tick(worker: Worker, now: datetime) -> list[str]:
    return worker.tick(now, lambda: None)
