"""The service: people come in, send, stake and see what came of it; and nothing of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from contests import COIN, OPEN, START, caller, upload, weekly

from crowdalpha.scoring.problems import InputError
from crowdalpha.server.callers import PARTICIPANT, anybody
from crowdalpha.server.catalogue import Refusal, told
from crowdalpha.server.people import SESSION
from crowdalpha.server.service import Service
from crowdalpha.tournament.rounds import Stage

DAY = timedelta(days=1)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def refused(code: str) -> pytest.RaisesContext[Refusal]:
    return pytest.raises(Refusal, check=lambda error: error.code == code)


def test_who_signs_up_can_log_in_until_the_session_ends(service: Service) -> None:
    account = service.people.sign_up("Eve@Example.org", "ten or more letters", "eve", OPEN)
    cookie, session = service.people.log_in("eve@example.org", "ten or more letters", OPEN)
    who, same = service.people.by_cookie(cookie, OPEN + DAY) or pytest.fail("no session")
    assert (who.account, who.scopes, same) == (account.id, PARTICIPANT, session)
    assert service.people.by_cookie(cookie, OPEN + SESSION) is None
    service.people.log_out(cookie, OPEN)
    assert service.people.by_cookie(cookie, OPEN) is None


@pytest.mark.parametrize(("email", "password"), [("eve@example.org", "wrong password"), ("no@body.org", "x" * 300)])
def test_a_wrong_address_and_a_wrong_password_are_refused_alike(service: Service, email: str, password: str) -> None:
    service.people.sign_up("eve@example.org", "ten or more letters", "eve", OPEN)
    with refused("bad_login"):
        service.people.log_in(email, password, OPEN)


def test_names_and_addresses_are_taken_once_whatever_their_case(service: Service) -> None:
    with refused("id_taken"):
        service.people.sign_up("eve@example.org", "ten or more letters", "ADA", OPEN)
    service.people.sign_up("eve@example.org", "ten or more letters", "eve", OPEN)
    with refused("id_taken"):
        service.people.sign_up("EVE@example.org", "ten or more letters", "other", OPEN)


def test_a_new_password_ends_all_sessions(service: Service) -> None:
    account = service.people.sign_up("eve@example.org", "ten or more letters", "eve", OPEN)
    cookie, _ = service.people.log_in("eve@example.org", "ten or more letters", OPEN)
    with refused("bad_login"):
        service.people.change_password(caller(account.id), "wrong", "another long one")
    service.people.change_password(caller(account.id), "ten or more letters", "another long one")
    assert service.people.by_cookie(cookie, OPEN) is None
    service.people.log_in("eve@example.org", "another long one", OPEN)


@pytest.mark.parametrize("form", ["Token {0}${1}", "Bearer {0}.{1}"])
def test_a_token_counts_in_both_forms_until_it_is_revoked(service: Service, form: str) -> None:
    token, secret = service.people.add_token(caller("ada"), "laptop", ["stake", "read_user_info"])
    who = service.people.by_token(form.format(token.public_id, secret), OPEN)
    assert (who.account, who.scopes) == ("ada", {"stake", "read_user_info"})
    assert service.people.tokens(caller("ada"))[0].last_used_at == OPEN
    service.people.revoke_token(caller("ada"), token.public_id)
    with refused("session_not_found"):
        service.people.by_token(form.format(token.public_id, secret), OPEN)


@pytest.mark.parametrize(
    "header", ["", "Token x$y", "Token x", "Bearer x.y", "Basic YWRh", "Token \x00$y", "Token é$y"]
)
def test_what_is_no_token_is_told_so_in_known_words(service: Service, header: str) -> None:
    with pytest.raises(Refusal, match=r"^Your session is invalid or has expired\.$"):
        service.people.by_token(header, OPEN)


def test_a_token_expires_and_may_no_more_than_who_made_it(service: Service) -> None:
    token, secret = service.people.add_token(caller("ada"), "week", ["stake"], OPEN + DAY)
    header = f"Token {token.public_id}${secret}"
    assert service.people.by_token(header, OPEN).scopes == {"stake"}
    with refused("session_not_found"):
        service.people.by_token(header, OPEN + DAY)
    with pytest.raises(Refusal, match=r"^Insufficient permission for admin$"):
        service.people.add_token(caller("ada"), "root", ["admin"])
    with pytest.raises(Refusal, match=r"^Insufficient permission for stake$"):
        service.people.add_token(caller("ada", OPEN, "read_user_info"), "more", ["stake"])


def test_no_secret_is_kept(service: Service) -> None:
    token, secret = service.people.add_token(caller("ada"), "laptop", ["stake"])
    service.people.sign_up("eve@example.org", "ten or more letters", "eve", OPEN)
    cookie, _ = service.people.log_in("eve@example.org", "ten or more letters", OPEN)
    kept = b"".join(path.read_bytes() for path in service.settings.folder.glob("tournament.db*"))
    assert token.public_id.encode() in kept
    assert not any(secret.encode() in kept for secret in (secret, cookie, "ten or more letters"))


def test_a_file_that_is_sent_in_one_call_comes_back_as_it_was(service: Service) -> None:
    sent = service.submissions.submit(caller("ada"), "ada-1", upload(), filename="../live file.csv", trigger_id="t1")
    assert (sent.submission.status, sent.delivery.filename, sent.delivery.trigger_id) == (
        "on_time",
        "live-file.csv",
        "t1",
    )
    again = service.submissions.submit(caller("ada", OPEN + DAY), None, upload(1), filename="b.csv")
    assert service.submissions.file(caller("ada"), sent.submission.id) == upload()
    mine = service.submissions.of_model(caller("ada"), "ada-1")
    assert [(one.submission.id, one.selected) for one in mine] == [
        (again.submission.id, True), (sent.submission.id, False),
    ]  # fmt: skip


def test_a_bad_file_is_refused_with_the_words_participants_know(service: Service) -> None:
    with pytest.raises(InputError) as raised:
        service.submissions.submit(caller("ada"), "ada-1", b"id,guess\na,1\n")
    said = told(raised.value)
    assert (said.status, said.code) == (422, "invalid_submission_headers")
    assert said.message == (
        "invalid_submission_headers: headers must be one of ['id'] and one of ['prediction', 'probability']"
    )


def test_trying_a_file_keeps_nothing(service: Service) -> None:
    before = list(service.engine.files.names())
    assert service.submissions.validate(caller("ada"), upload()).accepted
    assert (
        service.submissions.validate(caller("ada"), upload(ids=["i00"]))
        .messages[0]
        .startswith("invalid_submission_ids")
    )
    assert list(service.engine.files.names()) == before


def test_a_file_is_put_behind_a_link_and_handed_in_once(service: Service) -> None:
    ada = caller("ada")
    slot = service.submissions.slot(ada, "live.csv", "http://host")
    assert slot.url.startswith("http://host/api/v1/uploads/files/ada/live-")
    with refused("not_uploaded"):
        service.submissions.hand_in(ada, slot.filename, "ada-1")
    signed = dict(part.split("=") for part in slot.url.partition("?")[2].split("&"))
    name = f"ada/{slot.filename}"
    asyncio.run(service.submissions.put(name, signed["expires"], signed["signature"], pieces(upload()), OPEN))
    sent = service.submissions.hand_in(ada, slot.filename, "ada-1")
    assert service.submissions.hand_in(ada, slot.filename, "ada-1") == sent
    assert sent.delivery.filename == slot.filename


@pytest.mark.parametrize("name", ["bob/live.csv", "ada/other.csv", "ada/../bob/live.csv", "ada/live.csv/", ""])
def test_a_link_is_for_one_file_only(service: Service, name: str) -> None:
    slot = service.submissions.slot(caller("ada"), "live.csv", "")
    signed = dict(part.split("=") for part in slot.url.partition("?")[2].split("&"))
    with refused("bad_signature"):
        asyncio.run(service.submissions.put(name, signed["expires"], signed["signature"], pieces(b"x"), OPEN))


def test_a_link_expires(service: Service) -> None:
    slot = service.submissions.slot(caller("ada"), "live.csv", "")
    signed = dict(part.split("=") for part in slot.url.partition("?")[2].split("&"))
    with refused("link_expired"):
        name = f"ada/{slot.filename}"
        asyncio.run(service.submissions.put(name, signed["expires"], signed["signature"], pieces(b"x"), OPEN + DAY))


def test_a_stake_is_set_changed_and_taken_back(service: Service) -> None:
    ada = caller("ada")
    change = service.staking.set(ada, "ada-1", "150")
    assert change is not None
    assert (change.kind, change.amount) == ("increase", 50 * COIN)
    assert service.staking.set(ada, "ada-1", "150") is None
    assert service.staking.cancel(ada, change.id).status == "cancelled"
    with refused("changed_meanwhile"):
        service.staking.set(ada, "ada-1", "120", version="as it was")
    assert service.staking.of(ada, "ada-1").holding.reserve == 100 * COIN


def test_outside_its_window_no_round_is_current_and_the_next_is_named(service: Service) -> None:
    assert service.rounds.current(anybody(OPEN)).round.number == 1
    with pytest.raises(Refusal, match=r"^Current round not open for submissions$") as raised:
        service.rounds.current(anybody(START))
    assert raised.value.more == {"next_open_time": weekly(1).open_time}
    assert service.rounds.one(anybody(OPEN), 1).stage(OPEN) is Stage.OPEN
    with refused("round_not_open"):
        service.rounds.universe(anybody(START), 1)


def test_a_finished_round_has_scores_percentiles_payouts_and_a_leaderboard(played: Service) -> None:
    who = anybody(weekly(1).resolve_time)
    rows = [
        row
        for name in ["ada", "bob", "cy"]
        for row in played.results.scores(who, f"{name}-1", metric="corr", latest=True)
    ]
    ranked = sorted(rows, key=lambda row: row.score.value)
    assert [row.percentile for row in ranked] == [1 / 6, 3 / 6, 5 / 6]
    [performance] = played.results.performances(who, "ada-1")
    assert performance.at_risk is not None
    assert performance.payout is not None
    assert performance.at_risk.amount == 100 * COIN
    board = played.results.leaderboard(who, "corr")
    assert [line.name for line in board.lines] == [row.score.model for row in reversed(ranked)]
    assert played.results.leaderboard(who, "corr") is board
    assert played.people.payouts(caller("ada", who.now))[0].payout == performance.payout


def test_models_are_named_once_described_and_renamed(service: Service) -> None:
    ada = caller("ada")
    model = service.models.add(ada, "  second   one ")
    assert model.name == "second one"
    with refused("id_taken"):
        service.models.add(caller("bob"), "Second One")
    with refused("several_models"):
        service.models.own(ada, None)
    service.models.describe(ada, model.id, bio="a bio", webhook="https://example.org/hook")
    service.models.rename(ada, model.id, "third")
    assert service.models.named(ada, "THIRD").profile.webhook == "https://example.org/hook"
    seen = service.models.one(anybody(OPEN), model.id)
    assert (seen.profile.bio, seen.profile.webhook, seen.account.name) == ("a bio", "", "ada")
    with pytest.raises(InputError, match="bad_link_url"):
        service.models.describe(ada, model.id, link_url="javascript:alert(1)")


def test_who_fails_to_log_in_again_and_again_has_to_wait(service: Service) -> None:
    service.people.sign_up("eve@example.org", "ten or more letters", "eve", OPEN)
    for _ in range(4):
        with refused("bad_login"):
            service.people.log_in("eve@example.org", "wrong password", OPEN)
    service.people.log_in("eve@example.org", "ten or more letters", OPEN)
    for _ in range(5):
        with refused("bad_login"):
            service.people.log_in("EVE@example.org", "wrong password", OPEN)
    with refused("rate_limited"):
        service.people.log_in("eve@example.org", "ten or more letters", OPEN)
