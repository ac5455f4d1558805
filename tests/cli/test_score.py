"""`crowdalpha score`: the library's scores to the bit, from any file, or a refusal that says all."""

import re

import pyarrow.parquet as pq
import pytest

import crowdalpha
from crowdalpha.scoring.metrics import METRICS
from crowdalpha.tables.files import read_table

BAD = "model07"


@pytest.fixture
def files(tournament):
    return tournament["wide.parquet"], "--targets", tournament["targets.csv"], "--stakes", tournament["stakes.csv"]


@pytest.mark.parametrize(
    ("options", "choices"),
    [
        ([], {}),
        (["--bags", 0], {"bags": 0}),
        (["--seed", 7, "--bags", 3], {"seed": 7, "bags": 3}),
        (["--seed", "a word", "--ties", "first"], {"seed": "a word", "ties": "first"}),
        (["--metrics", "mmc2, cwmm,corr,mmc2,mmc1"], {"metrics": ["mmc2", "cwmm", "corr", "mmc1"]}),
    ],
)
def test_scores_are_those_of_the_library_to_the_bit(document, tournament, files, tmp_path, options, choices):
    expected = crowdalpha.score(*(tournament[f"{name}.parquet"] for name in ("wide", "targets", "stakes")), **choices)
    shown = document("score", *files, "--output", tmp_path / "scores.parquet", *options)
    assert pq.read_table(tmp_path / "scores.parquet").equals(expected)
    assert shown["scores"] == expected.to_pylist()


def test_every_metric_can_be_had(document, tournament, files):
    features = pq.read_table(tournament["features.parquet"])
    pq.write_table(features.select(["era", "id", "f0"]), tournament["weights.parquet"])
    tables = ("--features", "--benchmarks", "--neutralizers")
    references = [part for name in tables for part in (name, tournament["features.csv"])]
    references += ["--sample-weights", tournament["weights.parquet"]]
    shown = document("score", *files, *references, "--metrics", ",".join(METRICS))
    assert set(shown["scores"][0]) == {"era", "model", *METRICS}
    assert set(shown["models"][0]) == {"model", "stake", "share", "eras", *METRICS, "low", "high", "sharpe", "left_out"}


def test_all_kinds_and_layouts_of_files_give_the_same_bits(document, tournament):
    expected = None
    for layout in ("wide", "long", "submissions"):
        for kind in ("csv", "parquet", "feather"):
            source = tournament[layout if layout == "submissions" else f"{layout}.{kind}"]
            tables = "--targets", tournament[f"targets.{kind}"], "--stakes", tournament[f"stakes.{kind}"]
            shown = document("score", source, *tables)
            expected = expected or shown
            assert shown == expected, (layout, kind)


@pytest.mark.parametrize("kind", ["csv", "feather", "arrow", "pq"])
def test_what_is_written_reads_back_to_the_same_bits(run, files, tmp_path, kind):
    assert run("score", *files, "--output", tmp_path / "s.parquet").exit_code == 0
    assert run("score", *files, "--output", tmp_path / f"s.{kind}").exit_code == 0
    assert read_table(tmp_path / f"s.{kind}").to_pydict() == read_table(tmp_path / "s.parquet").to_pydict()


def test_the_table_is_ordered_by_what_is_added_and_says_so(run, document, files):
    models = document("score", *files)["models"]
    assert [row["mmc2"] for row in models] == sorted((row["mmc2"] for row in models), reverse=True)
    done = run("score", *files)
    shown = [line.split()[0] for line in done.stdout.splitlines()[3:8]]
    assert shown == [row["model"] for row in models]
    assert "5 models, 14 eras" in done.stdout
    assert "ordered by mmc2" in done.stdout
    assert done.stderr == ""


def test_less_exposure_is_better_and_comes_first(document, tournament, files):
    options = "--features", tournament["features.csv"], "--metrics", "exposure_max,corr"
    shown = document("score", *files, *options)
    means = [row["exposure_max"] for row in shown["models"]]
    assert shown["ordered_by"] == "exposure_max"
    assert means == sorted(means)


def test_intervals_contain_the_mean_and_a_model_without_a_stake_has_no_share(document, tournament, files):
    models = {row["model"]: row for row in document("score", *files)["models"]}
    unstaked = set(models) - set(tournament.world.stakes)
    assert [models[name]["share"] for name in unstaked] == [0.0]
    assert sum(row["share"] for row in models.values()) == pytest.approx(1)
    assert all(row["low"] < row["mmc2"] < row["high"] for row in models.values())
    assert sorted(row["eras"] for row in models.values()) == [13, 14, 14, 14, 14]


def test_one_bad_file_of_twenty_is_refused_with_its_file_rows_and_reasons(run, twenty):
    done = run("score", twenty, "--targets", twenty.parent / "targets.csv")
    assert done.exit_code == 3
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert all(BAD in line for line in lines)
    assert any("model07.csv, row 5" in line and "'a lot'" in line and "[not_a_number]" in line for line in lines)
    assert any("model07.csv, row 7" in line and "[inf_in_predictions]" in line for line in lines)


def test_the_same_refusal_as_json_has_codes_and_places(document, twenty):
    refusal = document("score", twenty, "--targets", twenty.parent / "targets.csv", code=3)
    assert {problem["code"] for problem in refusal["problems"]} >= {"not_a_number", "inf_in_predictions"}
    assert all(set(each) == {"code", "expected", "found", "fix", "where"} for each in refusal["problems"])


@pytest.mark.parametrize("bags", [0, 20])
def test_without_the_bad_file_everybody_elses_score_has_the_same_bits(document, twenty, bags):
    files = twenty, "--targets", twenty.parent / "targets.csv", "--stakes", twenty.parent / "stakes.csv"
    left_out = document("score", *files, "--bags", bags, "--leave-out-invalid")
    (twenty / f"{BAD}.csv").unlink()
    stakes = (twenty.parent / "stakes.csv").read_text().replace(f"{BAD},70\n", "")
    (twenty.parent / "stakes.csv").write_text(stakes)
    alone = document("score", *files, "--bags", bags)
    others = [row for row in left_out["scores"] if row["model"] != BAD]
    assert others == alone["scores"]
    assert len(others) == 19
    assert [row["mmc2"] for row in left_out["scores"] if row["model"] == BAD] == [None]
    assert left_out["models"][-1]["model"] == BAD
    assert BAD in {place[:7] for problem in left_out["left_out"] for place in re.findall(r"model\d+", problem["where"])}


def test_who_is_left_out_is_told_on_standard_error(run, twenty):
    done = run("score", twenty, "--targets", twenty.parent / "targets.csv", "--leave-out-invalid")
    assert done.exit_code == 0
    assert all(line.startswith("left out: ") and BAD in line for line in done.stderr.splitlines())
    assert done.stderr


def test_the_report_names_every_model_and_loads_nothing_from_elsewhere(run, twenty, tmp_path):
    page = tmp_path / "report.html"
    files = twenty, "--targets", twenty.parent / "targets.csv", "--leave-out-invalid"
    done = run("score", *files, "--metrics", "cwmm", "--report", page)
    assert done.exit_code == 0
    assert f"report in {page}" in done.stdout
    html = page.read_text()
    assert all(f"model{k:02d}" in html for k in range(20))
    assert not re.search(r"https?://|\b(src|href)\s*=\s*[\"'](?!#|data:)|@import|url\(", html)


def test_a_model_left_out_keeps_its_own_stake_and_is_marked_everywhere(run, document, twenty, tmp_path):
    page, stakes = tmp_path / "report.html", twenty.parent / "stakes.csv"
    files = twenty, "--targets", twenty.parent / "targets.csv", "--stakes", stakes, "--leave-out-invalid"
    marked = [row for row in document("score", *files)["models"] if row["left_out"]]
    assert [(row["model"], row["stake"], row["share"], row["eras"]) for row in marked] == [(BAD, 70.0, 0.0, 0)]
    shown = run("score", *files, "--report", page).stdout
    assert re.search(rf"{BAD} \(left out\) +70\.00 +0\.0% +0 ", shown)
    assert shown.count("(left out)") == 1
    assert "as if they had never submitted" in page.read_text()
    assert page.read_text().count("Left out: ") == len(document("score", *files)["left_out"])


def test_a_column_of_too_many_digits_is_left_out_alone_and_its_rows_are_one_caveat(run, document, tmp_path):
    rows = [f"id{i},{i % 5},{i % 7},{10**30 + i}" for i in range(12)]
    (tmp_path / "crowd.csv").write_text("\n".join(["id,a,b,c", *rows]) + "\n")
    (tmp_path / "targets.csv").write_text("\n".join(["id,target", *(f"id{i},{i % 3}" for i in range(12))]) + "\n")
    (tmp_path / "stakes.csv").write_text("model,stake\na,1\nb,1\nc,30\n")
    files = (tmp_path / "crowd.csv", "--targets", tmp_path / "targets.csv", "--stakes", tmp_path / "stakes.csv")
    assert len(document("score", *files, code=3)["problems"]) == 12
    shown = document("score", *files, "--leave-out-invalid", "--report", tmp_path / "page.html")
    assert [(row["model"], row["left_out"]) for row in shown["models"]][2] == ("c", True)
    assert sum(row["share"] for row in shown["models"] if not row["left_out"]) == pytest.approx(1)
    assert len(shown["left_out"]) == 12
    page = (tmp_path / "page.html").read_text()
    assert page.count("Left out: ") == page.count("and 11 more like it") == 1
    assert "of 2 models" in page
    assert ">30</td>" in page.replace(".00", "")


def test_when_all_are_left_out_the_refusal_says_why(document, files, tmp_path):
    (tmp_path / "crowd.csv").write_text("id,a,b\nx,1,2\ny,2,1\nz,3,3\n")
    (tmp_path / "targets.csv").write_text("id,target\nx,1\ny,2\n")
    found = document(
        "score", tmp_path / "crowd.csv", "--targets", tmp_path / "targets.csv", "--leave-out-invalid", code=3
    )
    assert [problem["code"] for problem in found["problems"]] == ["extra_ids", "no_stake"]


def test_a_page_of_one_era_draws_no_lines_through_time(run, tournament, tmp_path):
    one = tmp_path / "one.csv"
    lines = (tournament.folder / "wide.csv").read_text().splitlines()
    one.write_text("\n".join([lines[0], *(line for line in lines if line.startswith(lines[1].split(",")[0] + ","))]))
    page, look = tmp_path / "crowd.html", tmp_path / "model.html"
    targets, features = ("--targets", tournament["targets.csv"]), ("--features", tournament["features.csv"])
    assert run("score", one, *targets, "--report", page).exit_code == 0
    model = tournament.world.models[1]
    shown = run("diagnose", one, *targets, *features, "--model", model, "--report", look)
    assert shown.exit_code == 0
    assert not any("Sharpe" in line and line.rstrip().endswith("-") for line in shown.stdout.splitlines()[:8])
    assert 'id="over-time"' not in page.read_text()
    assert 'id="drawdown"' not in look.read_text()
    assert "<dt>Ids</dt><dd>12 an era</dd>" in look.read_text()


def test_a_notice_and_an_attribution_beside_the_predictions_are_on_the_page(run, document, tournament, tmp_path):
    for name in ("wide.csv", "targets.csv"):
        (tmp_path / name).write_text((tournament.folder / name).read_text())
    (tmp_path / "NOTICE.txt").write_text("All <stakes> are simulated.\n\nTargets are late.\n")
    (tmp_path / "ATTRIBUTION.txt").write_text("By the\nMacedonian statisticians.\n")
    files, page = (tmp_path / "wide.csv", "--targets", tmp_path / "targets.csv"), tmp_path / "page.html"
    shown = run("score", *files, "--report", page).stdout
    assert "\nAll <stakes> are simulated.\n" in shown
    assert "Targets are late" not in shown
    for words in ("All &lt;stakes&gt; are simulated.", "Targets are late.", "By the Macedonian statisticians."):
        assert words in page.read_text()
    assert document("score", *files)["notices"] == ["All <stakes> are simulated.", "Targets are late."]


def test_a_submission_on_its_own_is_the_model_that_its_file_is_named_after(run, document, tmp_path):
    (tmp_path / "t.csv").write_text("id,target\na,0\nb,0.5\nc,1\n")
    (tmp_path / "mine.csv").write_text("id,prediction\na,1\nb,3\nc,2\n")
    (tmp_path / "s.csv").write_text("model,stake\nmine,5\n")
    files = tmp_path / "mine.csv", "--targets", tmp_path / "t.csv", "--stakes", tmp_path / "s.csv"
    assert [(row["model"], row["stake"]) for row in document("score", *files)["models"]] == [("mine", 5.0)]
    (tmp_path / "mine.csv").write_text("id,prediction\na,1\nb,three\nc,2\n")
    assert "mine.csv, row 3" in run("score", *files).stderr


def test_a_lone_model_is_told_that_it_was_scored_against_itself(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,target\na,0\nb,0.5\nc,1\n")
    (tmp_path / "p.csv").write_text("id,mine\na,1\nb,3\nc,2\n")
    (tmp_path / "m.csv").write_text("id,metamodel\na,1\nb,2\nc,3\n")
    files = tmp_path / "p.csv", "--targets", tmp_path / "t.csv"
    assert run("score", *files).stdout.count("pass --metamodel") == 1
    assert "pass --metamodel" not in run("score", *files, "--metamodel", tmp_path / "m.csv").stdout


@pytest.mark.parametrize(
    "name", ["[bold red]x[/]", ":smile:", "流感预测-模型", "quoted,\"'", "é" * 60, "<script>alert(1)</script>"]
)
def test_a_model_may_have_any_name(run, document, tmp_path, name):
    folder = tmp_path / "one"
    folder.mkdir()
    quoted = '"' + name.replace('"', '""') + '"'
    (tmp_path / "p.csv").write_text(f"id,other,{quoted}\na,1,1\nb,3,2\nc,2,3\n")
    (tmp_path / "t.csv").write_text("id,target\na,0\nb,0.5\nc,1\n")
    files = tmp_path / "p.csv", "--targets", tmp_path / "t.csv"
    assert name in run("score", *files, "--report", tmp_path / "r.html").stdout
    assert name in [row["model"] for row in document("score", *files)["models"]]
    assert "<script>alert(1)" not in (tmp_path / "r.html").read_text()


def test_a_name_moves_no_cursor_and_changes_no_colour(run, tmp_path):
    (tmp_path / "p.csv").write_text("id,a\x1b[2Jb\na,1\nb,2\n")
    (tmp_path / "t.csv").write_text("id,target\na,0\nb,1\n")
    done = run("score", tmp_path / "p.csv", "--targets", tmp_path / "t.csv")
    assert "a\\x1b[2Jb" in done.stdout
    refused = run("score", tmp_path / "p.csv", "--targets", tmp_path / "p.csv", "--stakes", tmp_path / "t.csv")
    assert "\x1b" not in done.stdout + refused.stderr
