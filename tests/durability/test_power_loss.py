"""The plug is pulled, and what was acknowledged is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from crashes import held, played
from disk import Unsynced
from play import NAMES
from stagehand import Stagehand
from syscalls import Op
from undisturbed import Undisturbed


@pytest.fixture(scope="module")
def ops(stagehand: Stagehand, tmp_path_factory: pytest.TempPathFactory) -> list[Op]:
    return played(stagehand, tmp_path_factory.mktemp("traced") / "folder")


@pytest.mark.parametrize("unsynced", ["nothing", "some", "all"])
def test_what_was_acknowledged_survives_a_pulled_plug_whatever_the_disk_kept_of_the_rest(
    unsynced: Unsynced, ops: list[Op], undisturbed: Undisturbed, tmp_path: Path
) -> None:
    assert held(ops, unsynced, 120, undisturbed, tmp_path / "image") >= len(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(("unsynced", "every", "least"), [("nothing", 1, 60), ("some", 1, 500), ("all", 5, 100)])
def test_what_was_acknowledged_survives_a_plug_that_is_pulled_after_any_call(
    unsynced: Unsynced, every: int, least: int, ops: list[Op], undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Of nothing unsynced there are few different disks; of all, whoever is killed leaves the same."""
    assert held(ops, unsynced, every, undisturbed, tmp_path / "image") >= least
