"""Pages that people act on: coming in, models, stakes, keys, files. All as plain forms, without a script."""

from __future__ import annotations

import io
import zipfile

import pytest
from contests import COIN, PLAYERS, upload
from fastapi.testclient import TestClient
from pages import read
from sites import Site, faults

from crowdalpha.server.app import create_app
from crowdalpha.server.limits import ASKING, Limits
from crowdalpha.server.pages.visitors import COOKIE
from crowdalpha.tournament import shares
from crowdalpha.tournament.records import Model, Submission
from crowdalpha.tournament.stakes import StakeChange

PASSWORD = "four words and more"
PRIVATE = ("/account", "/account/password", "/account/models/ada-1", "/account/movements.csv")


def records(site: Site, kind: type, **equal: object) -> list:
    with site.service.engine.store.reading() as work:
        return work.find(kind, **equal)


def sent(site: Site, content: bytes, model: str = "ada-1", do: str = "submit", csrf: str | None = None):
    files = {"file": ("live.csv", content, "text/csv")}
    fields = {"csrf": site.csrf if csrf is None else csrf, "model": model, "do": do}
    return site.client.post("/submit", data=fields, files=files)


def test_somebody_signs_up_makes_a_model_and_submits_without_a_script(new: Site) -> None:
    answer = new.client.post("/sign-up", data={"name": "Eve", "email": "eve@example.org", "password": PASSWORD})
    assert answer.url.path == "/account"
    assert new.send("/account/models", name="first try")[0] == 200
    (model,) = [model for model in records(new, Model) if model.name == "first try"]
    taken = sent(new, upload(3), model.id)
    assert taken.status_code == 201
    assert "Accepted" in taken.text
    assert [s.model for s in records(new, Submission)] == [model.id]
    assert "on time" in new.page("/account").only(id="submissions").text


def test_what_is_wrong_with_a_file_is_said_with_the_words_of_the_rules(new: Site) -> None:
    ada = new.signed_in("ada")
    bad = upload(3).replace(b"i00,", b"i01,", 1)
    for do in ("submit", "check"):
        answer = sent(ada, bad, do=do)
        assert answer.status_code == 422
        assert "Duplicates detected in id for live period." in answer.text
        assert "Not enough stocks submitted." in answer.text
    assert records(new, Submission) == []


def test_a_check_keeps_nothing(new: Site) -> None:
    answer = sent(new.signed_in("ada"), upload(3), do="check")
    assert answer.status_code == 200
    assert "It would be accepted" in answer.text
    assert records(new, Submission) == []


def test_a_form_without_a_file_says_so(new: Site) -> None:
    ada = new.signed_in("ada")
    answer = ada.client.post("/submit", data={"csrf": ada.csrf, "model": "ada-1", "do": "submit"})
    assert answer.status_code == 422
    assert "nothing was uploaded" in answer.text


def test_nobody_submits_for_the_model_of_another(new: Site) -> None:
    answer = sent(new.signed_in("bob"), upload(3), "ada-1")
    assert answer.status_code == 403
    assert records(new, Submission) == []


def test_too_large_a_file_is_refused_by_what_it_says_it_is(new: Site) -> None:
    answer = sent(new.signed_in("ada"), b"x" * 20_100_000)
    assert answer.status_code == 413


@pytest.mark.parametrize("csrf", ["", "wrong"])
def test_a_form_that_another_site_sends_is_refused(new: Site, csrf: str) -> None:
    ada = new.signed_in("ada")
    assert sent(ada, upload(3), csrf=csrf).status_code == 403
    for address in ("/account/models", "/account/stakes", "/account/keys", "/account/choices", "/sign-out"):
        answer = ada.client.post(address, data={"csrf": csrf, "name": "x", "model": "ada-1"})
        assert answer.status_code == 403, address
    assert len(records(new, Model)) == len(PLAYERS)
    assert ada.client.get("/account").url.path == "/account"


def test_signing_in_from_another_site_is_refused(new: Site) -> None:
    fields = {"email": "eve@example.org", "password": PASSWORD}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
        assert new.client.post("/sign-in", data=fields, headers=headers).status_code == 403


def test_a_wrong_password_and_an_unknown_address_are_told_alike(new: Site) -> None:
    new.client.post("/sign-up", data={"name": "Eve", "email": "eve@example.org", "password": PASSWORD})
    new.client.cookies.clear()
    answers = [
        new.client.post("/sign-in", data={"email": email, "password": "not the password"})
        for email in ("eve@example.org", "nobody@example.org")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].text.replace("eve@", "") == answers[1].text.replace("nobody@", "")


def test_the_cookie_is_out_of_reach_of_scripts_and_ends_with_signing_out(new: Site) -> None:
    answer = new.client.post(
        "/sign-up", data={"name": "Eve", "email": "eve@example.org", "password": PASSWORD}, follow_redirects=False
    )
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    cookie = new.client.cookies[COOKIE]
    new.send("/sign-out")
    new.client.cookies.set(COOKIE, cookie)
    assert new.client.get("/account").url.path == "/sign-in"


def test_nobody_is_sent_elsewhere_after_signing_in(new: Site) -> None:
    fields = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD, "next": "https://elsewhere.example"}
    answer = new.client.post("/sign-up", data=fields, follow_redirects=False)
    assert answer.headers["location"] == "/account"


@pytest.mark.parametrize("address", PRIVATE)
def test_private_pages_send_visitors_to_the_door(new: Site, address: str) -> None:
    answer = new.client.get(address, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_form_of_somebody_who_is_not_signed_in_changes_nothing(new: Site) -> None:
    assert new.send("/account/models", name="mine")[0] == 401
    assert sent(new, upload(3)).status_code == 401
    assert len(records(new, Model)) == len(PLAYERS)


def test_a_form_for_a_stake_that_is_sent_twice_asks_once(new: Site) -> None:
    ada = new.signed_in("ada")
    fields = {"model": "ada-1", "kind": "increase", "amount": "12.5", "key": "0b9f5a4e-1111-4222-8333-444455556666"}
    for _ in range(2):
        assert ada.send("/account/stakes", **fields)[0] == 200
    changes = [change for change in records(new, StakeChange, model="ada-1") if change.amount == 12.5 * COIN]
    assert len(changes) == 1
    assert "12.50" in ada.page("/account").text
    ada.send("/account/stakes/cancel", change=changes[0].id)
    assert records(new, StakeChange, id=changes[0].id)[0].status == "cancelled"


def test_nobody_changes_the_stake_or_the_payout_of_another(new: Site) -> None:
    bob = new.signed_in("bob")
    before = records(new, StakeChange), records(new, Model)
    assert bob.send("/account/stakes", model="ada-1", kind="increase", amount="1")[0] == 403
    assert bob.send("/account/stakes/cancel", change="stake-ada")[0] == 404
    assert bob.send("/account/choices", model="ada-1", choice="0 2")[0] == 403
    assert (records(new, StakeChange), records(new, Model)) == before


def test_a_refused_form_shows_the_page_with_what_is_wrong(new: Site) -> None:
    ada = new.signed_in("ada")
    status, page = ada.send("/account/stakes", model="ada-1", kind="increase", amount="1e3")
    assert status == 422
    assert faults(page) == []
    assert "an amount in plain digits" in page.text


def test_a_payout_is_chosen_among_what_the_rule_offers(new: Site) -> None:
    ada = new.signed_in("ada")
    ada.send("/account/choices", model="ada-1", choice="0 2")
    (model,) = records(new, Model, id="ada-1")
    assert (model.corr_multiplier, model.mmc_multiplier) == (0.0, 2.0)


def test_a_key_is_shown_once_works_and_can_be_ended(new: Site) -> None:
    ada = new.signed_in("ada")
    fields = {"csrf": ada.csrf, "name": "my script", "scopes": ["upload_submission", "read_user_info"], "days": "30"}
    answer = ada.client.post("/account/keys", data=fields)
    assert answer.status_code == 200
    secret = answer.text.split('id="secret">')[1].split("<")[0]
    who = ada.service.people.by_token(f"Bearer {secret}", ada.service.now())
    assert who.account == "ada"
    assert who.scopes == {"upload_submission", "read_user_info"}
    assert secret.partition(".")[2] not in ada.text("/account")
    ada.send("/account/keys/end", key=secret.partition(".")[0])
    assert "my script" not in ada.text("/account")


def test_owners_see_the_days_of_a_round_that_runs_on_their_account_page(running: Site) -> None:
    page = running.signed_in("ada").page("/account").only(id="submissions").text
    assert "2" in page
    assert "ada_one" in page
    assert "bob_one" not in page


def test_the_movements_of_an_account_are_its_own(running: Site) -> None:
    text = running.signed_in("ada").text("/account/movements.csv")
    assert "deposit:ada" in text
    assert "bob" not in text


def test_a_share_of_a_round_is_for_the_owner_and_verifies(over: Site) -> None:
    ada = over.signed_in("ada")
    content = ada.client.get("/rounds/1/shares/ada-1.zip").content
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert shares.verify_share(shares.read(content)) == ()
    assert ada.client.get("/rounds/1/shares/bob-1.zip").status_code == 403
    assert over.client.get("/rounds/1/shares/ada-1.zip", follow_redirects=False).status_code == 303


def test_owners_say_what_a_model_is_and_nobody_else_does(new: Site) -> None:
    ada, bob = new.signed_in("ada"), new.signed_in("bob")
    said = {"name": "ada_two", "bio": "I <try>.", "link_url": "https://example.org", "link_text": "home", "webhook": ""}
    hook = "https://example.org/hook"
    assert ada.send("/account/models/ada-1", **said | {"webhook": hook})[0] == 200
    page = ada.page("/account/models/ada-1")
    assert faults(page) == []
    assert hook in str([node.attributes for node in page.all("input")])
    public = bob.page("/models/ada-1")
    assert public.all("h1")[0].text == "ada_two"
    assert "I <try>." in public.text
    assert hook not in bob.text("/models/ada-1")
    assert bob.send("/account/models/ada-1", **said)[0] == 403
    assert bob.client.get("/account/models/ada-1").status_code == 403


def test_what_is_wrong_with_a_profile_is_told_and_what_was_written_stays(new: Site) -> None:
    ada = new.signed_in("ada")
    status, page = ada.send("/account/models/ada-1", name="ada_one", bio="B" * 50, link_url="javascript:alert(1)")
    assert (status, faults(page)) == (422, [])
    assert "an address that begins with https://" in page.text
    assert page.only(id="bio").text == "B" * 50
    assert ada.send("/account/models/ada-1", name="bob_one")[0] == 409


def test_a_password_is_changed_by_who_knows_it_and_signs_everybody_out(new: Site) -> None:
    people = new.service.people
    people.set_login("ada", "ada@example.org", PASSWORD, new.service.now())
    ada, elsewhere = new.signed_in("ada"), new.signed_in("ada")
    assert ada.send("/account/password", old="not the password", new="another long word")[0] == 401
    assert ada.send("/account/password", old=PASSWORD, new="short")[0] == 422
    status, page = ada.send("/account/password", old=PASSWORD, new="another long word")
    assert (status, faults(page)) == (200, [])
    assert "The password is changed" in page.text
    assert elsewhere.client.get("/account").url.path == "/sign-in"
    assert people.log_in("ada@example.org", "another long word", new.service.now())


def test_browsers_that_ask_too_often_are_shown_a_page_and_programs_a_problem(new: Site) -> None:
    app = create_app(new.service, limits=Limits(lambda: 0.0))
    client = TestClient(app, headers={"accept": "text/html"})
    for _ in range(ASKING.burst):
        app.state.limits.take("testclient")
    answer = client.get("/rounds")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    page = read(answer.text)
    assert faults(page) == []
    assert "Too many requests. Try again in" in page.text
    for address, accept in (("/rounds", "*/*"), ("/api/v1/tournaments", "text/html")):
        answer = client.get(address, headers={"accept": accept})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "rate_limited"


def test_a_file_that_was_not_taken_stays_on_its_owners_account_page(new: Site) -> None:
    ada, bob = new.signed_in("ada"), new.signed_in("bob")
    assert sent(ada, upload(3, ["i01"])).status_code == 422
    page = ada.page("/account")
    assert faults(page) == []
    words = page.only(id="refused").text
    assert "ada_one" in words
    assert "live.csv" in words
    assert "Not enough stocks submitted" in words
    assert 'id="refused"' not in bob.text("/account")
