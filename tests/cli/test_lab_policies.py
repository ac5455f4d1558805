"""`crowdalpha lab` with a policy of one's own."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from crowdalpha.cli import main

MINE = "[gentle]\ncorr = 0.5\nmmc = 2\nclip = 0.05\n\n[generous]\nmmc = 1\nfloor = 0\n"
ASKED = ("--agent", "pair", "--seasons", "3", "--rounds", "2", "--json")


def test_a_policy_of_ones_own_is_judged_and_one_that_can_be_milked_is_convicted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    (tmp_path / "mine.py").write_text("def pay(corr, mmc):\n    return abs(corr)\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["lab", "judge", str(path), f"{tmp_path}/mine.py:pay", *ASKED])
    found = json.loads(result.output)
    assert {name: said["convicted_by"] for name, said in found.items()} == {
        "gentle": None,
        "generous": "pair",
        "pay": "pair",
    }


def test_a_file_that_is_no_policy_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["lab", "judge", str(tmp_path / "none.toml"), "--json"])
    assert result.exit_code == 3
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["policy_unreadable"]
