"""Files on their way: a signed link takes one in, whole or not at all, until a submission is made of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

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

    def slot(self, account: str, filename: str, base: str, now: datetime) -> Slot:
        """A place for one file of an account's, below the address `base`."""
        name = own_name(filename)
        url = signing.link(self.key, f"{base}/api/{SEGMENT}", "PUT", f"{account}/{name}", now)
        return Slot(name, url, now + LASTS)

    async def put(self, object: str, expires: str, signature: str, chunks: AsyncIterator[bytes], now: datetime) -> int:
        """Take a file in by its link, piece by piece; its size. What is too large is refused as soon as it is."""
        signing.check(self.key, "PUT", object, expires, signature, now)
        account, _, name = object.partition("/")
        target = self._path(account, name)
        target.parent.mkdir(parents=True, exist_ok=True)
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

    def _path(self, account: str, filename: str) -> Path:
        """Where a file is; a name that we have not given leads nowhere."""
        for word in (account, filename):
            if SAFE.search(word) or not word.strip("."):
                raise refusal("not_uploaded", filename=filename[:100])
        return self.folder / account / filename
