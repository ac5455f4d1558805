"""Questions on their way to a server: asked again where that does no harm, and refused in the server's words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from crowdalpha.scoring.problems import InputError, Problem

if TYPE_CHECKING:
    import httpx

TRIES = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds to wait before a question is asked again: twice as long each time, or what the server says."""
PATIENCE, CONNECTING = 600.0, 10.0
AGAIN = (429, 502, 503, 504)
"""Statuses of a server that has done nothing yet."""
SAFE = ("GET", "PUT", "DELETE")
"""Verbs that do nothing twice."""


class RefusedError(InputError):
    """What a server does not do, or cannot be asked.

    `code` is stable, `status` the HTTP status (0: there was no answer), `detail` what the server says in a sentence,
    `problems` all that is wrong.
    """

    def __init__(self, code: str, status: int, *problems: Problem, detail: str = "") -> None:
        super().__init__(*problems)
        self._code, self.status, self.detail = code, status, detail or str(problems[0])

    @property
    def code(self) -> str:
        """The code of the refusal as a whole."""
        return self._code


class Wire:
    """The connections to one server; `token` is `id.secret`, `sleep` how it waits."""

    def __init__(
        self, url: str, token: str | None, *, transport: httpx.BaseTransport | None = None, sleep: Any = time.sleep
    ) -> None:
        self.url = address(url)
        self._sleep, self._headers = sleep, {"Authorization": credentials(token)} if token else {}
        self.http = _connections(transport)

    def ask(self, verb: str, path: str, *, key: str | None = None, **sent: Any) -> httpx.Response:
        """The answer to a question to the API; with a key it is answered once however often it is asked."""
        headers = {**self._headers, **sent.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        sent["params"] = {name: value for name, value in sent.pop("params", {}).items() if value is not None}
        return self.send(verb, f"{self.url}/api/v1{path}", again=verb in SAFE or bool(key), headers=headers, **sent)

    def send(self, verb: str, url: str, *, again: bool, **sent: Any) -> httpx.Response:
        """The answer of an address, if it is not refused."""
        from httpx import TransportError

        for tried in range(1, TRIES + 1):
            try:
                answer = self.http.request(verb, url, **sent)
            except TransportError as error:
                if not again or tried == TRIES:
                    raise unreachable(self.url, error) from None
                self._sleep(FIRST_WAIT * 2 ** (tried - 1))
                continue
            if not again or tried == TRIES or not _busy(answer):
                break
            self._sleep(_wait(answer, tried))
        if answer.has_redirect_location:
            raise moved(self.url, answer)
        if answer.status_code >= 400:
            raise refused(answer)
        return answer


def new_key() -> str:
    """A key that nothing else was asked under."""
    return uuid4().hex


def address(url: str) -> str:
    """An address as it is asked; `bad_server` if it is none."""
    if not url.startswith(("http://", "https://")):
        expected, fix = "the address of a server", "name it, such as http://localhost:8000"
        raise RefusedError("bad_server", 0, Problem("bad_server", expected, repr(url), fix, "server"))
    return url.rstrip("/")


def credentials(token: str) -> str:
    """The header of a token, whether it is written as REST or as numerapi writes it.

    >>> credentials("id.secret"), credentials("id$secret")
    ('Bearer id.secret', 'Token id$secret')
    """
    return f"Token {token}" if "$" in token else f"Bearer {token}"


def unreachable(url: str, error: Exception) -> RefusedError:
    """That a server does not answer."""
    found, fix = str(error) or type(error).__name__, "check the address and the line, then do the same again"
    return RefusedError("no_answer", 0, Problem("no_answer", "an answer of the server", found, fix, url))


def moved(url: str, answer: httpx.Response) -> RefusedError:
    """That a server sends elsewhere, as from http to https: nobody's token is taken there unasked."""
    found, fix = f"sent on to {answer.headers['Location']}", "name the address that it sends you to, if you trust it"
    return RefusedError("moved", answer.status_code, Problem("moved", "an answer of the server", found, fix, url))


def refused(answer: httpx.Response) -> RefusedError:
    """What a server has refused, in its words."""
    try:
        said = answer.json()
        code, detail = str(said["code"]), str(said["detail"])
        wrong = [_problem(one) for one in said.get("errors", ())]
    except (ValueError, KeyError, TypeError):
        found, fix = f"HTTP {answer.status_code}, and nothing that is known", "check the address of the server"
        problem = Problem("not_a_server", "an answer of crowdalpha", found, fix, str(answer.url))
        return RefusedError("not_a_server", answer.status_code, problem)
    one = Problem(code, "what the server takes", detail, "do what it says, or see the rules of the tournament")
    return RefusedError(code, answer.status_code, *(wrong or [one]), detail=detail)


def _problem(said: Mapping[str, Any]) -> Problem:
    said = {name: str(said[name]) for name in ("code", "expected", "found", "fix", "pointer")}
    return Problem(said["code"], said["expected"], said["found"], said["fix"], said["pointer"])


def _busy(answer: httpx.Response) -> bool:
    """Whether the same may be answered later: the server is busy, or at work on this very question."""
    return answer.status_code in AGAIN or (answer.status_code == 409 and '"in_flight"' in answer.text)


def _wait(answer: httpx.Response, tried: int) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said) if said.isdigit() else FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT)


def _connections(transport: httpx.BaseTransport | None) -> httpx.Client:
    try:
        import httpx
    except ModuleNotFoundError as error:
        fix = "pip install 'crowdalpha[client]'"
        raise InputError(Problem("httpx_missing", "httpx", str(error), fix)) from None
    return httpx.Client(timeout=httpx.Timeout(PATIENCE, connect=CONNECTING), transport=transport)
