"""A play on a real cluster: nodes die in the middle, others join. Kills follow from progress, never from a clock.

`python drama.py FOLDER short|full [networks]`, with the folders of this file and of tests/history on PYTHONPATH, prints
what was compared and who worked, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from clusters import Cluster, Node
from packs import packed, same

from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial
from crowdalpha.history import Rule, backfill, score_sharded
from crowdalpha.settings import open_executor


@dataclass
class Watched:
    """An executor, and on which nodes its items were done."""

    executor: Executor
    worked: Counter[str] = field(default_factory=Counter)

    def share(self, obj: Any) -> Any:
        return self.executor.share(obj)

    def run(self, fn: Callable[..., Any], items: Iterable[Any], *shared: Any) -> Iterator[tuple[int, Any]]:
        for i, (address, result) in self.executor.run(on_node, ((fn, item) for item in items), *shared):
            self.worked[address] += 1
            yield i, result


def on_node(item: tuple[Callable[..., Any], Any], *objects: Any) -> tuple[str, Any]:
    """A result, and the address of the node that it comes from."""
    from distributed import get_worker

    fn, own = item
    return get_worker().address.removeprefix("tcp://").rpartition(":")[0], fn(own, *objects)


Turn = Callable[[Cluster, set[str]], None]
Turns = dict[int, Turn]
"""What happens to the cluster when so many items are done."""


def one_dies_one_joins(cluster: Cluster, worked: set[str]) -> None:
    """A node that has worked is killed, and another comes."""
    busy(cluster, worked).kill()
    cluster.join()


def all_die_one_joins(cluster: Cluster, worked: set[str]) -> None:
    """Nobody is left, and then somebody comes."""
    for node in cluster.nodes:
        node.kill()
    cluster.join()


def one_falls_silent(cluster: Cluster, worked: set[str]) -> None:
    """A node is cut off without a word, where there are cables to cut, and another comes."""
    if cluster.networks:
        cluster.cut(busy(cluster, worked))
    else:
        busy(cluster, worked).kill()
    cluster.join()


def busy(cluster: Cluster, worked: set[str]) -> Node:
    return next(node for node in cluster.nodes if node.alive and node.address in worked)


def as_told(cluster: Cluster, watched: Watched, turns: Turns) -> Callable[..., None]:
    """A report of progress that lets things happen."""
    done = count(1)

    def told(*_: object) -> None:
        turns.get(next(done), lambda *_: None)(cluster, set(watched.worked))

    return told


def sharded(cluster: Cluster, watched: Watched, folder: Path, turns: Turns) -> bool:
    """Whether a round in 90 shards has the bits of the round in one piece, whatever happens meanwhile."""
    era = packed(folder / "round", 1, n_models=900, n_ids=100)
    rule = Rule(("corr", "mmc2", "cwmm"))
    found = score_sharded(watched, era, rule, shard=10, progress=as_told(cluster, watched, turns))
    return same(found, score_sharded(Serial(), era, rule))


def filled(cluster: Cluster, watched: Watched, folder: Path, turns: Turns) -> bool:
    """Whether a backfill has the tables of one without a cluster, which are worked out first, and then deleted."""
    for label in range(ERAS):
        packed(folder / "history", label)
    expected = backfill(Serial(), folder / "history")
    tables = expected.table()
    for path in expected.paths:
        path.unlink()
    found = backfill(watched, folder / "history", progress=as_told(cluster, watched, turns))
    return found == expected and bool(found.table().equals(tables))


ERAS = 30
SHORT = [(sharded, {5: one_dies_one_joins}), (filled, {10: one_dies_one_joins})]
FULL = [
    *SHORT,
    (sharded, {95: one_dies_one_joins, 120: one_dies_one_joins}),
    (sharded, {40: all_die_one_joins, 130: all_die_one_joins}),
    (filled, {5: all_die_one_joins, 20: all_die_one_joins}),
    (sharded, {10: one_falls_silent}),
]


def play(folder: Path, acts: list[tuple[Callable[..., bool], Turns]], networks: bool) -> Iterator[dict[str, object]]:
    """What came of each act: whether all bits are the same, and how many items each node did."""
    with Cluster(2, networks=networks) as cluster:
        for number, (act, turns) in enumerate(acts):
            with open_executor(cluster.address) as executor:
                watched = Watched(executor)
                same_bits = act(cluster, watched, folder / str(number), turns)
            happened = {at: turn.__name__ for at, turn in turns.items()}
            yield {"act": act.__name__, "turns": happened, "same_bits": same_bits, "worked": watched.worked}


if __name__ == "__main__":
    folder, size, *networks = sys.argv[1:]
    print(json.dumps(list(play(Path(folder), SHORT if size == "short" else FULL, bool(networks)))))
