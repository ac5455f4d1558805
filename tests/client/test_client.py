"""The client against a real server: a participant from the first token to the payout, and lines that break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import polars as pl
import pytest
from contests import IDS, OPEN, PLAYERS, serving, target, upload, weekly, world
from running import running

import crowdalpha
from crowdalpha.client.wire import FIRST_WAIT, TRIES, RefusedError
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.callers import PARTICIPANT
from crowdalpha.server.service import Service


@contextmanager
def played(folder: Path) -> Iterator[tuple[Service, str]]:
    with world(folder) as (engine, settings):
        service = serving(engine, settings)
        with running(service) as url:
            yield service, url


@pytest.fixture
def cup(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    with played(tmp_path / "cup") as both:
        yield both


def token(service: Service, account: str = "ada") -> str:
    made, secret = service.people.issue(account, "test", sorted(PARTICIPANT), service.now())
    return f"{made.public_id}.{secret}"


def test_a_participant_goes_from_a_token_to_the_payout(cup: tuple[Service, str], tmp_path: Path) -> None:
    service, url = cup
    with crowdalpha.Client(url, token(service)) as client:
        assert client.account().wallet == Decimal(900)
        [model] = client.models()
        live = client.download("live.parquet", tmp_path / "data" / "live.parquet")
        ids = pl.read_parquet(live)["id"].to_list()
        assert ids == client.universe(client.current_round().number) == IDS
        bad = client.validate(b"id,prediction\ni00,7\n")
        assert (bad.accepted, [wrong.code for wrong in bad.errors][:1]) == (False, ["invalid_submission_ids"])
        with pytest.raises(RefusedError, match="row 2: expected 0 to 1, found 7") as refused:
            client.submit(model.id, upload().replace(b"i00,0.", b"i00,7."))
        said = (refused.value.code, refused.value.status, refused.value.detail)
        assert said == (
            "invalid_submission_values", 422, "invalid_submission_values: values must be between 0 and 1 exclusive"
        )  # fmt: skip
        made = client.submit(model.id, pl.DataFrame({"id": ids, "prediction": [k / 50 for k in range(40)]}))
        assert (made.status, made.n_ids, made.selected) == ("on_time", 40, True)
        assert sha256(client.submission_file(made.id)).hexdigest() == made.sha256 == client.submission(made.id).sha256
        change = client.stake_increase(model.id, "12.5")
        assert (change.amount, change.status) == (Decimal("12.5"), "pending")
        assert client.stake_cancel(model.id, change.id).status == "cancelled"
        assert client.stake_set(model.id, 150, client.stake(model.id).version).pending_increase == 150
        with pytest.raises(RefusedError, match="a model with a stake") as refused:
            client.stake_drain(model.id)
        assert (refused.value.code, refused.value.status) == ("nothing_staked", 409)
        others = [crowdalpha.Client(url, token(service, name)) for name in PLAYERS[1:]]
        for seed, other in enumerate(others):
            other.submit(other.models()[0].id, upload(seed))
            other.close()
        for day in (None, 1, 2, 3):
            service.engine.set_target(1, day, target(1))
        service.engine.tick(weekly(1).resolve_time)
        service.office.clock.now = weekly(1).resolve_time  # type: ignore[attr-defined]
        scores = client.scores(model.id, metric="mmc2", latest=True)
        [round] = client.performances(model.id)
        assert (scores[0].final, round.stage, round.paid) == (True, "resolved", client.payouts()[0].paid)
        assert [line.rank for line in client.leaderboard(days=0).lines] == [1, 2, 3]
        assert client.rounds()[-1] == client.round(1)
        [settled] = [entry for entry in client.transactions() if entry.id == "settle:1"]
        assert settled.models == round.paid == sum(posting.amount for posting in settled.postings)
        assert client.stake_drain(model.id).amount == 150 + round.paid


def test_what_people_own_is_made_and_changed(cup: tuple[Service, str]) -> None:
    service, url = cup
    with crowdalpha.Client(url, token(service).replace(".", "$", 1)) as client:
        assert client.tournament.number == 8
        made = client.make_model("second", key="the-same")
        assert client.make_model("second", key="the-same") == made == client.model(made.id)
        assert client.model_named("second") in client.models_of("ada")
        assert client.change_model(made.id, bio="hello").bio == "hello"
        chosen = client.choose("ada-1", 0, 2)
        assert (chosen.corr_multiplier, client.choose("ada-1").mmc_multiplier) == (0, None)
        small = client.make_token("small", ["read_user_info"])
        with crowdalpha.Client(url, f"{small.public_id}.{small.secret}") as other:
            with pytest.raises(RefusedError) as refused:
                other.submit("ada-1", upload())
            assert (refused.value.code, refused.value.status) == ("forbidden", 403)
        assert client.revoke_token(small.public_id).revoked_at == OPEN
        assert {one.name for one in client.tokens()} == {"small", "test"}


def test_frames_of_all_kinds_are_taken(cup: tuple[Service, str], tmp_path: Path) -> None:
    service, url = cup
    values = [k / 50 for k in range(40)]
    (tmp_path / "p.csv").write_bytes(upload())
    with crowdalpha.Client(url, token(service)) as client:
        for predictions in (
            pd.DataFrame({"id": IDS, "prediction": values}),
            pd.DataFrame({"prediction": values}, index=pd.Index(IDS, name="id")),
            pd.DataFrame({"prediction": values}, index=pd.Index(IDS, name="id")).reset_index().iloc[::-1],
            tmp_path / "p.csv",
            str(tmp_path / "p.csv"),
        ):
            assert client.validate(predictions).accepted


def test_a_download_goes_on_where_it_stopped_and_a_wrong_one_is_not_kept(
    cup: tuple[Service, str], tmp_path: Path
) -> None:
    service, url = cup
    content = bytes(range(256)) * 40
    given = service.settings.folder / "datasets" / "v1" / "train data.bin"
    given.parent.mkdir(parents=True)
    given.write_bytes(content)
    with crowdalpha.Client(url) as client:
        assert client.datasets() == ["live.parquet", "live_1.parquet", "v1/train data.bin"]
        about = client.dataset("v1/train data.bin")
        assert (about.size, about.sha256) == (len(content), sha256(content).hexdigest())
        to = tmp_path / "train.bin"
        part = to.with_name(f"train.bin.{about.sha256[:12]}.part")
        part.write_bytes(content[:1000])
        assert client.download("v1/train data.bin", to).read_bytes() == content
        assert not part.exists()
        to.unlink()
        part.write_bytes(b"x" * 1000)
        with pytest.raises(RefusedError) as refused:
            client.download("v1/train data.bin", to)
        assert refused.value.code == "download_differs"
        assert list(tmp_path.glob("train.bin*")) == []


def answering(*answers: Any) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A server that gives these answers, one after the other; an exception is raised."""
    left, asked = list(answers), []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], headers=answer[2] if len(answer) > 2 else {}, json=answer[1])

    return httpx.MockTransport(handle), asked


MODEL: dict[str, Any] = {
    "id": "m", "name": "n", "account": "a", "account_name": "a", "created_at": "2026-01-01T00:00:00Z",
    "benchmark": False, "archived": False, "bio": "", "link_text": "", "link_url": "", "webhook": None,
    "corr_multiplier": None, "mmc_multiplier": None, "stake": "1.5", "not known to this client": 1,
}  # fmt: skip


def test_a_broken_line_is_taken_up_again_under_the_same_key() -> None:
    busy = (503, {"code": "busy", "detail": "busy"}, {"Retry-After": "7"})
    at_work = (409, {"code": "in_flight", "detail": "at work"})
    transport, asked = answering(httpx.ReadError("cut"), busy, at_work, (201, MODEL))
    waits: list[float] = []
    with crowdalpha.Client("http://cup/", "id.s", transport=transport, sleep=waits.append) as client:
        assert client.make_model("n").stake == Decimal("1.5")
    assert waits == [FIRST_WAIT, 7, FIRST_WAIT * 4]
    assert len({request.headers["Idempotency-Key"] for request in asked}) == 1
    assert {str(request.url) for request in asked} == {"http://cup/api/v1/models"}
    assert asked[0].headers["Authorization"] == "Bearer id.s"


@pytest.mark.parametrize(
    ("answer", "tries", "code", "status"),
    [
        (httpx.ConnectError("refused"), TRIES, "no_answer", 0),
        ((503, {"code": "busy", "detail": "busy"}), TRIES, "busy", 503),
        ((404, {"code": "unknown", "detail": "model m is not known"}), 1, "unknown", 404),
        ((404, {"detail": "nothing"}), 1, "not_a_server", 404),
        ((200, ["something else"]), 1, "not_a_server", 200),
        ((422, {"code": "bad", "detail": "bad", "errors": [{"msg": "another server's"}]}), 1, "not_a_server", 422),
        ((308, {}, {"Location": "https://cup/"}), 1, "moved", 308),
    ],
)
def test_what_is_refused_has_a_stable_code(answer: Any, tries: int, code: str, status: int) -> None:
    transport, asked = answering(*[answer] * tries)
    with (
        crowdalpha.Client("http://cup", transport=transport, sleep=[].append) as client,
        pytest.raises(InputError) as refused,
    ):
        client.model("m")
    assert (refused.value.code, refused.value.status, len(asked)) == (code, status, tries)  # type: ignore[attr-defined]
    json.dumps(refused.value.as_dicts())


def test_what_is_no_address_is_refused_at_once() -> None:
    with pytest.raises(RefusedError) as refused:
        crowdalpha.Client("localhost:8000")
    assert refused.value.code == "bad_server"
