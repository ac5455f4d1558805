"""Likenesses: simulated crowds made like real histories show what these show."""

from __future__ import annotations

import numpy as np
import pytest

from crowdalpha.demo.likenesses import LIKENESSES, likeness
from crowdalpha.lab.crowds import World
from crowdalpha.lab.fitting import fit
from crowdalpha.lab.traces import figures, trace
from crowdalpha.scoring.problems import InputError


def test_scores_of_a_real_tournament_tell_how_much_its_models_have_in_common() -> None:
    found = likeness("numerai").trace
    shown = figures(found)
    assert shown["eras in which it is below 0"] == pytest.approx(41 / 355)
    series = np.ma.corrcoef(np.ma.masked_invalid(found.corr), rowvar=False)
    told = fit(found).shape
    noise = 1 / told.ids
    beyond = float(np.nanvar(np.nanmean(found.corr, axis=1))) - told.shared * noise
    expected = (beyond + told.shared * noise) / (beyond + noise)
    assert float(series[np.triu_indices(31, 1)].mean()) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", ["flusight", "numerai"])
def test_a_crowd_made_like_a_real_one_is_as_good_as_alike_and_as_unsteady(name: str) -> None:
    real = likeness(name)
    shape = fit(real.trace).shape
    worlds = [World(shape, seed) for seed in range(3)]
    seen = [figures(trace((d.era for d in w.rounds(25)), w.stakes, metrics=real.trace.metrics)) for w in worlds]
    wanted = figures(real.trace)
    for figure in ("correlation of two models", "from era to era", "from era to era, MMC"):
        assert np.mean([each[figure] for each in seen]) == pytest.approx(wanted[figure], rel=0.35), figure


def test_a_history_that_nobody_ships_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        likeness("tulips")
    assert [problem.code for problem in refusal.value.problems] == ["unknown_history"]
    assert set(LIKENESSES) == {"flusight", "equities", "numerai"}


@pytest.mark.slow
def test_the_equities_crowd_is_weak_and_its_hard_eras_are_no_more_than_chance() -> None:
    found = fit(likeness("equities").trace)
    assert found.shape.hard_share == 0
    assert found.spans["edge"][0] > 0
    assert found.shape.edge < 0.02
    assert 800 < found.shape.ids < 1000
