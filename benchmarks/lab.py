"""A simulated season of the lab: a thousand of them were promised in ten minutes on two cores."""

from __future__ import annotations

from benchmarks.results import Row, at_most, duration
from benchmarks.timing import Contestant, race
from crowdalpha.lab.crowds import Shape
from crowdalpha.lab.ensembles import Plan, play_season

TARGET = 1.2
"""Seconds of a core: two cores have 1,200 in ten minutes."""
RULES = ("corr-or-twice-mmc", "half-corr-twice-mmc")


def seasons(n_rounds: int, n_models: int, n_ids: int) -> tuple[str, str, list[Row]]:
    """Draw, score, settle and compound one season by a rule of 2020 and by one of 2024."""
    plans = {rule: Plan(rule, Shape(models=n_models, ids=n_ids), rounds=n_rounds) for rule in RULES}
    best = race({rule: Contestant(lambda plan=plan: play_season(0, plan)) for rule, plan in plans.items()}, rounds=3)
    rows = [
        at_most(
            f"a season paid by {rule}", time.cpu, TARGET, unit="s", times=f"{duration(time.cpu / n_rounds)} a round"
        )
        for rule, time in best.items()
    ]
    text = (
        f"One season of {n_rounds:,} rounds of {n_models:,} models x {n_ids:,} ids with 20 bags, on one core: drawn, "
        "ranked, scored, settled in whole units and staked again. Seasons are spread over cores and machines."
    )
    return "A season of the lab", text, rows
