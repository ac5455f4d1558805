"""`crowdalpha replay`: a history played as rounds, told as a table, a page and JSON, and kept if asked for."""

from __future__ import annotations

import json
import re

import pytest

from crowdalpha.settings import open_engine, read
from crowdalpha.tournament.submissions import CLASSIC

BAGS = "--bags", "3"


@pytest.fixture
def files(tournament):
    return tournament["wide.parquet"], "--targets", tournament["targets.csv"], "--stakes", tournament["stakes.csv"]


def test_every_era_is_a_round_and_every_model_has_its_money(document, tournament, files):
    shown = document("replay", *files, *BAGS, "--choice", "0,2")
    assert [row["era"] for row in shown["rounds"]] == [str(era) for era in range(1, 15)]
    assert {row["model"]: row["opening"] for row in shown["models"]} == {
        name: float(tournament.world.stakes.get(name, 0)) for name in (row["model"] for row in shown["models"])
    }
    changes = [row["change"] for row in shown["models"]]
    assert changes == sorted(changes, reverse=True)
    moved = sum(row["paid"] - row["burned"] for row in shown["rounds"])
    assert sum(changes) == pytest.approx(moved)
    for k in range(14):
        assert sum(share[k] for share in shown["weights"].values()) == pytest.approx(1)
    assert "simulated" in shown["notices"][0]
    assert (shown["rule"]["choice"], shown["rule"]["since"]) == ("2 × MMC", "2020-05-21")
    assert shown["tournament"] is None


def test_the_table_says_what_the_json_says(run, document, files):
    shown, told = document("replay", *files, *BAGS), run("replay", *files, *BAGS).stdout
    assert "wide, replayed: 5 models, 14 rounds" in told
    names = [line.split()[0] for line in told.splitlines()[3:8]]
    assert names == [row["model"] for row in shown["models"]]
    unfolded = " ".join(told.split())
    assert all(" ".join(sentence.split()) in unfolded for sentence in shown["says"])


def test_the_same_seed_gives_the_same_payouts_wherever_they_are_kept_another_seed_others(document, files, tmp_path):
    given = (*files, *BAGS, "--choice", "0,2")
    one = document("replay", *given)
    other = document("replay", *given, "--tournament", tmp_path / "kept")
    assert one | {"tournament": other["tournament"]} == other
    assert document("replay", *given, "--seed", "a word")["models"] != one["models"]


def test_the_page_shows_every_model_and_the_rule(run, document, files, tmp_path):
    page = tmp_path / "season.html"
    done = run("replay", *files, *BAGS, "--report", page)
    assert f"report in {page}" in done.stdout
    html = page.read_text()
    assert all(row["model"] in html for row in document("replay", *files, *BAGS)["models"])
    assert "S clip(corr, -0.25, 0.25)" in html
    assert "simulated" in html
    assert not re.search(r"https?://|\b(src|href)\s*=\s*[\"'](?!#|data:)|@import|url\(", html)


def test_what_is_kept_is_a_tournament_like_any_other(run, document, files, tmp_path):
    folder = tmp_path / "kept"
    done = run("replay", *files, *BAGS, "--tournament", folder)
    assert done.exit_code == 0, done.stderr
    assert f"crowdalpha verify 14 --tournament {folder}" in done.stdout
    here = "--tournament", folder
    rounds = document("round", "list", *here)
    assert [each["stage"] for each in rounds] == ["resolved"] * 14
    assert [found["proven"] for found in document("verify", "--all", *here)] == [True] * 15
    board = document("leaderboard", "--window", "all", *here)
    assert len(board["rounds"]) == 14
    assert run("rescore", "3", "--rule", "corr", *here).exit_code == 0
    settings = read(folder)
    assert settings.rules.lowest < -1e100
    assert settings.rules != CLASSIC


def test_rounds_to_come_have_a_secret_that_nobody_knows(run, files, tmp_path):
    secrets = set()
    for name in ("one", "two"):
        assert run("replay", *files, *BAGS, "--tournament", tmp_path / name).exit_code == 0
        secrets.add(read(tmp_path / name).secret.read_bytes())
        with open_engine(tmp_path / name) as engine:
            assert engine.verify(1) == ()
    assert len(secrets) == 2


def refused(run, *arguments):
    done = run("replay", *arguments, "--json")
    assert done.exit_code == 3, done.stdout
    return json.loads(done.stdout)["problems"]


def test_a_choice_that_the_rule_does_not_offer_is_refused_with_those_it_does(run, files):
    (problem,) = refused(run, *files, "--choice", "1,1")
    assert (problem["code"], problem["expected"]) == ("choice_not_offered", "1,0 or 0,2")


def test_a_rule_that_nobody_knows_is_refused(run, files):
    assert [problem["code"] for problem in refused(run, *files, "--rule", "generous")] == ["unknown_rule"]


def test_a_tournament_is_never_written_over(run, files, tmp_path):
    folder = tmp_path / "kept"
    assert run("replay", *files, *BAGS, "--tournament", folder).exit_code == 0
    assert [problem["code"] for problem in refused(run, *files, "--tournament", folder)] == ["settings_taken"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("era,model,stake\n1,m0,5\n", "stakes_by_era"),
        ("model,stake\nnobody,5\n", "unknown_model"),
        ("model,stake\nm0,-5\n", "bad_stake"),
        ("model,stake\nm0,5000000\n", "stakes_too_large"),
    ],
)
def test_stakes_that_are_no_opening_stakes_are_refused(run, tournament, tmp_path, rows, code):
    model = next(iter(tournament.world.stakes))
    (tmp_path / "s.csv").write_text(rows.replace("m0", model))
    given = tournament["wide.parquet"], "--targets", tournament["targets.csv"], "--stakes", tmp_path / "s.csv"
    assert [problem["code"] for problem in refused(run, *given)] == [code]


def test_a_choice_is_two_numbers(run, files):
    done = run("replay", *files, "--choice", "much")
    assert done.exit_code == 2
    assert "no pair such as 0,2" in done.stderr
