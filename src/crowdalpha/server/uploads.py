"""Files on their way: a signed link takes one in, whole or not at all, until a submission is made of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from crowdalpha.server import signing
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.names import SAFE, own_name
from crowdalpha.server.signing import LASTS

FOLDER = "uploads"
KEPT = timedelta(days=1)
"""How long a file waits for a submission to be made of it."""
SEGMENT = "v1/uploads/files"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a file may be put: the name that it has from then on, and the link."""

    filename: str
    url: str
    expires: datetime


@dataclass(frozen=True)
class Waiting:
    """The folder of files that have come and wait, a folder an account."""

    folder: Path
    key: bytes
    limit: int
    segment: str = SEGMENT
    most: int = 1000
    """Files of one account that may lie here at once."""

    def slot(self, account: str, filename: str, base: str, now: datetime) -> Slot:
        """A place for one file of an account's, below the address `base`."""
        name = own_name(filename)
        url = signing.link(self.key, f"{base}/api/{self.segment}", "PUT", f"{account}/{name}", now)
        return Slot(name, url, now + LASTS)

    async def put(self, object: str, expires: str, signature: str, chunks: AsyncIterator[bytes], now: datetime) -> int:
        """Take a file in by its link, piece by piece; its size. What is too large is refused as soon as it is."""
        signing.check(self.key, "PUT", object, expires, signature, now)
        account, _, name = object.partition("/")
        return await self.keep(account, name, chunks)

    async def keep(self, account: str, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Take in a file of an account's under a name from `own_name`; its size."""
        target = self._path(account, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if sum(path != target for path in target.parent.iterdir()) >= self.most:
            raise refusal("too_many_waiting", most=self.most)
        part, size = target.with_name(f"{name}.{token_hex(4)}.part"), 0
        try:
            with open(part, "wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self.limit:
                        raise refusal("too_large", limit=self.limit)
                    file.write(chunk)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return size

    def take(self, account: str, filename: str) -> bytes:
        """The content of a file that has come; `not_uploaded` if it has not."""
        try:
            return self._path(account, filename).read_bytes()
        except FileNotFoundError:
            raise refusal("not_uploaded", filename=filename[:100]) from None

    def is_there(self, account: str, filename: str) -> bool:
        """Whether a file has come."""
        return self._path(account, filename).is_file()

    @contextmanager
    def held(self, account: str, filename: str) -> Iterator[Path | None]:
        """A file that nobody else holds; None if it has not come or is held.

        The system lets go of what a process holds that is killed. Where it knows no such locks (Windows), nobody
        holds anything: run one server there.
        """
        try:
            file = open(path := self._path(account, filename), "rb")  # noqa: SIM115 - it is closed by the block below
        except FileNotFoundError:
            yield None
            return
        with file:
            yield path if _locked(file) else None

    def drop(self, account: str, filename: str) -> None:
        """Forget a file that a submission was made of."""
        self._path(account, filename).unlink(missing_ok=True)

    def sweep(self, now: datetime) -> int:
        """Forget files that nobody came back for; how many."""
        oldest = (now - KEPT).timestamp()
        stale = [path for path in self.folder.glob("*/*") if path.stat().st_mtime < oldest]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def require(self, account: str, filename: str) -> None:
        """Refuse with `not_uploaded` a file that has not come."""
        if not self.is_there(account, filename):
            raise refusal("not_uploaded", filename=filename[:100])

    def _path(self, account: str, filename: str) -> Path:
        """Where a file is; a name that we have not given leads nowhere."""
        for word in (account, filename):
            if SAFE.search(word) or not word.strip("."):
                raise refusal("not_uploaded", filename=filename[:100])
        return self.folder / account / filename


def _locked(file: BinaryIO) -> bool:
    """Whether a file could be locked for this process alone."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
