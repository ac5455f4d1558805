"""What holds for every page that can be reached, by a visitor and by somebody who is signed in."""

from __future__ import annotations

import pytest
from pages import read
from sites import Site, faults, links


def reached(site: Site, start: str = "/") -> dict[str, str]:
    """Every address that can be reached by links, with what is there (the text of pages alone)."""
    found: dict[str, str] = {}
    waiting, asked = {start}, set()
    while waiting:
        address = waiting.pop()
        asked.add(address)
        answer = site.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        html = answer.headers["content-type"].startswith("text/html")
        found[str(answer.url).removeprefix("http://testserver")] = answer.text if html else ""
        if html and "?" not in address:  # from one leaderboard to all others is far
            waiting |= links(read(answer.text)) - asked
    return found


@pytest.mark.parametrize("who", ["", "ada"])
def test_every_link_leads_somewhere_and_every_page_is_sound(running: Site, who: str) -> None:
    site = running.signed_in(who) if who else running
    pages = reached(site)
    public = {"/", "/rounds", "/rounds/1", "/rounds/2", "/models/ada-1", "/rules", "/lab", "/verify", "/submit"}
    assert public <= pages.keys()
    assert ("/account" in pages) == bool(who)
    wrong = {address: faults(read(text)) for address, text in pages.items() if text}
    assert {address: found for address, found in wrong.items() if found} == {}


def test_a_new_tournament_has_pages_too(new: Site) -> None:
    for address, text in reached(new).items():
        assert not text or faults(read(text)) == [], address


def test_every_page_says_what_browsers_may_load(running: Site) -> None:
    for address in ("/", "/models/ada-1", "/rounds/1", "/sign-in", "/nowhere-at-all/x.y", "/rounds/99"):
        answer = running.client.get(address)
        if answer.headers["content-type"].startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_link_into_a_page_finds_its_place_there(running: Site) -> None:
    ada = running.signed_in("ada")
    for start in ("/models/ada-1", "/submit", "/rounds/1", "/rules", "/lab", "/lab/verdicts"):
        for address in [node.attributes.get("href", "") for node in ada.page(start).all("a")]:
            page, _, place = address.partition("#")
            if place and page.startswith("/"):
                assert ada.page(page).only(id=place), address


def test_titles_tell_pages_apart(running: Site) -> None:
    pages = {address: text for address, text in reached(running).items() if text and "?" not in address}
    titles = [read(text).all("title")[0].text for text in pages.values()]
    assert len(set(titles)) == len(titles)


def test_what_is_not_there_is_a_page_that_says_so(running: Site) -> None:
    for address in (
        "/nowhere",
        "/sign-out",
        "/models/nobody",
        "/rounds/99",
        "/models/ada-1/nothing.csv",
        "/rounds/1/nothing.svg",
        "/lab/perpetual-motion",
        "/lab/perpetual-motion/figures.csv",
        "/lab/copy/nothing.svg",
        "/lab/verdicts/nothing.csv",
    ):
        page = running.page(address, 404)
        assert faults(page) == []
        assert "There is nothing here." in page.all("main")[0].text


def test_what_belongs_to_somebody_is_kept_by_no_browser(running: Site) -> None:
    ada = running.signed_in("ada")
    assert ada.client.get("/account").headers["cache-control"] == "no-store"
    assert "Cookie" in running.client.get("/").headers["vary"]


def test_the_first_visit_of_the_leaderboard_is_light(running: Site) -> None:
    page = running.client.get("/", headers={"accept-encoding": "gzip"})
    wanted = [node.attributes.get("src") or node.attributes["href"] for node in read(page.text).all_nodes()
              if node.tag == "script" or (node.tag == "link" and "href" in node.attributes)]  # fmt: skip
    sent = [running.client.get(address, headers={"accept-encoding": "gzip"}) for address in wanted]
    assert all("immutable" in answer.headers["cache-control"] for answer in sent)
    assert sum(int(answer.headers["content-length"]) for answer in [page, *sent]) < 200 * 1024 / 4
