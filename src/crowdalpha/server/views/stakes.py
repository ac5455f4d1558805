"""What a model's own history says about a stake on it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from crowdalpha.lab.planning import FEWEST, Plan, plan
from crowdalpha.server.views.models import ModelView

PATHS = 500
"""Futures that a page is worked out from."""


def stake_plan(view: ModelView) -> Plan | None:
    """A plan from what resolved rounds paid of the model's stake; None before there are enough with a stake."""
    paid = tuple(round.payout.fraction for round in view.played if round.payout is not None and round.payout.at_risk)
    return _planned(paid) if len(paid) >= FEWEST else None


@lru_cache(maxsize=64)
def _planned(paid: tuple[float, ...]) -> Plan:
    return plan(np.array(paid), paths=PATHS)
