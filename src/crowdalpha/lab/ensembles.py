"""Many seasons of simulated crowds under one rule: what it pays, season by season, wherever they are played.

A season is worked out from the plan and its number alone, so an ensemble is the same bits on any executor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.lab.chance import Floats
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.policies import the_policy
from crowdalpha.lab.replays import Outcome, outcome
from crowdalpha.lab.rounds import Choice, paid_on, require_open
from crowdalpha.lab.seasons import Season, master_of, play
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.kernels import single_threaded
from crowdalpha.tournament.rulesets import RuleSet, rule_set

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Shares of seasons below what is told of a distribution."""
SURE = 2.576
"""Standard errors to each side of a mean within which it lies in 99 of 100 cases."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played: so many seasons of so many rounds of crowds of a shape under a rule, all from one seed.

    `rule` is a name, a file of numbers or a Python function as in `policies`, or a name in `custom`, whose policies
    workers must be able to unpickle. `choice` is what all models choose, of what the rule offers. Bags are those of the
    score that a round is paid on.
    """

    rule: str
    shape: Shape = field(default_factory=Shape)
    seasons: int = 100
    rounds: int = 20
    bags: int = 20
    seed: object = "0"
    choice: Choice | None = None
    custom: Mapping[str, Policy] = field(default_factory=dict)

    def rules(self) -> RuleSet:
        """The rule, read from its file if it has one; refused as in `policies.the_policy`."""
        if self.rule in self.custom:
            return rule_set(self.rule, self.custom)
        return the_policy(self.rule)


@dataclass(frozen=True, slots=True)
class Played:
    """A season: its outcome, the growth of the median model's stake, and the share of models that ended ahead."""

    outcome: Outcome
    median: float
    ahead: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over seasons: its mean with the interval of it, and the quantiles, those of QUANTILES."""

    name: str
    says: str
    mean: float
    low: float
    high: float
    quantiles: tuple[float, ...]


FIGURES: Mapping[str, tuple[str, Callable[[Played], float]]] = {
    "growth": ("growth of all stakes", lambda it: it.outcome.closing / it.outcome.opening - 1),
    "earned": ("paid out, of the opening stakes", lambda it: it.outcome.earned / it.outcome.opening),
    "burned": ("burned, of the opening stakes", lambda it: it.outcome.burned / it.outcome.opening),
    "payout": ("a round's payouts, of what was at risk", lambda it: it.outcome.mean),
    "volatility": ("their standard deviation over rounds", lambda it: it.outcome.volatility),
    "drawdown": ("largest fall of all stakes from a peak", lambda it: it.outcome.drawdown),
    "median": ("growth of the median model's stake", lambda it: it.median),
    "ahead": ("share of models that end ahead", lambda it: it.ahead),
    "gini": ("inequality of the closing stakes", lambda it: it.outcome.gini),
    "corr": ("the metamodel's mean CORR", lambda it: it.outcome.corr),
    "sharpe": ("the metamodel's Sharpe ratio", lambda it: it.outcome.sharpe),
}
"""What is told of an ensemble, by name: in words, and how it is read off a season."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """The seasons of a plan, in the order of their numbers."""

    plan: Plan
    seasons: tuple[Played, ...]

    def values(self, name: str) -> Floats:
        """A figure of FIGURES of each season, (n_seasons,)."""
        return np.array([FIGURES[name][1](each) for each in self.seasons])

    def spread(self, name: str) -> Spread:
        """How a figure is spread over seasons."""
        values = self.values(name)
        known = values[~np.isnan(values)]
        quantiles = tuple(np.quantile(known, QUANTILES).tolist()) if len(known) else (np.nan,) * len(QUANTILES)
        return Spread(name, FIGURES[name][0], *mean_of(known), quantiles)


def simulate(executor: Executor, plan: Plan, *, told: Callable[[int, int], None] = lambda done, all: None) -> Ensemble:
    """Play all seasons of a plan on an executor; an unknown rule, or a choice that is not open, is refused at once.

    Workers read a policy's file themselves, at the path at which it is here.
    """
    require_open(plan.rules(), plan.choice)
    found: list[Played | None] = [None] * plan.seasons
    shared = executor.share(plan)
    for done, (number, played) in enumerate(executor.run(play_season, range(plan.seasons), shared), 1):
        found[number] = played
        told(done, plan.seasons)
    return Ensemble(plan, tuple(each for each in found if each is not None))


def play_season(number: int, plan: Plan) -> Played:
    """What a worker does: a season from its number."""
    world, rules = World(plan.shape, f"{plan.seed}/{number}"), plan.rules()
    choices = {} if plan.choice is None else dict.fromkeys(world.models, plan.choice)
    with single_threaded():
        season = play(
            (drawn.era for drawn in world.rounds(plan.rounds)),
            world.stakes,
            rules,
            models=world.models,
            choices=choices,
            master=master_of(world.seed),
            bags=plan.bags,
            metrics=paid_on(rules),
        )
    return summary(season)


def summary(season: Season) -> Played:
    """What is kept of a season."""
    growth = (season.closing / season.opening)[season.opening > 0] - 1
    return Played(outcome(season), float(np.median(growth)), float(np.mean(growth > 0)))


def mean_of(values: Floats) -> tuple[float, float, float]:
    """The mean with the ends of its 99% interval, 2.58 standard errors to each side; NaN where there are too few."""
    if len(values) < 2:
        return (float(values.mean()) if len(values) else np.nan, np.nan, np.nan)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - SURE * error, mean + SURE * error
