"""The page of a season: every model in its place, weights that fill the picture, money up and down."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

import pytest
from pages import Node, drawn, read
from synthetic import ERAS, ODD, season

from crowdalpha.diagnostics import Flows, Layer, Layers, as_json, season_report
from crowdalpha.diagnostics.formats import signed_percent, times
from crowdalpha.diagnostics.layers import draw_layers
from crowdalpha.diagnostics.money import draw_flows, draw_pile
from crowdalpha.scoring.problems import InputError

SEASON = season()
TREE = read(season_report(SEASON))


def board() -> list[Node]:
    (table,) = [t for t in TREE.all("table") if t.attributes.get("role") == "table"]
    return table.all("tbody")[0].all("tr")


def test_models_stand_in_the_order_of_what_they_earned():
    assert [row.all("bdi")[0].text for row in board()] == [row.model for row in SEASON.rows]
    assert {row.model for row in SEASON.rows} >= set(ODD)


def test_a_row_says_what_was_staked_what_became_of_it_and_what_a_round_paid_on_average():
    row, shown = SEASON.rows[0], [cell.text for cell in board()[0].all("td")]
    assert shown[2] == f"{row.opening:,.2f}"
    assert shown[3] == f"{row.closing:,.2f}"
    assert shown[4] == times(row.growth)
    assert shown[5:7] == [f"{100 * share:.1f}%" for share in (row.opening_share, row.closing_share)]
    assert shown[7:] == [str(ERAS), signed_percent(row.mean)]


def test_a_model_without_a_stake_has_no_growth_and_no_payout_one_that_lost_all_has_0():
    unstaked = next(row for row in SEASON.rows if row.opening == 0)
    assert math.isnan(unstaked.growth)
    cells = {row.all("bdi")[0].text: [cell.text for cell in row.all("td")] for row in board()}
    assert cells[unstaked.model][4] == "–"
    assert cells[unstaked.model][8] == "–"
    ruined = next(row for row in SEASON.rows if row.opening and not row.closing)
    assert cells[ruined.model][4] == "0×"
    assert cells[ruined.model][1] == f"−{ruined.opening:,.2f}"


def test_every_column_of_the_table_can_be_sorted_by_its_name_or_its_number():
    (table,) = [t for t in TREE.all("table") if t.attributes.get("role") == "table"]
    kinds = [head.attributes.get("data-sort") for head in table.all("thead")[0].all("th")]
    assert kinds == [None, "text", *["number"] * 8]


def test_the_page_says_that_stakes_are_simulated_by_which_rule_and_what_was_refused():
    text = TREE.all("body")[0].text
    for words in (*SEASON.caveats, *SEASON.says, SEASON.verdict, SEASON.ruling.formula, "2020-05-21", "F220"):
        assert words in text
    assert f"4 times{SEASON.refused[0].reason}" in text


def test_without_refusals_there_is_no_chapter_about_them():
    tree = read(season_report(replace(SEASON, refused=())))
    assert not [n for n in tree.all_nodes() if n.attributes.get("id") == "refused"]


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


@pytest.mark.parametrize("width", [1040, 358])
def test_layers_lie_on_one_another_and_fill_the_picture_from_0_to_100_percent(width):
    picture = drawn(draw_layers(SEASON.weights, name="w", width=width))
    paths = [corners(p.attrib["d"]) for p in picture.iter() if "layer" in p.attrib.get("class", "").split()]
    assert len(paths) == len(SEASON.weights.layers)
    half = ERAS
    for below, above in itertools.pairwise(paths):
        assert below[:half] == above[: half - 1 : -1]
    heights = {y for _, y in paths[0][half:]}, {y for _, y in paths[-1][:half]}
    assert all(len(each) == 1 for each in heights)


def test_a_single_round_is_as_wide_as_the_picture():
    whole = Layers("w", "share", ("only",), (Layer("a", (0.25,)), Layer("b", (0.75,))))
    picture = drawn(draw_layers(whole, name="w"))
    for path in (p for p in picture.iter() if "layer" in p.attrib.get("class", "").split()):
        xs = [x for x, _ in corners(path.attrib["d"])]
        assert max(xs) - min(xs) > 500


def test_nothing_at_all_can_be_drawn():
    assert "0 rounds" in draw_layers(Layers("w", "share", (), ()), name="w")
    assert "0 rounds" in draw_flows(Flows("f", "coins", (), (), ()), name="f")
    assert "0 rounds" in draw_pile(replace(SEASON.at_risk, eras=(), values=()), name="p")


def test_parts_of_unequal_length_are_refused():
    with pytest.raises(InputError) as refused:
        Layers("w", "share", ("1", "2"), (Layer("a", (1.0,)), Layer("b", ())))
    assert [problem.where for problem in refused.value.problems] == ["a", "b"]
    with pytest.raises(InputError):
        Flows("f", "coins", ("1",), (1.0,), ())


def test_a_season_is_plain_data():
    as_data = as_json(SEASON)
    assert as_data["rows"][0]["model"] == SEASON.rows[0].model
    assert len(as_data["weights"]["layers"]) == 8
