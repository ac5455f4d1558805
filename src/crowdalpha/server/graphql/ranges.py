"""Parts of a content, for clients that go on where they stopped: a whole one would be appended to what they have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from crowdalpha.server.downloads import Found

RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def ranged(request: Request, found: Found, headers: Mapping[str, str]) -> Response:
    """All of it, or the one range that is asked for (206), or that there is no such range (416)."""
    content, tag = found.content, f'"{sha256(found.content).hexdigest()[:32]}"'
    said = dict(headers) | {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{found.filename}"',
    }
    wanted = request.headers.get("range", "")
    fits = request.headers.get("if-range", tag) == tag
    asked = RANGE.fullmatch(wanted.replace(" ", "")) if fits else None
    if asked is None or asked[0] == "bytes=-":
        return Response(content, 200, said, "application/octet-stream")
    start, end = _bounds(asked[1], asked[2], len(content))
    if start >= end:
        return Response(b"", 416, said | {"Content-Range": f"bytes */{len(content)}"}, "application/octet-stream")
    said["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return Response(content[start:end], 206, said, "application/octet-stream")


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Where a range begins and ends, the end left out."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
