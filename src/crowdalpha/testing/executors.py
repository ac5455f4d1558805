"""The contract of an `Executor`, as tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.execution import Executor, trials

MANY = 40
FREE = 3
"""Items that are done before workers are killed."""
MOST_AHEAD = 2000


class ExecutorContract:
    """Inherit it and override `executor`. Its workers must share this machine's processes and files."""

    @pytest.fixture
    def executor(self) -> Executor:
        """The executor to be proven."""
        raise TypeError("override this fixture with the executor to be proven")

    @pytest.mark.parametrize("n", [0, 1, 2, 7, MANY])
    def test_every_item_comes_back_once_with_its_own_result(self, executor: Executor, n: int) -> None:
        pairs = list(executor.run(trials.double, (f"item {i}" for i in range(n))))
        assert sorted(pairs) == [(i, f"item {i}item {i}") for i in range(n)]

    def test_what_is_shared_reaches_every_item_in_order_and_in_any_number_of_runs(self, executor: Executor) -> None:
        first, second = executor.share({"a": [1, 2]}), executor.share("b")
        for _ in range(2):
            assert dict(executor.run(trials.with_shared, range(5), first, second)) == {
                i: (i, {"a": [1, 2]}, "b") for i in range(5)
            }
        assert dict(executor.run(trials.with_shared, range(5), second)) == {i: (i, "b") for i in range(5)}
        assert dict(executor.run(trials.with_shared, range(5))) == {i: (i,) for i in range(5)}

    def test_megabytes_go_there_and_back(self, executor: Executor) -> None:
        array = np.arange(2**20)
        results = dict(executor.run(trials.weigh, range(3), executor.share(array)))
        assert results == {i: (int(array.sum()), bytes([i]) * 2**22) for i in range(3)}

    def test_items_without_end_are_drawn_a_bounded_number_ahead(self, executor: Executor) -> None:
        numbers = count()
        results = executor.run(trials.double, numbers)
        for _ in range(5):
            i, result = next(results)
            assert result == 2 * i
        close(results)
        assert next(numbers) <= MOST_AHEAD
        assert dict(executor.run(trials.double, [3])) == {0: 6}

    def test_nothing_happens_before_the_first_result_is_asked_for(self, executor: Executor) -> None:
        numbers = count()
        executor.run(trials.double, numbers)
        assert next(numbers) == 0

    def test_what_the_function_raises_is_raised_here_and_the_executor_goes_on(self, executor: Executor) -> None:
        with pytest.raises(trials.PlantedError, match="item 3 is wrong"):
            list(executor.run(trials.refuse, range(8), executor.share(3)))
        assert dict(executor.run(trials.refuse, range(3), executor.share(3))) == {0: 0, 1: 1, 2: 2}

    def test_runs_may_go_on_within_a_run(self, executor: Executor) -> None:
        for i, doubled in executor.run(trials.double, range(4)):
            assert doubled == 2 * i
            assert sorted(executor.run(trials.double, [i, i])) == [(0, 2 * i), (1, 2 * i)]

    def test_workers_killed_in_the_middle_cost_no_result(self, executor: Executor, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / trials.GATE)
        results = executor.run(trials.behind_the_gate, range(MANY), executor.share(tmp_path), executor.share(FREE))
        first = [next(results) for _ in range(FREE)]
        for worker in {pid for _, (_, pid) in first} - {os.getpid()}:
            os.kill(worker, signal.SIGKILL)
        opened = os.open(tmp_path / trials.GATE, os.O_RDWR)
        rest = list(results)
        os.close(opened)
        assert sorted((i, item) for i, (item, _) in first + rest) == [(i, i) for i in range(MANY)]

    def test_an_item_that_kills_its_worker_once_is_done_by_another(self, executor: Executor, tmp_path: Path) -> None:
        where, caller = executor.share(tmp_path), executor.share(os.getpid())
        assert sorted(executor.run(trials.die_once, range(4), where, caller)) == [(i, i) for i in range(4)]
        assert len(list(tmp_path.iterdir())) == 4


def close(results: Iterator[tuple[int, object]]) -> None:
    """Have no more of a run."""
    results.close()  # type: ignore[attr-defined]  # runs are generators
