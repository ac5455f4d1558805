"""`crowdalpha pack` and `crowdalpha backfill`: from files to scores, and again."""

import pyarrow as pa
import pytest

import crowdalpha
from crowdalpha.tables.files import read_table


@pytest.fixture
def packed(tournament, run, tmp_path):
    arguments = ("--targets", tournament["targets.parquet"], "--stakes", tournament["stakes.csv"])
    done = run("pack", tournament["long.parquet"], tmp_path / "history", *arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("14 eras, 69 columns of ranks")
    return tmp_path / "history"


@pytest.mark.parametrize("engine", ["threads", "serial", "processes"])
def test_a_packed_history_is_scored_as_score_does(tournament, packed, run, tmp_path, engine):
    done = run("backfill", packed, "--bags", 3, "--engine", engine, "--output", tmp_path / "scores.parquet")
    assert done.stdout.startswith("14 eras: 14 scored now, 0 there already")
    w = tournament.world
    expected = crowdalpha.score(w.predictions, w.targets, w.stakes, bags=3)
    found = read_table(tmp_path / "scores.parquet")
    assert found.equals(expected.filter(pa.compute.is_valid(expected["corr"])))


def test_what_is_there_is_said_and_kept(packed, run, document):
    assert len(document("backfill", packed, "--metric", "corr")["computed"]) == 14
    again = document("backfill", packed, "--metric", "corr")
    assert again["computed"] == []
    assert [row["era"] for row in again["eras"]] == list(range(1, 15))
    assert "0 scored now, 14 there already" in run("backfill", packed, "--metric", "corr", "--check").stdout


def test_refusals_of_both(tournament, packed, document, tmp_path):
    def refused(*arguments):
        return [problem["code"] for problem in document(*arguments, code=3)["problems"]]

    assert refused("backfill", tmp_path / "nothing") == ["no_eras"]
    assert refused("backfill", packed, "--engine", "ray://x") == ["bad_engine"]
    assert refused("backfill", packed, "--metrics", "exposure_max,alpha") == ["not_from_ranks"] * 2
    assert refused("backfill", packed, "--metrics", "fnc") == ["no_features"] * 14
    assert refused("pack", tmp_path / "none.csv", tmp_path / "x", "--targets", tournament["targets.csv"]) == [
        "not_found"
    ]


def test_pack_says_what_it_packed_and_what_it_left_out(twenty, document, tmp_path):
    arguments = ("pack", twenty, tmp_path / "history", "--targets", tmp_path / "targets.csv")
    said = document(*arguments, "--leave-out-invalid")
    assert said["eras"] == [{"era": 1, "models": 19, "ids": 30}]
    assert {problem["code"] for problem in said["left_out"]} == {"not_a_number", "inf_in_predictions"}
