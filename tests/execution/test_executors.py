"""Every executor keeps the same promises."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from clusters import Cluster

from crowdalpha.execution import Executor, WorkersLostError, trials
from crowdalpha.execution.local import Serial, Threads
from crowdalpha.execution.processes import Processes
from crowdalpha.settings import open_executor
from crowdalpha.testing import ExecutorContract


class TestSerial(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Executor:
        return Serial()


class TestThreads(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Executor:
        return Threads(2)


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with Processes(2) as processes:
        yield processes


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    with Cluster(3) as cluster, open_executor(cluster.address) as executor:
        yield executor


class TestProcesses(ExecutorContract):
    @pytest.fixture
    def executor(self, processes: Executor) -> Executor:
        return processes

    def test_an_item_that_kills_every_worker_is_given_up(self, executor: Executor) -> None:
        with pytest.raises(WorkersLostError, match=r"item [01] ended 11 workers"):
            list(executor.run(trials.die, range(2), executor.share(os.getpid())))


@pytest.mark.parametrize(("said", "has"), [(None, "1"), ("3", "3")])
def test_a_process_multiplies_matrices_by_itself_unless_told_otherwise(
    said: str | None, has: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said) if said else monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with Processes(1) as alone:
        assert dict(alone.run(os.getenv, ["OMP_NUM_THREADS"])) == {0: has}


class TestDask(ExecutorContract):
    @pytest.fixture
    def executor(self, dask: Executor) -> Executor:
        return dask
