"""Files in a bucket: anything that fsspec reaches by a URL, such as s3://bucket/folder.

An object is there as a whole or not at all, and for good once the service has said so; that is the service's promise.
Install `crowdalpha[s3]` for S3 and what speaks like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage.names import from_path, to_path
from crowdalpha.tournament.ports import TakenError

LOCAL = ("file", "local")
PROBE = ".exclusive"
"""An object that only one writer may have made; it is no file's, for it does not end as they do."""


class ObjectFiles:
    """A `PredictionStore` below a URL; `options` are those of its file system in fsspec (key, endpoint_url, ...).

    The objects are named as the files of `FolderFiles`, so one can be copied into the other. Local files are refused
    (code `not_durable`), for fsspec never says whether they are on the disk: use `FolderFiles`. So is a service where a
    second writer replaces what the first has written (code `not_exclusive`): S3 knows `If-None-Match: *`, not all that
    speak like it do.
    """

    def __init__(self, url: str, **options: Any) -> None:
        from fsspec.core import url_to_fs

        self._system, root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options)
        self._root = root.rstrip("/")
        protocols = self._system.protocol
        if ({protocols} if isinstance(protocols, str) else set(protocols)) & set(LOCAL):
            raise InputError(Problem("not_durable", "a service that keeps objects", url, "use FolderFiles", "files"))
        self._require_exclusive()

    def write(self, name: str, content: bytes) -> str:
        """Keep the content under a name that is free or holds the same bytes."""
        try:
            self._system.pipe_file(self._path(name), content, mode="create")
        except FileExistsError:
            if self.read(name) != content:
                raise TakenError(name) from None
        return sha256(content).hexdigest()

    def read(self, name: str) -> bytes:
        """The content kept under a name."""
        try:
            content: bytes = self._system.cat_file(self._path(name))
        except FileNotFoundError:
            raise KeyError(name) from None
        return content

    def names(self, prefix: str = "") -> Sequence[str]:
        """The names that start with a prefix, sorted."""
        found = (str(path).removeprefix(f"{self._root}/") for path in self._system.find(self._root))
        names = (from_path(path) for path in found)
        return sorted(name for name in names if name is not None and name.startswith(prefix))

    def _require_exclusive(self) -> None:
        """Of two who make the same object, the second has to be told; the first may have done so long ago."""
        try:
            for _ in range(2):
                self._system.pipe_file(f"{self._root}/{PROBE}", b"", mode="create")
        except FileExistsError:
            return
        expected, fix = "a service that replaces nothing (If-None-Match: *)", "use another, or a folder"
        raise InputError(Problem("not_exclusive", expected, "one that does", fix, "files"))

    def _path(self, name: str) -> str:
        return f"{self._root}/{to_path(name)}"
