"""What axe has to say of a page."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("serious", "critical")


def faults(page: Page) -> list[Any]:
    """What axe finds that is grave, and anything that sticks out sideways."""
    found = Axe().run(page).response["violations"]
    grave = [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found if v["impact"] in GRAVE]
    return [*grave, *too_wide(page)]


def too_wide(page: Page) -> list[str]:
    """What sticks out sideways."""
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"{width} px too wide"] if width > 0 else []
