"""POST to an address that a stranger has given us: no further than it may lead, no longer than it may take.

    webhook-id: ID    webhook-timestamp: SECONDS    webhook-signature: v1,BASE64
    BASE64 = HMAC-SHA256(key, ID . SECONDS . body)

as Standard Webhooks has it, so receivers check it with a library: who it is from, that nobody has changed it, and, by
time and id, that it is no repetition.
"""

from __future__ import annotations

import base64
import hmac
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Timer
from urllib.parse import urlsplit

from crowdalpha.server.notices.places import Unreachable, addresses_of

PREFIX = "whsec_"
LIMIT = 10.0
"""Seconds that one call may take in all."""
AGENT = "crowdalpha"
MOVED = (301, 302, 303, 307, 308)


def key_of(master: bytes, account: str, number: int) -> bytes:
    """The key that what is sent to an account is signed with; it is kept nowhere but made again."""
    return hmac.digest(master, f"webhooks\0{account}\0{number}".encode(), "sha256")


def shown(key: bytes) -> str:
    """A key as its owner is shown it."""
    return PREFIX + base64.b64encode(key).decode()


def signature(key: bytes, id: str, seconds: int, body: bytes) -> str:
    """The signature of a message.

    >>> signature(b"key", "1", 0, b"{}")
    'v1,zGwIsEpWJehWI9SAZ35qk1GA7jOFwoNvVGoKfG/SvCI='
    """
    signed = hmac.digest(key, f"{id}.{seconds}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def post(url: str, body: bytes, id: str, key: bytes, seconds: int, *, private: bool = False) -> tuple[int, str]:
    """Call an address: the status and what is to be said of it; 0 if it was not reached. Redirects are not followed."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(key, id, seconds, body),
    }
    try:
        status = _ask(url, body, headers, private)
    except Unreachable as why:
        return 0, str(why)
    except (OSError, HTTPException, ValueError) as error:
        return 0, _reason(error)
    return status, f"{status}, and redirects are not followed" if status in MOVED else str(status)


def _ask(url: str, body: bytes, headers: dict[str, str], private: bool) -> int:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable("only http:// and https:// are called")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = HTTPConnection(parts.hostname, port, timeout=LIMIT)
    connection.default_port = 443 if parts.scheme == "https" else 80
    with _connected(addresses_of(parts.hostname, port, private=private), port) as wire:
        connection.sock = _secured(wire, parts.hostname) if parts.scheme == "https" else wire
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def _connected(addresses: list[str], port: int) -> Iterator[socket.socket]:
    """A connection to the first of the addresses that answers, cut off when its time is over."""
    with _reached(addresses, port) as wire, wire.dup() as same:
        end = Timer(LIMIT, _cut, [same])
        end.start()
        try:
            yield wire
        finally:
            end.cancel()
            end.join()


def _reached(addresses: list[str], port: int) -> socket.socket:
    failed: OSError = OSError("no address")
    for address in addresses[:2]:
        try:
            return socket.create_connection((address, port), timeout=LIMIT / 2)
        except OSError as error:
            failed = error
    raise failed


def _cut(wire: socket.socket) -> None:
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


def _secured(wire: socket.socket, host: str) -> ssl.SSLSocket:
    return _trust().wrap_socket(wire, server_hostname=host)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    """Why nobody answered, in few words and without anything that they sent."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "nobody listens there"
        case ssl.SSLError():
            return f"its certificate is not good: {error.reason}"
        case _:
            return "no answer that is HTTP"
