"""Files in a folder of this machine, there for good once `write` has returned.

    bytes -> file in .partial, fsync -> link to its name -> fsync of every folder up to the root

A link, unlike a rename, never replaces what is there: of two that write a name at once, the second finds it taken. A
process that is killed leaves at most a file in `.partial`, which nobody reads; delete them when nothing is running.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from crowdalpha.storage.durable import sync_folder
from crowdalpha.storage.names import from_path, to_path
from crowdalpha.tournament.ports import TakenError

PARTIAL = ".partial"
OWNER_ONLY = 0o600


class FolderFiles:
    """A `PredictionStore` below a folder, which is made if it is not there. The file of a name ends in `.bin`.

    `lasting` False is for what can be made again, such as a replay: a pulled plug may then cost what was written since
    the last `sync`. Never give such a store to a tournament that acknowledges submissions.
    """

    def __init__(self, root: Path | str, *, lasting: bool = True) -> None:
        self.root = Path(root).absolute()
        self._lasting = lasting
        self._sure: set[Path] = set()
        _make_folder(self.root / PARTIAL, self.root.parent)

    def write(self, name: str, content: bytes) -> str:
        """Keep the content durably, all of it or nothing, under a name that is free or holds the same bytes."""
        path = self.root / to_path(name)
        if not path.exists():
            partial = self._partial(content)
            try:
                _make_folder(path.parent, self.root)
                os.link(partial, path)
            except FileExistsError:
                pass  # somebody was faster: what they wrote is looked at below
            finally:
                os.unlink(partial)
        if path.read_bytes() != content:
            raise TakenError(name)
        self._sync(path.parent)  # even if others wrote the file: they may not be done
        return sha256(content).hexdigest()

    def sync(self) -> None:
        """Make everything written so far last, in a store that does not do so by itself."""
        os.sync()

    def read(self, name: str) -> bytes:
        """The content kept under a name."""
        try:
            return (self.root / to_path(name)).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""
        top = self.root.joinpath(*[word for word in prefix.split("/")[:-1] if word.strip(".")])
        paths = (Path(folder, file) for folder, _, files in os.walk(top) for file in files)
        names = (from_path(path.relative_to(self.root).as_posix()) for path in paths)
        return sorted(name for name in names if name is not None and name.startswith(prefix))

    def _sync(self, folder: Path) -> None:
        """Make what a folder holds last, and, the first time this process asks, the folder itself and those above."""
        if not self._lasting:
            return
        for one in [folder] if folder in self._sure else _up(folder, self.root):
            sync_folder(one)
        self._sure.add(folder)

    def _partial(self, content: bytes) -> Path:
        """A new file with the content, safe on the disk but under no name yet."""
        path = self.root / PARTIAL / token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if self._lasting:
                os.fsync(descriptor)
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return path


def _make_folder(path: Path, root: Path) -> None:
    """Make a folder and those above it, so that they are there for good."""
    if path.is_dir():
        return
    path.mkdir(parents=True, exist_ok=True)
    for folder in _up(path, root):
        sync_folder(folder)


def _up(path: Path, root: Path) -> Iterator[Path]:
    """A folder and those above it, up to the root."""
    yield path
    while path != root:
        path = path.parent
        yield path
