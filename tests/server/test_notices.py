"""Notices: everybody is told what they wish to hear, at least once, and of nobody else."""

from __future__ import annotations

import base64
import hmac
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner
from contests import OPEN, START, Asked, Clock, caller, play_first, serving, target, upload, weekly
from receivers import Hook, Post, hook, post_office

from crowdalpha.cli import main
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.catalogue import Refusal
from crowdalpha.server.notices.courier import Courier
from crowdalpha.server.notices.sending import LEASE, MOST, pause
from crowdalpha.server.service import Service
from crowdalpha.settings import FILE, MailSettings, NoticeSettings, open_engine, read
from crowdalpha.tournament.notices import KINDS, Notice

SOON = weekly(1).close_time - timedelta(hours=1)


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as there:
        yield there


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as there:
        yield there


@pytest.fixture
def told(prepared: Path, tmp_path: Path, post: Post) -> Iterator[Service]:
    """A service before its first round, which may call this machine, and has a host for mail."""
    settings = read(shutil.copytree(prepared, tmp_path / "cup"), {})
    mail = MailSettings("127.0.0.1", post.port, starttls=False, sender="cup@example.org")
    settings = replace(settings, mail=mail, notices=NoticeSettings(private_addresses=True))
    with open_engine(settings) as engine:
        service = serving(engine, settings, START)
        service.notices.tell(START)
        yield service


def at(service: Service, now: object) -> None:
    clock = service.office.clock
    assert isinstance(clock, Clock)
    clock.now = now  # type: ignore[assignment]


def let_go(service: Service, now: object) -> list[str]:
    """Tick, tell and send at a time; what was tried."""
    at(service, now)
    service.engine.tick(service.now())
    service.notices.tell(service.now())
    return service.notices.send()


def kinds(receiver: Hook) -> list[str]:
    return [json.loads(call.body)["type"] for call in receiver.calls]


def code_in(mail: EmailMessage) -> str:
    [code] = re.findall("^ +([0-9a-f]{20})", mail.get_content(), re.MULTILINE)
    return str(code)


def test_a_round_is_told_from_its_opening_to_its_payout_once_each(told: Service, receiver: Hook) -> None:
    told.notices.choose(caller("ada", START), hook=KINDS, webhook=receiver.url)
    for day in (None, 1, 2, 3):
        told.engine.set_target(1, day, target(1))
    for now in (OPEN, OPEN, SOON):
        let_go(told, now)
    assert kinds(receiver) == ["round_open", "closing_soon"]
    with pytest.raises(InputError):
        told.submissions.submit(caller("ada", SOON), "ada-1", b"id,guess\na,1\n", filename="../bad one.csv")
    told.submissions.submit(caller("ada", SOON), "ada-1", upload(), filename="good.csv")
    for now in (SOON, *weekly(1).scoring_times, weekly(1).resolve_time, weekly(1).resolve_time):
        let_go(told, now)
    assert kinds(receiver) == ["round_open", "closing_soon", "refused", "scored", "scored", "scored", "settled"]
    said = [json.loads(call.body)["data"] for call in receiver.calls]
    assert said[1]["models"] == [{"id": "ada-1", "name": "ada_one"}]
    assert (said[2]["filename"], said[2]["code"]) == ("bad-one.csv", "invalid_submission_headers")
    [model] = said[6]["models"]
    assert (model["id"], set(model["scores"]), model["at_risk"]) == ("ada-1", {"corr", "mmc2"}, "100")
    assert "bob" not in b"".join(call.body for call in receiver.calls).decode()
    assert {one.status for one in told.notices.log(caller("ada"))} == {"delivered"}
    assert told.notices.log(caller("bob")) == []


def test_what_is_sent_is_signed_so_that_standard_libraries_can_check_it(told: Service, receiver: Hook) -> None:
    ada = caller("ada", START)
    told.notices.choose(ada, webhook=receiver.url)
    [made] = told.notices.test(ada)
    assert let_go(told, START) == [made.id]
    [call] = receiver.calls
    assert (call.headers["webhook-id"], call.headers["webhook-timestamp"]) == (made.id, f"{START.timestamp():.0f}")
    key = base64.b64decode(told.notices.key(ada).removeprefix("whsec_"))
    signed = f"{made.id}.{START.timestamp():.0f}.".encode() + call.body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    assert told.notices.new_key(ada) != told.notices.key(caller("bob", START))
    assert base64.b64decode(told.notices.key(ada).removeprefix("whsec_")) != key


def test_who_does_not_answer_is_tried_again_later_and_later_and_then_given_up(told: Service, receiver: Hook) -> None:
    receiver.statuses = [500]
    told.notices.choose(caller("ada", START), webhook=receiver.url)
    told.notices.test(caller("ada", START))
    now = START
    for tries in range(1, MOST + 1):
        assert len(let_go(told, now)) == 1
        assert let_go(told, now + pause(tries) - timedelta(seconds=1)) == []
        now += pause(tries)
    [one] = told.notices.log(caller("ada"))
    assert (one.status, one.tries, one.answer, len(receiver.calls)) == ("given_up", MOST, "500", MOST)
    assert let_go(told, now + timedelta(days=9)) == []


def test_one_that_arrives_late_is_not_sent_again_and_410_ends_it(told: Service, receiver: Hook) -> None:
    receiver.statuses = [503, 204, 410]
    told.notices.choose(caller("ada", START), webhook=receiver.url)
    told.notices.test(caller("ada", START))
    for now in (START, START + pause(1), START + pause(5)):
        let_go(told, now)
    told.notices.test(caller("ada", START + pause(5)))
    let_go(told, START + pause(5))
    assert [(one.status, one.tries) for one in told.notices.log(caller("ada"))] == [("given_up", 1), ("delivered", 2)]
    assert [call.headers["webhook-id"] for call in receiver.calls[:2]] == [receiver.calls[0].headers["webhook-id"]] * 2


def test_a_sender_that_dies_in_the_middle_is_followed_by_one_that_sends_again(told: Service, receiver: Hook) -> None:
    told.notices.choose(caller("ada", START), webhook=receiver.url)
    told.notices.test(caller("ada", START))
    sender = told.notices._sender
    claimed = sender._claim(told.notices.log(caller("ada"))[0].id)
    assert claimed is not None
    assert sender._try(claimed) == (200, "200")  # and then the power went
    assert let_go(told, START) == []
    assert let_go(told, START + LEASE) == [claimed.id]
    assert [call.headers["webhook-id"] for call in receiver.calls] == [claimed.id] * 2
    assert told.notices.log(caller("ada"))[0].status == "delivered"


def test_a_model_is_told_to_submit_as_the_tools_of_participants_expect_it(told: Service, receiver: Hook) -> None:
    ada = caller("ada", START)
    with pytest.raises(Refusal, match="There is no webhook"):
        told.notices.trigger(ada, "ada-1")
    told.models.describe(ada, "ada-1", webhook=receiver.url)
    made = told.notices.trigger(ada, "ada-1")
    let_go(told, START)
    let_go(told, OPEN)
    ids = [json.loads(call.body)["triggerId"] for call in receiver.calls]
    assert ids[0] == made.id
    assert len(set(ids)) == 2
    sent = told.submissions.submit(caller("ada"), "ada-1", upload(), trigger_id=ids[1])
    assert sent.delivery.trigger_id == ids[1]


def test_mail_goes_only_to_an_address_whose_owner_has_sent_its_code_back(told: Service, post: Post) -> None:
    eve = told.people.sign_up("eve@example.org", "ten or more letters", "eve", START)
    who = caller(eve.id, START)
    model = told.models.add(who, "eve_one")
    told.notices.choose(who, mail=["round_open", "closing_soon", "settled"])
    told.notices.choose(who, mail=["round_open", "closing_soon", "settled"])
    let_go(told, START)
    [asked] = post.mails
    assert (asked["To"], asked["From"], post.recipients) == ("eve@example.org", "cup@example.org", ["eve@example.org"])
    let_go(told, OPEN)
    assert len(post.mails) == 1
    with pytest.raises(Refusal, match="The code is not the one"):
        told.notices.confirm(who, "0" * 20)
    code = code_in(asked)
    assert told.notices.confirm(who, f" {code} ").confirmed == "eve@example.org"
    let_go(told, SOON)
    assert post.mails[1]["Subject"] == "cup: round 1 closes soon, without you"
    assert model.name in post.mails[1].get_content()
    told.people.set_login("eve", "other@example.org", "ten or more letters", START)
    assert told.notices.address(who) == ""


def test_every_kind_has_words_for_a_mail(told: Service, post: Post) -> None:
    told.people.set_login("ada", "ada@example.org", "ten or more letters", START)
    ada = caller("ada", START)
    told.notices.choose(ada, mail=KINDS)
    let_go(told, START)
    told.notices.confirm(ada, code_in(post.mails[0]))
    told.notices.test(ada)
    for now in (START, OPEN, SOON):
        let_go(told, now)
    with pytest.raises(InputError):
        told.submissions.submit(caller("ada", SOON), "ada-1", b"id,guess\na,1\n")
    at(told, SOON)
    play_first(told.engine)
    let_go(told, weekly(1).resolve_time)
    subjects = [mail["Subject"].removeprefix("cup: ") for mail in post.mails]
    assert subjects[:5] == [
        "is this your address?", "a message to try this out", "round 1 is open", "round 1 closes soon, without you",
        "a file was refused",
    ]  # fmt: skip
    assert sorted(subjects[5:]) == [
        *(f"round 1 has scores of day {day}" for day in (1, 2, 3)),
        "round 1 is settled",
    ]
    assert len({mail["Message-ID"] for mail in post.mails}) == len(post.mails)


def test_a_host_without_tls_is_sent_nothing_if_tls_is_asked_for(told: Service, post: Post) -> None:
    told.people.set_login("ada", "ada@example.org", "ten or more letters", START)
    told.notices.choose(caller("ada", START), mail=["settled"])
    sender = told.notices._sender
    safe = replace(told.settings, mail=replace(told.settings.mail, starttls=True))
    object.__setattr__(sender, "office", replace(told.office, settings=safe))
    told.notices.send()
    assert post.mails == []
    assert told.notices.log(caller("ada"))[0].answer == "the host was not reached: SMTPNotSupportedError"


@pytest.mark.parametrize(("answer", "status"), [("550 no such user", "550: the address was refused")])
def test_what_the_host_says_is_in_the_log(told: Service, post: Post, answer: str, status: str) -> None:
    post.answer = answer
    told.people.set_login("ada", "ada@example.org", "ten or more letters", START)
    told.notices.choose(caller("ada", START), mail=["settled"])
    told.notices.send()
    assert told.notices.log(caller("ada"))[0].answer == status


def test_what_comes_too_late_is_not_told(told: Service, receiver: Hook) -> None:
    told.notices.choose(caller("ada", START), hook=["round_open", "closing_soon"], webhook=receiver.url)
    receiver.statuses = [500]
    let_go(told, OPEN)
    let_go(told, weekly(1).close_time)
    assert len(receiver.calls) == 1
    assert [(one.status, one.answer) for one in told.notices.log(caller("ada"))] == [("given_up", "500")]
    receiver.statuses = [200]
    let_go(told, weekly(2).close_time)
    assert len(receiver.calls) == 1


def test_only_what_is_known_can_be_wished_for_and_mail_only_where_there_is_a_host(service: Service) -> None:
    with pytest.raises(InputError, match="bad_wish"):
        service.notices.choose(caller("ada"), hook=["everything"])
    with pytest.raises(InputError, match="bad_webhook"):
        service.notices.choose(caller("ada"), webhook="ftp://example.org")
    with pytest.raises(Refusal, match="Mail is not supported by this server"):
        service.notices.choose(caller("ada"), mail=["settled"])
    with pytest.raises(Refusal, match="There is no webhook"):
        service.notices.test(caller("ada"))


def test_who_asks_for_message_after_message_has_to_wait(told: Service, receiver: Hook) -> None:
    ada = caller("ada", START)
    told.notices.choose(ada, webhook=receiver.url)
    for _ in range(20):
        told.notices.test(ada)
    with pytest.raises(Refusal, match="Too many requests"):
        told.notices.test(ada)
    told.notices.test(caller("ada", START + timedelta(hours=2)))


def test_refused_files_are_remembered_without_what_was_in_them(service: Service) -> None:
    content = b"id,guess\nsomething,private\n"
    for name in ("a.csv", "b.csv"):
        with pytest.raises(InputError):
            service.submissions.submit(caller("ada"), "ada-1", content, filename=name)
    first, second = service.refusals.mine(caller("ada", OPEN))
    assert {first.filename, second.filename} == {"a.csv", "b.csv"}
    assert (first.size, first.round, first.model, first.code) == (
        len(content),
        1,
        "ada-1",
        "invalid_submission_headers",
    )
    assert json.loads(first.problems)[0]["fix"]
    assert service.refusals.one(caller("ada"), first.id) == first
    kept = b"".join(path.read_bytes() for path in service.settings.folder.rglob("*") if path.is_file())
    assert b"something,private" not in kept
    assert service.refusals.mine(caller("bob")) == []
    with pytest.raises(Refusal, match="is not known"):
        service.refusals.one(caller("bob"), first.id)
    with pytest.raises(Refusal, match="belongs to another account"):
        service.refusals.of_model(caller("bob"), "ada-1")


def test_outside_its_window_a_file_is_refused_and_remembered_for_no_round(told: Service) -> None:
    with pytest.raises(InputError):
        told.submissions.submit(caller("ada", START), "ada-1", upload())
    [one] = told.refusals.of_model(caller("ada"), "ada-1")
    assert (one.round, one.message) == (0, "Current round not open for submissions")


def test_so_many_refusals_of_a_round_are_kept_and_no_more(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdalpha.server.refusals.MOST", 3)
    for minute in range(5):
        with pytest.raises(InputError):
            service.submissions.submit(
                caller("ada", OPEN + timedelta(minutes=minute)), "ada-1", b"x", filename=f"{minute}"
            )
    assert [one.filename for one in service.refusals.mine(caller("ada"))] == ["4", "3", "2"]


def test_a_server_that_begins_to_tell_does_not_tell_of_what_is_long_over(service: Service, receiver: Hook) -> None:
    play_first(service.engine)
    at(service, weekly(1).resolve_time)
    service.notices.choose(caller("ada"), hook=KINDS, webhook=receiver.url)
    service.notices.tell(service.now())
    with service.engine.store.reading() as work:
        assert work.find(Notice) == []


def test_both_apis_show_what_is_wished_for_and_what_became_of_it(told: Service, receiver: Hook) -> None:
    at(told, OPEN)
    asked = Asked(told)
    ada = asked("ada")
    wish = ada.patch("/api/v1/account/notices", json={"hook": ["refused"], "webhook": receiver.url}).json()
    assert wish == {
        "mail": [], "hook": ["refused"], "webhook": receiver.url, "mail_address": None, "mail_is_sent": True,
    }  # fmt: skip
    assert ada.get("/api/v1/account/notices").json() == wish
    told.engine.tick(OPEN)
    bad = ada.post("/api/v1/models/ada-1/submissions?filename=a.csv", content=b"id,guess\na,1\n")
    assert bad.status_code == 422
    told.notices.send()
    [sent] = ada.get("/api/v1/account/deliveries").json()["items"]
    assert (sent["kind"], sent["status"], sent["next_try"], sent["answer"]) == ("refused", "delivered", None, "200")
    [refused] = ada.get("/api/v1/models/ada-1/refusals").json()["items"]
    assert refused["detail"] == bad.json()["detail"]
    assert refused["errors"] == bad.json()["errors"]
    query = """{ account { deliveries { id status } models { refusedSubmissions { id message round { number } } } } }"""
    found = ada.post("/", json={"query": query}).json()["data"]["account"]
    assert found["deliveries"] == [{"id": sent["id"], "status": "delivered"}]
    assert found["models"] == [
        {"refusedSubmissions": [{"id": refused["id"], "message": refused["detail"], "round": {"number": 1}}]}
    ]


def test_the_webhook_of_a_model_is_called_by_both_apis(told: Service, receiver: Hook) -> None:
    asked = Asked(told)
    told.models.describe(caller("ada", START), "ada-1", webhook=receiver.url)
    first = asked("ada").post("/api/v1/models/ada-1/webhook").json()["id"]
    mutation = {"query": """mutation($m: String!) { triggerModelWebhook(modelId: $m) }""", "variables": {"m": "ada-1"}}
    second = asked("ada").post("/", json=mutation).json()["data"]["triggerModelWebhook"]
    told.notices.send()
    assert {json.loads(call.body)["triggerId"] for call in receiver.calls} == {first, second}


def test_a_server_tells_by_itself_and_another_goes_on_where_it_was_killed(told: Service, receiver: Hook) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        go_on.wait(20)

    receiver.before = wait
    told.notices.choose(caller("ada", START), webhook=receiver.url)
    first = Courier(told, every=60)
    first.start()
    [made] = told.notices.test(caller("ada", START))
    assert reached.wait(20)
    assert told.notices.log(caller("ada"))[0].status == "pending"
    at(told, START + LEASE)
    told.notices._sender._claim(made.id)  # another has taken over meanwhile: the first has lost its claim
    go_on.set()
    first.stop()
    assert [(one.status, one.tries) for one in told.notices.log(caller("ada"))] == [("pending", 2)]
    let_go(told, START + 2 * LEASE)
    assert [(one.status, one.tries) for one in told.notices.log(caller("ada"))] == [("delivered", 3)]


def test_the_operator_sees_every_delivery_and_may_send_by_a_timer(prepared: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(prepared, tmp_path / "cup")
    with open_engine(read(folder, {})) as engine, hook() as there:
        service = serving(engine, read(folder, {}), START)
        service.notices.choose(caller("ada", START), webhook=there.url)
        [made] = service.notices.test(caller("ada", START))
    said = ["--tournament", str(folder), "--json"]
    tried = CliRunner().invoke(main, ["admin", "deliver", *said], catch_exceptions=False)
    assert json.loads(tried.stdout) == [made.id]
    shown = CliRunner().invoke(main, ["admin", "deliveries", "--status", "pending", *said], catch_exceptions=False)
    [one] = json.loads(shown.stdout)
    assert (one["id"], one["tries"], one["answer"]) == (made.id, 1, "127.0.0.1 is 127.0.0.1, which is not public")
    plain = CliRunner().invoke(main, ["admin", "deliveries", *said[:2]], catch_exceptions=False)
    assert "pending" in plain.stdout


def test_a_server_that_is_killed_while_it_sends_is_followed_by_one_that_sends_again(
    prepared: Path, tmp_path: Path, receiver: Hook
) -> None:
    folder = shutil.copytree(prepared, tmp_path / "cup")
    with open(folder / FILE, "a") as file:
        file.write("\n[notices]\nprivate_addresses = true\n")
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        go_on.wait(30)

    receiver.before = wait
    settings = read(folder, {})
    with open_engine(settings) as engine:
        now = datetime.now(UTC)
        service = serving(engine, settings, now)
        service.notices.choose(caller("ada", now), webhook=receiver.url)
        [made] = service.notices.test(caller("ada", now))
        words = [sys.executable, "-c", "from crowdalpha.cli import main; main()", "serve", "--port", "0"]
        with subprocess.Popen([*words, "--tournament", str(folder)], stderr=subprocess.DEVNULL) as server:
            assert reached.wait(60)
            server.kill()
        go_on.set()
        assert [(one.status, one.tries) for one in service.notices.log(caller("ada"))] == [("pending", 1)]
        at(service, datetime.now(UTC) + LEASE)
        assert service.notices.send() == [made.id]
        assert [call.headers["webhook-id"] for call in receiver.calls] == [made.id, made.id]
        assert [(one.status, one.tries) for one in service.notices.log(caller("ada"))] == [("delivered", 2)]
