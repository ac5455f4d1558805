"""From a URL to whoever does the work: the executors are picked here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crowdalpha.execution.executor import Executor, WorkersLostError
from crowdalpha.scoring.options import said
from crowdalpha.scoring.problems import InputError, Problem

CLUSTER = ("tcp://", "tls://")
ENGINES = "threads, serial, processes, or the address of a Dask scheduler such as tcp://host:8786"


@contextmanager
def open_executor(url: str | None = None) -> Iterator[Executor]:
    """The executor that a URL names: None or "threads", "serial", "processes", "tcp://host:8786", "tls://host:8786".

    Refused with `bad_engine` if it names none, `driver_missing` without the extra `dask`, `cluster_unreachable` if
    no scheduler answers, `cluster_empty` if it has no workers, and, whatever the block does, `cluster_lost` once a
    cluster cannot go on.

    >>> with open_executor("serial") as executor:
    ...     dict(executor.run(str.upper, ["a", "b"]))
    {0: 'A', 1: 'B'}
    """
    if url in (None, "threads", "serial"):
        from crowdalpha.execution.local import Serial, Threads

        yield Serial() if url == "serial" else Threads()
        return
    with _closing(url) as executor:
        try:
            yield executor
        except WorkersLostError as lost:
            fix = "look at the workers and their memory, then run it again: what is done is kept"
            raise InputError(Problem("cluster_lost", "workers that do the work", str(lost), fix, str(url))) from lost


def _closing(url: str | None) -> Any:
    if url == "processes":
        from crowdalpha.execution.processes import Processes

        return Processes()
    if isinstance(url, str) and url.startswith(CLUSTER):
        return _cluster(url)
    raise InputError(Problem("bad_engine", ENGINES, said(url), "name one of them", "engine"))


def _cluster(url: str) -> Any:
    try:
        from crowdalpha.execution.cluster import Dask

        cluster = Dask(url)
    except ModuleNotFoundError as error:
        fix = "pip install 'crowdalpha[dask]'"
        raise InputError(Problem("driver_missing", "what speaks to a cluster", str(error), fix, "engine")) from None
    except (OSError, ValueError, TypeError) as error:
        found, fix = f"{type(error).__name__}: {error}"[:300], "start the scheduler, or correct its address"
        raise InputError(Problem("cluster_unreachable", "a Dask scheduler", found, fix, url)) from None
    if not cluster.n_threads:
        cluster.close()
        fix = f"start some: dask worker {url}"
        raise InputError(Problem("cluster_empty", "workers at this scheduler", "none", fix, url))
    return cluster
