"""Predictions of past eras as clients hand them in and ask for them: by REST, by GraphQL, with the clock at work."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from contests import Asked, caller, target, upload
from pastime import publish_target
from starlette.testclient import TestClient

from crowdalpha.server.app import create_app
from crowdalpha.server.clock import Here
from crowdalpha.server.diagnostics import MOST_LYING
from crowdalpha.server.guards import most
from crowdalpha.storage.intake import DIAGNOSTICS, LIVE

API = "/api/v1"
LINK = "query($f: String!, $m: String){diagnosticsUploadAuth(filename: $f, tournament: 8, modelId: $m){filename url}}"
CREATE = "mutation($f: String!, $m: String){createDiagnostics(filename: $f, tournament: 8, modelId: $m){id}}"
FOUND = """query($id: String, $m: String!){diagnostics(id: $id, modelId: $m){
    id status message erasAcceptedCount validationCorrMean validationCorrSharpe validationMmcMean validationRicMean
    validationMaxDrawdown perEraDiagnostics{era validationCorr validationMmc}}}"""


def gql(client: TestClient, query: str, **variables: Any) -> Any:
    answer = client.post("/", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def test_rest_takes_a_file_at_once_and_says_where_to_ask(asked: Asked) -> None:
    publish_target(asked.service, target(1))
    ada = asked("ada")
    answer = ada.post(f"{API}/models/ada-1/diagnostics?filename=mine.csv", content=upload())
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    there = answer.headers["Location"]
    assert there == f"{API}/diagnostics/{answer.json()['id']}"
    assert ada.get(there).json()["eras"] == []
    asked.service.diagnostics.work()
    found = ada.get(there).json()
    assert (found["status"], found["eras"], found["message"]) == ("done", ["0001"], None)
    assert found["figures"]["corr"]["mean"] == found["scores"]["corr"][0]
    assert [one["id"] for one in ada.get(f"{API}/models/ada-1/diagnostics").json()["items"]] == [found["id"]]
    assert ada.delete(there).json()["status"] == "deleted"
    assert ada.get(there).status_code == 404


def test_rest_takes_a_file_that_was_put_and_a_key_makes_it_once(asked: Asked) -> None:
    publish_target(asked.service, target(1))
    ada = asked("ada")
    slot = ada.post(f"{API}/uploads", json={"purpose": "diagnostics", "model": "ada-1"}).json()
    assert ada.put(slot["url"], content=upload()).status_code == 200
    said = {"json": {"upload_id": slot["upload_id"]}, "headers": {"Idempotency-Key": "k"}}
    first = ada.post(f"{API}/models/ada-1/diagnostics", **said)
    again = ada.post(f"{API}/models/ada-1/diagnostics", **said)
    assert (first.json(), first.headers["Location"]) == (again.json(), again.headers["Location"])
    missing = ada.post(f"{API}/models/ada-1/diagnostics", json={"upload_id": "never.csv"})
    assert (missing.status_code, missing.json()["code"]) == (409, "not_uploaded")
    wrong = slot["url"].replace("/past/", "/files/")
    assert ada.put(wrong, content=b"").status_code == 403, "a link of one kind is none of the other"


def test_graphql_answers_a_list_with_null_for_what_is_not_computed(asked: Asked) -> None:
    publish_target(asked.service, target(1))
    ada = asked("ada")
    slot = gql(ada, LINK, f="mine.csv", m="ada-1")["diagnosticsUploadAuth"]
    assert ada.put(slot["url"], content=upload()).status_code == 200
    id = gql(ada, CREATE, f=slot["filename"], m="ada-1")["createDiagnostics"]["id"]
    [waiting] = gql(ada, FOUND, id=id, m="ada-1")["diagnostics"]
    assert (waiting["status"], waiting["perEraDiagnostics"]) == ("pending", [])
    asked.service.diagnostics.work()
    [found] = gql(ada, FOUND, id=id, m="ada-1")["diagnostics"]
    same = ada.get(f"{API}/diagnostics/{id}").json()
    assert (found["status"], found["message"], found["erasAcceptedCount"]) == ("done", None, 1)
    assert found["validationCorrMean"] == same["figures"]["corr"]["mean"]
    assert found["validationMaxDrawdown"] == same["figures"]["corr"]["max_drawdown"]
    assert (found["validationMmcMean"], found["validationRicMean"]) == (None, None)
    [era] = found["perEraDiagnostics"]
    assert era == {"era": "0001", "validationCorr": same["scores"]["corr"][0], "validationMmc": None}


def test_both_faces_say_the_same_of_incomplete_eras(asked: Asked) -> None:
    publish_target(asked.service, target(1))
    ada = asked("ada")
    cut = upload().splitlines(keepends=True)
    id = ada.post(f"{API}/models/ada-1/diagnostics", content=b"".join(cut[:-1])).json()["id"]
    asked.service.diagnostics.work()
    said = "invalid_submission_eras: Incomplete eras uploaded: ['0001']"
    assert gql(ada, FOUND, id=id, m="ada-1")["diagnostics"][0]["message"] == said
    assert ada.get(f"{API}/diagnostics/{id}").json()["message"] == said


def test_without_past_eras_both_faces_say_so(asked: Asked) -> None:
    ada = asked("ada")
    said = "There are no past eras yet that predictions could be scored on."
    answer = ada.post(f"{API}/models/ada-1/diagnostics", content=upload())
    assert (answer.status_code, answer.json()["detail"]) == (409, said)
    told = ada.post("/", json={"query": LINK, "variables": {"f": "a.csv"}}).json()
    assert told["errors"][-1]["message"] == said


@pytest.mark.parametrize("ask", ['diagnostics(modelId: "ada-1"){id}', 'diagnostics(id: "%s"){id}'])
def test_graphql_keeps_them_from_others(asked: Asked, ask: str) -> None:
    publish_target(asked.service, target(1))
    id = asked("ada").post(f"{API}/models/ada-1/diagnostics", content=upload()).json()["id"]
    answer = asked("bob").post("/", json={"query": "{" + ask.replace("%s", id) + "}"}).json()
    assert answer["errors"][-1]["extensions"]["code"] in ("not_yours", "unknown")
    gone = asked("bob").post("/", json={"query": f'mutation{{deleteDiagnostics(id: "{id}"){{id}}}}'}).json()
    assert gone["errors"][-1]["extensions"]["code"] == "unknown"
    assert json.dumps(answer["data"] or {}).count(id) == 0


@pytest.mark.parametrize("apart", [True, False])
def test_a_server_works_on_what_is_handed_in_as_soon_as_it_comes(asked: Asked, apart: bool) -> None:
    publish_target(asked.service, target(1))
    header = asked("ada").headers["Authorization"]
    app = create_app(asked.service, every=3600, ticker=Here(asked.service) if apart else None)
    with TestClient(app, headers={"Authorization": header}) as ada:
        there = ada.post(f"{API}/models/ada-1/diagnostics", content=upload()).headers["Location"]
        deadline = time.monotonic() + 60
        while asked.service.diagnostics.of_model(caller("ada"), "ada-1")[0].status in ("pending", "running"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert ada.get(there).json()["status"] == "done"


def test_files_of_past_eras_may_be_larger_than_those_of_a_round() -> None:
    sizes = [most({"path": path}) for path in ("/api/v1/uploads/past/ada/a.csv", "/api/v1/models/m/diagnostics", "/")]
    assert sizes[0] == sizes[1] >= DIAGNOSTICS.bytes > LIVE.bytes > sizes[2]


def test_nobody_fills_the_disk_with_files_that_are_never_handed_in(asked: Asked) -> None:
    publish_target(asked.service, target(1))
    ada = asked("ada")
    links = [gql(ada, LINK, f="a.csv")["diagnosticsUploadAuth"]["url"] for _ in range(MOST_LYING + 1)]
    assert [ada.put(link, content=b"x").status_code for link in links] == [200] * MOST_LYING + [429]
    assert ada.put(links[0], content=b"again").status_code == 200
