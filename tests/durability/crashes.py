"""How a step is killed, or the plug pulled, and what is left compared with the undisturbed run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from disk import Unsynced, moments, write_image
from play import NAMES
from stagehand import Stagehand, steps_said
from syscalls import Op
from undisturbed import DifferenceError, Undisturbed, compare

TO_THE_END = 5
"""Of so many crashes one is played on to the end, the others through the step that was disturbed."""
Image = dict[str, bytes | None]


def killed(
    hand: Stagehand, run: Undisturbed, step: str, at: int, folder: Path, *, again: int | None = None, **how: object
) -> bool:
    """Kill a step at a point, and once more while it recovers, and compare; whether anything of it was there."""
    _copy(run.before(step), folder)
    said = b""
    for point in (at, again):
        if point is not None:
            traced = hand.play(folder, step, kill_at=point, **how)
            assert traced.killed, f"{step} has no point {point}"
            said = said or traced.said
    done = NAMES[: NAMES.index(step) + len(steps_said(said))]
    try:
        return compare(folder, run, done, until=NAMES[-1] if at % TO_THE_END == 0 else step) or step in done
    except DifferenceError as different:
        raise DifferenceError(f"{step} killed at point {at}, {traced.points[-1]}: {different}") from None


def points_of(hand: Stagehand, run: Undisturbed, step: str, folder: Path, **how: object) -> list[str]:
    """The system calls at which a step can be killed."""
    _copy(run.before(step), folder)
    traced = hand.play(folder, step, **how)
    assert traced.status == 0
    return traced.points


def played(hand: Stagehand, folder: Path, planted: str = "") -> list[Op]:
    """What one process does that plays everything in an empty folder."""
    folder.mkdir()
    traced = hand.play(folder, *NAMES, record=True, planted=planted)
    assert traced.status == 0
    return traced.ops


def held(ops: Sequence[Op], unsynced: Unsynced, every: int, run: Undisturbed, folder: Path) -> int:
    """Pull the plug after some calls, open what is left and compare; how often."""
    tried = 0
    for number, image, said in images(ops, unsynced, every):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write_image(image, folder)
        until = NAMES[-1] if tried % TO_THE_END == 0 else NAMES[min(len(said), len(NAMES) - 1)]
        try:
            compare(folder, run, said, until=until)
        except DifferenceError as different:
            call = f"call {number}, {ops[number].what} {ops[number].path}"
            raise DifferenceError(f"power lost after {call}: {different}") from None
        tried += 1
    return tried


def images(ops: Sequence[Op], unsynced: Unsynced, every: int) -> Iterator[tuple[int, Image, list[str]]]:
    """What may be left after some of the calls, and what had been acknowledged; nothing twice in a row."""
    before = None
    for number, disk, said in moments(ops):
        if (number + 1) % every == 0 or ops[number].what == "said":
            image = disk.after(unsynced, Random(number))
            if (image, len(said)) != before:
                yield number, image, list(said)
            before = (image, len(said))


def _copy(source: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
