"""The pages: complete without scripts, alone without a network, safe with any name."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Node, drawn, read
from synthetic import ODD, crowd, diagnosis, leaderboard, names_of, season

from crowdalpha.diagnostics import (
    CrowdReport,
    Diagnosis,
    Heatmap,
    Interval,
    Leaderboard,
    LeaderboardRow,
    Lines,
    Run,
    Series,
    Vectors,
    as_json,
    crowd_report,
    diagnosis_report,
    season_report,
)
from crowdalpha.diagnostics.formats import amounts, legible, percent, pinch, plain, shorten, signed
from crowdalpha.diagnostics.svg import Svg, element, escape
from crowdalpha.diagnostics.vectors import draw_vectors
from crowdalpha.scoring.problems import InputError

PAGES = {"crowd": crowd_report(crowd()), "diagnosis": diagnosis_report(diagnosis())}
PAGES["season"] = season_report(season())
TREES = {name: read(page) for name, page in PAGES.items()}
LOADING = ("src", "href", "xlink:href", "srcset", "poster", "data", "action", "background")

both = pytest.mark.parametrize("name", list(PAGES))


def board(tree: Node) -> list[Node]:
    (table,) = [t for t in tree.all("table") if t.attributes.get("role") == "table"]
    return table.all("tbody")[0].all("tr")


@both
def test_a_page_is_well_formed(name):
    assert TREES[name].all("main")


@both
def test_a_page_loads_nothing(name):
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", PAGES[name])
    for node in TREES[name].all_nodes():
        assert node.tag not in {"link", "iframe", "object", "embed", "img", "base", "form"}
        for attribute in LOADING:
            assert node.attributes.get(attribute, "#").startswith("#")


@both
def test_a_page_is_light(name):
    assert len(PAGES[name].encode()) < 300_000


@both
def test_only_the_pages_own_script_may_run(name):
    (script,) = TREES[name].all("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    (policy,) = [m for m in TREES[name].all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}'" in policy.attributes["content"]
    assert "default-src 'none'" in policy.attributes["content"]
    assert not any(a.startswith("on") or a == "style" for n in TREES[name].all_nodes() for a in n.attributes)


@both
def test_headings_descend_without_gaps_and_every_section_has_one(name):
    levels = [int(node.tag[1]) for node in TREES[name].all_nodes() if re.fullmatch("h[1-6]", node.tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    for section in TREES[name].all("section"):
        assert section.only(id=section.attributes["aria-labelledby"]).tag == "h2"


@both
def test_ids_are_unique_and_links_lead_somewhere(name):
    ids = [node.attributes["id"] for node in TREES[name].all_nodes() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    assert {a.attributes["href"][1:] for a in TREES[name].all("a")} <= set(ids)


@both
def test_every_chart_says_what_it_shows(name):
    charts = [svg for svg in TREES[name].all("svg") if svg.attributes.get("role") == "img"]
    assert len(charts) >= 8
    for chart in charts:
        title, description = (chart.only(id=i).text for i in chart.attributes["aria-labelledby"].split())
        assert title
        assert re.search(r"\d", description)


@both
def test_every_other_drawing_is_hidden_from_screen_readers(name):
    for node in TREES[name].all_nodes():
        quiet = {
            id(svg) for hidden in node.all("ul") if "aria-hidden" in hidden.attributes for svg in hidden.all("svg")
        }
        for svg in node.all("svg"):
            inside = id(svg) in quiet
            assert inside or svg.attributes.get("role") == "img" or "aria-hidden" in svg.attributes
        break


@both
def test_what_scrolls_can_be_reached_with_the_keyboard(name):
    regions = [n for n in TREES[name].all_nodes() if "sweep" in n.attributes.get("class", "").split()]
    assert regions
    assert all(r.attributes["tabindex"] == "0" and r.attributes["aria-label"] for r in regions)


def test_without_scripts_every_model_and_every_number_is_there():
    rows = board(TREES["crowd"])
    expected = leaderboard().rows
    assert len(rows) == len(expected) == 55
    for row, value in zip(rows, expected, strict=True):
        cells = [cell.text for cell in row.children if isinstance(cell, Node)]
        assert cells[1].startswith(value.model)
        assert cells[2] == signed(value.mmc2)
        assert cells[4] == f"{signed(value.interval.low)} to {signed(value.interval.high)}"
        assert cells[5] == signed(value.corr)
        assert cells[-2:] == [percent(value.share), str(value.eras)]
        assert "hidden" not in row.attributes


def test_the_search_field_is_hidden_until_a_script_makes_it_work():
    (tools,) = [n for n in TREES["crowd"].all_nodes() if n.attributes.get("class") == "tools"]
    assert "hidden" in tools.attributes


@pytest.mark.parametrize("odd", ODD)
def test_a_hostile_name_is_text_and_nothing_else(odd):
    assert odd in {row.all("bdi")[0].text for row in board(TREES["crowd"])}
    assert len(TREES["crowd"].all("script")) == 1


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><script>1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;&amp;",
    "--></style><style>*{display:none}",
    "a\x00b\x1fc\ud800d",
    "\u202egnp.exe",
    "z\u0300\u0301\u0302" * 30,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_changes_no_page(name):
    page = crowd_report(_everything_named(name))
    tree = read(page)
    page.encode()
    assert len(tree.all("script")) == 1
    assert len(tree.all("style")) == 1
    assert not tree.all("img")
    assert tree.all("h1")[0].text == legible(name)
    assert board(tree)[0].all("bdi")[0].text == legible(name)
    assert "\u202e" not in page


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_changes_no_diagnosis(name):
    tree = read(diagnosis_report(replace(diagnosis(), model=name, caveats=(name,), vectors=_vectors(name))))
    assert len(tree.all("script")) == 1
    assert tree.all("h1")[0].text == legible(name)


@given(st.text(max_size=60))
def test_any_name_at_all_can_be_drawn(name):
    assert drawn(draw_vectors(_vectors(name), name="v")).find("title").text == f"{legible(name)} and the metamodel"


def _vectors(name: str) -> Vectors:
    return Vectors(name, 0.5, 0.05, 0.04, 0.03, name)


def _everything_named(name: str) -> CrowdReport:
    run = Run(1, 1, name, 20, name, name, name, name)
    rows = (LeaderboardRow(name, 1.0, 1.0, 0.1, 0.1, Interval(0.0, 0.2), 1.0, 1, name),)
    lines = Lines(name, name, (name, "b"), (Series(name, (0.0, 0.1), "metamodel"), Series(name, (0.0, 0.1))))
    heat = Heatmap(name, (name, "b"), ((1.0, 0.5), (0.5, 1.0)))
    return CrowdReport(name, run, Leaderboard(rows, method=name), lines, (_vectors(name),), heat, None, (name,))


def test_caveats_come_before_the_numbers():
    text = TREES["crowd"].all("body")[0].text
    assert 0 < text.index("Stakes are simulated: the teams") < text.index("Leaderboard")


def test_the_page_says_how_to_do_it_again():
    header = TREES["crowd"].all("header")[0]
    facts = {item.all("dt")[0].text: item.all("dd")[0].text for item in header.all("div")}
    assert facts["Eras"] == "58"
    assert facts["Models"] == "55"
    assert facts["Seed"] == "0"
    assert facts["Bags"] == "20"
    assert facts["Version"] == "crowdalpha 0.1.0"


def test_what_is_not_given_is_not_mentioned():
    bare = replace(crowd(), vectors=(), similarity=None, persistence=None, caveats=())
    tree = read(crowd_report(bare))
    assert {s.attributes["id"] for s in tree.all("section")} == {"leaderboard", "over-time", "contribution", "glossary"}
    run = Run(0, 0, "0", 1, "0", "0")
    alone = read(diagnosis_report(Diagnosis("m", run, (), ())))
    assert {s.attributes["id"] for s in alone.all("section")} == {"per-era", "glossary"}


def test_an_empty_crowd_and_missing_numbers_still_make_a_page():
    run = Run(0, 0, "0", 1, "0", "0")
    nan = math.nan
    read(crowd_report(CrowdReport("t", run, Leaderboard(()), Lines("t", "u", (), ()))))
    rows = (LeaderboardRow("a", nan, nan, nan, nan), LeaderboardRow("b", 0, 0, nan, nan, Interval(nan, nan)))
    lines = Lines("t", "u", ("e",), (Series("a", (nan,), "metamodel"),))
    lost = Vectors("a", nan, nan, nan, nan)
    page = crowd_report(CrowdReport("t", run, Leaderboard(rows), lines, (lost,), Heatmap("t", (), ())))
    assert not re.search(r"\bnan\b", read(page).all("body")[0].text)
    assert "nan" not in "".join(v for n in read(page).all_nodes() for k, v in n.attributes.items() if k != "id")


def test_a_large_crowd_keeps_every_row_and_says_what_is_thinned():
    count = 300
    base = crowd()
    rows = tuple(LeaderboardRow(f"m{i}", float(i), 1 / count, 0.1, 0.01) for i in range(count))
    series = tuple(Series(f"m{i}", (0.0, float(i))) for i in range(count))
    values = tuple(tuple(1.0 if i == j else 0.3 for j in range(count)) for i in range(count))
    similar = Heatmap("t", tuple(row.model for row in rows), values)
    page = crowd_report(
        replace(base, leaderboard=Leaderboard(rows), over_time=Lines("t", "u", ("a", "b"), series), similarity=similar)
    )
    assert len(board(read(page))) == count
    assert "the 120 of 300 models with the largest stakes" in page
    assert "an even choice of 150" in page


def test_an_interval_that_covers_zero_is_called_undecided_and_one_below_zero_by_its_side():
    value = diagnosis()
    told = []
    for low, high in ((-0.01, 0.02), (-0.03, -0.01)):
        judged = replace(value.statistics[0], value=(low + high) / 2, interval=Interval(low, high))
        told.append(diagnosis_report(replace(value, statistics=(value.statistics[1], judged))))
    assert "covers zero" in told[0]
    assert "all of it below zero" in told[1]


def test_models_of_few_eras_are_not_said_to_add_or_to_take_away():
    rows = (
        LeaderboardRow("new", 1, 0.5, 0.1, 0.2, Interval(0.1, 0.3), eras=2),
        LeaderboardRow("old", 1, 0.5, 0.1, 0.1, Interval(0.05, 0.2), eras=30),
    )
    page = read(crowd_report(replace(crowd(), leaderboard=Leaderboard(rows))))
    cards = [node.text for node in page.all_nodes() if node.attributes.get("class") == "figure"]
    assert [card for card in cards if card.startswith("Add")] == [
        "Add to the crowd1models whose 95% interval lies above zero"
    ]
    assert any(card.startswith("Cannot be told from zero1") and "fewer than 10 eras" in card for card in cards)
    few = diagnosis_report(replace(diagnosis(), run=replace(diagnosis().run, eras=4)))
    assert "too few to judge by" in few


def test_pairs_that_never_met_are_explained_and_long_attributions_have_their_place():
    similar = Heatmap("t", ("a", "b"), ((1.0, math.nan), (math.nan, 1.0)))
    base = crowd()
    page = crowd_report(replace(base, similarity=similar, run=replace(base.run, source="A team; " * 40)))
    assert "never in the same era" in page
    assert "A team; " * 40 in read(page).only(id="source").text


def test_the_verdict_says_where_the_interval_lies():
    head = TREES["diagnosis"].all("header")[0].text
    assert "all of it above zero" in head


def test_the_neutralised_lines_and_their_table_agree():
    value = diagnosis()
    (table,) = [t for t in TREES["diagnosis"].all("table") if t.attributes.get("class") == "steps"]
    rows = [[cell.text for cell in row.children if isinstance(cell, Node)] for row in table.all("tbody")[0].all("tr")]
    assert [row[0] for row in rows] == ["0%, as submitted", "25%", "50%", "75%", "100%"]
    assert [row[1] for row in rows] == [signed(step.mean) for step in value.neutralized]


def test_every_value_can_be_json():
    again = json.loads(json.dumps(as_json(crowd()), allow_nan=False))
    assert again["leaderboard"]["rows"][0]["model"] == leaderboard().rows[0].model
    assert set(again) == set(CrowdReport.__dataclass_fields__)
    json.dumps(as_json(diagnosis()), allow_nan=False)


def test_parts_of_unequal_length_are_refused_all_at_once():
    with pytest.raises(InputError) as refusal:
        Lines("t", "u", ("a", "b"), (Series("m", (1.0,)), Series("n", (1.0, 2.0, 3.0))))
    assert [problem.where for problem in refusal.value.problems] == ["m", "n"]
    with pytest.raises(InputError):
        Heatmap("t", ("a", "b"), ((1.0, 0.5),))


@given(st.floats(-10, 10))
def test_a_score_is_printed_with_its_own_sign_and_never_a_hyphen(value):
    shown = signed(value)
    assert "-" not in shown
    assert float(shown.replace("−", "-")) == pytest.approx(value, abs=0.5001e-4)
    assert (shown[0] == "+") == (round(abs(value), 4) > 0 and value > 0)


def test_numbers_are_printed_alike():
    assert (signed(1.5, 2), signed(-0.25, 2), signed(0), plain(-0.00001)) == ("+1.50", "−.25", ".0000", ".0000")
    assert (signed(math.nan), percent(math.nan), percent(0.123)) == ("–", "–", "12.3%")
    assert amounts([]) == ()
    assert amounts([1.0, 2.5, math.nan]) == ("1.00", "2.50", "–")


@given(st.text(max_size=50), st.integers(3, 30))
def test_cut_names_fit(name, limit):
    assert len(shorten(name, limit)) <= limit
    assert len(pinch(name, limit)) <= limit


@given(st.text(max_size=30))
def test_plain_text_among_markup_is_escaped_and_markup_is_kept(words):
    assert "<" not in escape(words)
    assert element("g", element("text", words)) == element("g", Svg(element("text", words)))


def test_names_of_the_synthetic_crowd_are_distinct():
    assert len(set(names_of(55))) == 55
