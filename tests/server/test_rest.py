"""The REST API: its conventions, and what each resource says."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from contests import IDS, OPEN, START, Asked, upload, weekly

from crowdalpha.server.callers import PARTICIPANT
from crowdalpha.server.limits import Limits, Rate
from crowdalpha.server.service import Service

API = "/api/v1"
Asks = Callable[..., Any]


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["type"].endswith(document["code"])
    return document["code"]


def test_the_journey_of_a_submission(asked: Asked) -> None:
    ada = asked("ada")
    assert ada.get(f"{API}/tournaments/8/rounds/current").json()["number"] == 1
    assert ada.get(f"{API}/tournaments/8/rounds/1/universe").json()["ids"] == IDS
    tried = ada.post(f"{API}/submissions/validate", content=upload(), headers={"Content-Type": "text/csv"}).json()
    assert (tried["accepted"], tried["errors"]) == (True, [])
    sent = ada.post(f"{API}/models/ada-1/submissions?trigger_id=t9", files={"file": ("my live.csv", upload())})
    assert sent.status_code == 201
    assert {"filename": "my-live.csv", "trigger_id": "t9", "selected": True}.items() <= sent.json().items()
    id = sent.json()["id"]
    assert ada.get(f"{API}/models/ada-1/submissions").json()["items"] == [sent.json()]
    assert ada.get(f"{API}/submissions/{id}").json() == sent.json()
    file = ada.get(f"{API}/submissions/{id}/file")
    assert (file.content, file.headers["content-disposition"]) == (upload(), 'attachment; filename="my-live.csv"')


def test_a_file_is_put_behind_a_link_without_a_token_and_handed_in(asked: Asked) -> None:
    slot = asked("ada").post(f"{API}/uploads", json={"filename": "live.parquet", "model": "ada-1"}).json()
    url = urlsplit(slot["url"])
    put = asked().put(f"{url.path}?{url.query}", content=upload())
    assert (put.status_code, put.content) == (200, b"")
    ref = {"upload_id": slot["upload_id"], "trigger_id": "t1"}
    first, again = (asked("ada").post(f"{API}/models/ada-1/submissions", json=ref) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    stolen = asked("bob").post(f"{API}/models/bob-1/submissions", json=ref)
    assert code(stolen) == "not_uploaded"


def test_everything_that_is_wrong_with_a_file_is_said_with_its_row(asked: Asked) -> None:
    wrong = upload().replace(b"\ni03,", b"\ni04,", 1) + b"i05,7\n"
    sent = asked("ada").post(f"{API}/models/ada-1/submissions", content=wrong, headers={"Content-Type": "text/csv"})
    assert code(sent) == "invalid_submission_ids"
    assert sent.json()["detail"].startswith("invalid_submission_ids: Duplicates detected in id for live period.")
    errors = sent.json()["errors"]
    assert {error["code"] for error in errors} == {"invalid_submission_ids", "invalid_submission_values"}
    assert 6 in {error["row"] for error in errors}


def test_outside_the_window_current_says_when_the_next_one_opens(asked: Asked) -> None:
    asked.clock.now = START
    answer = asked().get(f"{API}/tournaments/8/rounds/current")
    assert (answer.status_code, code(answer)) == (404, "round_not_open")
    assert answer.json()["detail"] == "Current round not open for submissions"
    assert answer.json()["next_open_time"] == "2026-01-10T12:00:00Z"
    sent = asked("ada").post(f"{API}/models/ada-1/submissions", content=upload())
    assert (sent.status_code, sent.json()["detail"]) == (409, "Current round not open for submissions")


def test_what_has_not_changed_is_not_sent_again(asked: Asked) -> None:
    first = asked().get(f"{API}/tournaments/8/rounds")
    tag = first.headers["etag"]
    assert first.headers["cache-control"].startswith("public, max-age=")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = asked().get(f"{API}/tournaments/8/rounds", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert asked().get(f"{API}/tournaments/8/rounds", headers={"If-None-Match": '"other"'}).status_code == 200
    assert asked("ada").get(f"{API}/account").headers["cache-control"] == "private, no-store"


def test_a_list_is_read_page_by_page_without_a_gap(asked: Asked) -> None:
    seen, url = [], f"{API}/tournaments/8/rounds?limit=1"
    while url:
        answer = asked().get(url)
        seen += [item["number"] for item in answer.json()["items"]]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
        assert bool(url) == (answer.json()["next_cursor"] is not None)
    assert seen == [2, 1]
    for cursor in ("x", "W10", "WzEyMzRd", "%00", "é"):
        assert code(asked().get(f"{API}/tournaments/8/rounds", params={"cursor": cursor})) == "bad_cursor"
    for limit in ("0", "201", "x"):
        assert code(asked().get(f"{API}/tournaments/8/rounds?limit={limit}")) == "bad_request"


def test_a_question_with_a_key_is_done_once(asked: Asked) -> None:
    ada, key, url = asked("ada"), {"Idempotency-Key": "k1"}, f"{API}/models/ada-1/stake/changes"
    assert code(ada.post(url, json={"type": "increase", "amount": "5"})) == "idempotency_missing"
    for bad in ("", "with space", "x" * 65):
        answer = ada.post(url, json={"type": "increase", "amount": "5"}, headers={"Idempotency-Key": bad})
        assert code(answer) == "idempotency_missing"
    first, again = (ada.post(url, json={"type": "increase", "amount": "5"}, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert ada.get(f"{API}/account").json()["wallet"] == "895"
    other = ada.post(url, json={"type": "increase", "amount": "6"}, headers=key)
    assert code(other) == "idempotency_mismatch"
    bob = asked("bob").post(f"{API}/models/bob-1/stake/changes", json={"type": "increase", "amount": "6"}, headers=key)
    assert bob.status_code == 201


def test_a_refusal_is_repeated_as_it_was(asked: Asked) -> None:
    ada, key, url = asked("ada"), {"Idempotency-Key": "k1"}, f"{API}/models/ada-1/stake/changes"
    first, again = (ada.post(url, json={"type": "increase", "amount": "5000"}, headers=key) for _ in range(2))
    assert (code(first), code(again)) == ("overdrawn", "overdrawn")
    assert first.status_code == again.status_code == 409
    assert again.headers["idempotency-replayed"] == "true"


def test_the_secret_of_a_token_is_shown_once_and_not_kept_for_a_repeated_question(asked: Asked) -> None:
    said = {"name": "laptop", "scopes": ["stake"], "expires_at": "2026-02-01T00:00:00Z"}
    ada, key = asked("ada"), {"Idempotency-Key": "k1"}
    first, again = (ada.post(f"{API}/account/tokens", json=said, headers=key).json() for _ in range(2))
    assert first["secret"]
    assert again == first | {"secret": None}
    listed = ada.get(f"{API}/account/tokens").json()["items"]
    assert "secret" not in listed[0]
    assert ada.delete(f"{API}/account/tokens/{first['public_id']}").json()["revoked_at"]
    gone = asked().get(f"{API}/account", headers={"Authorization": f"Bearer {first['public_id']}.{first['secret']}"})
    assert (gone.status_code, gone.headers["www-authenticate"]) == (401, "Bearer")


def test_a_stake_is_set_only_if_it_is_as_it_was_seen(asked: Asked) -> None:
    ada, url = asked("ada"), f"{API}/models/ada-1/stake"
    seen = ada.get(url)
    first = ada.put(url, json={"amount": "150"}, headers={"If-Match": seen.headers["etag"]})
    assert (first.status_code, first.json()["pending_increase"]) == (200, "150")
    late = ada.put(url, json={"amount": "160"}, headers={"If-Match": seen.headers["etag"]})
    assert (late.status_code, code(late)) == (412, "changed_meanwhile")
    change = first.json()["changes"][0]["id"]
    assert ada.delete(f"{url}/changes/{change}").json()["status"] == "cancelled"
    chosen = ada.put(f"{url}/settings", json={"corr_multiplier": 1.0, "mmc_multiplier": 0.5}).json()
    assert (chosen["corr_multiplier"], chosen["mmc_multiplier"]) == (1.0, 0.5)
    assert code(ada.put(url, json={"amount": "1e3"})) == "bad_amount"
    assert code(ada.put(url, json={"amount": 12.5})) == "bad_request"


def test_a_model_is_made_described_and_found_by_its_name(asked: Asked) -> None:
    ada = asked("ada")
    made = ada.post(f"{API}/models", json={"name": "new one"})
    assert made.status_code == 201
    url = f"{API}/models/{made.json()['id']}"
    changed = ada.patch(url, json={"bio": "b", "webhook": "https://example.org/x", "name": "newer"}).json()
    assert (changed["bio"], changed["name"], changed["webhook"]) == ("b", "newer", "https://example.org/x")
    seen = asked().get(f"{API}/profiles/models/8/NEWER").json()
    assert seen == changed | {"webhook": None}
    assert {one["name"] for one in asked().get(f"{API}/profiles/accounts/ada").json()["items"]} == {"ada_one", "newer"}
    assert code(ada.post(f"{API}/models", json={"name": "Newer"})) == "id_taken"
    assert code(ada.post(f"{API}/models", json={"name": "x", "colour": "red"})) == "bad_request"


def test_who_asks_too_often_is_told_how_long_to_wait(asked: Asked) -> None:
    asked.app.state.limits = limits = Limits(clock=lambda: 0.0)
    first = asked().get("/api/v1/tournaments")
    assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= first.headers.keys()
    while limits.take("testclient").remaining:
        pass
    answer = asked().get("/api/v1/tournaments")
    assert (answer.status_code, code(answer), answer.headers["retry-after"]) == (429, "rate_limited", "1")
    assert asked("ada").get("/api/v1/account").status_code == 200
    assert asked().get("/health/live").status_code == 200


def test_a_bucket_fills_at_its_rate() -> None:
    now = [0.0]
    limits, rate = Limits(clock=lambda: now[0]), Rate(burst=2, per_second=0.5)
    assert [limits.take("a", rate).remaining for _ in range(2)] == [1, 0]
    with pytest.raises(Exception, match="Try again in 2 s"):
        limits.take("a", rate)
    assert limits.take("b", rate).remaining == 1
    now[0] = 2.0
    assert limits.take("a", rate).remaining == 0


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/account/tokens", 2**20 + 1, 413), ("/models/ada-1/submissions", 2**20 + 1, 422), ("/uploads", 2**20 + 1, 413)],
)
def test_a_body_is_no_larger_than_its_purpose_needs(asked: Asked, path: str, size: int, status: int) -> None:
    answer = asked("ada").post(f"{API}{path}", content=b"x" * size, headers={"Content-Type": "text/plain"})
    assert answer.status_code == status
    chunked = asked("ada").post(f"{API}{path}", content=(b"x" * 2**16 for _ in range(size // 2**16 + 1)))
    assert chunked.status_code == status


def test_every_answer_has_the_headers_that_keep_browsers_safe(asked: Asked) -> None:
    for path in ("/api/v1/tournaments", "/api/v1/nothing", "/health/live", "/nowhere"):
        headers = asked().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_what_is_not_there_and_what_cannot_be_done_are_problems_too(asked: Asked) -> None:
    assert code(asked().get("/api/v1/nothing")) == "not_found"
    assert code(asked().delete("/api/v1/tournaments")) == "method_not_allowed"
    for path in ("tournaments/9", "tournaments/8/rounds/77", "models/nobody", "profiles/models/8/nobody"):
        assert code(asked().get(f"{API}/{path}")) == "unknown"
    assert code(asked().get(f"{API}/models/a%00b")) in ("unknown", "unstorable")


def test_a_fault_of_ours_is_told_without_a_word_of_it(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked.service.rounds, "all", lambda *args: 1 / 0)
    answer = asked().get(f"{API}/tournaments/8/rounds")
    assert (answer.status_code, code(answer)) == (500, "internal")
    assert "division" not in answer.text


def test_numbers_for_the_operator_name_routes_and_nobody(asked: Asked) -> None:
    asked("ada").get(f"{API}/models/ada-1/stake")
    text = asked().get("/metrics").text
    assert 'crowdalpha_requests_total{method="GET",route="/api/v1/models/{model}/stake",status="200"} 1.0' in text
    assert "ada" not in text
    assert asked().get("/health/ready").json() == {"status": "ok", "store": True, "clock": None}


def test_results_are_public_in_three_forms(finished: Asked) -> None:
    url = f"{API}/models/ada-1/scores"
    rows = finished().get(url).json()["items"]
    assert {(row["day"], row["metric"]) for row in rows} >= {(4, "corr"), (4, "mmc2"), (1, "corr")}
    assert [row["final"] for row in finished().get(f"{url}?latest=true&metric=corr").json()["items"]] == [True]
    assert finished().get(f"{url}?resolved=false").json()["items"] == []
    text = finished().get(url, headers={"Accept": "text/csv"}).text.splitlines()
    assert (text[0], len(text)) == ("round,day,date,metric,value,percentile,final,resolved", len(rows) + 1)
    table = pq.read_table(io.BytesIO(finished().get(url, headers={"Accept": "application/vnd.apache.parquet"}).content))
    assert table.column("value").to_pylist() == [row["value"] for row in rows]
    [round] = finished().get(f"{API}/models/ada-1/performances").json()["items"]
    assert (round["at_risk"], round["stage"]) == ("100", "resolved")
    [payout] = finished("ada").get(f"{API}/account/payouts").json()["items"]
    assert payout["paid"] == round["paid"]


def test_the_leaderboard_names_models_or_accounts(finished: Asked) -> None:
    board = finished().get(f"{API}/tournaments/8/leaderboard?metric=corr&limit=2").json()
    assert [line["rank"] for line in board["lines"]] == [1, 2]
    assert {line["name"] for line in board["lines"]} < {"ada_one", "bob_one", "cy_one"}
    assert (board["first_round"], board["last_round"]) == (1, 1)
    rest = (
        finished()
        .get(f"{API}/tournaments/8/leaderboard", params={"metric": "corr", "limit": 2, "cursor": board["next_cursor"]})
        .json()
    )
    assert ([line["rank"] for line in rest["lines"]], rest["next_cursor"]) == ([3], None)
    accounts = finished().get(f"{API}/tournaments/8/leaderboard?metric=corr&by=account").json()["lines"]
    assert {line["name"] for line in accounts} == {"ada", "bob", "cy"}
    assert code(finished().get(f"{API}/tournaments/8/leaderboard?metric=luck")) == "not_scored"


def test_the_description_has_every_operation_its_scope_and_its_problems(asked: Asked) -> None:
    document = asked().get(f"{API}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            assert operation["description"], (verb, path)
            if "security" in operation:
                assert operation["x-scope"] in PARTICIPANT
            if path.startswith(API):
                assert list(operation["responses"]["4XX"]["content"]) == ["application/problem+json"]


def test_the_clock_ticks_while_the_app_runs_and_ends_with_it(service: Service) -> None:
    from starlette.testclient import TestClient

    from crowdalpha.server.app import create_app

    service.office.clock.now = weekly(1).close_time  # type: ignore[attr-defined]
    app = create_app(service, every=0.01)
    with TestClient(app) as client:
        while client.get("/api/v1/tournaments/8/rounds/1").json()["stage"] != "closed":
            pass
        assert client.get("/health/ready").json()["clock"] is True
    assert not app.state.clock.alive
    assert service.rounds.one(service_caller(service), 1).progress.stage == "closed"


def service_caller(service: Service) -> Any:
    from contests import caller

    return caller("ada", OPEN)
