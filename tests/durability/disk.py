"""A disk as it may look after the plug was pulled: only what was synced is sure to be there.

file     the bytes at its last sync, and of what was written since any of the 512-byte sectors
folder   the names at its last sync, and any of the changes since
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from syscalls import Op

SECTOR = 512
Unsynced = Literal["nothing", "some", "all"]
"""How much survives of what was not synced."""


@dataclass(eq=False, slots=True)
class File:
    """A file: the bytes that are safe, the bytes a program sees, and the changes that lie between the two."""

    safe: bytes = b""
    seen: bytearray = field(default_factory=bytearray)
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)

    def change(self, at: int, data: bytes | None) -> None:
        """Write, or cut (None)."""
        _change(self.seen, at, data)
        self.changes.append((at, data))

    def sync(self) -> None:
        """What is seen becomes safe."""
        self.safe, self.changes = bytes(self.seen), []

    def after(self, keep: Callable[[], bool]) -> bytes:
        """What may be found after the plug was pulled."""
        left = bytearray(self.safe)
        for at, data in self.changes:
            for start, sector in _sectors(at, data):
                if keep():
                    _change(left, start, sector)
        return bytes(left)


FOLDER = File()
"""What stands for a folder among the names."""
Names = dict[str, File]
Renaming = tuple[tuple[str, File | None], ...]


class Disk:
    """A folder, replayed call by call. It was empty, and is itself safe."""

    def __init__(self) -> None:
        self.safe: Names = {}
        self.seen: Names = {}
        self.changes: list[Renaming] = []

    def do(self, op: Op) -> None:
        """Replay what a call did."""
        if op.what in ("create", "mkdir"):
            self._name((op.path, File() if op.what == "create" else FOLDER))
        elif op.what == "link":
            self._name((op.other, self.seen[op.path]))
        elif op.what == "rename":
            self._name((op.other, self.seen[op.path]), (op.path, None))
        elif op.what in ("unlink", "rmdir"):
            self._name((op.path, None))
        elif op.what in ("write", "truncate"):
            self.seen[op.path].change(op.at, op.data if op.what == "write" else None)
        elif op.what == "sync":
            self._sync(op.path)

    def after(self, unsynced: Unsynced, random: Random) -> dict[str, bytes | None]:
        """What may be found after the plug was pulled: files by name, None for folders."""
        share = {"nothing": 0.0, "some": 0.5, "all": 1.0}[unsynced]

        def keep() -> bool:
            return random.random() < share

        names = dict(self.safe)
        for renaming in self.changes:
            if keep():
                _rename(names, renaming)
        found = {path: None if file is FOLDER else file.after(keep) for path, file in names.items()}
        return {path: _torn(path, content, random) for path, content in found.items() if _reachable(path, names)}

    def _name(self, *renaming: tuple[str, File | None]) -> None:
        _rename(self.seen, renaming)
        self.changes.append(renaming)

    def _sync(self, path: str) -> None:
        file = self.seen.get(path, FOLDER)
        if file is not FOLDER:
            file.sync()
            return
        for renaming in self.changes:
            if any(os.path.dirname(name) == path.removeprefix(".") for name, _ in renaming):
                _rename(self.safe, renaming)
        self.changes = [r for r in self.changes if not any(os.path.dirname(n) == path.removeprefix(".") for n, _ in r)]


def write_image(image: dict[str, bytes | None], folder: Path) -> None:
    """Make a folder that holds what was found."""
    for path, content in sorted(image.items()):
        if content is None:
            (folder / path).mkdir(parents=True)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)


def moments(ops: Iterable[Op]) -> Iterator[tuple[int, Disk, list[str]]]:
    """The disk after each call, with the steps that have been acknowledged by then."""
    disk, said = Disk(), list[str]()
    for number, op in enumerate(ops):
        disk.do(op)
        said += op.data.decode().split() if op.what == "said" else []
        yield number, disk, said


def _change(content: bytearray, at: int, data: bytes | None) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    if data is None:
        del content[at:]
    else:
        content[at : at + len(data)] = data


def _sectors(at: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    """A write cut where sectors end; a disk writes a sector as a whole, or not."""
    if data is None:
        yield at, None
        return
    start = 0
    while start < len(data):
        end = min(len(data), start + SECTOR - (at + start) % SECTOR)
        yield at + start, data[start:end]
        start = end


def _rename(names: Names, renaming: Renaming) -> None:
    for name, file in renaming:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _reachable(path: str, names: Names) -> bool:
    """Whether all folders above are there."""
    above = os.path.dirname(path)
    return not above or (names.get(above) is FOLDER and _reachable(above, names))


def _torn(path: str, content: bytes | None, random: Random) -> bytes | None:
    """What is written through shared memory is nowhere in the calls: it may be anything."""
    return random.randbytes(len(content)) if content is not None and path.endswith("-shm") else content
