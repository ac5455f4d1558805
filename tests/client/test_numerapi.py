"""numerapi, told where to ask: an object at a time, or its command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import numerapi
import pytest
from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.client.numerapi import NumerAPI, SignalsAPI

HOME = numerapi.base_api.API_TOURNAMENT_URL


class Server:
    """Answers what it is told to, one answer after the other, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[dict[str, str], Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((dict(self.headers), body))
                status, content = server.answers.pop(0)
                said = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = Thread(target=made.http.serve_forever, daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY", "CROWDALPHA_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(numerapi.base_api, "API_TOURNAMENT_URL", HOME)


def test_each_object_asks_its_own_server_and_numerapi_is_left_as_it_is(server: Server) -> None:
    server.answers = [(200, {"data": {"rounds": [{"number": 7}]}}), (200, {"data": {"account": {"models": []}}})]
    napi = NumerAPI("ada", "secret", url=server.url + "/", verbosity="CRITICAL")
    assert (napi.get_current_round(), napi.get_models()) == (7, {})
    headers, body = server.asked[1]
    assert headers["Authorization"] == "Token ada$secret"
    assert body.keys() == {"query", "variables"}
    assert "Authorization" not in server.asked[0][0]
    assert numerapi.base_api.API_TOURNAMENT_URL == HOME
    assert isinstance(napi, numerapi.NumerAPI)


def test_the_server_may_stand_in_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="CROWDALPHA_SERVER"):
        NumerAPI(verbosity="CRITICAL")
    monkeypatch.setenv("CROWDALPHA_SERVER", server.url)
    assert SignalsAPI(verbosity="CRITICAL").url == server.url


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, {"data": None, "errors": [{"message": "first"}, {"message": "last"}]}, "last"),
        (413, {"detail": "At most 9 bytes are taken here."}, "At most 9 bytes are taken here."),
        (404, {"other": 1}, "HTTP 404"),
        (502, b"<html>", "HTTP 502, and no JSON"),
    ],
)
def test_what_is_refused_is_an_error_with_the_servers_words(
    server: Server, status: int, content: Any, said: str
) -> None:
    server.answers = [(status, content)] * 2
    napi = NumerAPI(url=server.url, verbosity="CRITICAL")
    with pytest.raises(ValueError, match=f"^{said}$"):
        napi.raw_query("{a}", retries=2, delay=0)
    assert len(server.asked) == (2 if status > 500 else 1)


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.answers = [(503, {}), (200, {"data": {"a": 1}})]
    assert NumerAPI(url=server.url, verbosity="CRITICAL").raw_query("{a}", delay=0) == {"data": {"a": 1}}


def test_without_keys_nothing_is_sent(server: Server) -> None:
    with pytest.raises(ValueError, match="API keys required for this action"):
        NumerAPI(url=server.url, verbosity="CRITICAL").get_account()
    assert server.asked == []


def test_the_command_line_of_numerapi_asks_the_server(server: Server) -> None:
    server.answers = [(200, {"data": {"rounds": [{"number": 7}]}}), (200, {"errors": [{"message": "Not now"}]})]
    done = CliRunner().invoke(main, ["numerapi", "--server", server.url, "current-round", "--tournament", "8"])
    assert (done.exit_code, done.stdout.strip()) == (0, "7")
    refused = CliRunner().invoke(main, ["numerapi", "--server", server.url, "current-round"])
    assert refused.exit_code == 3
    assert "Not now" in refused.stderr
