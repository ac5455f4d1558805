"""Geometry equals numbers: every drawing is parsed and measured."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import drawn, numbers, with_class
from synthetic import crowd, diagnosis, leaderboard, vectors_of

from crowdalpha.diagnostics import (
    Bars,
    Exposures,
    Heatmap,
    Interval,
    LeaderboardRow,
    Lines,
    Point,
    Scatter,
    Series,
    Vectors,
    arranged,
    contribution,
    cumulative,
    order_by_likeness,
)
from crowdalpha.diagnostics.axes import Scale, captions, extent, ticks
from crowdalpha.diagnostics.bars import draw_bars, draw_exposures
from crowdalpha.diagnostics.heatmap import draw_heatmap, neighbours, shade
from crowdalpha.diagnostics.labels import Box, breadth, place, stack
from crowdalpha.diagnostics.lines import draw_drawdown, draw_lines
from crowdalpha.diagnostics.scatter import draw_scatter, notable, radius
from crowdalpha.diagnostics.vectors import UNIT, draw_vectors, sentence
from crowdalpha.diagnostics.whiskers import draw_scale, draw_whisker, shared_scale

PIXEL = 0.051
"""Coordinates are written to a tenth of a pixel."""

cosines = st.floats(-1, 1, allow_nan=False)
scores = st.floats(-0.2, 0.2, allow_nan=False)


def triple(rho: float, leaning: float, crowd_corr: float) -> Vectors:
    """A consistent triple of correlations, by construction of the target within the plane."""
    own = math.sqrt(1 - rho**2)
    return Vectors("m", rho, rho * crowd_corr + own * leaning, crowd_corr, own * leaning)


def the_line(root, name: str) -> list[float]:
    (found,) = [node for node in with_class(root, name) if node.tag == "line"]
    return numbers(found, "x1", "y1", "x2", "y2")


@given(rho=cosines, leaning=scores, crowd_corr=scores)
def test_the_drawn_angle_is_the_arccos_of_the_correlation(rho, leaning, crowd_corr):
    x1, y1, x2, y2 = the_line(drawn(draw_vectors(triple(rho, leaning, crowd_corr), name="v")), "model")
    assert x2 - x1 == pytest.approx(UNIT * rho, abs=2 * PIXEL)
    assert y1 - y2 == pytest.approx(UNIT * math.sqrt(1 - rho**2), abs=2 * PIXEL)


@given(rho=st.floats(-0.99, 0.99), leaning=scores, crowd_corr=scores)
def test_the_residual_stands_on_the_metamodel_and_ends_where_the_model_ends(rho, leaning, crowd_corr):
    root = drawn(draw_vectors(triple(rho, leaning, crowd_corr), name="v"))
    residual, model, projection = (the_line(root, name) for name in ("residual", "model", "projection"))
    assert residual[2:] == model[2:]
    assert residual[:2] == projection[2:]
    assert residual[0] == residual[2]


@given(rho=st.floats(-0.99, 0.99), leaning=scores, crowd_corr=scores)
def test_the_targets_ring_lies_at_its_correlations(rho, leaning, crowd_corr):
    value = triple(rho, leaning, crowd_corr)
    root = drawn(draw_vectors(value, name="v"))
    assert value.target == pytest.approx((crowd_corr, leaning), abs=1e-9)
    for ring in with_class(root, "target-end"):
        x, y = numbers(ring, "cx", "cy")
        centre = the_line(root, "model")[:2]
        assert x - centre[0] == pytest.approx(UNIT * crowd_corr, abs=2 * PIXEL)
        assert centre[1] - y == pytest.approx(UNIT * leaning, abs=2 * PIXEL)


@given(rho=st.floats(-0.999, 0.999), leaning=scores, crowd_corr=scores)
def test_seen_in_the_plane_the_model_has_its_own_correlation_with_the_target(rho, leaning, crowd_corr):
    value = triple(rho, leaning, crowd_corr)
    along, across = value.target
    assert rho * along + value.residual * across == pytest.approx(value.corr_model, abs=1e-9)


def test_a_copy_an_inverse_and_a_contrarian_are_told_in_words():
    assert "nothing is left" in sentence(Vectors("copy", 1.0, 0.04, 0.04, 0.0))
    assert "nothing is left" in sentence(Vectors("inverse", -1.0, -0.04, 0.04, 0.0))
    assert sentence(Vectors("m", 0.5, 0.05, 0.04, 0.03)).endswith("it adds.")
    assert sentence(Vectors("m", 0.5, 0.01, 0.04, -0.01)).endswith("it takes away.")
    assert "nearly follows" in sentence(Vectors("m", 0.99, 0.05, 0.04, 0.01))


def test_a_sign_turned_by_the_bags_is_said():
    assert "−.0020 all the same" in sentence(Vectors("m", 0.5, 0.021, 0.04, -0.002))
    assert "+.0014 all the same" in sentence(Vectors("copy", 1.0, 0.04, 0.04, 0.0014))
    assert "all the same" not in sentence(Vectors("m", 0.5, 0.05, 0.04, 0.03))


def test_what_points_nowhere_or_away_is_told_in_words():
    assert "neither towards" in sentence(Vectors("m", 0.5, 0.02, 0.04, 0.0))
    assert "points away from the metamodel" in sentence(Vectors("m", -0.99, -0.05, 0.04, -0.01))


@given(st.floats(-1, 1), st.floats(-0.5, 0.5), st.floats(0.001, 0.5))
def test_a_whisker_ends_where_its_interval_ends(mean, low, length):
    row = LeaderboardRow("m", 1, 1, 0.1, mean, Interval(low, low + length))
    scale = shared_scale([row])
    root = drawn(draw_whisker(row, scale))
    span = [node for node in with_class(root, "range") if "cap" not in node.get("class", "")]
    x1, x2 = numbers(span[0], "x1", "x2")
    assert (x1, x2) == pytest.approx((scale(low), scale(low + length)), abs=0.006)
    (dot,) = with_class(root, "dot")
    assert numbers(dot, "cx") == pytest.approx([scale(mean)], abs=0.006)


def test_a_dot_is_hollow_where_the_interval_covers_zero():
    sure = LeaderboardRow("m", 1, 1, 0.1, 0.02, Interval(0.01, 0.03))
    unsure = LeaderboardRow("m", 1, 1, 0.1, 0.02, Interval(-0.01, 0.05))
    scale = shared_scale([sure, unsure])
    assert not with_class(drawn(draw_whisker(sure, scale)), "hollow")
    assert with_class(drawn(draw_whisker(unsure, scale)), "hollow")


def test_one_endless_interval_does_not_flatten_the_others():
    rows = [*leaderboard().rows, LeaderboardRow("new", 1, 0, 0.1, 0.0, Interval(-50.0, 50.0), eras=3)]
    scale = shared_scale(rows)
    assert scale.high < 1
    root = drawn(draw_whisker(rows[-1], scale))
    assert not with_class(root, "cap")
    x1, x2 = numbers(with_class(root, "range")[0], "x1", "x2")
    assert (x1, x2) == (0, 100)
    assert [node.get("d")[1:3].strip() for node in with_class(root, "beyond")] == ["7", "-7"]
    assert not with_class(drawn(draw_whisker(rows[0], scale)), "beyond")


def test_an_interval_of_few_eras_is_drawn_rough_and_its_dot_is_hollow():
    rough = LeaderboardRow("m", 1, 1, 0.1, 0.02, Interval(0.01, 0.03), eras=9)
    scale = shared_scale([rough])
    assert with_class(drawn(draw_whisker(rough, scale)), "rough")
    assert with_class(drawn(draw_whisker(rough, scale)), "hollow")
    assert not with_class(drawn(draw_whisker(replace(rough, eras=10), scale)), "rough")


@given(st.floats(0.001, 1), st.floats(0.0001, 1))
def test_zero_is_always_named_on_the_scale(low, length):
    row = LeaderboardRow("m", 1, 1, 0.1, low, Interval(low, low + length))
    assert "0" in [node.text for node in drawn(draw_scale(shared_scale([row]))).iter("text")]


def test_lines_pass_through_their_values():
    value = Lines("t", "u", ("a", "b", "c"), (Series("m", (0.0, 1.0, 0.5), "highlight"),))
    (path,) = with_class(drawn(draw_lines(value, name="l")), "voice")
    xs, ys = zip(*(map(float, pair.split()) for pair in re.findall(r"[-\d.]+ [-\d.]+", path.get("d"))), strict=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=2 * PIXEL)
    assert (ys[0] - ys[2]) / (ys[0] - ys[1]) == pytest.approx(0.5, abs=0.001)


def test_a_missing_era_breaks_the_line_and_a_lone_era_is_a_dot():
    value = Lines("t", "u", tuple("abcde"), (cumulative("m", [1, 1, math.nan, 1, math.nan], "highlight"),))
    (path,) = with_class(drawn(draw_lines(value, name="l")), "voice")
    assert path.get("d").count("M") == 2
    assert path.get("d").endswith("h0")


def test_every_line_is_drawn_and_only_the_chosen_are_named():
    root = drawn(draw_lines(crowd().over_time, name="l"))
    assert len(with_class(root, "rest")) == 51
    assert len(with_class(root, "label")) == 5
    assert len({node.get("class") for node in with_class(root, "voice")}) == 5


def test_many_grey_lines_are_thinned():
    series = tuple(Series(str(i), (0.0, float(i))) for i in range(1000))
    root = drawn(draw_lines(Lines("t", "u", ("a", "b"), series), name="l"))
    assert 100 < len(with_class(root, "rest")) <= 151


@given(st.lists(st.floats(0, 300), min_size=1, max_size=15))
def test_names_at_line_ends_keep_their_distance_and_their_order(wanted):
    placed = stack(wanted, gap=16, low=0, high=300)
    rising = [placed[i] for i in sorted(range(len(wanted)), key=lambda i: wanted[i])]
    assert all(b - a >= 16 - 1e-6 for a, b in pairwise(rising))
    assert rising[0] >= -1e-6
    assert rising[-1] <= 300 + 1e-6


@given(st.lists(st.tuples(st.floats(20, 380), st.floats(20, 280)), max_size=25))
def test_labels_never_overlap_and_never_leave_the_frame(places):
    bounds = Box(0, 0, 400, 300)
    boxes: list[Box] = []
    for i, at in enumerate(places):
        label = place(f"model {i}", at, 4, boxes, bounds)
        if label is not None:
            boxes.append(label.box)
    assert not any(a.touches(b) for a, b in combinations(boxes, 2))
    assert all(box.within(bounds) for box in boxes)


def test_a_wide_script_takes_a_wide_place():
    assert breadth("流感") > 1.7 * breadth("fl")
    assert breadth("e\u0301") == breadth("e")


def test_discs_lie_at_their_numbers_with_areas_like_their_shares():
    points = (Point("a", 0.0, 0.0, 0.8), Point("b", 0.1, 0.05, 0.2), Point("c", 0.2, 0.1))
    root = drawn(draw_scatter(Scatter("t", "x", "y", points), name="s"))
    discs = {node.find("title").text.split(":")[0]: numbers(node, "cx", "cy", "r") for node in with_class(root, "dot")}
    assert discs["c"][0] - discs["b"][0] == pytest.approx(discs["b"][0] - discs["a"][0], abs=2 * PIXEL)
    assert discs["b"][1] - discs["c"][1] == pytest.approx(discs["a"][1] - discs["b"][1], abs=2 * PIXEL)
    assert (discs["a"][2] / discs["b"][2]) ** 2 == pytest.approx(4, rel=0.02)
    assert len(with_class(root, "hollow")) == 1


def test_the_names_in_a_crowded_plane_do_not_overlap():
    root = drawn(draw_scatter(contribution(leaderboard().rows), name="s"))
    names = [(node.text, *numbers(node, "x", "y"), node.get("text-anchor")) for node in with_class(root, "halo")]
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}
    boxes = [Box(x - before[a] * breadth(t), y - 9, x + (1 - before[a]) * breadth(t), y + 2) for t, x, y, a in names]
    assert len(boxes) >= 6
    assert not any(a.touches(b) for a, b in combinations(boxes, 2))


def test_both_extremes_and_the_largest_stake_come_first_among_the_named():
    points = contribution(leaderboard().rows).points
    first = {p.name for p in notable(points)[:5]}
    assert max(points, key=lambda p: p.y).name in first
    assert min(points, key=lambda p: p.y).name in first
    assert max(points, key=lambda p: p.share).name in first
    assert radius(0.0, 1.0) < radius(1.0, 1.0)


def test_bars_rise_from_zero_to_their_scores():
    value = Bars("t", "u", ("a", "b", "c"), (0.2, -0.1, math.nan))
    root = drawn(draw_bars(value, name="b"))
    spans = {}
    for sign in ("plus", "minus"):
        (path,) = with_class(root, "bar", sign)
        _, zero, top = map(float, re.match(r"M([-\d.]+) ([-\d.]+)V([-\d.]+)", path.get("d")).groups())
        spans[sign] = zero - top
    assert spans["plus"] / spans["minus"] == pytest.approx(-2, rel=0.01)


def test_exposure_bars_are_as_long_as_their_exposures_and_the_worst_come_first():
    value = Exposures(("a", "b", "c"), (0.1, -0.3, math.nan), 0.2, 0.3, 0.2, 0.3)
    root = drawn(draw_exposures(value, name="e"))
    bars = [numbers(node, "width")[0] for node in with_class(root, "bar")]
    assert bars[0] / bars[1] == pytest.approx(3, rel=0.01)
    assert "−.300" in [node.text for node in with_class(root, "tick")]


def test_the_deepest_drawdown_is_named():
    root = drawn(draw_drawdown(diagnosis().drawdown, name="d"))
    deepest = min(diagnosis().drawdown.series[0].values)
    assert [node.text for node in with_class(root, "label")] == [f"−{abs(deepest):.4f}".replace("0.", ".", 1)]


def test_a_small_heat_map_says_its_numbers_and_a_large_one_marks_the_negative():
    small = Heatmap("t", ("a", "b", "c"), ((1.0, 0.5, -0.2), (0.5, 1.0, 0.1), (-0.2, 0.1, 1.0)))
    assert {n.text for n in with_class(drawn(draw_heatmap(small, name="h")), "cell")} == {".50", "−.20", ".10"}
    count = 40
    values = tuple(
        tuple(1.0 if i == j else -0.5 if (i + j) % 7 == 0 else 0.4 for j in range(count)) for i in range(count)
    )
    root = drawn(draw_heatmap(Heatmap("t", tuple(map(str, range(count))), values), name="h"))
    (marks,) = with_class(root, "minus-sign")
    assert marks.get("d").count("M") == sum((i + j) % 7 == 0 for i in range(count) for j in range(i))


def test_pairs_that_never_met_are_hatched_and_the_legend_says_so():
    nan = math.nan
    names, met = ("a", "b", "c", "d"), ((1.0,) * 4,) * 4
    apart = ((1.0, 0, 0, 0), (nan, 1.0, 0, 0), (0.5, nan, 1.0, 0), (0.1, 0.2, 0.3, 1.0))
    hatched = drawn(draw_heatmap(Heatmap("t", names, apart), name="h"))
    squares, key = with_class(hatched, "hatch")
    assert squares.get("d").count("M") == 3 * 2
    assert key.get("d").count("M") == 3
    assert "never in the same era" in [node.text for node in with_class(hatched, "tick")]
    assert not with_class(drawn(draw_heatmap(Heatmap("t", names, met), name="h")), "hatch")


def test_the_squares_of_a_heat_map_cover_the_lower_triangle_once():
    value = arranged(crowd().similarity)
    root = drawn(draw_heatmap(value, name="h"))
    runs = [
        run
        for node in (*with_class(root, "hp"), *with_class(root, "hn"))
        if node.tag == "path"
        for run in node.get("d").split("M")[1:]
    ]
    sizes = [tuple(map(float, re.search(r"h([\d.]+)v([\d.]+)", run).groups())) for run in runs]
    side = sizes[0][1]
    assert sum(width / side for width, _ in sizes) == pytest.approx(55 * 56 / 2)


def test_shades_grow_with_the_correlation():
    assert [shade(v) for v in (-1, -0.05, 0, 0.05, 0.95, 1)] == [-10, -1, 0, 1, 10, 10]


def test_neighbours_name_the_most_and_the_least_alike():
    value = Heatmap("t", ("a", "b", "c"), ((1, 0.9, -0.2), (0.9, 1, math.nan), (-0.2, math.nan, 1)))
    assert [(n.nearest, n.furthest) for n in neighbours(value)] == [("b", "c"), ("a", "a"), ("a", "a")]


def test_families_stand_side_by_side():
    rng = np.random.default_rng(5)
    family = rng.permutation(np.repeat(np.arange(4), 6))
    matrix = 0.1 + 0.7 * (family[:, None] == family) + 0.02 * rng.normal(size=(24, 24))
    ordered = family[list(order_by_likeness((matrix + matrix.T) / 2))]
    assert np.count_nonzero(np.diff(ordered)) == 3


@given(st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_an_order_by_likeness_names_every_row_once(count, seed):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (count, count))
    matrix[matrix > 0.9] = np.nan
    assert sorted(order_by_likeness(np.tril(matrix) + np.tril(matrix, -1).T)) == list(range(count))


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e3), st.integers(2, 9))
def test_ticks_are_inside_evenly_spaced_and_about_as_many_as_asked_for(low, length, about):
    marks = ticks(low, low + length, about)
    assert all(low - 1e-6 * length <= v <= low + length * (1 + 1e-6) for v in marks)
    assert len(marks) <= about + 1
    assert len(set(captions(marks))) == len(marks)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=9))
def test_a_scale_can_be_made_of_any_scores(values):
    low, high = extent(values)
    assert low < high
    assert Scale(low, high, 0, 100)(low) == 0


@pytest.mark.parametrize("width", [1040, 358])
def test_no_drawing_holds_a_number_that_is_not_one(width):
    values = [
        draw_lines(
            Lines("t", "u", ("a",), (Series("m", (math.nan,), "metamodel"), Series("n", (1.0,)))), name="l", width=width
        ),
        draw_lines(Lines("t", "u", (), ()), name="l", width=width),
        draw_scatter(Scatter("t", "x", "y", (Point("a", math.nan, 1.0), Point("b", 0.0, 0.0))), name="s", width=width),
        draw_scatter(Scatter("t", "x", "y", ()), name="s", width=width),
        draw_bars(Bars("t", "u", ("a",), (math.nan,)), name="b", width=width),
        draw_bars(Bars("t", "u", (), ()), name="b", width=width),
        draw_drawdown(Lines("t", "u", ("a",), (Series("d", (math.nan,)),)), name="d", width=width),
        draw_exposures(Exposures((), (), 0, 0, 0, 0), name="e", width=width),
        draw_heatmap(Heatmap("t", (), ()), name="h", width=width),
        draw_heatmap(Heatmap("t", ("a",), ((math.nan,),)), name="h", width=width),
        draw_vectors(Vectors("m", 0.0, 0.0, 0.0, 0.0), name="v"),
        draw_vectors(vectors_of(0), name="v"),
    ]
    for drawing in values:
        for node in drawn(drawing).iter():
            for name, value in node.attrib.items():
                assert "nan" not in value, f"{node.tag} {name}"
                assert "inf" not in value, f"{node.tag} {name}"
