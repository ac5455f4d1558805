"""A real cluster of several nodes on this machine: nodes are killed in the middle, others join, and no bit changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from clusters import network_of_its_own

HERE = Path(__file__).parent


def played(folder: Path, size: str) -> list[dict[str, Any]]:
    """The play, in networks of its own if they may be made here, else on loopback addresses."""
    way = network_of_its_own()
    print("nodes have", "networks of their own" if way else "loopback addresses of their own: no networks may be made")
    command = [*way, sys.executable, str(HERE / "drama.py"), str(folder), size, *(["networks"] if way else [])]
    found = os.pathsep.join([str(HERE), str(HERE.parent / "history"), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": found}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    acts: list[dict[str, Any]] = json.loads(done.stdout)
    return acts


def test_a_node_dies_and_another_joins_in_a_round_and_in_a_backfill_and_no_bit_changes(tmp_path: Path) -> None:
    acts = played(tmp_path, "short")
    assert [act["act"] for act in acts] == ["sharded", "filled"]
    assert all(act["same_bits"] for act in acts)
    assert all(len(act["worked"]) >= 2 for act in acts), acts


@pytest.mark.slow
def test_nodes_die_one_by_one_all_at_once_and_without_a_word_and_no_bit_changes(tmp_path: Path) -> None:
    acts = played(tmp_path, "full")
    assert all(act["same_bits"] for act in acts)
    assert all(len(act["worked"]) >= 2 for act in acts), acts
