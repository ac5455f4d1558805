"""From docstrings to Markdown: tables, prose with links to the sources, equations as blocks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
GENERATED = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"

KEY = re.compile(r"SPEC \d|DOCS|EX|NT|[A-Z][A-Za-z]{0,4}\d{2,4}(?:#\d+)?|(?:docs|ex)@[0-9a-f]{7}")
"""A citation key, as docstrings and rules write it."""
BRACKETED = re.compile(r"\[([^\[\]]+)\](?!\()")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


def link(key: str) -> str:
    """A citation key as a link to its entry, or to the section it names."""
    if key.startswith("SPEC "):
        return f"[{key}](scoring.md#{_sections()[key[-1]]})"
    entry = {"docs": "docs", "ex": "ex"}.get(key.partition("@")[0], key.partition("#")[0].lower())
    return f"[{key}](bibliography.md#{entry})"


def prose(text: str) -> str:
    """A paragraph for Markdown: citations become links, stars and angle brackets lose their meaning outside code."""
    parts = re.split(r"(`+[^`]+`+)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def docstring(thing: object) -> str:
    """A docstring as Markdown: prose as paragraphs, indented equations as code, without the example."""
    text = inspect.getdoc(thing) or ""
    blocks = re.split(r"\n\s*\n", text.split("\n>>>")[0].strip())
    return "\n\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    lines = block.split("\n")
    if all(line.startswith("    ") for line in lines):
        return block
    if all(line.startswith("- ") or line.startswith("  ") for line in lines):
        return "\n".join(line[:2] + prose(line[2:]) for line in lines)
    return prose(block)


def _escaped(text: str) -> str:
    safe = re.sub(r"([*<>])", r"\\\1", text)
    return BRACKETED.sub(_linked, safe)


def _linked(match: re.Match[str]) -> str:
    keys = match[1].split(", ")
    return ", ".join(map(link, keys)) if all(KEY.fullmatch(key) for key in keys) else f"\\[{match[1]}\\]"


@cache
def _sections() -> dict[str, str]:
    text = (DOCS / "scoring.md").read_text(encoding="utf-8")
    return {heading[0]: slug(heading) for heading in re.findall(r"^## (\d\..*)$", text, re.MULTILINE)}
