"""Who may do what: every operation of REST is asked by nobody, by too small a token, by its owner, and by another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from contests import COIN, OPEN, Asked, caller, target, upload
from pastime import handed_in
from pastime import publish_target as publish

from crowdalpha.scoring.problems import InputError

API = "/api/v1"
HIDDEN, REFUSED = 404, 403
HOOK = "https://example.org/hook"
CHANGE = {"type": "increase", "amount": "1"}


@dataclass(frozen=True)
class Case:
    """An operation on something of ada's: the scope it needs, what its owner gets, and what bob gets for asking."""

    verb: str
    path: str
    scope: str
    mine: int
    others: int | None
    """None: it names nothing of anybody, so bob gets his own."""
    sent: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


CASES = [
    Case("get", "/account", "read_user_info", 200, None),
    Case("get", "/account/tokens", "read_user_info", 200, None),
    Case("post", "/account/tokens", "read_user_info", 201, None, {"json": {"name": "n", "scopes": ["read_user_info"]}}),
    Case("delete", "/account/tokens/{public_id}", "read_user_info", 200, HIDDEN),
    Case("get", "/account/transactions", "read_user_info", 200, None),
    Case("get", "/account/payouts", "read_user_info", 200, None),
    Case("get", "/models", "read_user_info", 200, None),
    Case("post", "/models", "upload_submission", 201, None, {"json": {"name": "another"}}),
    Case("patch", "/models/{model}", "upload_submission", 200, REFUSED, {"json": {"bio": "b"}}),
    Case("post", "/models/{model}/submissions", "upload_submission", 201, REFUSED, {"content": upload(1)}),
    Case("get", "/models/{model}/submissions", "read_submission_info", 200, REFUSED),
    Case("post", "/submissions/validate", "upload_submission", 200, None, {"content": upload()}),
    Case("get", "/submissions/{submission}", "read_submission_info", 200, HIDDEN),
    Case("get", "/submissions/{submission}/file", "download_submission", 200, HIDDEN),
    Case("post", "/uploads", "upload_submission", 201, REFUSED, {"json": {"model": "ada-1"}}),
    Case("post", "/models/{model}/diagnostics", "upload_submission", 202, REFUSED, {"content": upload()}),
    Case("get", "/models/{model}/diagnostics", "read_submission_info", 200, REFUSED),
    Case("get", "/diagnostics/{diagnostic}", "read_submission_info", 200, HIDDEN),
    Case("delete", "/diagnostics/{diagnostic}", "upload_submission", 200, HIDDEN),
    Case("get", "/models/{model}/stake", "read_user_info", 200, REFUSED),
    Case("put", "/models/{model}/stake", "stake", 200, REFUSED, {"json": {"amount": "300"}}),
    Case(
        "post", "/models/{model}/stake/changes", "stake", 201, REFUSED,
        {"json": CHANGE, "headers": {"Idempotency-Key": "k"}},
    ),
    Case("delete", "/models/{model}/stake/changes/{change}", "stake", 200, HIDDEN),
    Case("put", "/models/{model}/stake/settings", "stake", 200, REFUSED, {"json": {}}),
    Case("get", "/account/notices", "read_user_info", 200, None),
    Case("patch", "/account/notices", "upload_submission", 200, None, {"json": {"hook": ["settled"]}}),
    Case("post", "/account/notices/confirm", "upload_submission", 422, None, {"json": {"code": "of another"}}),
    Case("get", "/account/notices/key", "upload_submission", 200, None),
    Case("post", "/account/notices/key", "upload_submission", 201, None),
    Case("post", "/account/notices/test", "upload_submission", 202, None),
    Case("get", "/account/deliveries", "read_user_info", 200, None),
    Case("post", "/models/{model}/webhook", "upload_submission", 202, REFUSED),
    Case("get", "/models/{model}/refusals", "read_submission_info", 200, REFUSED),
    Case("get", "/refusals/{refusal}", "read_submission_info", 200, HIDDEN),
]  # fmt: skip
PUBLIC = {
    "/tournaments", "/tournaments/{tournament}", "/tournaments/{tournament}/rounds",
    "/tournaments/{tournament}/rounds/current", "/tournaments/{tournament}/rounds/{round}",
    "/tournaments/{tournament}/rounds/{round}/universe", "/tournaments/{tournament}/leaderboard",
    "/tournaments/{tournament}/datasets", "/tournaments/{tournament}/datasets/{name}",
    "/models/{model}", "/models/{model}/scores", "/models/{model}/performances",
    "/profiles/models/{tournament}/{name}", "/profiles/accounts/{name}",
}  # fmt: skip
SIGNED = {"/uploads/files/{object}", "/uploads/past/{object}"}
"""Whose link is the permission: test_service asks it with others'."""


def address(case: Case, asked: Asked) -> str:
    """The address of something of ada's."""
    token, _ = asked.service.people.issue("ada", "old", ["stake"], OPEN)
    names = {"model": "ada-1", "public_id": token.public_id, "change": "stake-ada", "submission": "sent"}
    if "diagnostic" in case.path:
        publish(asked.service, target(1))
        handed = handed_in(asked.service, "ada", upload())
        names["diagnostic"] = handed.id
    if "{submission}" in case.path:
        asked.service.submissions.submit(caller("ada"), "ada-1", upload(), id="sent")
    if "refusal" in case.path:
        with pytest.raises(InputError):
            asked.service.submissions.submit(caller("ada"), "ada-1", b"x")
        names["refusal"] = asked.service.refusals.mine(caller("ada"))[0].id
    if "webhook" in case.path or "/notices/" in case.path:
        asked.service.models.describe(caller("ada"), "ada-1", webhook=HOOK)
        for name in ("ada", "bob"):
            asked.service.notices.choose(caller(name), webhook=HOOK)
    return API + case.path.format_map(names)


def state(asked: Asked) -> Any:
    """Everything that others could spoil of ada's."""
    service, ada = asked.service, caller("ada")
    tokens = [(token.name, token.revoked_at) for token in service.people.tokens(ada)]
    looked_at = service.diagnostics.of_model(ada, "ada-1")
    told = service.notices.wish(ada), service.notices.log(ada), service.refusals.mine(ada)
    sent = service.submissions.mine(ada), looked_at
    return service.models.mine(ada), sent, service.staking.of(ada, "ada-1"), told, tokens


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nobody_a_wrong_secret_and_a_smaller_token_are_refused_in_known_words(case: Case, asked: Asked) -> None:
    url = address(case, asked)
    before = state(asked)
    for client in (asked(), asked(secret="wrong")):
        answer = getattr(client, case.verb)(url, **case.sent)
        assert (answer.status_code, answer.json()["detail"]) == (401, "Your session is invalid or has expired.")
    for others in ({"admin"}, {"upload_submission", "stake", "read_submission_info", "read_user_info"} - {case.scope}):
        answer = getattr(asked("ada", others), case.verb)(url, **case.sent)
        assert (answer.status_code, answer.json()["detail"]) == (403, f"Insufficient permission for {case.scope}")
    assert state(asked)[:-1] == before[:-1]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_scope_that_is_said_is_enough_for_ones_own(case: Case, asked: Asked) -> None:
    answer = getattr(asked("ada", {case.scope}), case.verb)(address(case, asked), **case.sent)
    assert answer.status_code == case.mine, answer.text


@pytest.mark.parametrize("case", [case for case in CASES if case.others], ids=str)
def test_what_is_anothers_is_neither_seen_nor_changed(case: Case, asked: Asked) -> None:
    url = address(case, asked)
    before = state(asked)
    answer = getattr(asked("bob"), case.verb)(url, **case.sent)
    assert answer.status_code == case.others, answer.text
    assert state(asked) == before
    none = re.sub("sent|stake-ada|(?<=/diagnostics/).*|(?<=/refusals/).*", "none", url)
    nothing = getattr(asked("bob"), case.verb)(none, **case.sent)
    if case.others == HIDDEN and "public_id" not in case.path:
        assert nothing.json()["code"] == answer.json()["code"], "whether there is one must not show"


@pytest.mark.parametrize("case", [case for case in CASES if case.others is None], ids=str)
def test_what_names_nobody_answers_with_nothing_of_others(case: Case, asked: Asked) -> None:
    asked.service.engine.deposit("gift", 7 * COIN, OPEN, into="wallet:ada")
    answer = getattr(asked("bob"), case.verb)(address(case, asked), **case.sent)
    assert answer.status_code == case.mine
    assert not re.search(r"\bada\b", answer.text), "her name, not three letters of a random id"


def test_every_operation_is_in_the_table_or_public(asked: Asked) -> None:
    document = asked().get(f"{API}/openapi.json").json()
    operations = {
        (verb, path.removeprefix(API)): operation.get("x-scope")
        for path, verbs in document["paths"].items()
        if path.startswith(API)
        for verb, operation in verbs.items()
    }
    tested = {(case.verb, case.path): case.scope for case in CASES}
    known = tested | {("get", path): None for path in PUBLIC} | {("put", path): None for path in SIGNED}
    assert operations == known


def test_a_change_of_one_model_is_not_found_under_another(asked: Asked) -> None:
    asked.service.models.add(caller("ada"), "second")
    [second] = [one.model.id for one in asked.service.models.mine(caller("ada")) if one.model.name == "second"]
    answer = asked("ada").delete(f"{API}/models/{second}/stake/changes/stake-ada")
    assert answer.status_code == 404
