"""`crowdalpha lab tune`: a search for people and for scripts."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.lab.policies import read_designs

ASKED = ("lab", "tune", "--designs", "6", "--seasons", "2", "--rounds", "3", "--engine", "serial")


def test_a_search_shows_its_front_and_writes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "front.html"
    result = CliRunner().invoke(main, [*ASKED, "--floor", "--report", str(page)])
    assert result.exit_code == 0, result.output
    assert "The Pareto front" in result.output
    assert "6 designs" in result.output
    assert "6 payout designs" in page.read_text(encoding="utf-8")


def test_a_search_can_be_read_by_scripts() -> None:
    result = CliRunner().invoke(main, [*ASKED, "--goal", "steady", "--json"])
    found = json.loads(result.output)
    assert [goal["name"] for goal in found["goals"]] == ["steady"]
    best = max(each["figures"]["steady"] for each in found["candidates"])
    assert {each["figures"]["steady"] for each in found["candidates"] if each["front"]} == {best}


def test_an_unknown_goal_is_refused() -> None:
    result = CliRunner().invoke(main, [*ASKED, "--goal", "fame", "--json"])
    assert result.exit_code == 3
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["unknown_goal"]


def test_the_safe_designs_of_the_front_are_written_as_policies_that_can_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "front.toml"
    result = CliRunner().invoke(main, ["lab", "tune", "--designs", "6", "--seasons", "8", "--rounds", "2",
                                       "--engine", "serial", "--output", str(path), "--json"])  # fmt: skip
    safe = [each for each in json.loads(result.output)["candidates"] if each["front"] and each["safe"]]
    written = read_designs(path)
    assert safe
    assert sorted(design.clip for design in written.values()) == sorted(each["design"]["clip"] for each in safe)
    asked = ["lab", "judge", f"{path}:design-1", "--agent", "pair", "--seasons", "2", "--rounds", "2", "--json"]
    assert json.loads(CliRunner().invoke(main, asked).output)["design-1"]["convicted_by"] is None
