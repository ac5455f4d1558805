"""Pages for everybody: axe finds no grave fault on any, they fit small screens, and the first visit is light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from audits import faults, too_wide
from playwright.sync_api import Page, expect
from towns import OVER, Town

Screen = Callable[..., Page]
WIDTHS = (1280, 390)
OPEN, SCORED, DONE = OVER + 2, OVER + 1, OVER
PUBLIC = (
    "/",
    "/?by=account&window=all&metric=corr",
    "/?find=nobody",
    "/models/ada-1",
    "/rounds",
    *(f"/rounds/{n}" for n in (OPEN + 1, OPEN, SCORED, DONE)),
    "/rules",
    "/lab",
    "/lab/verdicts",
    "/lab/hard-eras",
    "/verify",
    "/submit",
    "/diagnostics",
    "/sign-in",
    "/sign-up",
    "/nowhere",
)
OWN = (
    "/account",
    "/account/models/ada-1",
    "/account/notices",
    "/account/password",
    "/diagnostics",
    "/submit",
    "/models/ada-1",
    "/verify",
)


def walk(page: Page, town: Town, addresses: tuple[str, ...]) -> dict[str, list[Any]]:
    """The faults of each page, with all that is folded opened."""
    wrong = {}
    for address in addresses:
        page.goto(town.url + address)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        if found := faults(page):
            wrong[address] = found
    return wrong


@pytest.mark.parametrize(("width", "colours"), [(390, "dark")])
def test_axe_finds_no_grave_fault(season: Town, screen: Screen, width: int, colours: Any) -> None:
    page = screen(width, color_scheme=colours)
    assert walk(page, season, PUBLIC) == {}
    page.context.add_cookies([season.cookie("ada")])
    assert walk(page, season, OWN) == {}


@pytest.mark.parametrize("width", [320, 768])
def test_ones_own_pages_fit_the_narrowest_screen_and_one_between(season: Town, screen: Screen, width: int) -> None:
    page = screen(width)
    page.context.add_cookies([season.cookie("ada")])
    for address in OWN:
        page.goto(season.url + address)
        assert too_wide(page) == [], address


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "colours"), [(1280, "light"), (390, "light"), (1280, "dark"), (768, "light"), (320, "dark")]
)
def test_nor_on_any_other_screen(season: Town, screen: Screen, width: int, colours: Any) -> None:
    test_axe_finds_no_grave_fault(season, screen, width, colours)


def test_a_refused_file_is_told_without_a_fault(game: Town, screen: Screen) -> None:
    page = screen(390)
    page.context.add_cookies([game.cookie("ada")])
    page.goto(f"{game.url}/submit")
    page.set_input_files("#file", {"name": "bad.csv", "mimeType": "text/csv", "buffer": b"id,prediction\ni01,7\n"})
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#answer h2")).to_have_text("Not accepted")
    assert faults(page) == []


def test_the_first_visit_of_the_leaderboard_transfers_less_than_200_kib(season: Town, screen: Screen) -> None:
    page = screen()
    wire, sizes = page.context.new_cdp_session(page), []
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda said: sizes.append(said["encodedDataLength"]))
    page.goto(season.url, wait_until="networkidle")
    expect(page.get_by_role("link", name="ada_one")).to_be_visible()
    assert len(sizes) >= 4  # the page, its style, its scripts
    assert sum(sizes) < 200 * 1024
    hosts = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert set(hosts) == {season.url}


def test_the_leaderboard_has_its_content_without_scripts(season: Town, screen: Screen) -> None:
    page = screen(java_script_enabled=False)
    page.goto(season.url)
    expect(page.get_by_role("row")).to_have_count(4)
    expect(page.locator("#board")).to_contain_text("bob_one")
    page.get_by_role("link", name="Staked").click()
    expect(page.locator("[aria-sort=descending]")).to_have_text("Staked")
    page.get_by_label("Find a model or an account").fill("cy")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#board tbody").get_by_role("row")).to_have_count(1)


def test_with_scripts_the_board_changes_in_place(season: Town, screen: Screen) -> None:
    page = screen()
    page.goto(season.url)
    page.evaluate("document.body.dataset.same = 'yes'")
    page.get_by_role("link", name="Staked").click()
    expect(page.locator("[aria-sort=descending]")).to_have_text("Staked")
    page.get_by_label("Find a model or an account").press_sequentially("cy")
    expect(page.locator("#board tbody").get_by_role("row")).to_have_count(1)
    expect(page.get_by_role("status")).to_contain_text("1 of 3 found")
    assert page.evaluate("document.body.dataset.same") == "yes"
    page.goto(f"{season.url}/models/ada-1")
    page.get_by_role("button", name="Read single values").click()
    expect(page.locator("#history-section .uplot canvas")).to_be_visible()
