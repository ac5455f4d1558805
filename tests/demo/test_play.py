"""The demo as a user sees it: two real crowds, their pages, leaderboards and tournaments, on fewer weeks and rounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.cli.demo import STARTS
from crowdalpha.demo.baselines import ridges
from crowdalpha.demo.crowd import data_table
from crowdalpha.demo.equities import N_IDS, _panel
from crowdalpha.demo.play import SUBJECT, Played, Told
from crowdalpha.demo.play import play as real
from crowdalpha.demo.rounds import fresh
from crowdalpha.diagnostics.survey import leaderboard
from crowdalpha.settings import open_engine
from crowdalpha.storage.audit import faults
from crowdalpha.tournament.rounds import Stage

WEEKS = 16
PAGES = ("flusight", "flusight-season", "equities", SUBJECT, "equities-season")
TOURNAMENTS = ("flusight-tournament", "equities-tournament")
LOADS = re.compile(
    r"\b(?:src|href|action|data)\s*=\s*[\"'](?!#|data:)|@import|url\((?!#)|https?://|fetch\(|<iframe|<link"
)


@dataclass
class Demo:
    """One run of `crowdalpha demo`: where its pages are, what it printed, what it played and said meanwhile."""

    folder: Path
    printed: str = ""
    played: list[Played] = field(default_factory=list)
    heard: list[tuple[str, int, int]] = field(default_factory=list)

    def play(self, folder: Path, told: Told) -> Iterator[Played]:
        """The real thing on fewer weeks and rounds, overheard."""

        def hear(*what: Any) -> None:
            self.heard.append(what)
            told(*what)

        for played in real(folder, hear, weeks=WEEKS, rounds=WEEKS):
            self.played.append(played)
            yield played

    def page(self, name: str) -> str:
        return (self.folder / f"{name}.html").read_text(encoding="utf-8")

    def words(self, name: str) -> str:
        return " ".join(unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", self.page(name), flags=re.S)).split())


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    demo = Demo(tmp_path_factory.mktemp("demo") / "pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crowdalpha.demo.play.play", demo.play)
        done = CliRunner().invoke(main, ["demo", "--folder", str(demo.folder)], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [STARTS]
    demo.printed = done.stdout
    return demo


def test_it_writes_pages_for_each_crowd_and_one_for_a_model_and_says_where(demo: Demo) -> None:
    pages = [demo.folder / f"{name}.html" for name in PAGES]
    assert sorted(demo.folder.iterdir()) == sorted([*pages, *(demo.folder / name for name in TOURNAMENTS)])
    told = demo.printed.split("Open in a browser:\n")[1].split("The rounds are kept")[0]
    assert told.split() == [str(page.resolve()) for page in pages]
    assert [list(played.pages) for played in demo.played] == [pages[:2], pages[2:]]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_anywhere(demo: Demo, name: str) -> None:
    assert not LOADS.search(demo.page(name))
    assert len(demo.page(name)) < 2_000_000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_that_stakes_are_simulated_and_all_else_a_reader_must_know(demo: Demo, name: str) -> None:
    crowd = demo.played[0 if name.startswith("flusight") else 1].crowd
    words = demo.words(name)
    assert "All stakes are simulated" in words
    assert ("All stakes and payouts are simulated" in words) == name.endswith("season")
    for caveat in crowd.caveats:
        assert " ".join(caveat.split()) in words


@pytest.mark.parametrize(("k", "name"), [(0, "flusight"), (1, "equities")])
def test_the_leaderboard_of_a_page_names_every_model_once_in_order(demo: Demo, k: int, name: str) -> None:
    board = [row.model for row in leaderboard(demo.played[k].survey).rows]
    assert sorted(board) == sorted(demo.played[k].crowd.models)
    words = demo.words(name)
    assert all(model in words for model in board)


def test_whoever_made_the_data_is_credited(demo: Demo) -> None:
    assert all(played.crowd.attribution.split(";")[0] in demo.words(played.pages[0].stem) for played in demo.played)


def test_the_terminal_shows_both_leaderboards_from_the_top_and_the_bottom(demo: Demo) -> None:
    assert "FluSight: 47 models, 58 eras, simulated stakes" in demo.printed
    assert f"Equities: 23 models, {WEEKS} eras, simulated stakes" in demo.printed
    for played in demo.played:
        board = [row.model for row in leaderboard(played.survey).rows]
        places = [demo.printed.index(f"\n  {model} ") for model in (*board[:10], *board[-5:])]
        assert places == sorted(places)
        assert f"... {len(board) - 15} more" in demo.printed
    assert demo.printed.count("Contributions of the first half against the second: Spearman") == 2


def test_the_terminal_says_who_earned_who_burned_and_whether_the_crowd_got_better(demo: Demo) -> None:
    for played in demo.played:
        season = played.tournament.season
        assert f"{season.title}: {len(season.rows)} models, {len(season.flows.eras)} rounds" in demo.printed
        names = [row.model for row in season.rows]
        table = demo.printed.split(season.title)[1]
        places = [table.index(f"\n  {model} ") for model in (*names[:6], *names[-4:])]
        assert places == sorted(places)
        told = " ".join(table.split())
        assert all(" ".join(sentence.split()) in told for sentence in (*season.says, season.verdict))


@pytest.mark.parametrize(("k", "name"), [(0, "flusight-season"), (1, "equities-season")])
def test_a_season_names_every_model_by_what_it_earned_and_what_became_of_the_weights(
    demo: Demo, k: int, name: str
) -> None:
    words, season = demo.words(name), demo.played[k].tournament.season
    assert {row.model for row in season.rows} <= set(demo.played[k].crowd.models)
    assert len(season.rows) >= 23
    assert all(row.model in words for row in season.rows)
    assert len([layer for layer in season.weights.layers if layer.named]) == 7
    for sentence in (*season.says, season.verdict, season.ruling.formula):
        assert " ".join(sentence.split()) in words


@pytest.mark.parametrize(("k", "name"), [(0, "flusight-tournament"), (1, "equities-tournament")])
def test_the_rounds_are_kept_as_a_tournament_that_the_printed_commands_work_on(demo: Demo, k: int, name: str) -> None:
    place = demo.folder / name
    assert demo.played[k].tournament.folder == place
    for verb in ("round list", "verify 12"):
        assert f"\n  crowdalpha {verb} --tournament {place}\n" in demo.printed
        done = CliRunner().invoke(main, [*verb.split(), "--tournament", str(place)], catch_exceptions=False)
        assert done.exit_code == 0
    assert done.stdout == "round 12: proven\n"
    with open_engine(place) as engine:
        rounds = engine.round_list()
    assert len(rounds) == WEEKS
    assert {each.stage for each in rounds} == {Stage.RESOLVED}


@pytest.mark.parametrize("name", TOURNAMENTS)
def test_rounds_of_the_demo_are_proven(demo: Demo, name: str) -> None:
    """Those of the short demo; all of the whole one are proven by the test that follows, which is slow."""
    with open_engine(demo.folder / name) as engine:
        numbers = range(1, WEEKS + 1)
        assert {number: engine.verify(number) for number in numbers} == dict.fromkeys(numbers, ())
        with engine.store.reading() as work:
            assert faults(work) == ()


@pytest.mark.slow
def test_every_round_of_the_whole_demo_is_proven(tmp_path: Path) -> None:
    found = {}
    for played in real(tmp_path, lambda what, done, total: None):
        with open_engine(played.tournament.folder) as engine:
            for each in engine.round_list():
                found[played.crowd.name, each.round.number] = engine.verify(each.round.number)
    assert len(found) == 258
    assert {where: problems for where, problems in found.items() if problems} == {}


def test_a_tournament_of_an_earlier_run_stays_and_the_next_has_a_number(tmp_path: Path) -> None:
    assert fresh(tmp_path, "a-tournament") == tmp_path / "a-tournament"
    (tmp_path / "a-tournament").mkdir()
    (tmp_path / "a-tournament-2").mkdir()
    assert fresh(tmp_path, "a-tournament") == tmp_path / "a-tournament-3"


def test_progress_names_every_step_and_never_runs_back_within_one(demo: Demo) -> None:
    steps = list(dict.fromkeys(what for what, _, _ in demo.heard))
    assert [step for step in steps if "Training" not in step] == [
        *("Reading FluSight", "Scoring FluSight", "Playing rounds of FluSight", "Writing files of FluSight"),
        *("Scoring Equities", f"Diagnosing {SUBJECT}", "Playing rounds of Equities", "Writing files of Equities"),
    ]
    for step in steps:
        done = [done for what, done, _ in demo.heard if what == step]
        assert done == sorted(done)
        assert all(done <= total for what, done, total in demo.heard if what == step)


def test_played_on_fewer_weeks_the_models_predict_the_same(demo: Demo) -> None:
    features, target = _panel(data_table("us_equities_tournament.parquet"))
    longer = ridges(features, target, first=len(target) - WEEKS - 10)["ridge_medium"][-WEEKS:]
    shorter = demo.played[1].crowd.predictions["ridge_medium"].to_numpy().reshape(-1, N_IDS)
    assert np.array_equal(longer, shorter)


def test_the_same_as_json_is_complete(demo: Demo) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crowdalpha.demo.play.play", lambda folder, told: iter(demo.played))
        done = CliRunner().invoke(main, ["demo", "--folder", str(demo.folder), "--json"], catch_exceptions=False)
    shown = json.loads(done.stdout)
    assert [crowd["name"] for crowd in shown["crowds"]] == ["FluSight", "Equities"]
    assert [len(crowd["models"]) for crowd in shown["crowds"]] == [47, 23]
    assert [Path(page).stem for page in shown["pages"]] == list(PAGES)
    assert all("All stakes are simulated" in crowd["caveats"][0] for crowd in shown["crowds"])
    assert [len(crowd["season"]["rounds"]) for crowd in shown["crowds"]] == [WEEKS, WEEKS]
    assert [Path(crowd["tournament"]).name for crowd in shown["crowds"]] == list(TOURNAMENTS)
