"""The lab and the tournament are one: a simulated season pays what the engine pays for it, to the unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.engine import Engine
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.seasons import master_of, play
from crowdalpha.scoring.metrics import Era
from crowdalpha.simulation.replay import ANY_NUMBER, judge, replay
from crowdalpha.storage.memory import MemoryFiles, MemoryStore

ROUNDS, BAGS = 7, 20
RULES = {
    "corr-or-twice-mmc": (0.0, 2.0),
    "corr-plus-mmc": (1.0, 1.0),
    "payout-factor": (1.0, 2.0),
    "factor-inside-the-clip": None,
    "heavier-mmc": None,
    "hard-era": (0.0, 2.0),
    "sharpe": (1.0, 1.0),
}


def eras() -> list[Era]:
    """A simulated crowd in which one model stays away twice."""
    world = World(Shape(models=6, ids=60, edge=0.4), seed="law")
    drawn = [each.era for each in world.rounds(ROUNDS)]
    for number in (2, 5):
        gap = drawn[number].predictions.copy()
        gap[:, 3] = np.nan
        drawn[number] = replace(drawn[number], predictions=gap)
    return drawn


@pytest.mark.parametrize("rule", RULES)
def test_a_simulated_season_pays_what_the_tournament_engine_pays_to_the_unit(rule: str) -> None:
    choice, stakes = RULES[rule], World(Shape(models=6), seed="law").stakes
    engine = Engine(MemoryStore(), MemoryFiles(), judge=judge, master=master_of("law"), rules=ANY_NUMBER)
    kept = replay(engine, eras(), stakes, rule=rule, choice=choice, final_bags=BAGS)
    choices = dict.fromkeys(stakes, choice) if choice else None
    found = play(eras(), stakes, rule, choices=choices, master=master_of("law"), bags=BAGS)
    of_engine = {(payout.round, payout.model): (payout.at_risk, payout.paid) for payout in kept.payouts}
    of_lab = {
        (number, name): (int(found.at_risk[number - 1, j]), int(found.paid[number - 1, j]))
        for number in range(1, ROUNDS + 1)
        for j, name in enumerate(found.models)
    }
    assert of_lab == of_engine
    assert dict(zip(found.models, found.closing.tolist(), strict=True)) == kept.closing
    assert any(paid for _, paid in of_lab.values())
