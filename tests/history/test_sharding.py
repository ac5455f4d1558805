"""A round in shards has the bits of the round in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packs import crowd, in_one_piece, packed, same

from crowdalpha.execution.local import Serial, Threads
from crowdalpha.history import Rule, score_sharded
from crowdalpha.history.eras import PackedEra

on_one_folder = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Backwards(Serial):
    """The last result first."""

    def run(self, fn, items, *shared):
        return iter(list(super().run(fn, items, *shared))[::-1])


@pytest.fixture(scope="module")
def era(tmp_path_factory: pytest.TempPathFactory) -> PackedEra:
    return packed(tmp_path_factory.mktemp("history"), 3, n_models=150, n_ids=40)


@on_one_folder
@given(
    shard=st.integers(1, 200),
    bags=st.integers(0, 5),
    ties=st.sampled_from(["average", "first"]),
    executor=st.sampled_from([Serial(), Threads(3), Backwards()]),
)
def test_shards_of_any_size_done_in_any_order_give_the_bits_of_one_piece(
    era: PackedEra, shard: int, bags: int, ties: str, executor: Serial | Threads
) -> None:
    rule = Rule(bags=bags, seed="s", ties=ties)
    assert same(score_sharded(executor, era, rule, shard=shard), in_one_piece(crowd(3, 150, 40), 3, rule))


def test_progress_counts_the_shards_of_both_passes(era: PackedEra) -> None:
    seen: list[tuple[int, int, str]] = []
    score_sharded(Serial(), era, shard=60, progress=lambda *told: seen.append(told))
    assert seen == [(k, 3, what) for what in ("Pooling", "Scoring") for k in (1, 2, 3)]


def test_without_a_metric_that_asks_for_it_nothing_is_pooled(tmp_path: Path) -> None:
    seen: list[str] = []
    found = score_sharded(Serial(), packed(tmp_path, 1), Rule(("corr",)), progress=lambda *told: seen.append(told[2]))
    assert set(seen) == {"Scoring"}
    assert found["corr"].tobytes() == in_one_piece(crowd(1, 7, 30), 1, Rule())["corr"].tobytes()
