"""The page on running a tournament, played in one empty folder: its commands run, and print what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowdalpha.cli import COMMANDS, main

PAGE = (Path(__file__).parents[2] / "docs" / "tournament.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^```(sh|python)\n(.*?)^```(?:\n\n^```text\n(.*?)^```)?", PAGE, flags=re.MULTILINE | re.DOTALL)
TEN = ("init", "account deposit", "account open", "account model", "stake increase", "round schedule", "submit", "tick")
TEN += ("round target", "leaderboard")
SPELLING = r"""
crowdalpha() { printf '%s\0' "$CROWDALPHA_TOURNAMENT" "$@"; printf '\n\0'; }
"""
"""A shell that has read this says which commands it would run, and where."""


def spelt(text: str) -> list[list[str]]:
    """The commands that a shell makes of a block of the page, each after its CROWDALPHA_TOURNAMENT."""
    before = PAGE.partition(text)[0] if text in PAGE else PAGE
    exported = "\n".join(re.findall(r"^export .*$", before, re.MULTILINE)) or "CROWDALPHA_TOURNAMENT="
    done = subprocess.run(["sh", "-euc", f"{exported}\n{SPELLING}{text}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [command.split("\0")[:-1] for command in done.stdout.split("\n\0")[:-1]]


def printed(kind: str, text: str) -> str:
    """What a block prints: its commands run one after another in this process, for they take longer to begin."""
    if kind == "python":
        return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    said = []
    for folder, *arguments in spelt(text):
        done = CliRunner().invoke(main, arguments, env={"CROWDALPHA_TOURNAMENT": folder}, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        said.append(done.stdout)
    return "".join(said)


def test_every_step_of_the_page_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text, said in STEPS:
        found = printed(kind, text)
        assert not said or OutputChecker().check_output(said, found, ELLIPSIS | NORMALIZE_WHITESPACE), found
    assert len(STEPS) > 8
    (tmp_path / "round.toml").write_text(*re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
    second = printed("sh", "crowdalpha round schedule --from round.toml --now 2026-01-09")
    assert second.startswith("round 2: opens 2026-01-10 18:00:00Z")


def test_the_ten_commands_are_ten_and_every_verb_of_a_tournament_is_on_the_page() -> None:
    first = PAGE.partition("## Nobody has to be believed")[0]
    commands = [command for kind, text, _ in STEPS if kind == "sh" and text in first for command in spelt(text)]
    groups = ("account", "round", "stake")
    assert {" ".join(c[1 : 3 if c[1] in groups else 2]) for c in commands} == set(TEN)
    assert len(TEN) == 10
    own = {name for name, module in COMMANDS.items() if ".tournament." in module}
    assert [name for name in own if f"crowdalpha {name}" not in PAGE] == []
