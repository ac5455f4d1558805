"""`crowdalpha lab tune`: a search for people and for scripts."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.lab.policies import read_designs

ASKED = (
    *("lab", "tune", "--designs", "4", "--seasons", "10", "--rounds", "2"),
    *("--models", "4", "--ids", "20", "--engine", "serial"),
)


def test_a_search_can_be_read_by_scripts_and_its_safe_designs_can_be_judged(tmp_path: Path) -> None:
    path, page = tmp_path / "front.toml", tmp_path / "front.html"
    result = CliRunner().invoke(main, [*ASKED, "--output", str(path), "--report", str(page), "--json"])
    candidates = json.loads(result.output)["candidates"]
    safe = [each for each in candidates if each["front"] and each["safe"]]
    written = read_designs(path)
    assert safe
    assert sorted(design.clip for design in written.values()) == sorted(each["design"]["clip"] for each in safe)
    assert "4 payout designs" in page.read_text(encoding="utf-8")
    asked = ["lab", "judge", f"{path}:design-1", "--agent", "pair", "--seasons", "2", "--rounds", "2", "--json"]
    judged = CliRunner().invoke(main, [*asked, "--engine", "serial"])
    assert json.loads(judged.output)["design-1"]["convicted_by"] is None


def test_a_search_for_one_goal_shows_the_best_by_it() -> None:
    shown = " ".join(CliRunner().invoke(main, [*ASKED, "--floor", "--goal", "steady"]).output.split())
    assert "The Pareto front" in shown
    assert "4 designs, 1 on the front" in shown


def test_an_unknown_goal_is_refused() -> None:
    result = CliRunner().invoke(main, [*ASKED, "--goal", "fame", "--json"])
    assert result.exit_code == 3
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["unknown_goal"]
