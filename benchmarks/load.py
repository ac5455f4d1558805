"""`python -m benchmarks.load`: the minute before a close, with a real server, its uploads and its readers.

Everybody hands in one file within the last seconds of a round, a few after its close, while others browse. Afterwards
the store is asked what became of each. With `--kill` the server is killed half way and begun again; who got no answer
asks again under the same key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from crowdalpha.settings import initialise, open_engine
from crowdalpha.tournament.records import Submission
from crowdalpha.tournament.rounds import Round

API = "/api/v1"
PAGES = ("/", "/rounds", "/rounds/1", "/rules", "/models/m0", f"{API}/tournaments/8/rounds/1")
LATE = 0.05
"""Share of the files that come after the close."""
THINK = 1.0
"""Seconds that a reader looks at a page."""


@dataclass
class Seen:
    """What clients saw: seconds a page took within the minute, answers by model, and what went wrong."""

    pages: list[float] = field(default_factory=list)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def main() -> int:
    """Play the minute and say what was lost, what was misfiled, and how long pages took."""
    arguments = _arguments()
    ids = [f"id{k:05d}" for k in range(arguments.ids)]
    files = {f"m{k}": _file(ids, k) for k in range(arguments.participants)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "cup"
        close = datetime.now(UTC) + timedelta(seconds=20 + arguments.participants / 10 + arguments.seconds)
        tokens = _prepare(place, ids, list(files), close)
        seen = asyncio.run(_minute(place, files, tokens, close, arguments))
        lost, misfiled = _judged(place, files, seen, close)
    pages = np.array(seen.pages) * 1000
    said = {
        "uploads": len(files),
        "acknowledged": len(seen.receipts),
        "late": sum(receipt["status"] == "late" for receipt in seen.receipts.values()),
        "lost": lost,
        "misfiled": misfiled,
        "went wrong": seen.wrong[:5],
        "pages not answered": len(seen.unanswered),
        "pages": len(pages),
        "page ms, median": round(float(np.median(pages))),
        "page ms, p99": round(float(np.quantile(pages, 0.99))),
        "upload s, median": round(float(np.median(seen.uploads)), 2),
        "upload s, longest": round(max(seen.uploads), 2),
    }
    print(json.dumps(said, indent=2))
    silent = seen.unanswered and not arguments.kill
    return 1 if lost or misfiled or seen.wrong or silent or len(seen.receipts) < len(files) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--participants", type=int, default=200)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ids", type=int, default=6000)
    parser.add_argument("--kill", action="store_true", help="kill the server half way, and begin it again")
    return parser.parse_args()


def _file(ids: list[str], seed: int) -> bytes:
    values = np.random.default_rng(seed).random(len(ids)).tolist()
    rows = "\n".join(f"{id},{value:.17g}" for id, value in zip(ids, values, strict=True))
    return f"id,prediction\n{rows}\n".encode()


def _prepare(place: Path, ids: list[str], models: list[str], close: datetime) -> dict[str, str]:
    """A tournament whose round is open, and a token for the owner of each model."""
    from crowdalpha.server.service import Service

    settings, now = initialise(place, name="cup", environ={}), datetime.now(UTC)
    with open_engine(settings) as engine:
        opens, days = now - timedelta(hours=1), (close + timedelta(days=1),)
        round = Round(
            number=1, open_time=opens, close_time=close, scoring_times=days, resolve_time=close + timedelta(days=2),
            rule="corr-or-twice-mmc", commitment="0" * 64,
        )  # fmt: skip
        engine.schedule(round, ids, opens - timedelta(hours=1))
        engine.tick(now)
        people, tokens = Service(engine, settings).people, {}
        for model in models:
            engine.open_account(f"a-{model}", f"a-{model}", now)
            engine.add_model(model, f"a-{model}", model, now)
            token, secret = people.issue(f"a-{model}", "load", ("upload_submission", "read_submission_info"), now)
            tokens[model] = f"Bearer {token.public_id}.{secret}"
    return tokens


async def _minute(
    place: Path, files: dict[str, bytes], tokens: dict[str, str], close: datetime, arguments: argparse.Namespace
) -> Seen:
    seen, server = Seen(), Server(place)
    begins = close - timedelta(seconds=arguments.seconds)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.address, timeout=60, limits=limits) as client:
        over = asyncio.Event()
        readers = [asyncio.create_task(_read(client, k, seen, over, begins)) for k in range(arguments.readers)]
        span = arguments.seconds * (1 + LATE)
        uploads = [
            asyncio.create_task(
                _hand_in(client, model, content, tokens[model], begins + timedelta(seconds=span * k / len(files)), seen)
            )
            for k, (model, content) in enumerate(files.items())
        ]
        if arguments.kill:
            await asyncio.sleep(max((begins - datetime.now(UTC)).total_seconds() + arguments.seconds / 2, 0))
            server.kill()
            server = Server(place, server.port)
        await asyncio.gather(*uploads)
        over.set()
        await asyncio.gather(*readers)
    server.end()
    return seen


async def _read(client: httpx.AsyncClient, reader: int, seen: Seen, over: asyncio.Event, begins: datetime) -> None:
    rng = np.random.default_rng(reader)
    await asyncio.sleep(float(rng.random()) * THINK)
    while not over.is_set():
        page = PAGES[int(rng.integers(len(PAGES)))]
        started = time.perf_counter()
        try:
            answer = await client.get(page, headers={"X-Forwarded-For": f"10.0.0.{reader}"})
        except httpx.TransportError as error:
            seen.unanswered.append(f"{page}: {error!r}")
        else:
            if datetime.now(UTC) >= begins:
                seen.pages.append(time.perf_counter() - started)
            if answer.status_code != 200:
                seen.wrong.append(f"{page}: {answer.status_code}")
        await asyncio.sleep(THINK * float(rng.uniform(0.5, 1.5)))


async def _hand_in(client: httpx.AsyncClient, model: str, content: bytes, token: str, at: datetime, seen: Seen) -> None:
    await asyncio.sleep(max((at - datetime.now(UTC)).total_seconds(), 0))
    headers = {"Authorization": token, "Content-Type": "text/csv", "Idempotency-Key": f"load-{model}"}
    started = time.perf_counter()
    for _ in range(120):
        try:
            answer = await client.post(f"{API}/models/{model}/submissions", content=content, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.5)
            continue
        if answer.status_code in (409, 503):  # its first try is still being worked on
            await asyncio.sleep(0.5)
            continue
        seen.uploads.append(time.perf_counter() - started)
        if answer.status_code == 201:
            seen.receipts[model] = answer.json()
        else:
            seen.wrong.append(f"{model}: {answer.status_code} {answer.text[:200]}")
        return
    seen.wrong.append(f"{model}: never answered")


def _judged(place: Path, files: dict[str, bytes], seen: Seen, close: datetime) -> tuple[int, int]:
    """How many acknowledged files are not there, and how many are not what or where they should be."""
    with open_engine(place) as engine, engine.store.reading() as work:
        kept = {submission.id: submission for submission in work.find(Submission, round=1)}
    lost = [model for model, receipt in seen.receipts.items() if receipt["id"] not in kept]
    found = [kept[receipt["id"]] for receipt in seen.receipts.values() if receipt["id"] in kept]
    misfiled = [
        submission.id
        for submission in found
        if submission.content_hash != sha256(files[submission.model]).hexdigest()
        or (submission.status == "on_time") != (submission.received_at < close)
    ]
    twice = len(kept) - len({submission.model for submission in kept.values()})
    return len(lost), len(misfiled) + twice


class Server:
    """`crowdalpha serve` in a process of its own."""

    def __init__(self, place: Path, port: int = 0) -> None:
        command = [sys.executable, "-c", "from crowdalpha.cli import main; main()", "serve", "--tournament", str(place)]
        self._log = (place.parent / f"log-{time.time()}").open("w")
        self._process = subprocess.Popen(
            [*command, "--port", str(port), "--json", "--proxy", "127.0.0.1"],
            stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        said = ""
        assert self._process.stdout is not None
        while not said.endswith("}\n"):
            said += self._process.stdout.readline()
        self.address: str = json.loads(said)["address"]
        self.port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """As an operator does."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._log.close()


if __name__ == "__main__":
    sys.exit(main())
