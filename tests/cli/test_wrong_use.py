"""What a command cannot do it says at once: exit code 2 for its use, 3 for its input, and nothing is written."""

import os

import pytest

from crowdalpha.tables.files import _WRITERS

SCORE = ("score", "wide.csv", "--targets", "targets.csv")
NEUTRALIZE = ("neutralize", "wide.csv", "--features", "features.csv")
DIAGNOSE = ("diagnose", "wide.csv", "--targets", "targets.csv", "--features", "features.csv")


@pytest.fixture(autouse=True)
def here(tournament, tmp_path, monkeypatch):
    """An own folder in which the tournament's files lie."""
    for file in tournament.folder.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("score", "wide.csv"), "Missing option '--targets'"),
        (("sing",), "No such command 'sing'"),
        ((*SCORE, "--metrics", "corr,fncc"), "no metric fncc. Did you mean fnc?"),
        ((*SCORE, "--metrics", "CORR"), "Did you mean corr?"),
        ((*SCORE, "--metrics", " , "), "name at least one metric"),
        ((*SCORE, "--metrics", "fnc,alpha"), "fnc needs --features; alpha needs --neutralizers; alpha needs --sample"),
        ((*SCORE, "--bags", "-1"), "-1 is not in the range"),
        ((*SCORE, "--bags", "many"), "not a valid integer"),
        ((*SCORE, "--ties", "last"), "'last' is not one of"),
        ((*SCORE, "--output", "scores.xls"), "must end in one of .csv, .parquet"),
        ((*SCORE, "--output", "missing/scores.csv"), "there is no folder"),
        ((*SCORE, "--output", "nothing"), "is a directory"),
        ((*SCORE, "--output", "targets.csv"), "--output would write over the targets"),
        ((*SCORE, "--report", "missing/page.html"), "there is no folder"),
        ((*SCORE, "--report", "page.pdf"), "must end in one of .html"),
        ((*SCORE, "--report", "nothing"), "is a directory"),
        (("score", "nothing", "--targets", "targets.csv", "--output", "nothing/s.csv"), "among the predictions"),
        (NEUTRALIZE, "Missing option '--output'"),
        ((*NEUTRALIZE, "--output", "wide.csv"), "write over the predictions"),
        ((*NEUTRALIZE, "--output", "n.csv", "--proportion", "1.5"), "1.5 is not in the range from 0 to 1"),
        ((*NEUTRALIZE, "--output", "n.csv", "--proportion", "nan"), "nan is not in the range from 0 to 1"),
        ((*DIAGNOSE, "--worst", "0"), "0 is not in the range"),
        (("exposure", "wide.csv", "--features", "features.csv", "--worst", "x"), "not a valid integer"),
        (("metamodel", "wide.csv", "--output", "m"), "must end in one of"),
        (("rules", "--on", "yesterday"), "does not match the format"),
        (("rules", "--on", "2001-01-01"), "no rule was in force on 2001-01-01"),
        (("demo", "--folder", "wide.csv"), "is a file"),
    ],
)
def test_wrong_use_leaves_with_2_and_says_what_is_wrong(run, here, arguments, said):
    before = contents(here)
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert contents(here) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("score", "nowhere.csv", "--targets", "targets.csv"), "not_found"),
        (("score", "nothing", "--targets", "targets.csv"), "empty"),
        (("score", "wide.csv", "--targets", "nothing"), "not_a_file"),
        (("score", "wide.csv", "--targets", "features.csv"), "ambiguous_columns"),
        (("score", "wide.csv", "--targets", "stakes.csv"), "missing_columns"),
        ((*SCORE, "--stakes", "targets.csv"), "missing_columns"),
        ((*DIAGNOSE, "--model", "nobody"), "which_model"),
        (DIAGNOSE, "which_model"),
        ((*NEUTRALIZE[:3], "nowhere.csv", "--output", "n.csv"), "not_found"),
        (("exposure", "wide.csv", "--features", "stakes.csv"), "missing_columns"),
        (("metamodel", "nowhere.csv", "--output", "m.csv"), "not_found"),
    ],
)
def test_refused_input_leaves_with_3_and_its_problems_in_words_or_json(run, document, here, arguments, code):
    before = contents(here)
    in_words = run(*arguments)
    assert in_words.exit_code == 3
    assert f"[{code}]" in in_words.stderr
    assert in_words.stdout == ""
    assert code in {problem["code"] for problem in document(*arguments, code=3)["problems"]}
    assert contents(here) == before


def test_all_that_is_wrong_with_all_files_is_said_at_once(document):
    refusal = document("score", "nowhere.csv", "--targets", "nothing", "--stakes", "gone.csv", code=3)
    assert {problem["where"] for problem in refusal["problems"]} == {"nowhere.csv", "nothing", "gone.csv"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_if_the_page_cannot_be_written_the_scores_are_not_written_either(run, here, monkeypatch, error):
    (here / "scores.csv").write_text("of yesterday")
    before = contents(here)

    def fails(*arguments):
        raise error

    monkeypatch.setattr("crowdalpha.diagnostics.report.crowd_report", fails)
    done = run(*SCORE, "--output", "scores.csv", "--report", "page.html")
    assert done.exit_code == (3 if isinstance(error, OSError) else 1)
    assert done.stdout == ""
    assert contents(here) == before
    if isinstance(error, OSError):
        assert "page.html: " in done.stderr
        assert "No space left on device" in done.stderr


def test_a_table_cut_off_while_it_is_written_leaves_the_old_one(run, here, monkeypatch):
    (here / "m.csv").write_text("of yesterday")
    before = contents(here)

    def half(table, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(_WRITERS, "csv", half)
    done = run("metamodel", "wide.csv", "--output", "m.csv")
    assert done.exit_code == 3
    assert "m.csv: expected" in done.stderr
    assert contents(here) == before


def test_a_link_is_followed_and_stays_a_link(run, here):
    (here / "real.csv").write_text("of yesterday")
    (here / "link.csv").symlink_to("real.csv")
    assert run("metamodel", "wide.csv", "--output", "link.csv").exit_code == 0
    assert (here / "link.csv").is_symlink()
    assert (here / "real.csv").read_text().startswith('"era","id","metamodel"')


def test_a_pipe_or_device_is_not_replaced_by_a_file(run, here):
    os.mkfifo(here / "pipe.csv")
    done = run("metamodel", "wide.csv", "--output", "pipe.csv")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


def test_nothing_is_said_of_a_reader_that_has_had_enough(run, monkeypatch):
    def gone(*arguments, **choices):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("crowdalpha.cli.metamodel._as_csv", gone)
    done = run("metamodel", "wide.csv")
    assert (done.exit_code, done.stderr) == (1, "")
