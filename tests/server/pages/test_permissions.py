"""Who may open which page and send which form: each is asked by nobody, by another, and without what it must bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from contests import OPEN, caller, upload
from sites import Site

HIDDEN, REFUSED = 404, 403
NOTHING: dict[str, str] = {}


@dataclass(frozen=True)
class Form:
    """A form about something of ada's, and what bob is answered who sends it; None: it is about whoever sends it."""

    path: str
    others: int | None
    fields: dict[str, str] = field(default_factory=dict)
    file: bytes | None = None

    def __str__(self) -> str:
        return self.path


FORMS = [
    Form("/account/models", None, {"name": "another"}),
    Form("/account/models/{id}", REFUSED, {"name": "stolen", "bio": "b"}),
    Form("/account/stakes", REFUSED, {"model": "ada-1", "kind": "increase", "amount": "1", "key": ""}),
    Form("/account/stakes/cancel", HIDDEN, {"change": "stake-ada"}),
    Form("/account/choices", REFUSED, {"model": "ada-1", "choice": ""}),
    Form("/account/keys", None, {"name": "mine", "scopes": "read_user_info", "days": "30"}),
    Form("/account/keys/end", HIDDEN, {"key": "{token}"}),
    Form("/account/password", None, {"old": "wrong password", "new": "another long one"}),
    Form("/account/notices", None, {"hook": "scored", "webhook": "https://bob.example.org"}),
    Form("/account/notices/confirm", None, {"code": "0123456789abcdef0123"}),
    Form("/account/notices/key", None),
    Form("/account/notices/test", REFUSED, {"model": "ada-1"}),
    Form("/submit", REFUSED, {"model": "ada-1", "do": "send"}, upload(5)),
    Form("/diagnostics", REFUSED, {"model": "ada-1"}, upload(5)),
    Form("/diagnostics/{id}/delete", HIDDEN),
    Form("/sign-out", None),
]
COMING_IN = {"/sign-in", "/sign-up"}
"""Forms of those who have no session yet."""
MEMBERS = {
    "/account", "/account/movements.csv", "/account/models/{id}", "/account/notices", "/account/password",
    "/diagnostics/{id}",
    "/diagnostics/{id}/{name}.{kind}", "/rounds/{number:int}/shares/{model}.zip",
}  # fmt: skip
"""Pages for those who are signed in."""
OWN = {
    "/account/models/ada-1": REFUSED,
    "/diagnostics/none-of-bobs": HIDDEN,
    "/diagnostics/none-of-bobs/era.svg": HIDDEN,
    "/rounds/1/shares/ada-1.zip": REFUSED,
}
"""Pages about something of ada's, and what bob is answered."""
EVERYBODY = {
    "/", "/leaderboard.csv", "/leaderboard/{window}/{name}.{kind}", "/models/{id}", "/models/{id}/{name}.{kind}",
    "/rounds", "/rounds/{number:int}", "/rounds/{number:int}/ids.csv", "/rounds/{number:int}/models.csv",
    "/rounds/{number:int}/{name}.{kind}", "/rules", "/verify", "/verify/head.json", "/sign-in", "/sign-up", "/submit",
    "/lab", "/lab/verdicts", "/lab/verdicts/{name}.{kind}", "/lab/{experiment}", "/lab/{experiment}/{name}.{kind}",
    "/diagnostics",
}  # fmt: skip


def state(site: Site) -> Any:
    """Everything that others could spoil of ada's."""
    service, ada = site.service, caller("ada")
    ended = [token.revoked_at for token in service.people.tokens_of("ada")]
    looked_at = service.diagnostics.of_model(ada, "ada-1")
    told = service.notices.wish(ada), service.notices.key(ada), service.notices.log(ada)
    owned = service.models.mine(ada), service.submissions.mine(ada), service.staking.of(ada, "ada-1")
    return owned, ended, looked_at, told


def sent(site: Site, form: Form, hidden: dict[str, str] = NOTHING, **headers: str) -> int:
    """The status of a form that is sent as it stands; the token that the page would hide in it is in the fields."""
    token = site.service.people.tokens_of("ada")[0].public_id
    path = form.path.replace("{id}", "none" if "diagnostics" in form.path else "ada-1")
    fields = {name: value.format(token=token) for name, value in form.fields.items()} | hidden
    files = {"file": ("a.csv", form.file, "text/csv")} if form.file else None
    answer = site.client.post(path, data=fields, files=files, headers=headers, follow_redirects=False)
    return answer.status_code


def csrf(site: Site) -> dict[str, str]:
    return {"csrf": site.csrf}


@pytest.fixture
def there(new: Site) -> Site:
    new.service.people.issue("ada", "old", ["stake"], OPEN)
    return new


@pytest.mark.parametrize("form", [form for form in FORMS if form.others], ids=str)
def test_a_form_about_something_of_anothers_changes_nothing(there: Site, form: Form) -> None:
    before, bob = state(there), there.signed_in("bob")
    assert sent(bob, form, csrf(bob)) in (form.others, 409)
    assert state(there) == before


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_form_of_nobody_or_without_its_token_or_from_elsewhere_is_not_taken(there: Site, form: Form) -> None:
    before, ada = state(there), there.signed_in("ada")
    hidden = csrf(ada)
    assert sent(there, form, hidden) in (303, 401, 403)
    assert sent(ada, form) == REFUSED
    assert sent(ada, form, csrf(there.signed_in("bob"))) == REFUSED
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"origin": "https://evil.org"}):
        assert sent(ada, form, hidden, **headers) == REFUSED
    assert state(there) == before
    assert there.service.people.by_cookie(ada.client.headers["cookie"].partition("=")[2], OPEN) is not None


@pytest.mark.parametrize(("path", "status"), OWN.items())
def test_a_page_about_something_of_anothers_is_not_shown(there: Site, path: str, status: int) -> None:
    answer = there.signed_in("bob").client.get(path, follow_redirects=False)
    assert answer.status_code in (status, HIDDEN)
    nobody = there.client.get(path, follow_redirects=False)
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("path", ["/account", "/account/movements.csv", "/account/password"])
def test_a_page_of_ones_own_leads_nobody_to_sign_in_and_shows_nothing_of_others(there: Site, path: str) -> None:
    nobody = there.client.get(path, follow_redirects=False)
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/sign-in")
    answer = there.signed_in("bob").client.get(path)
    assert answer.status_code == 200
    assert "ada" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def routes(found: Any) -> Iterator[tuple[str, str]]:
    for route in found:
        if type(route).__name__ == "PageRoute":
            yield from ((verb, route.path) for verb in route.methods)
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)


def test_every_page_and_form_is_in_one_of_the_tables(new: Site) -> None:
    app: Any = new.client.app
    pages = {path for verb, path in routes(app.routes) if verb == "GET"}
    forms = {path for verb, path in routes(app.routes) if verb == "POST"}
    assert pages - {"/favicon.ico"} == EVERYBODY | MEMBERS
    assert forms == {form.path for form in FORMS} | COMING_IN
