"""A browser, and servers for it to look at. Without a Chromium on this machine nothing in here is collected."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browsers import chromium

sys.path.append(str(Path(__file__).parent))
if not chromium():
    collect_ignore_glob = ["*.py"]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from towns import Town


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all the tests in here, and closed after them: where it runs, no other event loop can."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=chromium(), args=["--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def screen(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Windows of a new browser each; every complaint in their consoles is a failure."""
    opened, complaints = [], []

    def window(width: int = 1280, **how: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **how)
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _grave(said) else None)
        return page

    yield window
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def game(tmp_path: Path) -> Iterator[Town]:
    """A tournament with one round, which is open; three others are in already."""
    from towns import beginning

    with beginning(tmp_path / "cup") as town:
        yield town


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A tournament in its prime: rounds that are over, one that is scored, one that is open. Only to be looked at."""
    from towns import prime

    with prime(tmp_path_factory.mktemp("season") / "cup") as town:
        yield town


def _grave(said: Any) -> bool:
    """Whether a message is a complaint: a page that answers with a refusal is none, though browsers say so."""
    return said.type in ("error", "warning") and "the server responded with a status of" not in said.text
