"""The system calls that change what is on a disk, by their numbers, and what each did, in the words of `disk.py`."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

NUMBERS = {
    "x86_64": {
        "write": 1, "mmap": 9, "pwrite64": 18, "writev": 20, "msync": 26, "sendfile": 40, "open": 2, "fsync": 74,
        "fdatasync": 75, "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85,
        "link": 86, "unlink": 87, "symlink": 88, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264,
        "linkat": 265, "symlinkat": 266, "fallocate": 285, "pwritev": 296, "renameat2": 316, "copy_file_range": 326,
        "pwritev2": 328, "openat2": 437,
    },
    "aarch64": {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45, "ftruncate": 46,
        "fallocate": 47, "openat": 56, "write": 64, "writev": 66, "pwrite64": 68, "pwritev": 70, "sendfile": 71,
        "fsync": 82, "fdatasync": 83, "mmap": 222, "msync": 227, "renameat2": 276, "copy_file_range": 285,
        "pwritev2": 287, "openat2": 437,
    },
}  # fmt: skip
NAMES = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}
NO_FD = None
PATHS: dict[str, list[tuple[int | None, int]]] = {
    "open": [(NO_FD, 0)], "creat": [(NO_FD, 0)], "openat": [(0, 1)], "openat2": [(0, 1)],
    "mkdir": [(NO_FD, 0)], "mkdirat": [(0, 1)], "rmdir": [(NO_FD, 0)],
    "unlink": [(NO_FD, 0)], "unlinkat": [(0, 1)], "truncate": [(NO_FD, 0)],
    "link": [(NO_FD, 0), (NO_FD, 1)], "linkat": [(0, 1), (2, 3)],
    "rename": [(NO_FD, 0), (NO_FD, 1)], "renameat": [(0, 1), (2, 3)], "renameat2": [(0, 1), (2, 3)],
    "symlink": [(NO_FD, 1)], "symlinkat": [(1, 2)],
}  # fmt: skip
"""Where among a call's arguments its paths stand, each behind the descriptor of the folder it starts from."""
DESCRIPTOR = {"mmap": 4, "sendfile": 0, "copy_file_range": 2}
"""Where the descriptor stands of the others; first, if nothing is said."""
UNKNOWN = {"openat2", "sendfile", "copy_file_range", "fallocate", "symlink", "symlinkat", "pwritev2", "msync", "mmap"}
"""Calls that change a disk in ways that `disk.py` does not know: nobody must begin to use them unseen."""
AT_FDCWD, AT_REMOVEDIR = -100, 0x200
MAP_SHARED, PROT_WRITE = 1, 2
DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Op:
    """What a call did. Paths are below the root of the folder that is watched.

    `what` is one of create, mkdir, link, rename, unlink, rmdir, write, truncate, sync; said, if it wrote into the pipe
    that acknowledges; or nothing. `at` is where it wrote or cut.
    """

    what: str
    path: str = ""
    other: str = ""
    at: int = 0
    data: bytes = b""


class UnmodelledError(Exception):
    """A disk was changed in a way that nobody here understands."""


@dataclass(slots=True)
class Call:
    """A call at its entry: which thread makes it, with what, and on what paths of the folder."""

    thread: int
    name: str
    args: tuple[int, ...]
    paths: list[str]
    existed: bool = False

    def done(self, result: int, root: str) -> Op:
        """What it did, at its exit."""
        what, path = _WHAT[self.name], below(self.paths[0], root)
        if result < 0 or self.paths[0].endswith(DELETED):
            return Op("nothing", path)
        if what == "create":
            return self._opened(path)
        if what == "write":
            at = self.args[3] if self.name.startswith("pwrite") else _position(self.thread, self.args[0]) - result
            return Op(what, path, at=at, data=self.written()[:result])
        if what == "truncate":
            return Op(what, path, at=self.args[1])
        if self.name == "unlinkat" and self.args[2] & AT_REMOVEDIR:
            what = "rmdir"
        return Op(what, path, below(self.paths[1], root) if len(self.paths) > 1 else "")

    def _opened(self, path: str) -> Op:
        if not self.existed:
            return Op("create", path)
        return Op("truncate" if self._flags() & os.O_TRUNC else "nothing", path)

    def written(self) -> bytes:
        """The bytes it was asked to write."""
        if not self.name.endswith("v"):
            return memory(self.thread, self.args[1], self.args[2])
        words = memoryview(memory(self.thread, self.args[1], 16 * self.args[2])).cast("Q").tolist()
        return b"".join(memory(self.thread, words[i], words[i + 1]) for i in range(0, len(words), 2))

    def changes(self) -> bool:
        """Whether it is one that may change a disk at all."""
        if self.name in ("open", "openat"):
            return bool(self._flags() & (os.O_CREAT | os.O_TRUNC))
        if self.name == "mmap":  # what is shared through the -shm file is made anew by whoever comes first
            return bool(self.args[2] & PROT_WRITE and self.args[3] & MAP_SHARED) and not self.paths[0].endswith("-shm")
        return True

    def _flags(self) -> int:
        return {"open": self.args[1], "openat": self.args[2], "creat": os.O_CREAT | os.O_TRUNC}[self.name]


_WHAT = {
    **dict.fromkeys(("open", "openat", "creat"), "create"),
    **dict.fromkeys(("mkdir", "mkdirat"), "mkdir"),
    **dict.fromkeys(("link", "linkat"), "link"),
    **dict.fromkeys(("rename", "renameat", "renameat2"), "rename"),
    **dict.fromkeys(("unlink", "unlinkat"), "unlink"),
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev"), "write"),
    **dict.fromkeys(("truncate", "ftruncate"), "truncate"),
    **dict.fromkeys(("fsync", "fdatasync"), "sync"),
    "rmdir": "rmdir",
}


def at_entry(thread: int, number: int, args: tuple[int, ...], root: str) -> Call | None:
    """The call, if it may change something in the folder."""
    name = NAMES.get(number)
    if name is None:
        return None
    call = Call(thread, name, args, _paths(thread, name, args))
    if not any(_inside(path, root) for path in call.paths) or not call.changes():
        return None
    if name in UNKNOWN:
        raise UnmodelledError(f"{name} {call.paths}")
    call.existed = os.path.lexists(call.paths[0])
    return call


def below(path: str, root: str) -> str:
    """A path as seen from the root; "." for the root itself."""
    return os.path.relpath(path.removesuffix(DELETED), root)


def memory(thread: int, address: int, length: int) -> bytes:
    """What stands in the memory of a process."""
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as file:
        return os.pread(file.fileno(), length, address)


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)


def _paths(thread: int, name: str, args: tuple[int, ...]) -> list[str]:
    if name not in PATHS:
        return [_behind(thread, args[DESCRIPTOR.get(name, 0)])]
    found = []
    for folder, place in PATHS[name]:
        start = AT_FDCWD if folder is NO_FD else _signed(args[folder])
        base = os.readlink(f"/proc/{thread}/cwd") if start == AT_FDCWD else _behind(thread, start)
        found.append(os.path.normpath(os.path.join(base, _text(thread, args[place]))))
    return found


def _behind(thread: int, descriptor: int) -> str:
    """What a descriptor is open on."""
    try:
        return os.readlink(f"/proc/{thread}/fd/{_signed(descriptor)}")
    except FileNotFoundError:
        return ""


def _signed(word: int) -> int:
    word &= 0xFFFFFFFF
    return word - 2**32 if word >= 2**31 else word


def _text(thread: int, address: int) -> str:
    """A text in the memory of a process, up to its zero; read in pieces that end where a page does."""
    found = b""
    while b"\0" not in found:
        piece = memory(thread, address + len(found), 256 - (address + len(found)) % 256)
        if not piece:
            break
        found += piece
    return os.fsdecode(found.partition(b"\0")[0])


def _position(thread: int, descriptor: int) -> int:
    """Where the next byte would be written."""
    lines = Path(f"/proc/{thread}/fdinfo/{descriptor}").read_text().splitlines()
    return int(lines[0].split()[1])
