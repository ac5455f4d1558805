"""Somebody comes along, takes part in a round, and sees what came of it: in a real browser, at a real server."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from audits import faults
from contests import COIN, IDS
from playwright.sync_api import Page, expect
from towns import DAY, Town, file, solve, week

PASSWORD = "a very long word"
Screen = Callable[..., Page]


def choose(page: Page, name: str, content: bytes) -> None:
    """Choose a file on the page that submits."""
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})


def sign_up(page: Page, town: Town, name: str) -> None:
    page.goto(town.url)
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Name, seen by everybody").fill(name)
    page.get_by_label("E-mail").fill(f"{name}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def make_model(page: Page, name: str) -> None:
    page.locator("#new-model").get_by_label("Name, seen by everybody").fill(name)
    page.locator("#new-model").get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("The model is made")


def pay_in(town: Town, name: str) -> None:
    account = next(a for a in town.service.results.names()[1].values() if a.name == name)
    town.service.engine.deposit(f"gift-{name}", 500 * COIN, town.clock.now, into=f"wallet:{account.id}")


def stake(page: Page, amount: str) -> None:
    page.get_by_label("Coins").fill(amount)
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("status")).to_contain_text("It counts when the next round closes")


def test_from_signing_up_to_score_rank_payout_and_the_residual_picture(game: Town, screen: Screen) -> None:
    page = screen()
    sign_up(page, game, "eve")
    make_model(page, "eve_one")

    # a key, shown once, that programs come in with
    keys = page.locator("#keys")
    keys.get_by_label("What it is for").fill("my script")
    keys.get_by_role("button", name="Make it").click()
    secret = page.locator("#secret").inner_text()
    answer = httpx.get(f"{game.url}/api/v1/account", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["name"] == "eve"

    pay_in(game, "eve")
    page.goto(f"{game.url}/account")
    stake(page, "100")

    # a file that is wrong in several ways is explained, one that is right is taken
    page.get_by_role("link", name="Submit", exact=True).first.click()
    bad = file(1, 7, skill=0.9, ids=IDS[1:]).replace(b"i07,0", b"i07,7")
    choose(page, "bad.csv", bad)
    page.get_by_role("button", name="Submit", exact=True).click()
    refused = page.locator("#answer")
    expect(refused.get_by_role("heading")).to_be_focused()
    expect(refused.get_by_role("heading")).to_have_text("Not accepted")
    expect(refused).to_contain_text("Not enough stocks submitted")
    expect(refused).to_contain_text("values must be between 0 and 1")
    choose(page, "good.csv", file(1, 7, skill=0.9))
    page.get_by_role("button", name="Check only").click()
    expect(refused.get_by_role("heading")).to_have_text("It would be accepted")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(refused.get_by_role("heading")).to_have_text("Accepted")
    page.get_by_role("link", name="eve", exact=True).click()
    expect(page.locator("tr[id^=model-]").get_by_text("in", exact=True)).to_be_visible()

    # the round closes, is scored, resolves
    solve(game)
    game.at(week(1).close_time)
    page.goto(f"{game.url}/rounds/1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("scoring")
    game.at(week(1).scoring_times[2])
    page.reload()
    expect(page.locator("main")).to_contain_text("3 of 7 days are scored")
    page.get_by_role("link", name="eve_one").click()
    expect(page.locator("#days-section")).to_contain_text("3 of 7")
    expect(page.locator("#days-section svg").first).to_be_visible()
    page.go_back()
    game.at(week(1).resolve_time + DAY)
    page.reload()
    row = page.get_by_role("row").filter(has_text="eve_one")
    expect(row).to_contain_text("+25.00")  # the rule pays a quarter of what is at risk at most

    page.get_by_role("link", name="Leaderboard").click()
    best = page.locator("#board tbody tr").first
    expect(best).to_contain_text("eve_one")
    expect(best.get_by_role("cell").first).to_have_text("1")
    best.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("eve_one")
    expect(page.locator(".facts")).to_contain_text("125.00")
    expect(page.locator("#residual-section svg").first).to_be_visible()
    expect(page.locator("#exposure-section svg").first).to_be_visible()
    expect(page.locator("#payouts-section")).to_contain_text("Earned and burned")
    page.get_by_role("link", name="Your model").click()
    expect(page.locator("#money")).to_contain_text("Round settled")
    expect(page.locator("tr[id^=model-]")).to_contain_text("125.00")


def test_a_file_of_past_eras_is_dropped_and_its_page_tells_when_it_is_done(game: Town, screen: Screen) -> None:
    solve(game)
    game.at(week(1).resolve_time)
    page = screen()
    page.context.add_cookies([game.cookie("ada")])
    page.goto(f"{game.url}/submit")
    page.get_by_role("link", name="diagnose").click()
    page.evaluate(DROP, file(1, 7, skill=0.9).decode())
    expect(page.get_by_role("status").first).to_contain_text("past.csv")
    page.get_by_role("button", name="Diagnose").click()
    state = page.locator("#state")
    expect(state).to_contain_text("It waits for its turn")
    assert faults(page) == []
    game.service.diagnostics.work()
    expect(state).to_contain_text("Done.", timeout=10_000)
    expect(state.locator("#charts svg").first).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Forget this file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Diagnose")


DROP = """(text) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "past.csv", { type: "text/csv" }));
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
    document.querySelector(".drop").dispatchEvent(event);
  }
}"""
"""Drop a file with that text where files are dropped."""


def test_the_same_without_scripts(game: Town, screen: Screen) -> None:
    page = screen(java_script_enabled=False)
    sign_up(page, game, "eve")
    make_model(page, "eve_one")
    page.goto(f"{game.url}/submit")
    choose(page, "bad.csv", b"id,prediction\ni01,0.5\n")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#answer")).to_contain_text("Not enough stocks submitted")
    choose(page, "good.csv", file(1, 7, skill=0.9))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator("#answer")).to_contain_text("is in for round 1")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_the_main_forms_need_no_mouse(game: Town, screen: Screen) -> None:
    page = screen()
    page.on("filechooser", lambda _: None)  # that they are caught takes a moment to begin
    keys = page.keyboard

    def to(words: str, limit: int = 80) -> None:
        """Press Tab until what has these words for its name has the focus, and can be seen to have it."""
        for _ in range(limit):
            keys.press("Tab")
            name, outlined = page.evaluate(FOCUS)
            if name.startswith(words):
                assert outlined, f"nobody sees that {words} has the focus"
                return
        raise AssertionError(f"{words} cannot be reached by Tab")

    page.goto(game.url)
    keys.press("Tab")
    assert page.evaluate(FOCUS)[0] == "Skip to content"
    to("Sign up")
    keys.press("Enter")
    page.wait_for_url("**/sign-up")
    for label, words in (("Name", "eve"), ("E-mail", "eve@example.org"), ("Password", PASSWORD)):
        to(label)
        keys.type(words)
    keys.press("Enter")
    page.wait_for_url("**/account")
    to("Name, seen by everybody")
    keys.type("eve_one")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The model is made")
    to("What it is for")
    keys.type("script")
    to("change stakes")
    keys.press("Space")
    to("Make it")
    keys.press("Enter")
    expect(page.locator("#secret")).to_be_visible()
    page.goto(f"{game.url}/submit")
    to("Drop a CSV or Parquet file")
    with page.expect_file_chooser() as chosen:
        keys.press("Enter")
    chosen.value.set_files({"name": "good.csv", "mimeType": "text/csv", "buffer": file(1, 7, skill=0.9)})
    to("Submit")
    keys.press("Enter")
    expect(page.locator("#answer h2")).to_be_focused()
    expect(page.locator("#answer h2")).to_have_text("Accepted")
    to("Sign out")
    keys.press("Enter")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


FOCUS = """() => {
  const node = document.activeElement;
  const label = node.labels && node.labels.length ? node.labels[0] : node;
  return [label.textContent.trim(), getComputedStyle(node).outlineStyle !== "none"];
}"""
"""What the node that has the focus is called, and whether a line is drawn around it."""
