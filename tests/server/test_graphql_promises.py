"""What clients of GraphQL rely on: each of these broke one when it was left out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from inspect import signature
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from contests import COIN, IDS, OPEN, START, Asked, target, upload, weekly
from graphql import get_introspection_query

from crowdalpha.server.callers import PARTICIPANT
from crowdalpha.server.graphql import http
from crowdalpha.server.graphql.asked import ANSWERS, snake
from crowdalpha.server.graphql.tolerant import schema
from crowdalpha.server.limits import ASKING, Limits

Ask = Callable[..., Any]
UPLOAD = "query($f: String!, $m: String) { submission_upload_auth(filename: $f, modelId: $m) { filename url } }"
CREATE = """mutation($f: String!, $m: String, $t: String) {
  create_submission(filename: $f, modelId: $m, triggerId: $t, source: "numerapi") { id filename }
}"""
SENT = """query($m: String) { submissions(modelId: $m) {
  id filename insertedAt selected status triggerId round { tournament number }
} }"""


def answer(client: Any, query: str, path: str = "/", **variables: Any) -> Any:
    """The answer, which comes with 200 whatever it says."""
    found = client.post(path, json={"query": query, "variables": variables or None})
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "application/json"
    return found.json()


def data(client: Any, query: str, path: str = "/", **variables: Any) -> Any:
    said = answer(client, query, path, **variables)
    assert "errors" not in said, said
    return said["data"]


def refused(client: Any, query: str, path: str = "/", **variables: Any) -> tuple[str, str]:
    """The one error: its code and its words."""
    said = answer(client, query, path, **variables)
    assert len(said["errors"]) == 1
    return said["errors"][0]["extensions"]["code"], said["errors"][0]["message"]


def put(asked: Asked, account: str, content: bytes, model: str | None = None, filename: str = "my live.csv") -> str:
    """Put a file behind a link, as clients do: without a token; returns what it is called from then on."""
    slot = data(asked(account), UPLOAD, f=filename, m=model)["submission_upload_auth"]
    url = urlsplit(slot["url"])
    assert asked().put(f"{url.path}?{url.query}", content=content).status_code == 200
    return str(slot["filename"])


def create(asked: Asked, account: str, content: bytes, model: str | None = None, trigger: str | None = None) -> Any:
    name = put(asked, account, content, model)
    return data(asked(account), CREATE, f=name, m=model, t=trigger)["create_submission"]


# 1, 2: everything is 200, and errors are there only when something went wrong


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "query { nothing }"},
        {"query": "query { rounds { nothing } }"},
        {"query": "query($n: [Int]) { rounds(number: $n) { number } }"},
        {"query": ""},
        {"query": "query { rounds(number: 0) { number } }", "variables": [1]},
        {"query": None},
        {},
        [],
        "query",
        {"query": "query { account { id } }"},
        {"query": "query($n: Int) { rounds(number: $n) { number } }", "variables": {"n": "one"}},
        {"query": "subscription { rounds { number } }"},
    ],
)
def test_what_can_be_parsed_is_answered_with_200_and_one_error(asked: Asked, body: Any) -> None:
    found = asked().post("/graphql", json=body)
    assert found.status_code == 200
    [error] = found.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"]


def test_only_what_is_no_json_or_far_too_large_is_answered_with_another_status(asked: Asked) -> None:
    for nonsense in (b"{", b"", b"[" * 100_000, b"\xff"):
        found = asked().post("/", content=nonsense)
        assert (found.status_code, found.json()["errors"][0]["message"]) == (400, "The body is not JSON.")
    assert asked().post("/", content=b" " * (2**20 + 1)).status_code == 413


def test_an_answer_without_errors_does_not_name_them(asked: Asked) -> None:
    assert answer(asked(), "{ rounds(number: 0) { number } }") == {"data": {"rounds": [{"number": 1}]}}


def test_the_first_error_ends_the_operation_and_is_the_only_one(asked: Asked) -> None:
    said = answer(asked(), "{ a: account { id } b: account { id } rounds(number: 99, tournament: 4) { number } }")
    assert said["data"] is None
    assert [error["message"] for error in said["errors"]] == ["Your session is invalid or has expired."]


def test_what_follows_a_change_that_is_refused_is_not_done(asked: Asked) -> None:
    query = 'mutation { setUserLink(linkUrl: "nowhere") setUserBio(value: "x") }'
    assert refused(asked("ada"), query)[0] == "bad_link_url"
    assert data(asked(), '{ v3UserProfile(modelName: "ada_one") { bio } }') == {"v3UserProfile": {"bio": None}}


def test_a_fault_of_ours_is_written_down_and_not_told(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(asked.service.rounds, "all", broken)
    with caplog.at_level(logging.ERROR):
        code, words = refused(asked(), "{ rounds { number } }")
    assert (code, "swordfish" in words, "swordfish" in caplog.text) == ("internal", False, True)


# 3, 4: how values are written


def test_amounts_are_texts_with_18_decimals_and_scores_are_numbers(finished: Asked) -> None:
    ada = finished("ada")
    account = data(ada, "{ account { availableNmr models { stakeValue } walletTxns { amount } } }")["account"]
    assert account["availableNmr"] == "900.000000000000000000"
    assert all(move["amount"].partition(".")[2].isdigit() for move in account["walletTxns"])
    rows = data(ada, 'query { submissionScores(modelId: "ada-1") { value percentile day } }')["submissionScores"]
    assert len(rows) == 8
    assert all(isinstance(row["value"], float) and 0 <= row["percentile"] <= 1 for row in rows)
    query = """{ v2RoundModelPerformances(modelId: "ada-1") { atRisk roundPayoutFactor corrMultiplier
        submissionScores { displayName payoutPending payoutSettled value } } }"""
    [done] = data(ada, query)["v2RoundModelPerformances"]
    assert (done["atRisk"], done["roundPayoutFactor"]) == ("100.000000000000000000", "1.0")
    settled = [score["payoutSettled"] for score in done["submissionScores"]]
    assert sum(isinstance(amount, str) for amount in settled) == 1
    paid = data(ada, "{ pendingModelPayouts { actual { payoutNmr roundResolveTime } pending { roundNumber } } }")
    assert [one["payoutNmr"] for one in paid["pendingModelPayouts"]["actual"]] == [a for a in settled if a]
    assert data(ada, "{ rounds(number: 1) { stakeThreshold payoutFactor } }")["rounds"] == [
        {"stakeThreshold": None, "payoutFactor": "1.0"}
    ]


def test_times_are_in_utc_to_the_second_and_days_are_days(finished: Asked) -> None:
    query = "{ rounds(number: 1) { openTime closeTime } pendingModelPayouts { actual { roundResolveTime } } }"
    found = data(finished("ada"), query)
    assert found["rounds"] == [{"openTime": "2026-01-10T12:00:00Z", "closeTime": "2026-01-12T12:00:00Z"}]
    assert found["pendingModelPayouts"]["actual"] == [{"roundResolveTime": "2026-01-16"}]


def test_there_is_no_nan(asked: Asked) -> None:
    """Nobody has a stake in the round that is scored, so no model has a contribution."""
    engine = asked.service.engine
    engine.add_model("new-1", "ada", "newcomer", START)
    engine.submit("s", "new-1", upload(), OPEN)
    for day in (None, 1, 2, 3):
        engine.set_target(1, day, target(1))
    engine.tick(weekly(1).resolve_time)
    asked.clock.now = weekly(1).resolve_time
    query = '{ submissionScores(modelId: "new-1", displayName: "mmc2") { value percentile } v2Leaderboard { mmc } }'
    found = data(asked(), query)
    assert found["submissionScores"] == [{"value": None, "percentile": None}] * 4
    assert {line["mmc"] for line in found["v2Leaderboard"]} == {None}


# 5, 6, 7: lists, profiles, the current round, permission


def test_lists_are_never_null_and_unknown_profiles_are_errors(asked: Asked) -> None:
    ada = asked("ada")
    empty = """{ rounds(number: 99) { number } pendingModelPayouts { actual { roundNumber } pending { roundNumber } }
        submissionScores(modelId: "ada-1") { day } v2RoundModelPerformances(modelId: "ada-1") { roundNumber }
        submissions(modelId: "ada-1") { id } computePickleDataVersions { name } }"""
    found = data(ada, empty)
    assert found.pop("pendingModelPayouts") == {"actual": [], "pending": []}
    assert set(map(str, found.values())) == {"[]"}
    assert all(one["roundScoreConfigs"] for one in data(ada, "{ rounds { roundScoreConfigs { name } } }")["rounds"])
    for query in ('v3UserProfile(modelName: "x")', 'v2SignalsProfile(modelName: "x")', 'accountProfile(username: "x")'):
        assert refused(ada, f"{{ {query} {{ id }} }}")[0] == "unknown"
    assert refused(ada, '{ submissionScores(modelId: "x") { day } }')[0] == "unknown"


def test_without_an_open_round_the_text_is_the_one_that_clients_know(asked: Asked) -> None:
    asked.clock.now = START
    code, words = refused(asked(), "{ rounds(tournament: 8, number: 0) { number } }")
    assert (code, words) == ("round_not_open", "Current round not open for submissions")
    name = put(asked, "ada", upload())
    assert refused(asked("ada"), CREATE, f=name)[1] == "Current round not open for submissions"


PRIVATE = {
    "{ account { id } }": "read_user_info",
    "{ pendingModelPayouts { actual { roundNumber } } }": "read_user_info",
    '{ submissions(modelId: "ada-1") { id } }': "read_submission_info",
    '{ model(modelId: "ada-1") { name submissions { id } } }': "read_submission_info",
    '{ submissionUploadAuth(filename: "a.csv", modelId: "ada-1") { url } }': "upload_submission",
    '{ submissionUploadSignalsAuth(filename: "a.csv", modelId: "ada-1") { url } }': "upload_submission",
    '{ submissionDownloadAuth(id: "mine") { url } }': "download_submission",
    'mutation { createSubmission(filename: "a.csv", modelId: "ada-1") { id } }': "upload_submission",
    'mutation { createSignalsSubmission(filename: "a.csv", modelId: "ada-1") { id } }': "upload_submission",
    'mutation { v2ChangeStake(value: "1", type: "increase", modelId: "ada-1") { id } }': "stake",
    'mutation { releaseStake(drain: true, modelId: "ada-1") { id } }': "stake",
    'mutation { setUserBio(value: "x", modelId: "ada-1") }': "upload_submission",
    'mutation { setUserLink(linkUrl: "https://example.org", modelId: "ada-1") }': "upload_submission",
    'mutation { setSubmissionWebhook(modelId: "ada-1") }': "upload_submission",
    'mutation { triggerModelWebhook(modelId: "ada-1") }': "upload_submission",
    '{ model(modelId: "ada-1") { refusedSubmissions { id } } }': "read_submission_info",
    "{ account { deliveries { id } } }": "read_user_info",
    '{ diagnosticsUploadAuth(filename: "a.csv", modelId: "ada-1") { url } }': "upload_submission",
    '{ diagnostics(modelId: "ada-1") { status } }': "read_submission_info",
    'mutation { createDiagnostics(filename: "a.csv", modelId: "ada-1") { id } }': "upload_submission",
    'mutation { deleteDiagnostics(id: "none") { id } }': "upload_submission",
}
"""What is not for everybody, and the scope it takes."""


PUBLIC = {
    "accountLeaderboard", "accountProfile", "computePickleDataVersions", "computePickleDockerImages",
    "cryptosignalsLeaderboard", "dataset", "latestNmrPrice", "listDatasets", "pipelineStatus", "rounds",
    "signalsLeaderboard", "submissionScores", "tournaments", "v2Leaderboard", "v2RoundModelPerformances",
    "v2SignalsProfile", "v3UserProfile",
}  # fmt: skip
"""What everybody may ask."""


def test_every_field_is_for_everybody_or_in_the_table_of_what_is_not() -> None:
    roots = [root for root in (schema().query_type, schema().mutation_type) if root is not None]
    fields = {name for root in roots for name in root.fields}
    private = {name for name in fields if any(f" {name}(" in query or f" {name} " in query for query in PRIVATE)}
    assert fields - private == PUBLIC


@pytest.mark.parametrize("query", PRIVATE)
def test_what_is_private_is_refused_to_nobody_to_others_and_without_its_scope(asked: Asked, query: str) -> None:
    asked.service.engine.submit("mine", "ada-1", upload(), OPEN)
    expired = "Your session is invalid or has expired."
    assert refused(asked(), query) == ("session_not_found", expired)
    wrong = asked().post("/", json={"query": query}, headers={"Authorization": "Token ada$wrong"})
    assert wrong.json()["errors"][0]["message"] == expired
    less = asked("ada", PARTICIPANT - {PRIVATE[query]})
    assert refused(less, query) == ("forbidden", f"Insufficient permission for {PRIVATE[query]}")
    if "ada-1" in query or "mine" in query:
        assert refused(asked("bob"), query)[0] in ("not_yours", "unknown")


def test_a_wrong_token_is_refused_where_none_is_needed(asked: Asked) -> None:
    found = asked().post("/", json={"query": "{ rounds { number } }"}, headers={"Authorization": "Token a$b"})
    assert (found.status_code, found.json()["errors"][0]["extensions"]["code"]) == (200, "session_not_found")


# 8, 9: files


def test_a_submission_of_a_file_that_never_came_is_refused(asked: Asked) -> None:
    slot = data(asked("ada"), UPLOAD, f="live.csv")["submission_upload_auth"]
    assert refused(asked("ada"), CREATE, f=slot["filename"])[0] == "not_uploaded"
    assert refused(asked("ada"), CREATE, f="../../master.secret")[0] == "not_uploaded"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"i,p\n",
            "headers must be one of ['id'] and one of ['prediction', 'probability']",
        ),
        (upload().replace(b"i39", b"i38"), "invalid_submission_ids: Duplicates detected in id for live period."),
        (upload(ids=IDS[1:]), "invalid_submission_ids: Not enough stocks submitted."),
        (upload().replace(b"i05,0.", b"i05,7."), "invalid_submission_values: values must be between 0 and 1 exclusive"),
    ],
)
def test_a_bad_file_is_refused_in_the_words_that_participants_know(asked: Asked, content: bytes, words: str) -> None:
    name = put(asked, "ada", content)
    assert words in refused(asked("ada"), CREATE, f=name)[1]
    assert data(asked("ada"), SENT, m="ada-1")["submissions"] == []


def test_a_link_takes_one_file_and_nothing_else_and_again_until_it_is_used(asked: Asked) -> None:
    slot = data(asked("ada"), UPLOAD, f="live.csv")["submission_upload_auth"]
    url = urlsplit(slot["url"])
    path = f"{url.path}?{url.query}"
    assert asked().put(path, content=b"id,prediction\n").status_code == 200
    assert asked().put(path, content=upload()).status_code == 200
    assert asked().put(path.replace("live-", "life-"), content=upload()).status_code == 403
    assert asked().get(path).status_code in (404, 405)
    assert data(asked("ada"), CREATE, f=slot["filename"])["create_submission"]["filename"] == slot["filename"]
    asked.clock.now += timedelta(hours=2)
    assert asked().put(path, content=upload()).status_code == 403


def test_a_submission_made_twice_of_one_file_is_one(asked: Asked) -> None:
    name = put(asked, "ada", upload())
    first, again = (data(asked("ada"), CREATE, f=name)["create_submission"]["id"] for _ in range(2))
    assert first == again
    assert len(data(asked("ada"), SENT)["submissions"]) == 1


def test_a_submission_is_downloaded_whole_in_part_and_by_nobody_without_its_link(asked: Asked) -> None:
    made = create(asked, "ada", upload())
    query = "query($id: String) { submissionDownloadAuth(id: $id) { filename url } }"
    link = data(asked("ada"), query, id=made["id"])["submissionDownloadAuth"]
    assert "/" not in link["filename"]
    url = urlsplit(link["url"])
    path = f"{url.path}?{url.query}"
    whole = asked().get(path, headers={"Accept-Encoding": "gzip"})
    assert (whole.status_code, whole.content) == (200, upload())
    assert whole.headers["content-length"] == str(len(upload()))
    assert "content-encoding" not in whole.headers
    head = asked().head(path)
    assert (head.status_code, head.headers["etag"], head.content) == (200, whole.headers["etag"], b"")
    part = asked().get(path, headers={"Range": "bytes=7-"})
    assert (part.status_code, part.content) == (206, upload()[7:])
    assert part.headers["content-range"] == f"bytes 7-{len(upload()) - 1}/{len(upload())}"
    assert asked().get(path, headers={"Range": "bytes=2-5"}).content == upload()[2:6]
    assert asked().get(path, headers={"Range": "bytes=-5"}).content == upload()[-5:]
    assert asked().get(path, headers={"Range": "bytes=99999-"}).status_code == 416
    assert asked().get(path.replace("signature=", "signature=0")).status_code == 403
    assert asked().get(url.path).status_code == 403
    asked.clock.now += timedelta(hours=2)
    assert asked().get(path).status_code == 403


def test_the_files_of_rounds_and_of_the_operator_are_datasets(asked: Asked) -> None:
    folder = asked.service.settings.folder / "datasets" / "v1"
    folder.mkdir(parents=True)
    (folder / "train.parquet").write_bytes(b"PAR1")
    (folder / ".hidden").write_bytes(b"")
    (folder / "secret").symlink_to(asked.service.settings.secret)
    assert data(asked(), "{ listDatasets }")["listDatasets"] == [
        "live.parquet",
        "live_1.parquet",
        "v1/train.parquet",
    ]
    query = "query($f: String!, $r: Int) { dataset(filename: $f, round: $r) }"
    for name in ("live.parquet", "live_1.parquet"):
        url = urlsplit(data(asked(), query, f=name)["dataset"])
        found = asked().get(f"{url.path}?{url.query}")
        assert pq.read_table(BytesIO(found.content)).to_pydict() == {"id": IDS}
        part = asked().get(f"{url.path}?{url.query}", headers={"Range": "bytes=4-"})
        assert (part.status_code, part.content) == (206, found.content[4:])
    url = urlsplit(data(asked(), query, f="v1/train.parquet")["dataset"])
    assert asked().get(f"{url.path}?{url.query}").content == b"PAR1"
    for name in ("../master.secret", "v1/secret", "v1/.hidden", "live_2.parquet", "", "v1"):
        assert refused(asked(), query, f=name)[0] == "unknown"


# 10, 11, 12: what submissions say


def test_one_submission_of_a_model_counts_and_all_say_what_clients_look_at(asked: Asked) -> None:
    first = create(asked, "ada", upload(1), trigger="t1")
    asked.clock.now += timedelta(seconds=1, microseconds=400)
    second = create(asked, "ada", upload(2))
    found = data(asked("ada"), SENT, m="ada-1")["submissions"]
    assert [(one["id"], one["selected"], one["triggerId"]) for one in found] == [
        (second["id"], True, None),
        (first["id"], False, "t1"),
    ]
    assert found[0]["insertedAt"] == "2026-01-10T13:00:01Z"
    assert all(one["round"] == {"tournament": 8, "number": 1} and "/" not in one["filename"] for one in found)
    mine = data(asked("ada"), "{ model { latestSubmissions { id } } }")["model"]["latestSubmissions"]
    assert mine == [{"id": second["id"]}]


def test_a_late_file_waits_for_the_next_round_and_counts_there(asked: Asked) -> None:
    asked.service.engine.tick(weekly(1).close_time)
    asked.clock.now = weekly(1).close_time + timedelta(hours=1)
    made = create(asked, "ada", upload())
    [waits] = data(asked("ada"), SENT)["submissions"]
    assert (waits["id"], waits["status"], waits["round"]["number"]) == (made["id"], "queued", 1)
    asked.service.engine.tick(weekly(2).close_time)
    asked.clock.now = weekly(2).close_time
    counted, late = data(asked("ada"), SENT)["submissions"]
    assert (counted["round"]["number"], counted["selected"], counted["status"]) == (2, True, "on_time")
    assert (late["id"], late["status"], counted["filename"]) == (made["id"], "late", made["filename"])


def test_who_has_one_model_need_not_name_it_and_who_has_more_is_asked(asked: Asked) -> None:
    assert data(asked("ada"), "{ model { id } }") == {"model": {"id": "ada-1"}}
    asked.service.engine.add_model("ada-2", "ada", "ada_two", START)
    for query in ("{ model { id } }", "{ submissions { id } }", 'mutation { setUserBio(value: "x") }'):
        assert refused(asked("ada"), query)[0] == "several_models"


# 13: bounds


def test_an_operation_is_bounded_in_words_depth_and_things_at_once(asked: Asked) -> None:
    assert len(data(asked(), get_introspection_query())["__schema"]["types"]) > 20
    rounds = " ".join(f"r{n}: rounds(number: {n}) {{ number }}" for n in range(1, 31))
    assert len(data(asked(), f"{{ {rounds} }}")) == 30
    for query in (
        f"{{ {rounds} r31: rounds {{ number }} }}",
        f"fragment F on Query {{ {rounds} }} {{ ...F rounds {{ number }} }}",
        "{ " * 500 + "a" + " }" * 500,
        "{ " + "rounds { " * 11 + "number" + " }" * 12,
        "{ " + "rounds(number: 1) { number } " * 400 + " }",
        "query {" + "#" * 100_000 + "}",
        "fragment F on Query { ...F } { ...F }",
    ):
        assert refused(asked(), query)[0] == "bad_request"


def test_fragments_are_as_deep_as_what_they_stand_for() -> None:
    from graphql import build_schema, parse, validate

    from crowdalpha.server.catalogue import Refusal
    from crowdalpha.server.graphql.bounds import require_within

    small = build_schema("type Query { q: Query n: Int }")
    deep = (
        "fragment A on Query { q { q { q { q { ...B } } } } } fragment B on Query { q { q { q { q { q { n } } } } } }"
    )
    document = parse(f"{deep} {{ ...A }}")
    assert not validate(small, document)
    require_within(document)
    with pytest.raises(Refusal, match="11 levels"):
        require_within(parse(f"{deep} {{ q {{ ...A }} }}"))


def test_who_asks_too_often_is_told_so_with_200(asked: Asked) -> None:
    asked.app.state.limits = Limits(lambda: 0.0)
    for _ in range(ASKING.burst):
        asked.app.state.limits.take("testclient")
    code, words = refused(asked(), "{ rounds { number } }")
    assert (code, words.startswith("Too many requests.")) == ("rate_limited", True)


def test_an_answer_that_takes_too_long_is_given_up(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE", -1.0)
    assert refused(asked(), "{ rounds { number } }")[0] == "busy"


def test_what_is_remembered_of_texts_is_bounded() -> None:
    from crowdalpha.server.graphql import tolerant

    before = tolerant._kept.cache_info().currsize
    tolerant.document_of("{ rounds { number } }" + " " * tolerant.SHORT)
    assert tolerant._kept.cache_info().currsize == before


# how it is spelt, and where it is asked


def test_every_argument_of_the_schema_is_taken_by_what_answers() -> None:
    for root in (schema().query_type, schema().mutation_type):
        assert root is not None
        for name, field in root.fields.items():
            answer = ANSWERS[f"{root.name}.{name}"].__wrapped__  # type: ignore[attr-defined]
            taken = signature(answer).parameters
            wanted = {snake(argument) for argument in field.args} - {"tournament", "tournament_number"}
            assert wanted <= taken.keys() or "_" in taken, name


def test_names_may_be_in_snake_case_and_are_answered_as_they_were_written(finished: Asked) -> None:
    found = data(finished(), "{ v2_leaderboard(limit: 1) { return_52_weeks corr20Rep mine: return_1_day } }")
    assert found["v2_leaderboard"][0].keys() == {"return_52_weeks", "corr20Rep", "mine"}
    tokens = data(finished("ada"), "{ account { apiTokens { public_id scopes } } }")["account"]["apiTokens"]
    assert all(token["public_id"] for token in tokens)


@pytest.mark.parametrize("given", ["Str!", "String", "ID", "str"])
def test_types_of_variables_may_be_called_what_people_call_them(finished: Asked, given: str) -> None:
    query = f"query($m: {given}) {{ submissionScores(modelId: $m) {{ day }} }}"
    assert data(finished(), query, m="ada-1")["submissionScores"]
    if not given.endswith("!"):
        assert refused(finished(), query)[0] == "bad_request"


@pytest.mark.parametrize("given", ["Int!", "[String]", "Boolean", "RoundStatus", "Nothing"])
def test_nothing_else_is_tolerated(finished: Asked, given: str) -> None:
    query = f"query($m: {given}) {{ submissionScores(modelId: $m) {{ day }} }}"
    assert refused(finished(), query, m="ada-1")[0] == "bad_request"


def test_what_is_not_here_is_said_not_to_be_supported(asked: Asked) -> None:
    for query, name in (
        ("{ v3StakeConfig { address } }", "v3StakeConfig"),
        ("mutation { create_compute_pickle_upload { id } }", "create_compute_pickle_upload"),
    ):
        assert refused(asked("ada"), query) == ("not_supported", f"{name} is not supported by this server")


def test_get_answers_queries_and_changes_nothing(asked: Asked) -> None:
    found = asked().get(
        "/graphql", params={"query": "query($n: Int) { rounds(number: $n) { number } }", "variables": '{"n": 1}'}
    )
    assert found.json() == {"data": {"rounds": [{"number": 1}]}}
    assert asked().get("/", params={"query": "{ rounds(number: 0) { number } }"}).json()["data"]
    change = asked("ada").get("/", params={"query": 'mutation { setUserBio(value: "x") }'})
    assert "has to be sent with POST" in change.json()["errors"][0]["message"]
    assert asked().get("/", params={"query": "{ rounds { number } }", "variables": "{"}).status_code == 400


def test_a_tournament_that_is_not_here_is_unknown_wherever_it_is_named(asked: Asked) -> None:
    query = "query($t: Int) { rounds(tournament: $t) { number } }"
    for mine in (8, 1, 0, None):
        assert data(asked(), query, t=mine)["rounds"]
    assert refused(asked(), query, t=11) == ("unknown", "tournament 11 is not known")
    assert data(asked(), query, path="/t/8/graphql")["rounds"]
    assert refused(asked(), query, path="/t/11/graphql")[0] == "unknown"
    change = 'mutation { v2ChangeStake(value: "1", type: "increase", tournamentNumber: 11) { id } }'
    assert refused(asked("ada"), change)[0] == "unknown"


# stakes


def test_stakes_change_by_amounts_in_every_spelling(asked: Asked) -> None:
    query = """mutation($v: String!) { v2ChangeStake(value: $v, type: "increase") {
        dueDate requestedAmount status type } }"""
    spellings = {"1": COIN, "1.500000000000000000": 1_500_000_000, "1E-9": 1, "1E+1": 10 * COIN}
    for text, units in spellings.items():
        found = data(asked("ada"), query, v=text)["v2ChangeStake"]
        assert found["requestedAmount"] == f"{units // COIN}.{units % COIN:09d}000000000"
        assert (found["status"], found["type"], found["dueDate"]) == ("pending", "increase", "2026-01-12T12:00:00Z")
    assert refused(asked("ada"), query, v="1,000")[0] == "overdrawn"
    for nonsense in ("", "one", "NaN", "inf", "-1", "0", "1e999999999", "0.0000000001", "9" * 100):
        assert refused(asked("ada"), query, v=nonsense)[0] not in ("internal", "overdrawn")


def test_a_stake_is_taken_back_in_part_or_whole(asked: Asked) -> None:
    asked.service.engine.tick(weekly(1).close_time)
    asked.clock.now = weekly(1).close_time
    query = """mutation($d: bool!, $a: String) { releaseStake(drain: $d, amount: $a) {
        id type status requestedAmount drain dueDate } }"""
    assert refused(asked("bob"), query, d=False, a="x")[0] == "bad_amount"
    for drain, amount, kind, units in ((False, "2.5", "decrease", "2.5"), (True, "11000000", "drain", "100")):
        found = data(asked("bob"), query, d=drain, a=amount)["releaseStake"]
        assert (found["type"], found["drain"], found["dueDate"]) == (kind, drain, "2026-01-16T12:00:00Z")
        assert float(found["requestedAmount"]) == float(units)


def test_a_webhook_is_set_and_taken_away_and_its_answer_is_a_text(asked: Asked) -> None:
    query = """mutation($u: String) { setSubmissionWebhook(modelId: "ada-1", newSubmissionWebhook: $u) }"""
    for url in ("https://example.org/hook", None):
        assert data(asked("ada"), query, u=url) == {"setSubmissionWebhook": "true"}
        assert data(asked("ada"), "{ model { submissionWebhook } }")["model"]["submissionWebhook"] == url
    assert refused(asked("ada"), query, u="file:///etc/passwd")[0] == "bad_webhook"
