"""Webhooks lead to no machine that only the server can reach: not by number, name, redirect or a name that changes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from receivers import Hook, hook

from crowdalpha.server.notices import posting
from crowdalpha.server.notices.places import Unreachable, addresses_of, is_public
from crowdalpha.server.notices.posting import post

INSIDE = [
    "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "100.100.100.200", "169.254.169.254", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip
OUTSIDE = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "172.32.0.1", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as there:
        yield there


def call(url: str, *, private: bool = False) -> tuple[int, str]:
    return post(url, b"{}", "id", b"key", 0, private=private)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_called_however_it_is_spelt(receiver: Hook, host: str) -> None:
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    status, answer = call(f"http://{host}:{port}/hook")
    assert status == 0
    assert "not public" in answer or "not known" in answer
    assert receiver.calls == []


def test_one_bad_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, 1, 6, "", (host, 443)) for host in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Unreachable, match=r"example\.org is 10\.0\.0\.1, which is not public"):
        addresses_of("example.org", 443)


def test_a_name_that_stands_for_something_else_the_second_time_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, connected = [], []

    def lookup(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", 80))]

    def connect(address: tuple[str, int], **_: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(posting.socket, "create_connection", connect)
    assert call("http://rebinding.example.org/") == (0, "nobody listens there")
    assert (asked, connected) == (["rebinding.example.org"], [("93.184.215.14", 80)])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Hook, status: int) -> None:
    receiver.statuses, receiver.headers = [status], {"Location": receiver.url + "/inside"}
    assert call(receiver.url, private=True) == (status, f"{status}, and redirects are not followed")
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "gopher://x/", "http:///x", "//x", ""])
def test_nothing_but_http_and_https_is_called(url: str) -> None:
    assert call(url) == (0, "only http:// and https:// are called")


@pytest.mark.parametrize("port", [22, 25, 587, 993])
def test_ports_of_other_services_are_not_called(port: int) -> None:
    status, answer = call(f"http://93.184.215.14:{port}/")
    assert (status, answer.partition(";")[0]) == (0, f"port {port} is for something else")


def test_a_receiver_that_never_ends_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "LIMIT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as door:
        assert call(f"http://127.0.0.1:{door.getsockname()[1]}/", private=True)[0] == 0


def test_what_is_no_certificate_of_theirs_is_not_trusted(receiver: Hook) -> None:
    status, answer = call(receiver.url.replace("http:", "https:"), private=True)
    assert status == 0
    assert answer.startswith("its certificate is not good")
    assert receiver.calls == []
