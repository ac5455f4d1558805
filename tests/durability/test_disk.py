"""The disk that the plug is pulled from, and the tracer that pulls it, do what they are trusted with."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from acts import busy, busy_elsewhere, follow_the_followed, symbolic
from disk import Disk, Unsynced
from stagehand import Stagehand
from syscalls import Op, UnmodelledError

WRITTEN = bytes(range(256)) * 8


def left(*ops: Op, unsynced: Unsynced = "nothing", seed: int = 0) -> dict[str, bytes | None]:
    disk = Disk()
    for op in ops:
        disk.do(op)
    return disk.after(unsynced, Random(seed))


NEW, WRITE = Op("create", "a"), Op("write", "a", data=WRITTEN)
SYNC, SYNC_NAMES = Op("sync", "a"), Op("sync", ".")


def test_a_file_is_sure_to_be_there_once_it_and_its_folder_are_synced() -> None:
    assert left(NEW, WRITE, SYNC, SYNC_NAMES) == {"a": WRITTEN}
    assert left(NEW, WRITE, SYNC) == {}
    assert left(NEW, WRITE, SYNC_NAMES) == {"a": b""}
    assert left(NEW, WRITE, unsynced="all") == {"a": WRITTEN}


def test_what_is_not_synced_may_be_torn_where_sectors_end() -> None:
    found = {left(NEW, SYNC_NAMES, WRITE, unsynced="some", seed=seed)["a"] for seed in range(100)}
    whole = {bytes(512), WRITTEN[:512]}
    assert len(found) == 2**4
    assert all({content[k : k + 512] for k in range(0, len(content), 512)} <= whole for content in found if content)


def test_a_file_that_was_renamed_or_deleted_may_come_back_until_its_folder_is_synced() -> None:
    kept = (NEW, WRITE, SYNC, SYNC_NAMES)
    renamed, gone = Op("rename", "a", "b"), Op("unlink", "a")
    assert left(*kept, renamed) == left(*kept, gone) == {"a": WRITTEN}
    assert left(*kept, renamed, SYNC_NAMES) == {"b": WRITTEN}
    assert left(*kept, gone, SYNC_NAMES) == {}


def test_a_file_in_a_folder_that_is_not_there_is_not_there() -> None:
    inner = (Op("mkdir", "in"), Op("create", "in/a"), Op("sync", "in"))
    assert left(*inner) == {}
    assert left(*inner, SYNC_NAMES) == {"in": None, "in/a": b""}


def test_a_cut_that_is_not_synced_may_not_have_happened() -> None:
    kept, cut = (NEW, WRITE, SYNC, SYNC_NAMES), Op("truncate", "a", at=10)
    assert left(*kept, cut) == {"a": WRITTEN}
    assert left(*kept, cut, SYNC) == {"a": WRITTEN[:10]}


def test_what_is_recorded_of_a_process_is_what_it_did(stagehand: Stagehand, tmp_path: Path) -> None:
    ops = stagehand.play(tmp_path, instead=busy, record=True).ops
    assert [op.what for op in ops] == [
        "mkdir", "create", "write", "sync", "write", "truncate", "nothing", "write", "link", "rename", "unlink",
        "rmdir", "sync",
    ]  # fmt: skip
    disk = Disk()
    for op in ops:
        disk.do(op)
    assert disk.after("all", Random(0)) == {"c": (tmp_path / "c").read_bytes()} == {"c": b"12345\0\0\0xy!?"}


@pytest.mark.parametrize(("at", "there"), [(0, []), (1, ["inner"]), (2, ["a", "inner"])])
def test_whoever_is_killed_at_the_entry_of_a_call_has_not_made_it(
    at: int, there: list[str], stagehand: Stagehand, tmp_path: Path
) -> None:
    traced = stagehand.play(tmp_path, instead=busy, kill_at=at)
    assert (traced.killed, traced.status, len(traced.points)) == (True, -9, at + 1)
    assert sorted(os.listdir(tmp_path)) == there


def test_what_happens_elsewhere_is_not_counted(stagehand: Stagehand, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert stagehand.play(tmp_path / "here", instead=busy_elsewhere).points == []
    assert (tmp_path / "elsewhere" / "c").exists()


def test_a_way_to_write_that_nobody_understands_is_an_error_and_not_overlooked(
    stagehand: Stagehand, tmp_path: Path
) -> None:
    with pytest.raises(UnmodelledError, match="symlink"):
        stagehand.play(tmp_path, instead=symbolic)


def test_a_machine_that_lets_nobody_be_followed_is_told_what_it_needs(stagehand: Stagehand, tmp_path: Path) -> None:
    stagehand.play(tmp_path, instead=follow_the_followed)
    assert "kernel.yama.ptrace_scope" in (tmp_path / "said").read_text()
