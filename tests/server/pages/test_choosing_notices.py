"""The page on which one chooses what one is told: as plain forms, with the code, the key and what became of each."""

from __future__ import annotations

import base64
import hmac
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from contests import OPEN, caller, serving
from pages import read
from receivers import Hook, Post, hook, post_office
from sites import Site, faults, site

from crowdalpha.server.catalogue import CATALOGUE
from crowdalpha.server.models import LONGEST
from crowdalpha.server.pages.notices import LATEST, WORDS
from crowdalpha.settings import MailSettings, NoticeSettings, open_engine
from crowdalpha.settings import read as read_settings
from crowdalpha.tournament.notices import KINDS

HOME = "/account/notices"
PASSWORD = "four words and more"


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with hook() as there:
        yield there


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as there:
        yield there


@pytest.fixture
def eve(prepared: Path, tmp_path: Path, post: Post) -> Iterator[Site]:
    """Eve, who has just signed up where mail is sent, and webhooks may call this machine."""
    settings = read_settings(shutil.copytree(prepared, tmp_path / "cup"), {})
    mail = MailSettings("127.0.0.1", post.port, starttls=False, sender="cup@example.org")
    with open_engine(replace(settings, mail=mail, notices=NoticeSettings(private_addresses=True))) as engine:
        service = serving(engine, replace(settings, mail=mail, notices=NoticeSettings(private_addresses=True)))
        service.notices.tell(OPEN)
        eve = site(service)
        eve.client.post("/sign-up", data={"name": "Eve", "email": "eve@example.org", "password": PASSWORD})
        yield eve


def chosen(site: Site, name: str) -> set[str]:
    """The boxes of a name that are ticked."""
    boxes = [node for node in site.page(HOME).all("input") if node.attributes.get("name") == name]
    return {node.attributes["value"] for node in boxes if "checked" in node.attributes}


def keep(site: Site, **fields: object) -> tuple[int, str]:
    answer = site.client.post(HOME, data={"csrf": site.csrf} | fields)
    return answer.status_code, answer.text


def log(site: Site) -> str:
    return site.page(HOME).only(id="sent").text


def test_mail_is_chosen_confirmed_with_the_code_and_tried_without_a_script(eve: Site, post: Post) -> None:
    status, text = keep(eve, mail=["round_open", "settled"], webhook="")
    assert (status, chosen(eve, "mail"), chosen(eve, "hook")) == (200, {"round_open", "settled"}, set())
    assert "A code was mailed to" in text
    eve.service.notices.send()
    [said] = [mail.get_content() for mail in post.mails]
    assert "/account/notices" in said or "the page of your notices" in said
    status, page = eve.send(f"{HOME}/confirm", code="0" * 20)
    assert status == 422
    assert CATALOGUE["bad_code"].text in page.all("main")[0].text
    [code] = re.findall("^ +([0-9a-f]{20})", said, re.MULTILINE)
    status, page = eve.send(f"{HOME}/confirm", code=f" {code} ")
    assert status == 200
    assert "The address is confirmed" in page.all("main")[0].text
    assert "A code was mailed to" not in page.all("main")[0].text
    assert eve.send(f"{HOME}/test")[0] == 200
    eve.service.notices.send()
    assert len(post.mails) == 2
    assert "delivered" in log(eve)
    assert faults(eve.page(HOME)) == []


def test_a_webhook_is_chosen_tried_and_signed_with_the_key_on_the_page(eve: Site, receiver: Hook) -> None:
    assert keep(eve, hook=["scored"], webhook=receiver.url)[0] == 200
    assert chosen(eve, "hook") == {"scored"}
    shown = eve.page(HOME).only(id="trying").all("code")[0].text
    assert eve.send(f"{HOME}/test")[0] == 200
    eve.service.notices.send()
    [call] = receiver.calls
    key = base64.b64decode(shown.removeprefix("whsec_"))
    signed = "{webhook-id}.{webhook-timestamp}.".format_map(call.headers).encode() + call.body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    eve.send(f"{HOME}/key")
    assert eve.page(HOME).only(id="trying").all("code")[0].text != shown


def test_what_could_not_be_brought_is_told_with_its_answer_and_when_it_is_tried_again(
    eve: Site, receiver: Hook
) -> None:
    receiver.statuses = [503]
    keep(eve, webhook=receiver.url)
    eve.send(f"{HOME}/test")
    assert "pending" in log(eve)
    eve.service.notices.send()
    assert "503" in log(eve)
    assert "next" in log(eve)


def test_a_bad_address_is_refused_and_what_was_written_stands(eve: Site) -> None:
    status, text = keep(eve, hook=["settled"], webhook="ftp://x.example.org", mail=["scored"])
    assert status == 422
    assert 'value="ftp://x.example.org"' in text
    assert "bad_webhook" in text
    ticked = {node.attributes["value"] for node in read(text).all("input") if "checked" in node.attributes}
    assert ticked == {"settled", "scored"}
    assert eve.service.notices.wish_of("ada").webhook == ""
    assert keep(eve, hook=["everything"])[0] == 422
    assert keep(eve, webhook="https://x.example.org/" + "x" * LONGEST["webhook"])[0] == 422


def test_who_has_nowhere_to_send_to_is_told_so(eve: Site) -> None:
    status, page = eve.send(f"{HOME}/test")
    assert status == 409
    assert CATALOGUE["nowhere"].text in page.all("main")[0].text


def test_where_no_mail_is_sent_the_page_says_so_and_leaves_the_choice_as_it_was(new: Site) -> None:
    ada = new.signed_in("ada")
    assert "no e-mail address" in ada.page(HOME).only(id="choice").text
    assert keep(ada, mail=["scored"], hook=["scored"], webhook="https://ada.example.org")[0] == 200
    wish = new.service.notices.wish_of("ada")
    assert (wish.mail, wish.hook, wish.webhook) == ((), ("scored",), "https://ada.example.org")


def test_each_sees_what_was_sent_to_oneself_alone(new: Site) -> None:
    ada, bob = new.signed_in("ada"), new.signed_in("bob")
    new.service.notices.choose(caller("ada"), webhook="https://ada.example.org/secret")
    new.service.models.describe(caller("ada"), "ada-1", webhook="https://ada.example.org/one")
    new.service.notices.trigger(caller("ada"), "ada-1")
    assert "https://ada.example.org/one" in ada.text(HOME)
    assert "Call the webhook of" in ada.text(HOME)
    assert "ada.example.org" not in bob.text(HOME)
    assert bob.send(f"{HOME}/test", model="ada-1")[0] == 403
    key = ada.page(HOME).only(id="trying").all("code")[0].text
    assert key not in bob.text(HOME)
    assert faults(ada.page(HOME)) == []


def test_the_log_is_shown_from_its_newest_and_the_rest_is_counted(new: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdalpha.server.pages.notices.LATEST", 3)
    new.service.notices.choose(caller("ada"), webhook="https://ada.example.org")
    for _ in range(5):
        new.service.notices.test(caller("ada"))
    assert "The last 3 of 5." in log(new.signed_in("ada"))
    assert LATEST > 3


def test_every_kind_of_notice_has_words() -> None:
    assert set(KINDS) < WORDS.keys()
    assert len(set(WORDS.values())) == len(WORDS)
