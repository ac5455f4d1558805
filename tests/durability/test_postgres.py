"""PostgreSQL killed in every way at any moment of a settlement, and wires cut around a COMMIT: nobody can tell."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import kill
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import pytest
from breakable import Breakable
from cutter import Cutter
from play import NAMES, STEPS, files_of, opened
from sqlalchemy.exc import DBAPIError
from stagehand import ALONE
from understudy import Understudy

from crowdalpha.engine import Engine
from crowdalpha.storage import audit
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament.records import KEYS

FIRST_STEP = NAMES.index("score")
STEPS_PLAYED = NAMES[FIRST_STEP:]
"""What is disturbed: scores, the close of a second round, two settlements."""
TEMPLATE = "prepared"
WAYS = ("client", "backend", "server", "everything")


def state_of(engine: Engine) -> list[str]:
    """All that a database keeps, and that nothing is wrong with it."""
    with engine.store.reading() as work:
        assert audit.faults(work) == ()
        kept = [*(work.find(kind) for kind in KEYS), sorted(work.balances().items()), work.entries(), work.events()]
    return [repr(part) for part in kept]


@contextmanager
def engine_on(url: str, folder: Path, kind: type[SqlStore] = SqlStore) -> Iterator[Engine]:
    with opened(folder, store_of=lambda _: kind(url)) as engine:
        yield engine


def play_on(engine: Engine) -> None:
    """All steps of ours; those that are done do nothing twice."""
    for step in STEPS_PLAYED:
        STEPS[step](engine)


@dataclass(slots=True)
class Run:
    """The undisturbed run: `states` after each commit, `done` of them after each step."""

    folder: Path
    states: list[list[str]] = field(default_factory=list)
    done: list[int] = field(default_factory=lambda: [0])

    def between(self, acknowledged: int) -> list[list[str]]:
        """The states that may be there after so many acknowledged steps, with another one under way."""
        latest = self.done[min(acknowledged + 1, len(STEPS_PLAYED))]
        return self.states[self.done[acknowledged] : latest + 1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    made = Breakable(tmp_path_factory.mktemp("locks"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def understudy() -> Iterator[Understudy]:
    made = Understudy()
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(server: Breakable, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Everything up to the first step of ours, kept as a template; and the rest of it, watched."""
    run = Run(tmp_path_factory.mktemp("prepared"))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ALONE.items():
            environment.setenv(name, value)
        server.run(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        with engine_on(server.url(TEMPLATE), run.folder) as engine:
            for step in NAMES[:FIRST_STEP]:
                STEPS[step](engine)
        with server.database(TEMPLATE) as name:
            _watch(run, server.url(name), shutil.copytree(run.folder, run.folder / "watched"))
        shutil.rmtree(run.folder / "watched")
    return run


def _watch(run: Run, url: str, folder: Path) -> None:
    class Watched(SqlStore):
        """Takes a picture after each commit."""

        @contextmanager
        def transaction(self) -> Iterator[Any]:
            with super().transaction() as work:
                yield work
            run.states.append(state_of(engine))

    with engine_on(url, folder, Watched) as engine:
        run.states.append(state_of(engine))
        for step in STEPS_PLAYED:
            STEPS[step](engine)
            run.done.append(len(run.states) - 1)


def require_same(run: Run, url: str, folder: Path, acknowledged: Sequence[str]) -> None:
    """What was acknowledged is there, whole transactions only; played once more, all is as if nothing had happened."""
    assert tuple(acknowledged) == STEPS_PLAYED[: len(acknowledged)]
    with engine_on(url, folder) as engine:
        assert state_of(engine) in run.between(len(acknowledged))
        play_on(engine)
        assert state_of(engine) == run.states[-1]
        assert files_of(folder) == files_of(run.folder)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a disturbed play needs."""

    server: Breakable
    understudy: Understudy
    run: Run

    def play(self, folder: Path, crash: Callable[[str, int], None], delay: float) -> tuple[bool, float]:
        """Let a player play, and something happen to it after a while; whether it noticed, and how long it played."""
        shutil.copytree(self.run.folder, folder)
        with self.server.database(TEMPLATE) as name:
            player, begun = self.understudy.begin(self.server.url(name), folder, STEPS_PLAYED), time.perf_counter()
            time.sleep(delay)
            crash(name, player)
            acknowledged, ended = self.understudy.acknowledged(), time.perf_counter()
            require_same(self.run, self.server.url(name), folder, acknowledged)
        shutil.rmtree(folder)
        return len(acknowledged) < len(STEPS_PLAYED), ended - begun

    def killed(self, folder: Path, way: str, times: int) -> int:
        """Kill in one way at so many random moments, spread over the play; how many of them it noticed."""
        seconds = min(self.play(folder / f"rehearsal{k}", lambda *_: None, 0)[1] for k in range(2))
        random, crash = Random(), crashes(self.server, way)
        delays = [seconds * (k + random.random()) / times for k in range(times)]
        return sum(self.play(folder / f"{k}", crash, delay)[0] for k, delay in enumerate(delays))


@pytest.fixture(scope="module")
def stage(server: Breakable, understudy: Understudy, run: Run) -> Stage:
    return Stage(server, understudy, run)


def kill_player(_: str, player: int) -> None:
    try:
        kill(player, SIGKILL)
    except ProcessLookupError:
        return  # it was faster


def crashes(server: Breakable, way: str) -> Callable[[str, int], None]:
    return {
        "client": kill_player,
        "backend": lambda database, _: server.kill_backends(database),
        "server": lambda *_: server.stop_at_once(),
        "everything": lambda *_: server.kill_all(),
    }[way]


@pytest.mark.parametrize("way", WAYS)
def test_a_settlement_killed_at_any_moment_is_settled_once_after_all(stage: Stage, tmp_path: Path, way: str) -> None:
    assert stage.killed(tmp_path, way, times=4) > 0


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_settlements_killed_at_many_moments_are_settled_once_after_all(stage: Stage, tmp_path: Path, way: str) -> None:
    assert stage.killed(tmp_path, way, times=25) > 10


def cut(server: Breakable, run: Run, folder: Path, commit: int, *, after: bool) -> None:
    """Cut the wire at one COMMIT. Who tries again with the same store, once it is mended, finds it done or does it."""
    shutil.copytree(run.folder, folder)
    (folder / "wire").mkdir()
    with server.database(TEMPLATE) as name:
        cutter = Cutter(folder / "wire", server.sockets)
        with engine_on(server.url(name, folder / "wire"), folder) as engine:
            cutter.cut(commit, after=after)
            with pytest.raises(DBAPIError):
                play_on(engine)
            assert cutter.cuts == 1
            with engine_on(server.url(name), folder) as other:
                assert state_of(other) == run.states[commit - 1 + after]
            play_on(engine)
            assert state_of(engine) == run.states[-1]
        cutter.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_wire_cut_around_any_commit_makes_nothing_happen_twice_or_never(
    server: Breakable, run: Run, tmp_path: Path, after: bool
) -> None:
    commits = len(run.states) - 1
    assert commits >= 8
    for commit in range(1, commits + 1):
        cut(server, run, tmp_path / f"{commit}", commit, after=after)
