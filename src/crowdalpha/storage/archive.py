"""A sealed zip file: what anybody can unpack, and no byte of which can change unseen.

    zip file, in its comment: "sealed by SHA-256 " and the hash in hex of every byte before that hash

The seal finds damage, not forgery: who can write the file can seal it again.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage.durable import new_file

SEAL = b"sealed by SHA-256 "
DIGITS: Final = 64
CHUNK = 2**20
FAST = 1
"""The level of deflation: others take several times as long for a tenth less."""


class Parcel:
    """An archive that is being written."""

    def __init__(self, zipped: ZipFile) -> None:
        self._zipped = zipped

    def add(self, name: str, chunks: Iterable[bytes]) -> str:
        """Put a member in, and return its SHA-256 in hex."""
        member, seen = ZipInfo(name), sha256()
        member.compress_type = ZIP_DEFLATED
        with self._zipped.open(member, "w", force_zip64=True) as into:
            for chunk in chunks:
                seen.update(chunk)
                into.write(chunk)
        return seen.hexdigest()


class Archive:
    """A sealed archive that was found whole. `where` names it in refusals."""

    def __init__(self, zipped: ZipFile, where: str) -> None:
        self._zipped, self._where = zipped, where

    def names(self) -> list[str]:
        """The names of its members, in the order they were put in."""
        return self._zipped.namelist()

    def read(self, name: str, expected: str | None = None) -> bytes:
        """A member, refused if its SHA-256 is not the expected one."""
        return b"".join(self.chunks(name, expected))

    def chunks(self, name: str, expected: str | None = None) -> Iterator[bytes]:
        """A member piece by piece; it is refused at its end if its SHA-256 is not the expected one."""
        seen = sha256()
        try:
            with self._zipped.open(name) as member:
                while chunk := member.read(CHUNK):
                    seen.update(chunk)
                    yield chunk
        except (KeyError, BadZipFile, zlib.error, EOFError) as error:
            raise self.damaged(f"{name}: {error}") from None
        if expected not in (None, seen.hexdigest()):
            raise self.damaged(f"{name} with SHA-256 {seen.hexdigest()}")

    def damaged(self, found: str) -> InputError:
        """The refusal of an archive that is not what was written."""
        return InputError(_damaged(self._where, found))


@contextmanager
def pack(path: Path) -> Iterator[Parcel]:
    """A new archive, sealed and given its name when the block ends; FileExistsError if the name is taken."""
    with new_file(path) as file:
        with ZipFile(file, "w") as zipped:
            zipped.comment = SEAL + b"0" * DIGITS
            yield Parcel(zipped)
        size = file.seek(0, os.SEEK_END) - DIGITS
        seal = _hash(file, size)
        file.seek(size)
        file.write(seal)


@contextmanager
def unpack(path: Path) -> Iterator[Archive]:
    """An archive, if it is one, and whole to the last byte; InputError (code `backup_damaged`) if not."""
    if not path.is_file():
        raise InputError(Problem("backup_missing", "a backup", "no file", "name a file that holds one", str(path)))
    with open(path, "rb") as file:
        size = max(file.seek(0, os.SEEK_END) - DIGITS, 0)
        found = _hash(file, size)
        if found != file.read():
            raise InputError(_damaged(str(path), f"a file whose first {size} bytes have the SHA-256 {found.decode()}"))
        try:
            zipped = ZipFile(file)
        except BadZipFile as error:
            raise InputError(_damaged(str(path), str(error))) from None
        with zipped:
            yield Archive(zipped, str(path))


def _hash(file: BinaryIO, size: int) -> bytes:
    """The SHA-256 of the first bytes of a file, in hex; the file stands behind them then."""
    file.seek(0)
    seen, left = sha256(), size
    while left and (chunk := file.read(min(CHUNK, left))):
        seen.update(chunk)
        left -= len(chunk)
    return seen.hexdigest().encode("ascii")


def _damaged(where: str, found: str) -> Problem:
    return Problem("backup_damaged", "a backup as it was written", found, "take another copy of it", where)
