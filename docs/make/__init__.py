"""Pages that follow from the code: the reference, the dated rules, the problem codes and the commands.

`python -m docs.make` writes them, `python -m docs.make --check` says which are out of date. A test keeps them current.
"""

from __future__ import annotations

from pathlib import Path

from docs.make import commands, problems, reference, rules

DOCS = Path(__file__).resolve().parent.parent
PAGES = {
    "reference.md": reference.page,
    "rules.md": rules.page,
    "problems.md": problems.page,
    "commands.md": commands.page,
}
"""Each generated page and the function that returns its text."""


def stale() -> list[str]:
    """The pages whose text on disk is not what the code says."""
    return [name for name, page in PAGES.items() if _on_disk(name) != page()]


def write() -> list[str]:
    """Bring every page up to date; returns those that were not."""
    names = stale()
    for name in names:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    return names


def _on_disk(name: str) -> str:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else ""
