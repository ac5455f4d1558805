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


def refused(folder: Path, *args: str) -> list[str]:
    result = CliRunner().invoke(main, ["lab", "plan", str(folder / "scores.csv"), *args, "--json"])
    assert result.exit_code == 3
    return [problem["code"] for problem in json.loads(result.output)["problems"]]


def test_a_rule_that_asks_whether_eras_were_hard_says_which_column_it_lacks(tmp_path: Path) -> None:
    written(tmp_path, [0.1, -0.05] * 10)
    assert refused(tmp_path, "--policy", "hard-era") == ["missing_column"]


def test_scores_that_are_infinite_are_refused_with_their_rounds(tmp_path: Path) -> None:
    written(tmp_path, [0.1, float("inf"), float("-inf"), *[0.1] * 10])
    assert refused(tmp_path, "--policy", "corr") == ["infinite", "infinite"]


def test_a_plan_is_of_one_policy(tmp_path: Path) -> None:
    written(tmp_path, [0.1, -0.05] * 10)
    (tmp_path / "two.toml").write_text("[one]\ncorr = 1\n[two]\ncorr = 2\n", encoding="utf-8")
    assert refused(tmp_path, "--policy", str(tmp_path / "two.toml")) == ["unknown_policy"]


def test_nobody_is_told_of_more_stake_than_there_is_and_no_plan_is_of_a_million_rounds(tmp_path: Path) -> None:
    path = written(tmp_path, [0.05] * 20)
    shown = CliRunner().invoke(main, ["lab", "plan", path, "--policy", "corr"]).output
    assert "Staking 100%" in shown
    assert "More stake" not in shown
    assert CliRunner().invoke(main, ["lab", "plan", path, "--policy", "corr", "--horizon", "1000000"]).exit_code == 2
