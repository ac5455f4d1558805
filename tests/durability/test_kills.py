"""Whoever plays is killed at the entry of a system call, and whoever comes after cannot tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from crashes import killed, points_of
from play import NAMES
from stagehand import Stagehand
from undisturbed import Undisturbed

SPREAD = 6
"""How many points of a step are tried each time; all of them in the slow test."""


@pytest.mark.parametrize("step", NAMES)
def test_a_step_that_is_killed_at_some_system_calls_is_done_or_not_and_then_done_once(
    step: str, stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    last = len(points_of(stagehand, undisturbed, step, tmp_path / "folder")) - 1
    some = [round(k * last / (SPREAD - 1)) for k in range(SPREAD)]
    done = [killed(stagehand, undisturbed, step, k, tmp_path / "folder") for k in some]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (False, True)


@pytest.mark.slow
@pytest.mark.parametrize("step", NAMES)
def test_a_step_that_is_killed_at_any_system_call_is_done_or_not_and_then_done_once(
    step: str, stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    points = points_of(stagehand, undisturbed, step, tmp_path / "folder")
    done = [killed(stagehand, undisturbed, step, k, tmp_path / "folder") for k in range(len(points))]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (False, True)


def test_there_are_more_than_two_hundred_system_calls_to_be_killed_at(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    points = {step: len(points_of(stagehand, undisturbed, step, tmp_path / "folder")) for step in NAMES}
    assert min(points.values()) > 30
    assert sum(points.values()) > 800


def test_a_step_makes_the_same_calls_each_time_so_that_no_point_is_left_out(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    calls = [points_of(stagehand, undisturbed, "settle", tmp_path / "folder") for _ in range(3)]
    assert calls[0] == calls[1] == calls[2]


@pytest.mark.parametrize("again", [0, 1, 5, 20, 40])
def test_whoever_comes_after_can_be_killed_too(
    again: int, stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    middle = len(points_of(stagehand, undisturbed, "settle", folder)) // 2
    killed(stagehand, undisturbed, "settle", middle, folder, again=again)


def test_an_upload_whose_reader_is_a_process_of_its_own_can_be_killed_too(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    last = len(points_of(stagehand, undisturbed, "submit-bob", folder, real_judge=True)) - 1
    for at in (0, last // 2, last):
        killed(stagehand, undisturbed, "submit-bob", at, folder, real_judge=True)
