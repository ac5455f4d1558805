"""The classes of `numerapi` (to be installed by itself) for a server of one's choice, and for that alone.

    from crowdalpha.client.numerapi import NumerAPI
    napi = NumerAPI(public_id, secret_key, url="http://localhost:8000")

Each object has its own address, so one program can ask several servers, on several threads; `numerapi` itself is left
as it is. What is refused with an HTTP status is an error with the server's words, where `numerapi` has a KeyError.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numerapi
import requests

SERVER = "CROWDALPHA_SERVER"
"""The variable of the environment that names the server where nobody else does."""
PATIENCE = (10.0, 600.0)
"""Seconds to wait for a connection, and for an answer."""


class Redirected:
    """What makes a class of numerapi ask the server at `url`: put it before that class."""

    token: Any

    def __init__(self, *words: Any, url: str | None = None, **more: Any) -> None:
        super().__init__(*words, **more)
        self.url = address(url)

    def raw_query(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        authorization: bool = False,
        *,
        retries: int = 3,
        delay: int = 5,
        backoff: int = 2,
    ) -> dict[str, Any]:
        """The answer to an operation. ValueError with the server's words if it is refused.

        A server that is busy (5xx) is asked `retries` times in all, after `delay` seconds and then `backoff` times as
        many each time.
        """
        headers = {"Accept": "application/json"}
        if authorization:
            if not self.token:
                raise ValueError("API keys required for this action.")
            headers["Authorization"] = "Token {}${}".format(*self.token)
        for waited in range(retries):
            said = requests.post(
                self.url, json={"query": query, "variables": variables}, headers=headers, timeout=PATIENCE
            )
            if said.status_code < 500 or waited + 1 == retries:
                break
            time.sleep(delay * backoff**waited)
        return answer_of(said)


class NumerAPI(Redirected, numerapi.NumerAPI):
    """`numerapi.NumerAPI` for a server of one's choice."""


class SignalsAPI(Redirected, numerapi.SignalsAPI):
    """`numerapi.SignalsAPI` for a server of one's choice."""


class CryptoAPI(Redirected, numerapi.CryptoAPI):
    """`numerapi.CryptoAPI` for a server of one's choice."""


def address(url: str | None) -> str:
    """Where the server is: as said, or as the environment says; ValueError if neither does."""
    found = (url or os.environ.get(SERVER, "")).rstrip("/")
    if not found.startswith(("http://", "https://")):
        raise ValueError(f"name the server: url='http://localhost:8000', or {SERVER} in the environment")
    return found


def answer_of(said: requests.Response) -> dict[str, Any]:
    """The data of an answer, or ValueError with why there is none."""
    try:
        answer = said.json()
    except ValueError:
        raise ValueError(f"HTTP {said.status_code}, and no JSON") from None
    if isinstance(answer, dict) and answer.get("errors"):
        raise ValueError(answer["errors"][-1]["message"])
    if not said.ok or not isinstance(answer, dict):
        detail = answer.get("detail") if isinstance(answer, dict) else None
        raise ValueError(detail or f"HTTP {said.status_code}")
    return answer
