"""Pages that everybody sees: what is on them, and what is not before its time."""

from __future__ import annotations

import csv
import io
import math
import xml.etree.ElementTree as ET

import numpy as np
from sites import FEATURES, PUBLIC, Site

from crowdalpha.diagnostics.formats import plain, signed
from crowdalpha.payouts import reputation_rules, rules
from crowdalpha.scoring.exposure import exposure_metrics, exposures
from crowdalpha.server.charts import coins
from crowdalpha.tournament.evidence import numbers_of
from crowdalpha.tournament.records import METAMODEL, Score, Submission
from crowdalpha.tournament.settlement import Payout


def scores_of(site: Site, round: int) -> list[Score]:
    with site.service.engine.store.reading() as work:
        return work.find(Score, round=round)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_public_pages_depend_on_nothing_that_was_sent_before_a_day_is_scored(twins: tuple[Site, Site]) -> None:
    one, other = twins
    values = [{(s.day, s.metric, s.model): s.value for s in scores_of(twin, 2)} for twin in twins]
    assert all(values[0][key] != values[1][key] for key in values[0])
    assert one.sealed.keys() == set(PUBLIC)
    assert one.sealed == other.sealed


def test_pages_and_programs_are_told_the_same_scores_day_by_day(running: Site) -> None:
    told = running.client.get("/api/v1/models/bob-1/scores", params={"resolved": False}).json()["items"]
    assert {row["day"] for row in told} == {1, 2}
    shown = rows(running.text("/models/bob-1/days.csv"))
    assert {(int(row["day"]), m): float(row[m.upper()]) for row in shown for m in ("corr", "mmc2")} == {
        (row["day"], row["metric"]): row["value"] for row in told
    }
    last = {row["metric"]: row["value"] for row in told if row["day"] == 2}
    (of_round,) = [row for row in rows(running.text("/rounds/2/models.csv")) if row["id"] == "bob-1"]
    assert of_round["day"] == "2"
    assert {metric: float(of_round[metric]) for metric in last} == last
    page, section = running.text("/rounds/2"), running.page("/models/bob-1").only(id="days-section").text
    assert all(signed(value) in page and signed(value) in section for value in last.values())
    assert "provisional" in page


def test_what_gives_predictions_away_is_not_shown_before_a_round_is_over(running: Site) -> None:
    bob = running.signed_in("bob")
    pages = [running.text("/rounds/2"), running.text("/models/ada-1"), bob.text("/models/ada-1"), bob.text("/rounds/2")]
    crowd = [score for score in scores_of(running, 2) if score.model == METAMODEL]
    assert crowd
    assert not any(signed(score.value) in page for score in crowd for page in pages)
    assert not any("Residual picture of round 2" in page for page in pages)
    assert running.signed_in("ada").client.get("/rounds/2/shares/ada-1.zip").status_code >= 400


def test_the_same_numbers_are_shown_once_the_round_is_over(over: Site) -> None:
    final = [s for s in scores_of(over, 1) if s.final and s.model != METAMODEL]
    page = over.text("/rounds/1")
    assert all(signed(score.value) in page for score in final)


def test_the_leaderboard_ranks_by_what_the_engine_says(over: Site) -> None:
    board = over.service.engine.leaderboard("mmc2", now=over.service.now())
    names = [node.text for node in over.page("/").only(id="board").all("bdi")]
    with over.service.engine.store.reading():
        assert [name for name in names if name.endswith("_one")] == [f"{line.name[:-2]}_one" for line in board.lines]


def test_the_leaderboard_can_be_turned_around_searched_and_cut(over: Site) -> None:
    names = lambda address: [n.text for n in over.page(address).only(id="board").all("a") if n.text.endswith("_one")]  # noqa: E731
    usual = names("/")
    assert names("/?sort=value&order=asc") == list(reversed(usual))
    assert names("/?sort=name") == ["ada_one", "bob_one", "cy_one"]
    assert names("/?find=BOB") == ["bob_one"]
    assert names("/?page=99&sort=nonsense&window=none&order=x&metric=zzz") == usual
    assert "Nobody" in over.page("/?find=%3Cscript%3E").only(id="board").text


def test_columns_say_how_they_are_sorted(over: Site) -> None:
    heads = over.page("/?sort=stake&order=desc").only(id="board").all("th")
    assert [h.attributes["aria-sort"] for h in heads if "aria-sort" in h.attributes] == ["descending"]


def test_the_file_of_the_leaderboard_has_every_digit(over: Site) -> None:
    board = over.service.engine.leaderboard("mmc2", now=over.service.now())
    found = {row["id"]: row for row in rows(over.text("/leaderboard.csv"))}
    for line in board.lines:
        assert float(found[line.name]["mmc2"]) == line.value
        assert int(found[line.name]["rank"]) == line.rank


def test_accounts_can_be_ranked_by_their_stakes(over: Site) -> None:
    names = {row["account"] for row in rows(over.text("/leaderboard.csv?by=account"))}
    assert names == {"ada", "bob", "cy"}


def test_a_round_that_is_over_shows_every_score_and_what_it_paid(over: Site) -> None:
    with over.service.engine.store.reading() as work:
        payouts = work.find(Payout, round=1)
    text = over.page("/rounds/1").text
    assert all(coins(abs(payout.paid)) in text for payout in payouts)
    found = {row["id"]: row for row in rows(over.text("/rounds/1/models.csv"))}
    assert {p.model: float(found[p.model]["fraction"]) for p in payouts} == {p.model: p.fraction for p in payouts}


def test_a_round_says_where_it_stands(running: Site) -> None:
    states = {1: "resolved", 2: "scoring", 3: "upcoming"}
    for number, state in states.items():
        assert state in running.page(f"/rounds/{number}").all("h1")[0].text
    assert "2 of 3 days are scored" in running.page("/rounds/2").text


def test_how_many_take_part_is_not_said_before_the_close(new: Site) -> None:
    with new.service.engine.store.reading() as work:
        assert not work.find(Score)
    page = new.page("/rounds/1").text
    assert "sent predictions" not in page
    assert "At risk" not in page


def test_a_secret_is_shown_when_its_round_is_over_and_not_before(running: Site) -> None:
    for page in (running.page("/verify").text, running.page("/rounds/2").text):
        assert running.service.engine.round_show(2).round.commitment in page
    assert "revealed when the round is resolved" in running.page("/rounds/2").text
    assert "revealed when" not in running.page("/rounds/1").text


def test_the_head_of_the_log_is_published(over: Site) -> None:
    with over.service.engine.store.reading() as work:
        last = work.events()[-1]
    assert over.client.get("/verify/head.json").json()["hash"] == last.hash
    assert last.hash in over.page("/verify").text


def test_every_dated_rule_is_there_with_its_sources(over: Site) -> None:
    text = over.page("/rules").text
    for rule in (*rules(), *reputation_rules()):
        assert str(rule.start) in text
        assert rule.formula in text
        assert all(source in text for source in rule.sources)


def test_charts_have_tables_behind_them_and_can_be_taken_away(over: Site) -> None:
    for base, page in (("/models/ada-1", "/models/ada-1"), ("/rounds/1", "/rounds/1"), ("/leaderboard/year", "/")):
        figures = over.page(page).all("figure")
        assert figures
        for figure in figures:
            name = figure.attributes["aria-labelledby"].removesuffix("-head")
            assert rows(over.text(f"{base}/{name}.csv"))
            drawing = ET.fromstring(over.text(f"{base}/{name}.svg"))
            assert drawing.find("{http://www.w3.org/2000/svg}desc") is not None
            assert figure.all("tbody")[0].all("tr")


def test_the_residual_picture_shows_the_correlation_with_the_metamodel(over: Site) -> None:
    from crowdalpha.server.views.memory import Memory
    from crowdalpha.server.views.models import model_view
    from crowdalpha.server.views.residuals import residual

    view = model_view(over.service.engine, "ada-1")
    assert view is not None
    picture = residual(over.service.engine, Memory(), view)
    assert picture is not None
    assert picture.vectors.mmc2 == view.played[-1].mmc
    assert -1 <= picture.vectors.rho <= 1
    assert not math.isnan(picture.vectors.corr_metamodel)
    assert "The residual picture" in over.page("/models/ada-1").text


def test_the_ids_of_an_open_round_are_a_file_to_start_from(new: Site) -> None:
    lines = new.text("/rounds/1/ids.csv").splitlines()
    assert lines[0] == "id,prediction"
    assert [line.partition(",")[0] for line in lines[1:]] == new.service.engine.universe(
        new.service.engine.round_show(1).round
    )
    assert new.client.get("/rounds/2/ids.csv").status_code == 404


def test_names_that_look_like_markup_or_formulas_are_only_names(new: Site) -> None:
    ada = new.signed_in("ada")
    name = "=1+<b onclick=x>&\u202e"[:14]
    assert ada.send("/account/models", name=name)[0] in (200, 422)
    page = ada.text("/account")
    assert "<b onclick" not in page
    assert "\u202e" not in page


def test_exposures_to_features_are_the_owners_and_their_sizes_everybodys(featured: Site) -> None:
    ada, bob = featured.signed_in("ada"), featured.signed_in("bob")
    with featured.service.engine.store.reading() as work:
        (sent,) = work.find(Submission, round=1, model="ada-1")
    ranks = numbers_of(featured.service.engine.files.read(sent.predictions))
    columns = np.column_stack([FEATURES[name] for name in FEATURES])
    wanted, sizes = exposures(ranks, columns), exposure_metrics(ranks, columns)
    for site in (featured, ada, bob):
        words = site.page("/models/ada-1").only(id="exposure-section").text
        assert all(plain(float(size)) in words for size in (sizes.std, sizes.l2, sizes.rms, sizes.max))
        assert ("steep" in words) == (site is ada)
    found = {row["feature"]: float(row["exposure"]) for row in rows(ada.text("/models/ada-1/exposures.csv"))}
    assert found == dict(zip(FEATURES, wanted.tolist(), strict=True))
    assert ET.fromstring(ada.text("/models/ada-1/exposures.svg")).tag.endswith("svg")
    assert bob.client.get("/models/ada-1/exposures.csv").status_code == 404
    assert featured.client.get("/models/ada-1/exposures.csv", follow_redirects=False).status_code == 303


def test_a_tournament_without_features_has_no_exposures(over: Site) -> None:
    ada = over.signed_in("ada")
    assert "exposure-section" not in ada.text("/models/ada-1")
    assert ada.client.get("/models/ada-1/exposures.csv").status_code == 404


def test_the_residual_picture_can_be_taken_away(over: Site) -> None:
    assert ET.fromstring(over.text("/models/ada-1/residual.svg")).tag.endswith("svg")
    numbers = {row["what"]: row["value"] for row in rows(over.text("/models/ada-1/residual.csv"))}
    assert signed(float(numbers["MMC2, mean over bags"])) in over.page("/models/ada-1").only(id="residual-section").text
