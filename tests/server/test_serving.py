"""`crowdalpha serve` and `crowdalpha admin`, as operators run them: in processes of their own, ended and killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from click.testing import CliRunner
from contests import COIN, IDS, weekly

from crowdalpha.cli import main
from crowdalpha.settings import initialise, open_engine
from crowdalpha.tournament.rounds import Round

COMMAND = [sys.executable, "-W", "error", "-c", "from crowdalpha.cli import main; main()"]
PASSWORD = "ten or more letters"
API = "/api/v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tournament whose first round is open by the machine's clock."""
    now = datetime.now(UTC)
    settings = initialise(tmp_path / "cup", name="cup", environ={})
    with open_engine(settings) as engine:
        opens, closes = now - timedelta(hours=1), now + timedelta(days=1)
        days = tuple(closes + timedelta(days=day) for day in (1, 2))
        round = Round(
            number=1, open_time=opens, close_time=closes, scoring_times=days, resolve_time=closes + timedelta(days=3),
            rule=weekly(1).rule, commitment="0" * 64,
        )  # fmt: skip
        engine.schedule(round, IDS, opens - timedelta(hours=1))
    return settings.folder


def admin(folder: Path, *words: str, password: str | None = None) -> Any:
    given = [*words, "--password-stdin"] if password is not None else list(words)
    arguments = ["admin", *given, "--tournament", str(folder), "--json"]
    done = CliRunner().invoke(main, arguments, input=password, catch_exceptions=False)
    return json.loads(done.stdout)


@contextmanager
def server(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A server in a process of its own, and a client of it."""
    command = [*COMMAND, "serve", "--tournament", str(folder), "--port", "0", "--every", "0.1", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watch = Timer(60, process.kill)
        watch.start()
        try:
            assert process.stdout is not None
            said = "".join(takewhile(lambda line: line != "}\n", process.stdout))
            with httpx.Client(base_url=json.loads(said + "}")["address"], timeout=30) as client:
                yield process, client
        finally:
            watch.cancel()
            process.kill()


def upload(seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).random(len(IDS)).tolist()
    return ("id,prediction\n" + "".join(f"{i},{v!r}\n" for i, v in zip(IDS, values, strict=True))).encode()


def test_from_nothing_to_a_submission_that_survives_a_killed_server(folder: Path) -> None:
    account = admin(folder, "create-user", "ada@example.org", "--name", "ada", password=PASSWORD)
    token = admin(folder, "token", "ada")
    headers = {"Authorization": f"Bearer {token['public_id']}.{token['secret']}"}
    with server(folder) as (process, client):
        client.headers.update(headers)
        until = monotonic() + 20
        while client.get(f"{API}/tournaments/8/rounds/1").json()["scored_days"] or not _ticked(client):
            assert monotonic() < until, "no tick"
            sleep(0.05)
        model = client.post(f"{API}/models", json={"name": "first"}).json()
        sent = client.post(f"{API}/models/{model['id']}/submissions", content=upload())
        assert sent.status_code == 201
        process.kill()
    with server(folder, "--no-clock") as (process, client):
        client.headers.update(headers)
        assert client.get(f"{API}/submissions/{sent.json()['id']}").json() == sent.json()
        assert client.get(f"{API}/account").json()["id"] == account["id"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        lines = [json.loads(line) for line in str(process.stderr and process.stderr.read()).splitlines()]
        routes = [line["route"] for line in lines if line["said"] == "request"]
        assert routes == [f"{API}/submissions/{{submission}}", f"{API}/account"]


def _ticked(client: httpx.Client) -> bool:
    return 'crowdalpha_events_total{action="open"} 1.0' in client.get("/metrics").text


def test_an_interrupted_server_ends_without_a_word_of_it(folder: Path) -> None:
    with server(folder) as (process, client):
        assert client.get("/health/live").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in str(process.stderr and process.stderr.read())


def test_an_address_that_is_taken_is_refused_before_anything_is_done(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ["serve", "--tournament", str(folder), "--port", str(taken.getsockname()[1]), "--json"]
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert (done.exit_code, json.loads(done.stdout)["problems"][0]["code"]) == (3, "address_taken")


def test_an_account_that_was_opened_without_a_login_gets_one(folder: Path) -> None:
    with open_engine(folder) as engine:
        engine.open_account("bob", "Bob", datetime.now(UTC))
        engine.deposit("gift", COIN, datetime.now(UTC), into="wallet:bob")
    said = admin(folder, "password", "bob", "--email", "Bob@Example.org", password=PASSWORD)
    assert said == {"account": "bob", "email": "bob@example.org"}
    assert admin(folder, "password", "BOB", password=PASSWORD) == said
    assert admin(folder, "password", "bob@example.org", password="short")["problems"][0]["code"] == "bad_password"


def test_tokens_are_given_listed_and_revoked(folder: Path) -> None:
    admin(folder, "create-user", "ada@example.org", "--name", "ada", password=PASSWORD)
    token = admin(folder, "token", "ada@example.org", "--scope", "admin", "--scope", "stake", "--name", "ops")
    assert token["scopes"] == ["stake", "admin"]
    [listed] = admin(folder, "tokens", "ada")
    assert "secret" not in listed
    assert "secret_hash" not in listed
    assert admin(folder, "revoke", token["public_id"])["revoked_at"]
    assert admin(folder, "revoke", "nothing")["problems"][0]["code"] == "unknown"
    assert admin(folder, "token", "nobody")["problems"][0]["code"] == "unknown"


def test_to_ask_the_server_for_help_none_of_it_is_imported() -> None:
    program = (
        "import sys; from crowdalpha.cli import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('fastapi', 'uvicorn', 'argon2', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[]"
