"""Files that go to a server, and files that come from it: whole, or not at all."""

from __future__ import annotations

import io
import os
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdalpha.client.shapes import Dataset
from crowdalpha.client.wire import TRIES, RefusedError, Wire, refused, unreachable
from crowdalpha.scoring.problems import Problem

if TYPE_CHECKING:
    import httpx


def content_of(predictions: Any) -> tuple[str, bytes]:
    """The name and the bytes of predictions: those of a file, bytes themselves, or a data frame as Parquet.

    >>> content_of(b"id,prediction")
    ('predictions.csv', b'id,prediction')
    """
    if isinstance(predictions, str | Path):
        path = Path(predictions)
        return path.name, path.read_bytes()
    if isinstance(predictions, bytes | bytearray | memoryview):
        content = bytes(predictions)
        return ("predictions.parquet" if content.startswith(b"PAR1") else "predictions.csv"), content
    return "predictions.parquet", _parquet(predictions)


def _parquet(frame: Any) -> bytes:
    import narwhals as nw
    import pyarrow.parquet as pq

    index = getattr(frame, "index", None)
    if getattr(index, "name", None) is not None:
        frame = frame.reset_index()  # pandas, with the ids as its index
    table = nw.from_native(frame, eager_only=True).to_arrow()
    into = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), into)
    return into.getvalue()


def download(wire: Wire, dataset: Dataset, to: Path) -> Path:
    """Fetch a file to that path, from where an earlier try stopped; what is there already and the same stays."""
    if to.is_file() and to.stat().st_size == dataset.size and _digest(to) == dataset.sha256:
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f"{to.name}.{dataset.sha256[:12]}.part")
    _fetch(wire, dataset, part)
    if _digest(part) != dataset.sha256:
        part.unlink()
        expected, fix = f"SHA-256 {dataset.sha256}", "download it again"
        raise RefusedError("download_differs", 0, Problem("download_differs", expected, "another", fix, str(to)))
    os.replace(part, to)
    return to


def _fetch(wire: Wire, dataset: Dataset, part: Path) -> None:
    """Fill the file up; a line that breaks is taken up again."""
    from httpx import TransportError

    for tried in range(1, TRIES + 1):
        have = part.stat().st_size if part.exists() else 0
        if have == dataset.size:
            part.touch()
            return
        if have > dataset.size:
            part.unlink()
            have = 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with wire.http.stream("GET", dataset.url, headers=headers) as answer:
                _keep(answer, part)
        except TransportError as error:
            if tried == TRIES:
                raise unreachable(wire.url, error) from None


def _keep(answer: httpx.Response, part: Path) -> None:
    if answer.status_code >= 400:
        answer.read()
        raise refused(answer)
    with part.open("ab" if answer.status_code == 206 else "wb") as file:
        for piece in answer.iter_raw():
            file.write(piece)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
