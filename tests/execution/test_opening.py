"""Engines by their URLs, and what is said of those that do not work."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest
from clusters import Cluster

from crowdalpha.execution import trials
from crowdalpha.execution.local import Serial, Threads
from crowdalpha.execution.processes import Processes
from crowdalpha.scoring.problems import InputError
from crowdalpha.settings import open_executor

ENGINES = {None: Threads, "threads": Threads, "serial": Serial, "processes": Processes}


@pytest.mark.parametrize("url", ENGINES)
def test_a_url_names_its_executor(url: str | None) -> None:
    with open_executor(url) as executor:
        assert type(executor) is ENGINES[url]
        assert dict(executor.run(trials.double, [1, 2])) == {0: 2, 1: 4}


@pytest.mark.parametrize("url", ["", "dask", "http://host", "ray://host", "host:8786", 8786])
def test_what_names_no_engine_is_refused(url: Any) -> None:
    assert refusal(url) == "bad_engine"


def test_a_scheduler_that_does_not_answer_is_said_to_be_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from crowdalpha.execution import cluster

    monkeypatch.setitem(cluster.CONFIG, "distributed.comm.timeouts.connect", "1s")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert refusal(f"tcp://127.0.0.1:{taken.getsockname()[1]}") == "cluster_unreachable"
    assert refusal("tcp://") == "cluster_unreachable"


def test_nothing_of_dask_is_loaded_by_those_who_do_not_ask_for_it() -> None:
    asked = "loaded = {name.partition('.')[0] for name in sys.modules}; print(loaded & {'dask', 'distributed'})"
    assert said(f"open_executor('processes').__enter__(); {asked}") == "set()\n"


def test_without_the_extra_one_is_told_what_to_install() -> None:
    assert "pip install 'crowdalpha[dask]'" in said(
        """
sys.modules["distributed"] = None
try:
    open_executor("tcp://127.0.0.1:1").__enter__()
except ValueError as refusal:
    print(refusal)
"""
    )


def test_a_cluster_without_workers_is_refused_and_one_that_is_lost_in_the_middle_ends_in_a_refusal() -> None:
    with Cluster(0) as cluster:
        assert refusal(cluster.address) == "cluster_empty"
        cluster.join()
        with pytest.raises(InputError) as lost, open_executor(cluster.address) as executor:  # noqa: PT012
            results = executor.run(trials.double, range(1000))
            next(results)
            cluster.scheduler.kill()
            list(results)
        assert lost.value.code == "cluster_lost"


def said(code: str) -> str:
    """What a new Python prints that does this."""
    code = f"import sys\nimport crowdalpha\nfrom crowdalpha.settings import open_executor\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def refusal(url: Any) -> str:
    """The code with which an engine is refused."""
    with pytest.raises(InputError) as refused, open_executor(url):
        pass
    return refused.value.code
