"""Your stake: what a model's own history says about staking on it, for its owner alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sites import Site

from crowdalpha.lab.planning import FEWEST, plan
from crowdalpha.server.pages import models
from crowdalpha.server.views.models import ModelView, Played, model_view
from crowdalpha.server.views.stakes import PATHS, stake_plan

PAID = (0.02, -0.01, 0.03, -0.02, 0.01, 0.0, 0.02, -0.01, 0.01)


def view(over: Site) -> ModelView:
    found = model_view(over.service.engine, "ada-1")
    assert found is not None
    return found


def with_history(over: Site, paid: tuple[float, ...], *, at_risk: int = 10) -> ModelView:
    """The model after so many rounds, each of which paid such a fraction."""
    (first,) = view(over).played[:1]
    assert first.payout is not None
    return replace(view(over), played=tuple(_round(first, k, each, at_risk) for k, each in enumerate(paid, 1)))


def _round(first: Played, number: int, fraction: float, at_risk: int) -> Played:
    assert first.payout is not None
    return replace(first, number=number, payout=replace(first.payout, fraction=fraction, at_risk=at_risk))


def test_a_plan_is_that_of_what_rounds_paid(over: Site) -> None:
    assert stake_plan(with_history(over, PAID)) == plan(np.array(PAID), paths=PATHS)


def test_rounds_without_a_stake_and_short_histories_say_nothing(over: Site) -> None:
    assert stake_plan(view(over)) is None
    assert stake_plan(with_history(over, PAID[: FEWEST - 1])) is None
    assert stake_plan(with_history(over, PAID, at_risk=0)) is None


def test_the_owner_reads_the_plan_in_words_and_numbers_and_nobody_else_does(
    over: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = plan(np.array(PAID), paths=50)
    monkeypatch.setattr(models, "stake_plan", lambda view: shown)
    section = over.signed_in("ada").page("/models/ada-1").only(id="plan-section")
    assert shown.says in section.text
    assert len(section.all("tbody")[0].all("tr")) == len(shown.outlooks)
    for other in (over, over.signed_in("bob")):
        assert "Your stake" not in other.text("/models/ada-1")
