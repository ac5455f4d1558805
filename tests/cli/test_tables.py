"""`crowdalpha metamodel`, `neutralize` and `exposure`: tables with the library's bits."""

import csv
import io

import numpy as np
import pytest

from crowdalpha import scoring
from crowdalpha.tables.files import read_table
from crowdalpha.tables.frames import eras


@pytest.fixture
def crowd(tournament):
    return eras(tournament["wide.parquet"], None, tournament["stakes.csv"], features=tournament["features.csv"], bags=0)


def column(table, name):
    return np.array(table[name].to_pylist(), float)


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_the_metamodel_in_a_file_is_that_of_the_library(run, tournament, crowd, tmp_path, kind):
    output = tmp_path / f"m.{kind}"
    done = run("metamodel", tournament["submissions"], "--stakes", tournament["stakes.csv"], "--output", output)
    assert done.exit_code == 0
    assert done.stdout == f"metamodel of 5 models, 14 eras, 168 ids in {output}\n"
    expected = np.concatenate([scoring.metamodel(era.predictions, era.own_stakes) for era in crowd])
    assert np.array_equal(column(read_table(output), "metamodel"), expected)


def test_without_an_output_the_metamodel_is_csv_that_any_reader_reads(run, document, tournament):
    files = "metamodel", tournament["wide.csv"]
    rows = list(csv.DictReader(io.StringIO(run(*files).stdout)))
    shown = document(*files)
    assert [{"era": int(r["era"]), "id": r["id"], "metamodel": float(r["metamodel"])} for r in rows] == shown
    assert len(shown) == 168


@pytest.mark.parametrize("scale", ["uniform", "normal"])
@pytest.mark.parametrize("proportion", [1.0, 0.5])
def test_neutralised_predictions_are_those_of_the_library(run, tournament, crowd, tmp_path, scale, proportion):
    output = tmp_path / "n.parquet"
    options = "--features", tournament["features.csv"], "--proportion", proportion, "--scale", scale
    done = run("neutralize", tournament["long.csv"], *options, "--output", output)
    assert done.stdout == f"5 models neutralised by {proportion:.4g} to 3 features in {output}\n"
    table = read_table(output)
    for k, era in enumerate(crowd):
        rows = table.slice(12 * k, 12)
        left = scoring.normalize_and_neutralize(era.predictions, era.features, proportion=proportion)
        expected = scoring.uniform(left) if scale == "uniform" else left
        for name, values in zip(era.models, expected.T, strict=True):
            assert np.array_equal(column(rows, name), values)
        for name in set(crowd.models) - set(era.models):
            assert rows[name].null_count == 12


def test_what_was_neutralised_can_be_scored_again_and_leans_on_nothing(run, document, tournament, tmp_path):
    output, features = tmp_path / "n.csv", tournament["features.csv"]
    options = "--features", features, "--scale", "normal", "--output", output
    summary = document("neutralize", tournament["wide.csv"], *options)
    assert summary == {
        "models": sorted(tournament.world.models, key=str.encode),
        "features": ["f0", "f1", "f2"],
        "eras": 14,
        "rows": 168,
        "proportion": 1.0,
        "scale": "normal",
        "output": str(output),
    }
    options = "--targets", tournament["targets.csv"], "--features", features, "--metrics", "exposure_max"
    assert all(row["exposure_max"] < 1e-9 for row in document("score", output, *options)["models"])


def test_exposures_are_means_over_the_eras_a_model_is_in(document, tournament, crowd):
    shown = {row["model"]: row for row in document("exposure", tournament["wide.csv"], *features(tournament))}
    for name in crowd.models:
        mine = [(era, era.models.index(name)) for era in crowd if name in era.models]
        each = np.mean(
            [scoring.exposures(scoring.uniform(era.predictions), era.features)[:, j] for era, j in mine], axis=0
        )
        assert shown[name]["features"] == dict(zip(("f0", "f1", "f2"), each.tolist(), strict=True))
        largest = [scoring.exposure_metrics(scoring.uniform(era.predictions), era.features).max[j] for era, j in mine]
        assert shown[name]["max"] == np.mean(largest)


def test_the_features_a_model_leans_on_most_come_first(run, document, tournament):
    files = "exposure", tournament["wide.csv"], *features(tournament), "--worst", 2
    for row in document(*files):
        sizes = [abs(value) for value in row["worst"].values()]
        assert sizes == sorted(map(abs, row["features"].values()), reverse=True)[:2]
        assert f"{next(iter(row['worst']))} " in run(*files).stdout


def features(tournament):
    return "--features", tournament["features.csv"]
