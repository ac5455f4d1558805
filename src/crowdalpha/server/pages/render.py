"""From a view to a page: the templates, what they may call, and the headers that every page is sent with."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crowdalpha.diagnostics import formats, whiskers
from crowdalpha.diagnostics.data import Interval
from crowdalpha.diagnostics.svg import Svg, element
from crowdalpha.diagnostics.vectors import draw_vectors, sentence
from crowdalpha.server.charts import Chart, Column, as_csv, coins, shown
from crowdalpha.server.pages.assets import address_of
from crowdalpha.server.pages.visitors import Visitor, door_of, now_of, visitor_of

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""What a page may load: nothing from elsewhere, no script and no style that is written into it."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LISTED = 200
"""Rows of a table behind a chart; its file has all."""
STEPS = (("day", 86400), ("hour", 3600), ("minute", 60))


def answer(request: Request, page: str, /, *, status: int = 200, **context: Any) -> Response:
    """A page of the site. What is sent to somebody who is signed in is kept by nobody, and is not compressed.

    A page that holds a secret and words of the address must not be: its size would give the secret away.
    """
    visitor = visitor_of(request)
    path = request.url.path
    context = {
        "visitor": visitor,
        "here": path,
        "status": status,
        "csrf": lambda: _field(visitor),
        "now": now_of(request),
    } | context
    words = {"site": door_of(request).name, "version": version("crowdalpha")}
    text = _environment().get_template(page).render(**words, **context)
    private = visitor is not None or status >= 400
    headers = HEADERS | {"Cache-Control": "no-store" if private else "no-cache", "Vary": "Cookie, Accept-Encoding"}
    content = text.encode()
    if not private and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = gzip.compress(content, 6, mtime=0), headers | {"Content-Encoding": "gzip"}
    return HTMLResponse(content, status, headers)


def csv_file(name: str, columns: tuple[Column, ...], rows: tuple[tuple[Any, ...], ...]) -> Response:
    """A table as a file to keep."""
    return download(f"{name}.csv", as_csv(columns, rows), "text/csv; charset=utf-8")


def chart_file(charts: tuple[Chart, ...], name: str, kind: str, stem: str) -> Response | None:
    """One of a page's charts as CSV or SVG; None if there is none of that name."""
    chart = next((chart for chart in charts if chart.name == name), None)
    if chart is None or kind not in ("csv", "svg"):
        return None
    if kind == "csv":
        return csv_file(f"{stem}-{name}", chart.columns, chart.rows)
    return download(f"{stem}-{name}.svg", chart.as_svg(), "image/svg+xml")


def download(name: str, content: str | bytes, kind: str) -> Response:
    """Something to keep, which no browser opens as a page of ours."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"', "Cache-Control": "no-cache", "Vary": "Cookie"}
    return Response(content, headers=HEADERS | headers, media_type=kind)


def _field(visitor: Visitor | None) -> Svg:
    """What a form must send along, so that no other site can send it."""
    return Svg("") if visitor is None else element("input", type="hidden", name="csrf", value=visitor.session.csrf)


def moment(at: datetime) -> str:
    """A time as people read it.

    >>> moment(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))
    '5 Jan 2026, 09:30'
    """
    return f"{at.day} {at:%b %Y, %H:%M}"


def day(at: date) -> str:
    """A day as people read it."""
    return f"{at.day} {at:%b %Y}"


def away(at: datetime, now: datetime) -> str:
    """How far a time is from now.

    >>> noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    >>> away(datetime(2026, 1, 5, 15, tzinfo=UTC), noon), away(datetime(2026, 1, 3, tzinfo=UTC), noon)
    ('in 3 hours', '2 days ago')
    """
    seconds = (at - now).total_seconds()
    unit, size = next((step for step in STEPS if abs(seconds) >= step[1]), STEPS[-1])
    count = math.floor(abs(seconds) / size)
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {words}" if seconds >= 0 else f"{words} ago"


def query(asked: Any, changes: Mapping[str, Any]) -> str:
    """The words after an address that ask for the same with some changes."""
    said = asked.words | {name: str(value) for name, value in changes.items()}
    return urlencode({name: value for name, value in said.items() if value and value != asked.usual.get(name)})


def mix(corr: float, mmc: float, name: str = "MMC2") -> str:
    """What two multipliers pay, in words.

    >>> mix(1.0, 0.0), mix(0.5, 2.0), mix(0.0, 2.0)
    ('CORR', '0.5 CORR + 2 MMC2', '2 MMC2')
    """
    terms = [f"{size:g} {what}".removeprefix("1 ") for size, what in ((corr, "CORR"), (mmc, name)) if size]
    return " + ".join(terms) or "nothing"


def _interval(interval: Interval | None) -> str:
    return formats.MISSING if interval is None else formats.between(interval.low, interval.high)


def _score(value: float | None) -> str:
    return formats.MISSING if value is None else formats.signed(value)


def _legible(value: Any) -> Any:
    """Names as they are printed: no control characters; markup stays as it is."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else formats.legible(value)


@cache
def _environment() -> Environment:
    """Templates with autoescape on, strict about names."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("crowdalpha.server"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_legible,
    )
    environment.filters.update(
        signed=formats.signed,
        plain=formats.plain,
        percent=formats.percent,
        gain=formats.signed_percent,
        shorten=formats.shorten,
        interval=_interval,
        score=_score,
        coins=coins,
        change=lambda units: shown(units, "change"),
        moment=moment,
        day=day,
        iso=lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        away=jinja2.pass_context(lambda context, at: away(at, context["now"])),
    )
    environment.globals.update(
        asset=address_of,
        query=query,
        mix=mix,
        draw_whisker=whiskers.draw_whisker,
        draw_scale=whiskers.draw_scale,
        draw_vectors=draw_vectors,
        sentence=sentence,
        listed=LISTED,
    )
    return environment
