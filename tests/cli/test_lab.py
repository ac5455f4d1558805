"""`crowdalpha lab`: claims and verdicts for people and for scripts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.lab.crowds import Shape, World

HERE = ("--engine", "serial")


def lab(*args: str) -> str:
    result = CliRunner().invoke(main, ["lab", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_claims_show_theory_beside_what_was_simulated() -> None:
    shown = lab("claims", "inverse", "blend", "--seasons", "4", *HERE)
    assert "inverse [F93#1]" in shown
    assert "MMC2 of p and of 1-p together" in shown
    assert shown.count("yes") == 2


def test_claims_are_the_same_for_a_seed_and_can_be_read_by_scripts() -> None:
    asked = ("claims", "noise", "inverse", "--seasons", "3", "--seed", "7", "--json")
    one, again = (json.loads(lab(*asked, "--engine", engine)) for engine in ("serial", "processes"))
    assert one == again
    assert one[0]["figures"][0]["theory"] == 0
    assert {"simulated", "low", "high", "holds"} < one[0]["figures"][0].keys()


def test_a_rule_that_can_be_milked_is_convicted_and_the_attack_is_named() -> None:
    asked = ("judge", "floor-at-zero", "corr", "--agent", "pair", "--seasons", "4", "--rounds", "2", *HERE)
    found = json.loads(lab(*asked, "--json"))
    assert found["floor-at-zero"]["convicted_by"] == "pair"
    assert found["corr"]["convicted_by"] is None
    shown = lab(*asked)
    assert "floor-at-zero is convicted by the pair." in " ".join(shown.split())
    assert "corr is acquitted" in " ".join(shown.split())


def test_unknown_names_are_refused_before_anything_is_played() -> None:
    for args, code in (
        (("claims", "perpetual"), "unknown_claim"),
        (("judge", "corr", "--agent", "perpetual"), "unknown_agent"),
        (("judge", "perpetual"), "unknown_rule"),
    ):
        result = CliRunner().invoke(main, ["lab", *args, "--json"])
        assert result.exit_code == 3
        assert [problem["code"] for problem in json.loads(result.output)["problems"]] == [code]


def write(path: Path, *rows: tuple[object, ...]) -> str:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return str(path)


def files(folder: Path) -> list[str]:
    """A simulated crowd as the files of a history."""
    world = World(Shape(models=3, ids=30, edge=0.4), seed="cli")
    eras = [drawn.era for drawn in world.rounds(4)]
    cells = [(era.label, name, *row) for era in eras for name, row in zip(era.ids, era.predictions, strict=True)]
    true = [(era.label, *pair) for era in eras for pair in zip(era.ids, era.given("target"), strict=True)]
    predictions = write(folder / "predictions.csv", ("era", "id", *world.models), *cells)
    targets = write(folder / "targets.csv", ("era", "id", "target"), *true)
    stakes = write(folder / "stakes.csv", ("model", "stake"), *((name, 100) for name in world.models))
    return [predictions, "--targets", targets, "--stakes", stakes, "--bags", "3"]


def test_a_history_is_played_under_each_policy_and_who_gains_is_told(tmp_path: Path) -> None:
    asked = ("replay", *files(tmp_path), "--policy", "corr", "--policy", "heavier-mmc")
    found = json.loads(lab(*asked, "--json"))
    assert [row["rule"] for row in found["outcomes"]] == ["corr", "heavier-mmc"]
    assert {shift["model"] for shift in found["shifts"]} == {"m000", "m001", "m002"}
    shown = lab(*asked)
    assert "heavier-mmc instead of corr" in shown
    assert "Of 3 models" in shown


def test_a_replay_in_the_lab_ends_where_the_replay_of_a_tournament_does(tmp_path: Path) -> None:
    history = files(tmp_path)
    (outcome,) = json.loads(lab("replay", *history, "--policy", "corr", "--seed", "5", "--json"))["outcomes"]
    result = CliRunner().invoke(main, ["replay", *history, "--rule", "corr", "--seed", "5", "--json"])
    closing = sum(row["closing"] for row in json.loads(result.output)["models"])
    assert abs(outcome["closing"] - closing) < 1e-9


def test_seasons_say_what_a_rule_pays_and_are_the_same_on_every_engine(tmp_path: Path) -> None:
    size = ("--seasons", "3", "--rounds", "4", "--models", "4", "--ids", "30", "--bags", "2")
    asked = ("seasons", "--rule", "corr-plus-mmc", "--choice", "1,1", *size)
    table = tmp_path / "seasons.csv"
    one = json.loads(lab(*asked, "--engine", "serial", "--json", "--output", str(table)))
    assert json.loads(lab(*asked, "--engine", "threads", "--json")) == one
    assert one["played"]["rule"] == "corr-plus-mmc"
    assert (one["played"]["shape"]["models"], one["played"]["shape"]["ids"]) == (4, 30)
    growth = one["figures"]["growth"]
    assert list(growth["quantiles"]) == ["5%", "25%", "50%", "75%", "95%"]
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["season"] for row in rows] == ["0", "1", "2"]
    assert sum(float(row["growth"]) for row in rows) / 3 == growth["mean"]
    shown = lab(*asked, "--engine", "serial")
    assert "corr-plus-mmc: 3 seasons of 4 rounds, 4 models and 30 ids" in shown
    assert f"{growth['mean']:+.2%}" in shown


def test_seasons_of_an_unknown_rule_or_on_an_unknown_engine_are_refused() -> None:
    for args, code in ((("--rule", "perpetual"), "unknown_rule"), (("--engine", "abacus"), "bad_engine")):
        result = CliRunner().invoke(main, ["lab", "seasons", *args, "--json"])
        assert result.exit_code == 3
        assert [problem["code"] for problem in json.loads(result.output)["problems"]] == [code]


def test_seasons_may_be_of_a_crowd_like_a_real_one() -> None:
    asked = ("seasons", "--like", "numerai", "--models", "4", "--seasons", "2", "--rounds", "2", "--bags", "2")
    shape = json.loads(lab(*asked, "--json", *HERE))["played"]["shape"]
    assert shape["models"] == 4
    assert shape["ids"] != Shape().ids
    assert shape["top"] == 4


@pytest.mark.parametrize("choice", ["nan,2", "1,inf", "1e400,2", "1", "1,2,3", "one,two"])
def test_a_choice_that_is_no_pair_of_numbers_is_wrong_usage(choice: str) -> None:
    result = CliRunner().invoke(main, ["lab", "seasons", "--choice", choice])
    assert result.exit_code == 2
    assert "is no pair such as 0,2" in result.output


@pytest.mark.parametrize(("seasons", "told"), [(2, True), (16, False)])
def test_a_verdict_of_few_seasons_says_that_they_are_few(seasons: int, told: bool) -> None:
    shown = lab("judge", "corr", "--agent", "pair", "--seasons", str(seasons), "--rounds", "1", *HERE)
    assert (f"{seasons} seasons say little" in " ".join(shown.split())) is told
