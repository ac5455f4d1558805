"""A server that runs: its socket, its log, and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.app import create_app
from crowdalpha.server.service import Service
from crowdalpha.server.worker import Worker
from crowdalpha.settings.places import MEMORY

GRACE = 30
"""Seconds that questions have to be answered once the server was told to end."""
BACKLOG = 1024
KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than the pools of clients and proxies keep theirs."""
AT_ONCE = 1000
"""Questions that are worked on at once; more are told to come again."""


def listen(host: str, port: int) -> socket.socket:
    """A socket at that address; `address_taken` if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        found, fix = error.strerror or str(error), "choose another --port, or end what listens there"
        raise InputError(Problem("address_taken", "an address to listen at", found, fix, f"{host}:{port}")) from None


def run(service: Service, door: socket.socket, *, every: float | None, proxy: str | None) -> None:
    """Serve until told to end, by SIGTERM or SIGINT: answer what was asked, finish the tick, then return."""
    log_as_json()
    for ending in (signal.SIGTERM, signal.SIGINT):  # uvicorn ends at these, and then sends them to us once more
        signal.signal(ending, lambda *_: None)
    uvicorn.Server(_config(service, every, proxy)).run([door])


def run_all(services: Sequence[tuple[Service, socket.socket]], *, every: float) -> None:
    """Serve several tournaments, each at its own door, until told to end."""
    log_as_json()
    servers = [(_Together(_config(service, every, None)), door) for service, door in services]

    def end(*_: object) -> None:
        for server, _door in servers:
            server.should_exit = True

    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, end)

    async def serve() -> None:
        await asyncio.gather(*(server.serve([door]) for server, door in servers))

    asyncio.run(serve())


class _Together(uvicorn.Server):
    """One of several servers: signals are for all of them, and somebody else hears them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(service: Service, every: float | None, proxy: str | None) -> uvicorn.Config:
    app = create_app(service, every=every, ticker=Worker(service.settings) if _kept(service) else None)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )


def _kept(service: Service) -> bool:
    """Whether another process can open the same tournament."""
    return MEMORY not in (service.settings.database, service.settings.files)


class AsJson(logging.Formatter):
    """A line of JSON for each thing that happened."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: when, how grave, who says it, what, and what goes with it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        said = {"at": at, "level": record.levelname.lower(), "from": record.name, "said": record.getMessage()}
        if record.exc_info:
            said["error"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(said | getattr(record, "told", {}), ensure_ascii=False, default=str)


def log_as_json() -> None:
    """Have everything that is logged written to standard error, a line each."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(AsJson())
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    for chatty in ("alembic", "httpx", "multipart", "python_multipart"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
