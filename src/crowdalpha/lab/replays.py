"""A history under several rules: who earns, how unsteadily, who ends with how much, and what becomes of the crowd."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from crowdalpha.lab.chance import Floats
from crowdalpha.lab.rounds import Choice, Units
from crowdalpha.lab.seasons import Season, play
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.eras import summarize
from crowdalpha.scoring.metrics import Era
from crowdalpha.simulation.crowds import Difference, difference
from crowdalpha.simulation.replay import ANY_NUMBER
from crowdalpha.tournament import submissions
from crowdalpha.tournament.rounds import FINAL_BAGS
from crowdalpha.tournament.rulesets import NONE, rule_set


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule made of a history, in whole units and as fractions of what was at risk.

    `earned` and `burned` are summed over rounds and models, `closing` is what all held in the end. `volatility` is the
    standard deviation of a round's payouts as a fraction of all that was at risk, `drawdown` the largest fall of all
    stakes from an earlier peak as a fraction of it, `gini` how unequal stakes were in the end, 0 to 1, `turnover` the
    mean share of all stakes that a round moved. `corr` and `sharpe` are those of the metamodel.
    """

    rule: str
    earned: int
    burned: int
    opening: int
    closing: int
    mean: float
    volatility: float
    drawdown: float
    gini_before: float
    gini: float
    turnover: float
    corr: float
    sharpe: float


@dataclass(frozen=True, slots=True)
class Shift:
    """What a change of rule does to a model: how much more of its stake a round pays, with an interval."""

    model: str
    rule: str
    gain: Difference


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A history under several rules; `shifts` compare each with the first, model by model, largest gain first."""

    seasons: tuple[Season, ...]
    outcomes: tuple[Outcome, ...]
    shifts: tuple[Shift, ...]


def compare(
    eras: Iterable[Era],
    stakes: Mapping[str, int],
    rules: Sequence[str],
    *,
    choice: Choice | None = None,
    custom: Mapping[str, Policy] = NONE,
    bags: int = FINAL_BAGS,
    seed: str = "0",
    told: Callable[[int, int], None] = lambda done, all: None,
) -> Comparison:
    """Play the same rounds under each rule, with stakes that compound, and compare what came of it.

    `choice` is what all models choose where a rule offers it. Bags are those of `crowdalpha replay` with that seed, and
    so are payouts, to the unit. Refused with code `unknown_rule` before anything is played.
    """
    for rule in rules:
        rule_set(rule, custom)
    history = [accepted(era) for era in eras]
    choices = {} if choice is None else dict.fromkeys({name for era in history for name in era.models}, choice)
    master, seasons = sha256(f"crowdalpha replay {seed}".encode()).digest(), []
    for number, rule in enumerate(rules, 1):
        seasons.append(play(history, stakes, rule, choices=choices, custom=custom, master=master, bags=bags))
        told(number, len(rules))
    shifts = [shift for season in seasons[1:] for shift in _shifts(seasons[0], season)]
    return Comparison(tuple(seasons), tuple(map(outcome, seasons)), tuple(shifts))


def outcome(season: Season) -> Outcome:
    """What a season came to."""
    moved, staked = season.paid.sum(axis=1), np.maximum(season.at_risk.sum(axis=1), 1)
    path = np.concatenate([[season.opening.sum()], season.opening.sum() + np.cumsum(moved)])
    crowd = summarize(season.crowd)
    return Outcome(
        rule=season.rule,
        earned=int(season.paid[season.paid > 0].sum()),
        burned=-int(season.paid[season.paid < 0].sum()),
        opening=int(season.opening.sum()),
        closing=int(season.closing.sum()),
        mean=float(np.mean(moved / staked)),
        volatility=float(np.std(moved / staked)),
        drawdown=drawdown(path),
        gini_before=gini(season.opening),
        gini=gini(season.closing),
        turnover=float(np.mean(np.abs(season.paid).sum(axis=1) / staked)),
        corr=float(np.float64(crowd.mean)),
        sharpe=float(np.float64(crowd.sharpe)),
    )


def gini(stakes: Units) -> float:
    """How unequal stakes are: 0 if all are alike, near 1 if one has all; 0 if nobody has any.

    >>> gini(np.array([5, 5, 5])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ordered, n = np.sort(stakes).astype(np.float64), len(stakes)
    total = ordered.sum()
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * total)) if total else 0.0


def drawdown(path: Units | Floats) -> float:
    """The largest fall from an earlier peak, as a fraction of the peak.

    >>> drawdown(np.array([10, 12, 9, 11]))
    0.25
    """
    peak = np.maximum.accumulate(path)
    return float(np.max((peak - path) / np.maximum(peak, 1)))


def accepted(era: Era) -> Era:
    """The era without the submissions that a tournament refuses, such as a constant one."""
    refused = [j for j, column in enumerate(era.predictions.T) if not np.isnan(column).all() and not _taken(era, j)]
    if not refused:
        return era
    predictions = era.predictions.copy()
    predictions[:, refused] = np.nan
    return replace(era, predictions=predictions)


def _taken(era: Era, j: int) -> bool:
    import pyarrow as pa

    table = pa.table({"id": pa.array(era.ids, pa.string()), "prediction": era.predictions[:, j]})
    return submissions.check(table, era.ids, ANY_NUMBER).accepted


def _shifts(before: Season, after: Season) -> list[Shift]:
    """What each staked model gains a round by a change of rule, in the rounds in which it had a stake under both."""
    one, other = _fractions(before), _fractions(after)
    found = [
        Shift(name, after.rule, difference(other[:, j], one[:, j]))
        for j, name in enumerate(after.models)
        if not np.isnan(other[:, j] - one[:, j]).all()
    ]
    return sorted(found, key=lambda shift: -shift.gain.mean)


def _fractions(season: Season) -> Floats:
    there = season.at_risk > 0
    return np.where(there, season.paid / np.where(there, season.at_risk, 1), np.nan)
