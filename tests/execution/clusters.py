"""Real clusters of Dask on this machine: a scheduler and nodes, each in a network of its own where that is allowed.

A node is killed as a plug is pulled: the worker and whoever would start it again, at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from threading import Thread
from typing import Any

QUIET = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "10", "OMP_NUM_THREADS": "1", "CROWDALPHA_THREADS": "1"}
QUIET |= {f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{name}": "15s" for name in ("CONNECT", "TCP")}
ENDS = ("--port", "0", "--idle-timeout", "300 s")
"""A scheduler that nobody asks any more, for whoever started it was killed, ends itself; so do its workers."""
ENTERING = (["unshare", "--map-root-user", "--net"], ["unshare", "--net"])
"""Ways into a network of one's own, of which the first that works is taken."""
BRIDGE = "ip link add bridge type bridge && ip addr add 10.77.0.1/24 dev bridge && ip link set bridge up"
IN_NETWORK = (
    'echo there && read wired && ip addr add "$0/24" dev eth0 && ip link set eth0 up && ip link set lo up && exec "$@"'
)


class Node:
    """A program with all that it starts: a process group, killed as a whole. `wired` is its side of a cable, if any."""

    def __init__(self, module: str, *arguments: str, address: str, wired: str = "") -> None:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--host", address, "--no-dashboard"]
        network = ["unshare", "--net", "sh", "-c", IN_NETWORK, address] if wired else []
        self._process: Any = subprocess.Popen(
            [*network, *command],
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
            text=True,
            start_new_session=True,
            env=os.environ | QUIET | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.address, self.alive = address, True
        self._readers: list[Thread] = []
        if wired:
            self._plug_in(wired)

    def heard(self, beginning: str) -> str:
        """What follows some words in the first line of its log that has them; the log is read on from there."""
        log = []
        for line in self._process.stderr:
            log.append(line)
            if beginning in line:
                reader = Thread(target=log.extend, args=(self._process.stderr,), daemon=True)
                reader.start()
                self._readers.append(reader)
                return str(line.partition(beginning)[2].strip())
        raise AssertionError("".join(log))

    def kill(self) -> None:
        """End it as a plug that is pulled does."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.alive = False
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()

    def _plug_in(self, cable: str) -> None:
        """Lay a cable from the bridge to the network of this node, once it is there."""
        assert self._process.stdout.readline() == "there\n", self._process.stderr.read()
        ends = f"ip link add {cable} type veth peer name eth0 netns {self._process.pid}"
        shell(f"{ends} && ip link set {cable} master bridge up")
        self._process.stdin.write("wired\n")
        self._process.stdin.flush()


class Cluster:
    """A scheduler and its nodes: in networks of their own under a bridge, or on a loopback address each."""

    def __init__(self, n_nodes: int, *, networks: bool = False) -> None:
        self.networks = networks
        self._numbers = count(2)
        if networks:
            shell(f"ip link set lo up && {BRIDGE}")
        self.scheduler = Node("dask_scheduler", *ENDS, address="10.77.0.1" if networks else "127.0.0.1")
        self.address = self.scheduler.heard("Scheduler at:")
        self.nodes: list[Node] = []
        self.join(n_nodes)

    def join(self, n_nodes: int = 1) -> None:
        """So many nodes more, which are there when this returns."""
        joining = [self._node(next(self._numbers)) for _ in range(n_nodes)]
        for node in joining:
            node.heard("Registered to:")

    def cut(self, node: Node) -> None:
        """Take the cable of a node away, which nobody is told of."""
        shell(f"ip link set cable{node.address.rpartition('.')[2]} down")
        node.alive = False

    def _node(self, number: int) -> Node:
        address = f"10.77.0.{number}" if self.networks else f"127.0.0.{number}"
        options = ("--nthreads", "1", "--memory-limit", "0", "--death-timeout", "60")
        cable = f"cable{number}" if self.networks else ""
        node = Node("dask_worker", self.address, *options, address=address, wired=cable)
        self.nodes.append(node)
        return node

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for node in (*self.nodes, self.scheduler):
            node.kill()


def network_of_its_own() -> Sequence[str]:
    """How a program gets a network in which it may lay cables; nothing if this machine does not let us."""
    for way in ENTERING:
        with suppress(OSError):
            probe = [*way, "sh", "-c", f"{BRIDGE} && unshare --net true"]
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return way
    return []


def shell(commands: str) -> None:
    """Commands of which each must succeed."""
    done = subprocess.run(["sh", "-c", commands], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
