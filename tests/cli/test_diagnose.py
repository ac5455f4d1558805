"""`crowdalpha diagnose`: every number of a model, in the terminal in short, in JSON in full."""

import numpy as np
import pytest

import crowdalpha
from crowdalpha.tables.files import read_table


@pytest.fixture
def model(tournament):
    return tournament.world.models[1]


@pytest.fixture
def files(tournament, tmp_path, run, model):
    crowd, metamodel = tournament["wide.csv"], tmp_path / "metamodel.parquet"
    assert run("metamodel", crowd, "--stakes", tournament["stakes.csv"], "--output", metamodel).exit_code == 0
    tables = "--targets", tournament["targets.csv"], "--features", tournament["features.csv"]
    return crowd, "--model", model, *tables, "--metamodel", metamodel


def of(document, title):
    return next(bars for bars in document["per_era"] if bars["title"] == title)


def test_the_scores_an_era_are_complete_and_those_of_the_library(document, tournament, files, model):
    shown = document("diagnose", *files)
    choices = {"features": tournament["features.csv"], "metamodel": files[-1], "metrics": ["corr", "fnc"]}
    scores = crowdalpha.score(files[0], tournament["targets.csv"], **choices).to_pylist()
    mine = [row for row in scores if row["model"] == model]
    assert [bars["title"] for bars in shown["per_era"]] == ["CORR", "MMC2", "FNC"]
    assert of(shown, "CORR")["values"] == [row["corr"] for row in mine]
    assert of(shown, "FNC")["values"] == [row["fnc"] for row in mine]
    assert len(of(shown, "MMC2")["values"]) == len(mine) == 14
    assert of(shown, "MMC2")["eras"] == [str(row["era"]) for row in mine]


def test_intervals_exposures_and_all_five_proportions_are_in_the_json(document, files):
    shown = document("diagnose", *files)
    figures = {each["name"]: each for each in shown["statistics"]}
    for name in ("CORR", "MMC2", "FNC"):
        assert figures[name]["interval"]["low"] < figures[name]["value"] < figures[name]["interval"]["high"]
    assert [each["proportion"] for each in shown["neutralized"]] == [0, 0.25, 0.5, 0.75, 1]
    assert all(len(each["cumulative"]) == 14 and each["interval"] for each in shown["neutralized"])
    base, full = shown["neutralized"][0], shown["neutralized"][-1]
    assert base["max_exposure"] == shown["exposures"]["max"] > full["max_exposure"]
    assert set(shown["exposures"]) == {"names", "values", "std", "l2", "rms", "max"}
    assert len(shown["exposures"]["values"]) == 3


def test_the_terminal_shows_the_best_and_the_worst_eras_and_every_section(run, document, files):
    values = dict(zip(*(of(document("diagnose", *files), "MMC2")[part] for part in ("eras", "values")), strict=True))
    best = sorted(values, key=lambda era: -values[era])
    lines = run("diagnose", *files).stdout.splitlines()
    start = lines.index("Best and worst eras by MMC2") + 3
    assert [line.split()[0] for line in lines[start : start + 11]] == [*best[:5], "...", *best[-5:]]
    assert "... 4 more" in lines[start + 5]
    for title in ("Features it leans on most", "Neutralised to the features by"):
        assert title in lines
    for share in ("0%", "25%", "50%", "75%", "100%"):
        assert any(line.split()[:1] == [share] and " to " in line for line in lines), share


def test_a_few_eras_are_all_shown_in_their_order(run, tournament, model, tmp_path):
    paths = [tmp_path / f"{name}.csv" for name in ("wide", "targets", "features")]
    for path in paths:
        rows = (tournament.folder / path.name).read_text().splitlines()
        path.write_text("\n".join(rows[: 1 + 3 * 12]) + "\n")
    done = run("diagnose", paths[0], "--targets", paths[1], "--features", paths[2], "--model", model)
    lines = done.stdout.splitlines()
    start = lines.index("Scores an era") + 3
    assert [line.split()[0] for line in lines[start : start + 2]] == ["1", "2"]


def test_without_a_metamodel_it_says_why_there_is_no_mmc2(run, document, files):
    assert "No MMC2: there is no --metamodel" in run("diagnose", *files[:-2]).stdout
    assert [bars["title"] for bars in document("diagnose", *files[:-2])["per_era"]] == ["CORR", "FNC"]


def test_without_features_the_rest_is_the_same_and_it_says_what_is_missing(run, document, files, tmp_path):
    k, page = files.index("--features"), tmp_path / "page.html"
    bare = files[:k] + files[k + 2 :]
    done, whole, shown = (
        run("diagnose", *bare, "--report", page),
        document("diagnose", *files),
        document("diagnose", *bare),
    )
    assert "there are no --features" in done.stdout
    assert "Neutralised" not in done.stdout
    assert [bars["title"] for bars in shown["per_era"]] == ["CORR", "MMC2"]
    assert shown["per_era"] == whole["per_era"][:2]
    assert (shown["exposures"], shown["neutralized"]) == (None, [])
    assert 'id="exposure"' not in page.read_text()


def test_a_file_with_one_model_needs_no_name_and_a_copy_of_the_metamodel_adds_nothing(
    document, tournament, files, tmp_path
):
    copy = tmp_path / "copy.csv"
    rows = read_table(files[-1]).to_pylist()
    copy.write_text("era,id,copy\n" + "".join(f"{row['era']},{row['id']},{row['metamodel']!r}\n" for row in rows))
    shown = document("diagnose", copy, *files[3:])
    assert shown["model"] == "copy"
    assert of(shown, "MMC2")["values"] == [0.0] * 14


def test_the_page_holds_the_model_and_its_features(run, files, model, tmp_path):
    page = tmp_path / "page.html"
    done = run("diagnose", *files, "--report", page, "--worst", 2)
    assert done.stdout.endswith(f"report in {page}\n")
    assert " an era</" in page.read_text()
    assert all(name in page.read_text() for name in (model, "f0", "f1", "f2"))
    lines = done.stdout.splitlines()
    start = lines.index("Features it leans on most") + 3
    assert lines[start + 2].startswith("All 3: std ")


def test_half_of_the_exposure_is_left_at_fifty_percent(document, files):
    left = [each["max_exposure"] for each in document("diagnose", *files)["neutralized"]]
    assert np.all(np.diff(left) < 0)


def test_a_notice_beside_the_predictions_is_on_the_page_and_under_the_table(run, files, tmp_path):
    copy, page = tmp_path / "copy.csv", tmp_path / "page.html"
    with open(files[0]) as source:
        copy.write_text(source.read())
    (tmp_path / "NOTICE.txt").write_text("Nobody staked.\nNor will.\n")
    (tmp_path / "ATTRIBUTION.txt").write_text("By A. Nonymous\n")
    done = run("diagnose", copy, *files[1:], "--report", page)
    assert "\nNobody staked.\n" in done.stdout
    assert all(words in page.read_text() for words in ("Nobody staked.", "Nor will.", "By A. Nonymous"))
