"""Diagnosing on the pages: a file of past eras is taken, looked at in its turn, and told about to its owner alone."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from contests import IDS, caller, play_first, serving, upload, weekly, world
from sites import Site, faults, links, site

from crowdalpha.diagnostics.formats import signed


@pytest.fixture
def past(tmp_path):
    """A round is over, whose outcome is known: predictions of it can be diagnosed."""
    with world(tmp_path / "cup") as (engine, settings):
        play_first(engine)
        yield site(serving(engine, settings, weekly(1).resolve_time))


def sent(site: Site, content: bytes | None, model: str = "ada-1"):
    files = {"file": ("past.csv", content, "text/csv")} if content is not None else {}
    fields = {"csrf": site.csrf, "model": model}
    return site.client.post("/diagnostics", data=fields, files=files or None, follow_redirects=False)


def test_a_file_is_taken_looked_at_and_told_about(past: Site) -> None:
    ada = past.signed_in("ada")
    address = sent(ada, upload(3)).headers["location"]
    waiting = ada.page(address)
    assert faults(waiting) == []
    assert "It waits for its turn" in waiting.text
    past.service.diagnostics.work()
    page = ada.page(address)
    assert faults(page) == []
    (one,) = past.service.diagnostics.of_model(caller("ada"), "ada-1")
    found = json.loads(one.content)
    assert signed(found["figures"]["corr"]["mean"]) in page.only(id="figures").text
    for link in links(page):
        assert ada.client.get(link).status_code == 200, link
    assert ET.fromstring(ada.text(f"{address}/added-up.svg")).tag.endswith("svg")
    assert float(ada.text(f"{address}/corr.csv").split()[1].split(",")[1]) == found["scores"]["corr"][0]
    assert address in ada.text("/diagnostics")


def test_what_is_wrong_with_a_file_is_told(past: Site) -> None:
    ada = past.signed_in("ada")
    address = sent(ada, upload(3, IDS[:20])).headers["location"]
    past.service.diagnostics.work()
    page = ada.page(address)
    assert faults(page) == []
    assert "It was not accepted." in page.text
    none = sent(ada, None)
    assert none.status_code == 422
    assert "no file" in none.text


def test_diagnoses_are_their_owners_and_can_be_forgotten(past: Site) -> None:
    ada, bob = past.signed_in("ada"), past.signed_in("bob")
    address = sent(ada, upload(3)).headers["location"]
    past.service.diagnostics.work()
    assert bob.client.get(address).status_code == 404
    assert bob.client.get(f"{address}/corr.csv").status_code == 404
    assert bob.send(f"{address}/delete")[0] == 404
    assert sent(bob, upload(3)).status_code == 403
    assert past.client.get(address, follow_redirects=False).headers["location"].startswith("/sign-in")
    assert ada.client.post(f"{address}/delete", data={"csrf": "wrong"}).status_code == 403
    ada.send(f"{address}/delete")
    assert ada.client.get(address).status_code == 404


def test_without_a_past_it_is_said_that_there_is_none(new: Site) -> None:
    answer = sent(new.signed_in("ada"), upload(3))
    assert answer.status_code == 409
    assert "There are no past eras yet" in answer.text
