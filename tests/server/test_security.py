"""What no other test shows of the server's safety: passwords, cookies through TLS, sessions, headers, libraries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from contests import OPEN, Asked, caller, serving
from starlette.testclient import TestClient

from crowdalpha.scoring.problems import InputError
from crowdalpha.server import auth
from crowdalpha.server.app import create_app
from crowdalpha.server.guards import HEADERS
from crowdalpha.server.people import SESSION
from crowdalpha.server.service import Service

GUESSED = [
    "password12", "P@ssw0rd2024!", "Welcome2026!!", "1234567890", "0987654321", "qwertyuiop", "abcdefghij", 
    "aaaaaaaaaa",    "abababababab", "1q2w3e4r5t", "iloveyou!!", "letmein12345", "crowdalpha1", "zyxwvutsrq",
]  # fmt: skip
FLOORS = {
    "pyarrow": ("23.0.1", "CVE-2026-25087, CVE-2023-47248"),
    "starlette": ("0.49.1", "CVE-2025-62727, CVE-2025-54121, CVE-2024-47874"),
    "python-multipart": ("0.0.18", "CVE-2024-53981, CVE-2024-24762"),
    "jinja2": ("3.1.6", "CVE-2025-27516, CVE-2024-56326, CVE-2024-56201"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "requests": ("2.32.4", "CVE-2024-47081"),
    "urllib3": ("2.5.0", "CVE-2025-50181, CVE-2025-50182"),
    "certifi": ("2024.7.4", "CVE-2024-39689"),
    "idna": ("3.7", "CVE-2024-3651"),
    "mako": ("1.2.2", "CVE-2022-40023"),
    "scikit-learn": ("1.5.0", "CVE-2024-5206"),
}
"""Libraries of which older versions are known to be unsafe: the first good one, and what was wrong before."""


@pytest.mark.parametrize("password", GUESSED)
def test_a_password_that_others_try_first_is_refused(service: Service, password: str) -> None:
    with pytest.raises(InputError, match="bad_password"):
        service.people.sign_up("eve@example.org", password, "eve", OPEN)


def test_a_password_is_not_made_of_the_name_or_the_address(service: Service) -> None:
    for password in ("evelyne-2026", "2026.Evelyne", "EvaMuster1990"):
        with pytest.raises(InputError, match="bad_password"):
            service.people.sign_up("eva.muster@example.org", password, "evelyne", OPEN)


@pytest.mark.parametrize(
    "password", ["ten or more letters", "Grüße aus dem Süden", "x7" * 4 + "-long-Pass", "🐟 a fish that sings"]
)
def test_any_characters_make_a_password_and_it_is_checked_as_it_was_given(password: str) -> None:
    kept = auth.hash_password(password)
    assert kept.startswith("$argon2id$")
    assert auth.check_password(kept, password)
    assert not auth.check_password(kept, password.upper())
    assert not auth.check_password(kept, password[:-1])


@pytest.mark.parametrize("length", [9, 257])
def test_a_password_is_long_enough_and_no_longer_than_can_be_hashed_at_once(length: int) -> None:
    with pytest.raises(InputError, match="bad_password"):
        auth.hash_password(("some words, " * length)[:length])
    auth.hash_password(("some words, " * length)[:64] + "and an end")


def test_through_tls_the_cookie_is_bound_to_its_host_and_browsers_stay_there(service: Service) -> None:
    settings = replace(service.settings, server=replace(service.settings.server, url="https://cup.example.org"))
    secure = serving(service.engine, settings)
    client = TestClient(create_app(secure), base_url="https://cup.example.org", headers={"accept": "text/html"})
    said = {"email": "eve@example.org", "password": "ten or more letters", "name": "eve"}
    answer = client.post("/sign-up", data=said, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-crowdalpha_session=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"))
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get("/account").status_code == 200


def test_a_session_ends_by_itself_and_a_new_one_has_a_cookie_of_its_own(service: Service) -> None:
    first, session = service.people.begin("ada", OPEN)
    second, _ = service.people.begin("ada", OPEN)
    assert len({first, second, session.id_hash, session.csrf}) == 4
    assert len(first) >= 43
    assert service.people.by_cookie(first, OPEN + SESSION - timedelta(seconds=1)) is not None
    assert service.people.by_cookie(first, OPEN + SESSION) is None
    assert service.people.by_cookie("0" * 43, OPEN) is None


def test_every_face_answers_with_the_headers_that_keep_browsers_safe_and_lets_no_other_site_read(asked: Asked) -> None:
    for path in ("/", "/sign-in", "/api/v1/tournaments", "/graphql?query={rounds{number}}", "/nowhere", "/health/live"):
        answer = asked().get(path, headers={"Origin": "https://evil.example.org", "accept": "text/html"})
        assert HEADERS.keys() - {name.title() for name in answer.headers} <= {"X-Frame-Options"}, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("verb", ["TRACE", "PROPFIND"])
def test_verbs_that_nobody_needs_are_not_answered(asked: Asked, verb: str) -> None:
    for path in ("/", "/api/v1/tournaments", "/account"):
        assert asked().request(verb, path).status_code in (404, 405)


def test_fields_that_are_not_asked_for_change_nothing(asked: Asked) -> None:
    for said in ({"bio": "b", "account": "bob"}, {"bio": "b", "benchmark": True}, {"name": "n", "stake": "9"}):
        assert asked("ada").patch("/api/v1/models/ada-1", json=said).status_code == 422
    assert asked.service.models.own(caller("ada"), "ada-1").account == "ada"


@pytest.mark.parametrize("name", FLOORS)
def test_no_library_is_of_a_version_that_is_known_to_be_unsafe(name: str) -> None:
    floor, why = FLOORS[name]
    assert _numbers(version(name)) >= _numbers(floor), why


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    root = Path(__file__).parents[2]
    named = _named((root / "docs" / "security.md").read_text(encoding="utf-8"))
    missing = [node for node in named if f"def {node[1]}(" not in (root / node[0]).read_text(encoding="utf-8")]
    assert missing == []
    assert len(named) > 60


def _named(page: str) -> list[tuple[str, str]]:
    """The tests in a page: a file, and after it tests of that file, each in back quotes."""
    found, file = [], ""
    for word in page.split("`")[1::2]:
        if word.startswith("tests/") and word.endswith(".py"):
            file = word
        elif "::" in word:
            file, _, test = word.partition("::")
            found.append((f"tests/{file}", test))
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
