"""Citations and the pages they lead to hold each other to their word."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "crowdalpha"
DOCS = ROOT / "docs"
KEY = re.compile(r"SPEC(?: \d)?|DOCS|EX|NT|[A-Z][A-Za-z]{0,4}\d{2,4}(?:#\d+)?|(?:docs|ex)@[0-9a-f]{7}")
BRACKETED = re.compile(r"\[([^\[\]]+)\]")
NAMED = re.compile(r"\bF\d{2,4}\b|\b(?:docs|ex)@[0-9a-f]{7}\b")


def keys_in_brackets(text):
    found = [key for group in BRACKETED.findall(text) for key in group.split(", ")]
    return {key for key in found if KEY.fullmatch(key)}


def keys_as_values(python):
    values = {node.value for node in ast.walk(ast.parse(python)) if isinstance(node, ast.Constant)}
    return {value for value in values if isinstance(value, str) and KEY.fullmatch(value)}


def keys_of_rules(toml):
    entries = [entry for table in tomllib.loads(toml).values() for entry in table]
    return {source for entry in entries for source in entry["sources"] if KEY.fullmatch(source)}


def cited_in_source():
    python = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    rules = (SOURCE / "payouts" / "rules.toml").read_text(encoding="utf-8")
    return set().union(*map(keys_in_brackets, python), *map(keys_as_values, python), keys_of_rules(rules))


def cited_in_pages():
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md") if path.name != "bibliography.md"]
    return set().union(*map(keys_in_brackets, pages), *map(NAMED.findall, pages))


def entries():
    text = (DOCS / "bibliography.md").read_text(encoding="utf-8")
    return set(re.findall(r"^### (\S+)$", text, re.MULTILINE)) | set(
        re.findall(r"^\| ((?:docs|ex)@\w+) \|", text, re.MULTILINE)
    )


def entry_of(key):
    return re.split(r"[ #]", key)[0]


def test_every_key_cited_in_the_source_is_in_the_bibliography():
    cited = cited_in_source()
    assert len(cited) > 20
    assert {key for key in cited if entry_of(key) not in entries()} == set()


def test_every_key_cited_in_a_page_is_in_the_bibliography():
    assert {key for key in cited_in_pages() if entry_of(key) not in entries()} == set()


def test_every_entry_of_the_bibliography_is_cited():
    cited = {entry_of(key) for key in cited_in_source() | cited_in_pages()}
    assert entries() - cited == set()


def test_every_section_that_is_cited_is_a_section_of_the_scoring_page():
    text = (DOCS / "scoring.md").read_text(encoding="utf-8")
    sections = {f"SPEC {number}" for number in re.findall(r"^## (\d)\. ", text, re.MULTILINE)}
    cited = {key for key in cited_in_source() | cited_in_pages() if key.startswith("SPEC ")}
    assert sections == {f"SPEC {number}" for number in range(7)}
    assert cited <= sections


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"])
def test_every_link_between_pages_leads_somewhere(page):
    start = ROOT / page
    pages = sorted(start.rglob("*.md")) if start.is_dir() else [start]
    broken = [
        (str(path.relative_to(ROOT)), target) for path in pages for target in links(path) if not leads(path, target)
    ]
    assert broken == []


def links(path):
    text = re.sub(r"`[^`\n]*`", "", path.read_text(encoding="utf-8"))
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def leads(path, target):
    name, _, anchor = target.partition("#")
    goal = path.parent / name if name else path
    return goal.exists() and (not anchor or anchor in anchors(goal))


def anchors(path):
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_decision_is_in_the_index():
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()
