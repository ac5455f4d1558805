"""From eras to the values of a crowd's page."""

from __future__ import annotations

import numpy as np

from crowdalpha.diagnostics.survey import leaderboard, survey, vectors
from crowdalpha.scoring.metrics import Era


def eras(count: int, late: int) -> list[Era]:
    """Three models; `best` knows the target and comes `late`, in the last eras only."""
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        t = rng.normal(size=40)
        p = np.column_stack([t, t + rng.normal(size=40), rng.normal(size=40)])
        names = ("best", "good", "noise")
        there = slice(0 if k >= late else 1, None)
        found.append(Era(p[:, there], t, stakes=np.ones(3)[there], label=str(k), models=names[there]))
    return found


def roles(late: int) -> list[tuple[str, str]]:
    crowd = survey(eras(8, late))
    return [(value.model, value.role) for value in vectors(crowd, leaderboard(crowd))]


def test_the_leaderboards_first_adds_most():
    assert roles(0) == [("best", "adds most; closest to the crowd"), ("noise", "adds least")]


def test_another_than_the_leaderboards_first_is_said_to_be_chosen_among_those_of_enough_eras():
    model, role = roles(6)[0]
    assert model == "good"
    assert role.startswith("adds most, of models in at least half of the eras")
