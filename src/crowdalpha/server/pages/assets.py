"""Style, scripts and pictures of the pages: all from here, named by their content so that browsers keep them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from crowdalpha.diagnostics.svg import template

router = APIRouter(include_in_schema=False)
FILES = {
    "site.css": ("site.css", "text/css; charset=utf-8"),
    "site.js": ("site.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "htmx.js": ("vendor/htmx-4.0.1.min.js", "text/javascript; charset=utf-8"),
    "uplot.js": ("vendor/uplot-1.6.32.min.js", "text/javascript; charset=utf-8"),
    "uplot.css": ("vendor/uplot-1.6.32.min.css", "text/css; charset=utf-8"),
}
"""What is served under each name, and as what. The licences of what is not ours lie beside it."""
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent, plain and packed."""

    content: bytes
    packed: bytes
    kind: str
    address: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by its name. The style is that of the reports, of their charts, and then the site's own."""
    house = template("page.css") + template("charts.css")
    found = {}
    for name, (path, kind) in FILES.items():
        content = (files("crowdalpha.server") / "static" / path).read_bytes()
        content = house.encode() + content if name == "site.css" else content
        address = f"/static/{sha256(content).hexdigest()[:12]}/{name}"
        found[name] = Asset(content, gzip.compress(content, 9, mtime=0), kind, address)
    return found


def address_of(name: str) -> str:
    """Where a file is to be had.

    >>> address_of("site.js").startswith("/static/")
    True
    """
    return assets()[name].address


@router.get("/static/{version}/{name}")
def asset(request: Request, version: str, name: str) -> Response:
    """A file; under an old address it is the newest one, and not to be kept."""
    found = assets().get(name)
    if found is None:
        return Response("Not found\n", 404, media_type="text/plain")
    keep = FOR_EVER if found.address == request.url.path else "no-cache"
    headers = {"Cache-Control": keep, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.kind)
    return Response(found.content, headers=headers, media_type=found.kind)
