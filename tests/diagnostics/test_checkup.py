"""A diagnosis agrees with itself: the same quantity is the same number wherever the page shows it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from crowdalpha.diagnostics import Diagnosis, Run, diagnosis_report
from crowdalpha.diagnostics.checkup import diagnose
from crowdalpha.scoring.correlation import numerai_corr
from crowdalpha.scoring.exposure import exposure_metrics
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.neutral import neutralize
from crowdalpha.scoring.ranks import gaussianize, uniform


def eras(count: int, ties: str = "average") -> list[Era]:
    """A model with many tied predictions that leans on its features."""
    rng = np.random.default_rng(11)
    found = []
    for k in range(count):
        features, crowd = rng.integers(0, 5, (60, 4)).astype(float), rng.normal(size=60)
        p = np.round(features @ [0.5, 0.2, 0, 0] + crowd + rng.normal(size=60))
        t = np.round(p / 3 + rng.normal(size=60))
        found.append(Era(p[:, None], t, features=features, metamodel=crowd, label=f"e{k}", models=("tied",), ties=ties))
    return found


def run(bags: int, count: int) -> Run:
    return Run(count, 1, "", bags, "none", "0.1.0")


def look(count: int, bags: int = 0, ties: str = "average") -> Diagnosis:
    return diagnose(eras(count, ties), "tied", partial(run, bags), features=tuple("abcd"))


@pytest.mark.parametrize("ties", ["average", "first"])
def test_neutralising_by_nothing_leaves_every_number_of_the_page(ties):
    value = look(12, ties=ties)
    figures = {each.name: each for each in value.statistics}
    base = value.neutralized[0]
    assert base.mean == figures["CORR"].value
    assert base.interval == figures["CORR"].interval
    assert base.sharpe == figures["CORR Sharpe"].value
    assert base.max_drawdown == figures["Max drawdown"].value
    assert base.max_exposure == value.exposures.max


def test_all_of_it_and_fnc_are_two_scores_of_one_residual():
    value, made = look(12), eras(12)
    left = [neutralize(gaussianize(era.predictions[:, 0]), era.features) for era in made]
    fnc = np.mean([numerai_corr(r, era.target) for r, era in zip(left, made, strict=True)])
    assert {each.name: each for each in value.statistics}["FNC"].value == pytest.approx(fnc, abs=1e-12)
    largest = [exposure_metrics(uniform(r), era.features).max for r, era in zip(left, made, strict=True)]
    assert value.neutralized[-1].max_exposure == pytest.approx(np.mean(largest), abs=1e-12)


def test_a_score_without_bags_is_called_so():
    assert "</strong>, no bags<" in diagnosis_report(look(12))
    assert "</strong>, mean over bags<" in diagnosis_report(look(12, bags=20))
