"""`crowdalpha lab add`: a model put beside a crowd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.lab.crowds import Shape, World

WORLD = World(Shape(models=3, ids=30, edge=0.4), seed="cli add")


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    """A crowd, and a model that knows what will come true, as files."""
    rows = {"crowd": ["era,id,m000,m001,m002"], "mine": ["era,id,prediction"], "targets": ["era,id,target"]}
    for drawn in WORLD.rounds(10):
        for k, name in enumerate(drawn.era.ids):
            rows["crowd"].append(",".join(map(str, (drawn.era.label, name, *drawn.era.predictions[k]))))
            rows["mine"].append(f"{drawn.era.label},{name},{drawn.latent[k]}")
            rows["targets"].append(f"{drawn.era.label},{name},{drawn.target[k]}")
    rows["stakes"] = ["model,stake", "m000,10", "m001,20", "m002,30"]
    for name, lines in rows.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    crowd, mine, targets, stakes = (str(tmp_path / f"{name}.csv") for name in ("crowd", "mine", "targets", "stakes"))
    return ["lab", "add", crowd, "--model", mine, "--targets", targets, "--stakes", stakes]


def test_a_model_that_knows_the_truth_is_worth_all_the_stake(asked: list[str]) -> None:
    found = json.loads(CliRunner().invoke(main, [*asked, "--stake", "20", "--json"]).output)
    assert found["joined"]["share"] == 0.25
    assert found["joined"]["low"] > 0
    assert found["best"]["corr"]["share"] > 0.7
    assert found["model"]["eras"] == 10
    shown = " ".join(CliRunner().invoke(main, asked).output.split())
    assert "The metamodel surely gains by it." in shown
    assert "joining at 25.0%" in shown


def test_a_file_of_several_models_is_refused(asked: list[str]) -> None:
    asked[4] = asked[2]
    result = CliRunner().invoke(main, [*asked, "--json"])
    assert result.exit_code == 3
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["one_model"]


@pytest.mark.parametrize("stake", ["0", "-5", "nan", "1e3"])
def test_a_stake_that_is_none_is_wrong_usage(asked: list[str], stake: str) -> None:
    assert CliRunner().invoke(main, [*asked, "--stake", stake]).exit_code == 2
