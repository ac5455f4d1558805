"""`crowdalpha lab plan`: a stake planned from a model's own scores."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from crowdalpha.cli import main


def written(folder: Path, scores: list[float]) -> str:
    rows = "".join(f"{number},{score},0\n" for number, score in enumerate(scores, 1))
    (folder / "scores.csv").write_text(f"round,corr,mmc2\n{rows}", encoding="utf-8")
    return str(folder / "scores.csv")


def test_a_plan_tells_the_kelly_share_and_what_may_come(tmp_path: Path) -> None:
    asked = ["lab", "plan", written(tmp_path, [0.2, 0.2, 0.2, -0.25, -0.25] * 8), "--policy", "corr"]
    found = json.loads(CliRunner().invoke(main, [*asked, "--share", "0.5", "--json"]).output)
    assert abs(found["kelly"] - (0.6 / 0.25 - 0.4 / 0.2)) < 1e-9
    assert [each["share"] for each in found["outlooks"]] == [found["kelly"], 0.5]
    shown = CliRunner().invoke(main, asked).output
    assert "Staking 40% of the coins grew fastest" in " ".join(shown.split())
    assert "40% (Kelly)" in shown


def test_a_model_that_burns_is_not_worth_a_stake(tmp_path: Path) -> None:
    path = written(tmp_path, [-0.1, 0.05] * 10)
    shown = CliRunner().invoke(main, ["lab", "plan", path, "--policy", "corr", "--horizon", "8"]).output
    assert "the best share to stake is none" in " ".join(shown.split())
    result = CliRunner().invoke(main, ["lab", "plan", path, "--policy", "heavier-mmc", "--json"])
    assert result.exit_code == 3
    assert {problem["code"] for problem in json.loads(result.output)["problems"]} == {"missing_column"}
