"""`crowdalpha lab crowd` and `lab judge --like`: simulated crowds that are made like real ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from click.testing import CliRunner, Result

from crowdalpha.cli import main
from crowdalpha.lab.crowds import Shape, World


def asked(*args: str) -> Result:
    return CliRunner().invoke(main, ["lab", *args])


def lab(*args: str) -> str:
    result = asked(*args)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_crowd_like_flusight_is_shown_beside_what_flusight_shows() -> None:
    args = ("crowd", "--like", "flusight", "--histories", "2", "--engine", "serial")
    found = json.loads(lab(*args, "--json"))
    assert found["history"] == "flusight"
    assert found["shape"]["models"] == 47
    low, high = found["intervals"]["edge"]
    assert 0.3 < low < found["shape"]["edge"] < high < 0.7
    figures = {figure["name"]: figure for figure in found["figures"]}
    crowd = figures["CORR of the metamodel"]
    assert crowd["low"] <= crowd["mean"] <= crowd["high"]
    assert crowd["alike"] == (crowd["low"] <= crowd["real"] <= crowd["high"])
    assert "CC BY 4.0" in found["attribution"]
    shown = lab(*args)
    assert "what all see: correlation with the truth" in shown
    assert "No FluSight team ever staked" in " ".join(shown.split())


def test_a_history_of_ones_own_has_its_crowd_too(tmp_path: Path) -> None:
    found = json.loads(lab("crowd", *files(tmp_path), "--histories", "2", "--engine", "serial", "--json"))
    assert found["shape"]["models"] == 4
    low, high = found["intervals"]["shared"]
    assert low < 0.6 < high


def test_a_crowd_is_like_one_history_and_no_other(tmp_path: Path) -> None:
    for args in ((), ("--like", "flusight", *files(tmp_path)), ("--like", "tulips")):
        assert asked("crowd", *args).exit_code == 2


def test_a_rule_is_judged_beside_a_crowd_like_a_real_one() -> None:
    args = ("judge", "floor-at-zero", "--like", "flusight", "--agent", "pair", "--seasons", "2", "--rounds", "2")
    real, usual = (json.loads(lab(*each, "--engine", "serial", "--json")) for each in (args, (*args[:2], *args[4:])))
    assert real["floor-at-zero"]["convicted_by"] == usual["floor-at-zero"]["convicted_by"] == "pair"
    assert real["floor-at-zero"]["verdicts"] != usual["floor-at-zero"]["verdicts"]


def files(folder: Path) -> list[str]:
    """A simulated crowd as the files of a history."""
    world = World(Shape(models=4, ids=60, edge=0.4, shared=0.6), seed="cli")
    eras = [drawn.era for drawn in world.rounds(12)]
    cells = [(era.label, name, *row) for era in eras for name, row in zip(era.ids, era.predictions, strict=True)]
    true = [(era.label, *pair) for era in eras for pair in zip(era.ids, era.given("target"), strict=True)]
    predictions = write(folder / "predictions.csv", ("era", "id", *world.models), *cells)
    targets = write(folder / "targets.csv", ("era", "id", "target"), *true)
    stakes = write(folder / "stakes.csv", ("model", "stake"), *((name, 100) for name in world.models))
    return [predictions, "--targets", targets, "--stakes", stakes]


def write(path: Path, *rows: tuple[object, ...]) -> str:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return str(path)
