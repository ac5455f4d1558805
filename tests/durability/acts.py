"""What a process may do to a folder, to see whether it is seen."""

from __future__ import annotations

import os
from pathlib import Path

from tracer import RefusedError, trace


def busy(folder: Path) -> None:
    """Some of everything."""
    (folder / "inner").mkdir()
    with open(folder / "a", "wb") as file:
        file.write(b"12345")
        file.flush()
        os.fsync(file.fileno())
        os.pwrite(file.fileno(), b"xyz", 8)
        os.ftruncate(file.fileno(), 10)
    with open(folder / "a", "ab") as file:
        os.writev(file.fileno(), [b"!", b"?"])
    os.link(folder / "a", folder / "inner" / "b")
    os.rename(folder / "a", folder / "c")
    os.unlink(folder / "inner" / "b")
    os.rmdir(folder / "inner")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def busy_elsewhere(folder: Path) -> None:
    """All of it, in a folder beside."""
    beside = folder.parent / "elsewhere"
    beside.mkdir()
    busy(beside)


def symbolic(folder: Path) -> None:
    """What the disk of these tests does not know."""
    os.symlink("x", folder / "y")


def follow_the_followed(folder: Path) -> None:
    """What the kernel refuses: a process has one tracer."""
    try:
        trace(lambda speak: None, str(folder))
    except RefusedError as refused:
        (folder / "said").write_text(str(refused))
