"""Who is told: a web server that takes webhooks, and a host that takes mail, both on ports of their own."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Called:
    """One call of a webhook."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A receiver of webhooks: what came, and the statuses it answers with, the last one again and again."""

    url: str = ""
    calls: list[Called] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None


@contextmanager
def hook() -> Iterator[Hook]:
    """A receiver of webhooks."""
    there = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            there.calls.append(Called(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            there.before()
            status = there.statuses.pop(0) if len(there.statuses) > 1 else there.statuses[0]
            self.send_response(status)
            for name, value in there.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        there.url = f"http://127.0.0.1:{port}/hook"
        yield there


@dataclass
class Post:
    """A host of mail: what came, and what it answers whoever names a recipient."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: str = "250 ok"


@contextmanager
def post_office() -> Iterator[Post]:
    """A host that takes mail, without TLS."""
    there = Post()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.partition(" ")[0].upper()
                if verb == "RCPT":
                    there.recipients.append(line.partition("<")[2].partition(">")[0])
                    self._say(there.answer)
                elif verb == "DATA":
                    self._say("354 go on")
                    self._take()
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok" if verb in ("EHLO", "MAIL", "RSET") else "502 not here")

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            there.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
            self._say("250 taken")

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        there.port = port
        yield there


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield cast(int, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
