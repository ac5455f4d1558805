"""Who does what is due: one server of several, in a process that may die."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from contests import IDS, START, weekly

from crowdalpha.server.clock import LASTING, Clock
from crowdalpha.server.metrics import Metrics
from crowdalpha.server.service import Service
from crowdalpha.server.worker import TickFailedError, Worker, WorkerDiedError
from crowdalpha.settings import initialise, open_engine
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.tournament.leases import Lease, give_back, take
from crowdalpha.tournament.rounds import Stage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(seconds=30)


def test_a_lease_is_for_one_until_it_runs_out_or_is_given_back() -> None:
    store = MemoryStore()
    assert take(store, "clock", "a", NOW, SPAN)
    assert not take(store, "clock", "b", NOW + SPAN / 2, SPAN)
    assert take(store, "clock", "a", NOW + SPAN / 2, SPAN)
    assert not take(store, "clock", "b", NOW + SPAN, SPAN)
    assert take(store, "clock", "b", NOW + 3 * SPAN / 2, SPAN)
    give_back(store, "clock", "a", NOW + 2 * SPAN)
    assert not take(store, "clock", "a", NOW + 2 * SPAN, SPAN)
    give_back(store, "clock", "b", NOW + 2 * SPAN)
    assert take(store, "clock", "a", NOW + 2 * SPAN, SPAN)


class Recorded:
    """A ticker that only remembers when it was asked."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def tick(self, now: datetime, alive: object) -> list[str]:
        self.asked.append(now)
        return []

    def close(self) -> None:
        pass


def test_of_two_servers_one_ticks_and_the_other_goes_on_when_it_is_gone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [START]
    monkeypatch.setattr(service, "now", lambda: now[0])
    first, second = Recorded(), Recorded()
    clocks = [Clock(service, Metrics(), ticker=ticker) for ticker in (first, second)]
    for _ in range(20):
        for clock in clocks:
            clock.tick()
        now[0] += timedelta(seconds=5)
    assert (len(first.asked), len(second.asked)) == (20, 0)
    dead = now[0]
    while now[0] < dead + 2 * LASTING:
        clocks[1].tick()
        now[0] += timedelta(seconds=5)
    assert second.asked
    assert min(second.asked) - max(first.asked) <= LASTING + timedelta(seconds=5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tournament with a round, kept on disk."""
    settings = initialise(tmp_path / "cup", name="cup", environ={})
    with open_engine(settings) as engine:
        engine.schedule(weekly(1), IDS, weekly(1).open_time - timedelta(days=1))
    return settings.folder


def test_a_worker_does_what_is_due_and_says_what_it_did(folder: Path) -> None:
    with open_engine(folder) as engine:
        worker = Worker(_settings(folder))
        assert worker.tick(weekly(1).open_time, lambda: None) == ["open:1"]
        assert worker.tick(weekly(1).open_time, lambda: None) == []
        assert engine.round_show(1).stage is Stage.OPEN
        worker.close()
        assert worker.pid is None


def test_a_worker_that_was_killed_is_replaced_and_nothing_is_lost(folder: Path) -> None:
    worker = Worker(_settings(folder))
    worker.tick(weekly(1).open_time - timedelta(hours=1), lambda: None)
    assert worker.pid
    os.kill(worker.pid, signal.SIGSTOP)
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            worker.tick(weekly(1).open_time, lambda: None)
        except BaseException as error:
            failed.append(error)

    asking = Thread(target=ask)
    asking.start()
    os.kill(worker.pid, signal.SIGKILL)
    asking.join(20)
    assert [type(error) for error in failed] == [WorkerDiedError]
    assert worker.tick(weekly(1).open_time, lambda: None) == ["open:1"]
    worker.close()


def test_a_tick_that_fails_leaves_the_worker_alive(folder: Path) -> None:
    worker = Worker(_settings(folder))
    with pytest.raises(TickFailedError, match="Traceback"):
        worker.tick("no time", lambda: None)  # type: ignore[arg-type]
    before = worker.pid
    assert worker.tick(weekly(1).open_time, lambda: None) == ["open:1"]
    assert worker.pid == before
    worker.close()


def test_a_worker_ends_with_its_server(folder: Path) -> None:
    worker = Worker(_settings(folder))
    worker.tick(NOW, lambda: None)
    process = worker._process
    assert process is not None
    assert worker._pipe is not None
    worker._pipe.close()
    process.join(20)
    assert process.exitcode == 0


def _settings(folder: Path):  # type: ignore[no-untyped-def]
    from crowdalpha.settings import read

    return replace(read(folder, {}))


def test_a_lease_names_who_has_it() -> None:
    store = MemoryStore()
    take(store, "clock", "a", NOW, SPAN)
    with store.reading() as work:
        assert work.find(Lease) == [Lease("clock", "a", NOW + SPAN)]
