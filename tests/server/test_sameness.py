"""REST and GraphQL are two faces of one service: they show the same and refuse in the same words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from contests import Asked, upload

API = "/api/v1"
Rows = list[tuple[Any, ...]]


def rest(asked: Asked, path: str, *fields: str, who: str = "ada") -> Rows:
    """Fields of every item of a list, or of the one thing there is; of what moved money, of what moved the wallet's."""
    answer = asked(who).get(f"{API}{path}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    items = found.get("items", found.get("lines", [found]))
    return sorted(tuple(plain(item[name]) for name in fields) for item in items if item.get("wallet") != "0")


def graphql(asked: Asked, query: str, *fields: str, who: str = "ada") -> Rows:
    """The same of what a query leads to: the one path that it asks for."""
    answer = asked(who).post("/", json={"query": query}).json()
    assert "errors" not in answer, answer
    found: Any = [answer["data"]]
    while not fields or any(fields[0] not in item for item in found):
        found = [each for item in found for value in item.values() for each in _many(value)]
    return sorted(tuple(plain(item[name]) for name in fields) for item in found)


def plain(value: Any) -> Any:
    """A value however it is written: amounts by what they are worth, times to the second."""
    if isinstance(value, str) and value[:1] in "-0123456789" and value.replace(".", "").replace("-", "").isdigit():
        return Decimal(value)
    return value.partition(".")[0].removesuffix("Z") if isinstance(value, str) and value.endswith("Z") else value


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


SAME = {
    "rounds": (
        ("/tournaments/8/rounds", "number", "open_time", "close_time", "resolve_time"),
        ("{ rounds(tournament: 8) { number openTime closeTime resolveTime } }",
         "number", "openTime", "closeTime", "resolveTime"),
    ),
    "models": (
        ("/models", "id", "name", "stake"),
        ("{ account { models { id name stakeValue } } }", "id", "name", "stakeValue"),
    ),
    "account": (
        ("/account", "id", "name", "created_at", "wallet"),
        ("{ account { id username insertedAt availableNmr } }", "id", "username", "insertedAt", "availableNmr"),
    ),
    "submissions": (
        ("/models/ada-1/submissions", "id", "filename", "received_at", "selected"),
        ('{ submissions(modelId: "ada-1") { id filename insertedAt selected } }',
         "id", "filename", "insertedAt", "selected"),
    ),
    "scores": (
        ("/models/ada-1/scores?limit=200", "round", "day", "value", "percentile"),
        ('{ submissionScores(modelId: "ada-1") { roundNumber day value percentile } }',
         "roundNumber", "day", "value", "percentile"),
    ),
    "stake": (
        ("/models/ada-1/stake", "stake"),
        ('{ model(modelId: "ada-1") { v2Stake { value } } }', "value"),
    ),
    "at risk": (
        ("/models/ada-1/performances", "round", "at_risk"),
        ('{ v2RoundModelPerformances(modelId: "ada-1", tournament: 8) { roundNumber atRisk } }',
         "roundNumber", "atRisk"),
    ),
    "payouts": (
        ("/account/payouts", "round", "model", "paid"),
        ("{ pendingModelPayouts(tournament: 8) { actual { roundNumber modelId payoutNmr } } }",
         "roundNumber", "modelId", "payoutNmr"),
    ),
    "leaderboard": (
        ("/tournaments/8/leaderboard?metric=corr", "name", "stake"),
        ("{ v2Leaderboard { username nmrStaked } }", "username", "nmrStaked"),
    ),
    "profile": (
        ("/profiles/models/8/bob_one", "id", "created_at", "stake"),
        ('{ v3UserProfile(modelName: "bob_one", tournament: 8) { id startDate nmrStaked } }',
         "id", "startDate", "nmrStaked"),
    ),
    "account by name": (
        ("/profiles/accounts/bob", "id", "name"),
        ('{ accountProfile(username: "bob", tournament: 8) { models { id displayName } } }', "id", "displayName"),
    ),
    "tokens": (
        ("/account/tokens", "public_id", "name"),
        ("{ account { apiTokens { publicId name } } }", "publicId", "name"),
    ),
    "transactions": (
        ("/account/transactions", "kind", "at"),
        ("{ account { walletTxns { type time } } }", "type", "time"),
    ),
}  # fmt: skip
"""What both show: an address and its fields, a query and its."""


@pytest.mark.parametrize("what", SAME)
def test_both_show_the_same(finished: Asked, what: str) -> None:
    first, second = SAME[what]
    shown = rest(finished, *first)
    assert shown
    assert shown == graphql(finished, *second)


def _scope(asked: Asked) -> tuple[Any, Any]:
    few = asked("ada", {"stake"})
    return few.get(f"{API}/account"), few.post("/", json={"query": "{ account { id } }"})


def _asks(verb: str, path: str, query: str, who: str | None = "ada", **sent: Any) -> Callable[[Asked], tuple[Any, Any]]:
    def ask(asked: Asked) -> tuple[Any, Any]:
        first = asked(who).request(verb, f"{API}{path}", **sent)
        return first, asked(who).post("/", json={"query": query})

    return ask


def _bad_file(asked: Asked) -> tuple[Any, Any]:
    content, ada = b"id,guess\na,1\n", asked("ada")
    slot = ada.post(f"{API}/uploads", json={"filename": "live.csv"}).json()
    assert ada.put(slot["url"].removeprefix("http://testserver"), content=content).status_code == 200
    query = f'mutation {{ createSubmission(filename: "{slot["filename"]}", modelId: "ada-1") {{ id }} }}'
    return ada.post(f"{API}/models/ada-1/submissions", content=content), ada.post("/", json={"query": query})


KEY = {"Idempotency-Key": "k"}
REFUSED: dict[str, Callable[[Asked], tuple[Any, Any]]] = {
    "nobody": _asks("GET", "/account", "{ account { id } }", who=None),
    "too small a token": _scope,
    "a model of another": _asks("GET", "/models/bob-1/submissions", '{ submissions(modelId: "bob-1") { id } }'),
    "no such model": _asks("GET", "/models/none/submissions", '{ submissions(modelId: "none") { id } }'),
    "no such submission": _asks("GET", "/submissions/none", '{ submissions(id: "none") { id } }'),
    "no such profile": _asks("GET", "/profiles/models/8/none", '{ v3UserProfile(modelName: "none") { id } }'),
    "no such account": _asks("GET", "/profiles/accounts/none", '{ accountProfile(username: "none") { id } }'),
    "no such tournament": _asks("GET", "/tournaments/7/rounds", "{ rounds(tournament: 7) { number } }"),
    "a bad file": _bad_file,
    "a file that never came": _asks(
        "POST",
        "/models/ada-1/submissions",
        'mutation { createSubmission(filename: "a.csv", modelId: "ada-1") { id } }',
        json={"upload_id": "a.csv"},
    ),
    "more than there is": _asks(
        "POST", "/models/ada-1/stake/changes",
        'mutation { v2ChangeStake(value: "99999", type: "increase", modelId: "ada-1") { id } }',
        json={"type": "increase", "amount": "99999"}, headers=KEY,
    ),
    "no amount": _asks(
        "POST", "/models/ada-1/stake/changes",
        'mutation { v2ChangeStake(value: "some", type: "increase", modelId: "ada-1") { id } }',
        json={"type": "increase", "amount": "some"}, headers=KEY,
    ),
    "no address": _asks(
        "PATCH", "/models/ada-1", 'mutation { setSubmissionWebhook(modelId: "ada-1", newSubmissionWebhook: "x") }',
        json={"webhook": "x"},
    ),
    "nobody to call": _asks(
        "POST", "/models/ada-1/webhook", 'mutation { triggerModelWebhook(modelId: "ada-1") }'
    ),
}  # fmt: skip
"""What both refuse."""


@pytest.mark.parametrize("what", REFUSED)
def test_both_refuse_in_the_same_words(asked: Asked, what: str) -> None:
    first, second = REFUSED[what](asked)
    assert first.status_code >= 400
    said = second.json()["errors"][-1]
    assert (first.json()["code"], first.json()["detail"]) == (said["extensions"]["code"], said["message"])
    problems = [(one["code"], one["expected"], one["found"], one["fix"]) for one in first.json().get("errors", [])]
    told = said["extensions"].get("problems", [])
    assert problems == [(one["code"], one["expected"], one["found"], one["fix"]) for one in told]


def test_what_is_sent_by_one_is_seen_by_the_other(asked: Asked) -> None:
    sent = asked("ada").post(f"{API}/models/ada-1/submissions?filename=live.csv", content=upload()).json()
    [seen] = graphql(asked, '{ submissions(modelId: "ada-1") { id filename } }', "id", "filename")
    assert seen == (sent["id"], "live.csv")
    asked("ada").post("/", json={"query": 'mutation { setUserBio(value: "a bio", modelId: "ada-1") }'})
    assert rest(asked, "/models/ada-1", "bio") == [("a bio",)]
