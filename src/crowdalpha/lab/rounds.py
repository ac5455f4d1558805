"""A round without a store: scored and paid by the functions that the engine scores and settles by, all models at once.

Models are columns here, sorted by name, and money is arrays of whole units; no record is made of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.chance import Floats
from crowdalpha.payouts import payout_factor
from crowdalpha.scoring.bags import BAG_FRACTION, draws
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.shards import Judge, partial_sums, pool, score_shard, weigh
from crowdalpha.tournament import seeds
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.payments import Payments, payments
from crowdalpha.tournament.rulesets import RuleSet
from crowdalpha.tournament.scoringday import Scored, crowd_scores, score_era

BAGGED = {"mmc2"}
"""The metrics that bags are drawn for, of those that rules are paid on."""
Choice = tuple[float, float]
Units = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Staked:
    """What models have at risk in a round, (n_models,) in whole units, and the multipliers that each chose, alike."""

    models: tuple[str, ...]
    amounts: Units
    corr_multiplier: Floats
    mmc_multiplier: Floats

    @classmethod
    def of(cls, rules: RuleSet, stakes: Mapping[str, int], choices: Mapping[str, Choice]) -> Staked:
        """The stakes of models, whose choices are those that they want, or the rule's default if it offers others."""
        chosen = np.array([choice_of(rules, choices.get(name)) for name in stakes]).reshape(-1, 2)
        return cls(tuple(stakes), np.array(list(stakes.values()), np.int64), *chosen.T)

    def with_amounts(self, amounts: Units) -> Staked:
        """The same models and choices with other amounts."""
        return replace(self, amounts=amounts)

    @property
    def total(self) -> int:
        """All that is at risk, which may be more than 64 bits hold."""
        return sum(self.amounts.tolist())


def choice_of(rules: RuleSet, wanted: Choice | None) -> Choice:
    """The multipliers that a model wants, or the rule's default if the rule does not offer them."""
    offered = rules.policy.choices
    if wanted is not None and (wanted in offered or not offered):
        return wanted
    return offered[0] if offered else (1.0, 0.0)


def require_open(rules: RuleSet, wanted: Choice | None) -> None:
    """Refuse multipliers that a rule does not offer, with code `choice_not_open`."""
    if wanted is not None and choice_of(rules, wanted) != wanted:
        offered = " or ".join(f"{corr:g},{mmc:g}" for corr, mmc in rules.policy.choices)
        fix = "leave --choice out to take the first"
        raise InputError(Problem("choice_not_open", offered, f"{wanted[0]:g},{wanted[1]:g}", fix, "choice"))


def paid_on(rules: RuleSet) -> tuple[str, ...]:
    """The scores that a rule is paid on."""
    return tuple(dict.fromkeys((rules.corr, rules.mmc)))


def metrics_of(rules: RuleSet) -> tuple[str, ...]:
    """The scores that a rule is paid on, and CORR and MMC2, which all are shown."""
    return tuple(dict.fromkeys(("corr", "mmc2", *paid_on(rules))))


def in_order(era: Era) -> Era:
    """The era with the models that predict alone, sorted by name; who stays away is a column of NaN."""
    there = np.flatnonzero(~np.isnan(era.predictions[0])).tolist()
    columns = sorted(there, key=era.models.__getitem__)
    if columns == list(range(len(era.models))):
        return era
    return replace(era, predictions=era.predictions[:, columns], models=tuple(era.models[j] for j in columns))


def score(
    era: Era, units: Units, metrics: Sequence[str], *, seed: bytes, bags: int, fraction: float = BAG_FRACTION
) -> Scored:
    """The final scores of an era that is `in_order`, its models having `units` (n_models,) at risk: all are on time.

    They are those of `score_day`, to the bit; the crowd is pooled once for all bags and for the metamodel without bags.
    Bags are drawn where a metric asks for them. The metamodel's own CORR is there whatever is asked of models.
    """
    if not era.models:
        return Scored((), {name: np.zeros(0) for name in metrics}, {})
    if not units.any():
        return score_era(replace(era, stakes=units), metrics)
    rows, target = era.ranks.doubled, era.given("target")
    drawn = draws(units, n_bags=bags, fraction=fraction, seed=seed) if BAGGED & set(metrics) else ()
    weights = weigh(units, drawn, rows.shape[1])
    metamodels = pool(partial_sums([rows], weights), weights)
    found = score_shard(rows, metamodels, Judge.of(metamodels, target), metrics=metrics)
    own = crowd_scores(metamodels.crowd, target, dict.fromkeys(("corr", *metrics)), era.ties)
    return Scored(era.models, found, own)


def fractions(rules: RuleSet, staked: Staked, scored: Sequence[Scored]) -> Floats:
    """What a rule pays of every stake, (n_models,): by a round's scores, the last, and those before it.

    A policy is linear in the stake, so it is asked about a stake of 1.
    """
    window = rules.policy.window
    return np.asarray(
        rules.policy.payouts(
            (staked.amounts > 0).astype(np.float64),
            _looked_at(rules.corr, window, scored, staked.models),
            _looked_at(rules.mmc, window, scored, staked.models),
            corr_multiplier=staked.corr_multiplier,
            mmc_multiplier=staked.mmc_multiplier,
            payout_factor=payout_factor(staked.total / UNITS, rules.threshold),
            metamodel_corr=scored[-1].crowd.get(rules.corr, float("nan")),
        )
    )


def pay(staked: Staked, paid: Floats, held: Units, *, treasury: int, rounding: int = 0) -> Payments:
    """Settle what is at risk at these fractions, the models still holding `held` (n_models,)."""
    return payments(staked.amounts.tolist(), paid.tolist(), held.tolist(), treasury=treasury, rounding=rounding)


def seed_of(number: int, master: bytes) -> bytes:
    """The seed of a round's bags."""
    return seeds.round_seed(number, seeds.round_secret(master, number))


def places(names: Iterable[str], among: tuple[str, ...]) -> list[int]:
    """Where names stand among all."""
    at = _places(among)
    return [at[name] for name in names]


@lru_cache(maxsize=64)
def _places(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(names)}


def _looked_at(metric: str, window: int, scored: Sequence[Scored], models: tuple[str, ...]) -> Floats:
    """The scores that a policy looks at: (n_models,), or (window, n_models) with NaN where there was none."""
    now = _aligned(scored[-1], metric, models, missing=0.0)
    if window == 1:
        return now
    rows = np.full((window, len(models)), np.nan)
    for row, past in enumerate(scored[-window:-1], window - len(scored[-window:])):
        rows[row] = _aligned(past, metric, models, missing=np.nan)
    rows[-1] = now
    return rows


def _aligned(scored: Scored, metric: str, models: tuple[str, ...], *, missing: float) -> Floats:
    """A score of each of `models`, (n_models,)."""
    values = scored.scores[metric]
    if scored.models == models:
        return values
    found, at = np.full(len(models), missing), _places(models)
    known = [(at[name], place) for place, name in enumerate(scored.models) if name in at]
    if known:
        into, of = np.array(known).T
        found[into] = values[of]
    return found
