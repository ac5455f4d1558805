"""Fitting: what is fitted to a simulated crowd is its own shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.crowds import Shape, World, binned
from crowdalpha.lab.fitting import Fit, fit, loss, tail
from crowdalpha.lab.traces import RANKS_TAKE, binning, figures, trace
from crowdalpha.scoring.correlation import corr, numerai_corr
from crowdalpha.scoring.problems import InputError
from crowdalpha.scoring.ranks import gaussianize

WEAK = Shape(models=15, ids=200, edge=0.15, own_edge=(0.0, 0.1), shared=0.5, hard_share=0.4)
STRONG = Shape(models=12, ids=200, edge=0.4, own_edge=(-0.1, 0.2), shared=0.6, hard_share=0.25)
COMING = replace(WEAK, shared=0.3, lasting=0.8, present=0.7, staying=0.8)
EASY = replace(WEAK, own_edge=(-0.05, 0.05), hard_share=0.0)
ERAS = 100


def fitted(world: World, eras: int = ERAS, confidence: float = 0.99) -> Fit:
    return fit(trace((drawn.era for drawn in world.rounds(eras)), world.stakes), confidence=confidence)


def truth(world: World, eras: int = ERAS) -> dict[str, float]:
    """What a world is like in the eras that were seen of it: its own models, and who and what came by chance."""
    shape, skills = world.shape, world.skills
    centre, wide = skills.mean(), np.sqrt(3) * skills.std(ddof=1)
    hard = float(np.mean([drawn.hard for drawn in world.rounds(eras)]))
    there = float(np.mean([world.there(number)[1:] for number in range(1, eras + 1)]))
    kept = {name: getattr(shape, name) for name in ("edge", "shared", "ids", "staying")}
    return kept | {"low": centre - wide, "high": centre + wide, "hard_share": hard, "present": there}


@pytest.mark.parametrize("shape", [WEAK, STRONG, COMING, EASY], ids=["weak", "strong", "coming", "easy"])
def test_what_is_fitted_to_a_simulated_crowd_is_its_own_shape_within_the_intervals(shape: Shape) -> None:
    world = World(shape, "fitting")
    spans = fitted(world, confidence=0.999).spans  # there are 36 of them, and hardly one may miss by luck
    for name, value in truth(world).items():
        low, high = spans[name]
        assert low - 1e-9 <= value <= high + 1e-9, name


def test_intervals_are_narrow_enough_to_tell_one_crowd_from_another() -> None:
    weak, strong = (fitted(World(shape, "fitting")).spans for shape in (WEAK, STRONG))
    for name in ("edge", "shared"):
        assert weak[name][1] < strong[name][0]


def test_spells_of_hard_eras_are_found_and_none_where_there_are_none() -> None:
    assert fitted(World(replace(STRONG, lasting=0.8), "fitting")).shape.lasting == pytest.approx(0.8, abs=0.15)
    assert fitted(World(STRONG, "fitting")).shape.lasting < 0.2


def test_where_noise_explains_how_eras_differ_all_is_common_and_no_era_is_hard() -> None:
    shape = fitted(World(EASY, "fitting")).shape
    assert shape.hard_share == 0
    assert sum(shape.own_edge) == pytest.approx(0, abs=1e-12)


def test_a_crowd_made_like_a_fitted_one_shows_the_same_figures() -> None:
    world = World(COMING, "fitting")
    eras = [drawn.era for drawn in world.rounds(ERAS)]
    again = World(fit(trace(eras, world.stakes)).shape, "again")
    one, other = figures(trace(eras, world.stakes)), figures(trace((d.era for d in again.rounds(ERAS)), again.stakes))
    for name in ("correlation of two models", "between models", "from era to era", "from era to era, MMC"):
        assert other[name] == pytest.approx(one[name], rel=0.2), name


def test_a_history_that_is_too_short_is_refused() -> None:
    world = World(Shape(models=2, ids=30), 1)
    with pytest.raises(InputError) as refusal:
        fit(trace(drawn.era for drawn in world.rounds(4)))
    assert [problem.code for problem in refusal.value.problems] == ["short_history"]


@pytest.mark.parametrize("bins", [(0.05, 0.2, 0.5, 0.2, 0.05), (0.5, 0.5), (0.3, 0.1, 0.6)])
def test_ranks_and_bins_take_of_a_correlation_what_is_said(bins: tuple[float, ...]) -> None:
    latent, noise = stream("loss").standard_normal((2, 400_000))
    prediction, target = 0.1 * latent + np.sqrt(0.99) * noise, binned(latent, bins)
    known = float(np.corrcoef(prediction, latent)[0, 1])
    assert corr(prediction, target) == pytest.approx(known * loss("corr", bins), abs=0.002)
    assert numerai_corr(prediction, target) == pytest.approx(known * loss("numerai_corr", bins), abs=0.002)


def test_the_tail_of_stakes_is_that_of_the_world_they_were_drawn_in() -> None:
    stakes = np.array(list(World(Shape(models=4000, tail=1.5), 1).stakes.values()), float)
    assert tail(stakes) == pytest.approx(1.5, rel=0.1)


def test_targets_without_bins_get_steps_that_spread_them_as_in_a_usual_era() -> None:
    targets = [3.0 * k + 0.7 * stream("steps", k).standard_normal(500) for k in range(40)]
    bins, top = binning(targets)
    steps = np.linspace(0, top, len(bins))
    mean = steps @ bins
    assert np.sqrt(np.square(steps - mean) @ bins) == pytest.approx(0.7, rel=0.05)


def test_a_trace_says_who_stayed_away_and_how_alike_the_others_were() -> None:
    world = World(Shape(models=5, ids=60, present=0.6), 1)
    eras = [drawn.era for drawn in world.rounds(6)]
    found = trace(eras, world.stakes)
    assert np.array_equal(~np.isnan(found.corr), [world.there(number) for number in range(1, 7)])
    for era, alike in zip(eras, found.alike, strict=True):
        assert alike == pytest.approx(_pairs(era.predictions) * (1 + RANKS_TAKE / 60))


def _pairs(predictions: Floats) -> float:
    """The mean correlation of two models, pair by pair."""
    there = ~np.isnan(predictions).any(axis=0)
    found = np.corrcoef(gaussianize(predictions[:, there]).T)
    return float(np.mean([found[i, j] for i in range(len(found)) for j in range(i)]))


@pytest.mark.slow
def test_intervals_of_nine_in_ten_cover_in_more_than_seven() -> None:
    covered: dict[str, list[bool]] = {}
    for seed in range(60):
        world = World(WEAK, f"cover {seed}")
        spans = fitted(world, confidence=0.9).spans
        for name, value in truth(world).items():
            covered.setdefault(name, []).append(spans[name][0] - 1e-9 <= value <= spans[name][1] + 1e-9)
    for name in ("edge", "shared", "ids", "low", "high"):
        assert np.mean(covered[name]) >= 0.7, (name, np.mean(covered[name]))
