"""How a crowd thrives under a payout design: its metamodel while stakes compound, and what honest models are paid.

Scores are those of the opening stakes, so that one scoring serves every design. Stakes then go where a design pays:

    stake_N = stake_(N-1) + payout_(N-4)

and the metamodel is pooled anew with them, exactly, round by round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.lab.chance import Floats
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.rounds import Units, in_order, score, seed_of
from crowdalpha.lab.seasons import master_of
from crowdalpha.payouts.designs import Design
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.kernels import single_threaded
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.shards import partial_sums, pool, weigh
from crowdalpha.tournament.scoringday import Scored

LAG = 4
"""Rounds between the one that a payout is of and the one that it is staked in."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A crowd of a shape whose rounds have so many bags of a fraction of the stakers, from one seed."""

    shape: Shape
    rounds: int
    bags: int
    fraction: float
    seed: object


@dataclass(frozen=True, slots=True, eq=False)
class Thriving:
    """What became of each season, (n_seasons,).

    `gain` is how much compounding adds to the Sharpe ratio of the metamodel's CORR, `steady` the Sharpe ratio of what
    a round pays an honest model, `swing` the standard deviation of that, as a fraction of the stake.
    """

    gain: Floats
    steady: Floats
    swing: Floats


def thrive(
    crowd: Crowd, designs: Sequence[Design], seasons: int, executor: Executor, told: Callable[[int, int], None]
) -> list[Thriving]:
    """What becomes of seasons of a crowd under each design; `told` hears how many of how many seasons are done."""
    table = np.empty((seasons, len(designs), 3))
    shared = executor.share((crowd, tuple(designs)))
    for done, (season, found) in enumerate(executor.run(play_season, range(seasons), shared), 1):
        table[season] = found
        told(done, seasons)
    return [Thriving(*table[:, k].T) for k in range(len(designs))]


def play_season(season: int, shared: tuple[Crowd, tuple[Design, ...]]) -> Floats:
    """What a worker does: a season scored once, and what becomes of it under each design, (n_designs, 3)."""
    crowd, designs = shared
    world = World(crowd.shape, f"{crowd.seed}/thriving/{season}")
    opening, master = np.array(list(world.stakes.values()), np.int64), master_of(world.seed)
    eras = [in_order(drawn.era) for drawn in world.rounds(crowd.rounds)]
    with single_threaded():
        scored = [
            score(
                era, opening[_places(era, world)], ("corr", "mmc2"),
                seed=seed_of(number, master), bags=crowd.bags, fraction=crowd.fraction,
            )
            for number, era in enumerate(eras, 1)
        ]  # fmt: skip
        unmoved, found = _metamodel(eras, np.tile(opening, (len(eras), 1)), world), []
        for design in designs:
            paid = np.array([_paid(design, each, era, world) for each, era in zip(scored, eras, strict=True)])
            moved = _metamodel(eras, stakes(opening, paid), world)
            found.append((moved - unmoved, *_steady(paid)))
    return np.array(found)


def stakes(opening: Units, paid: Floats) -> Units:
    """Stakes in whole units, (n_rounds, n_models), if payouts are these fractions, (n_rounds, n_models); 0 if absent.

    >>> stakes(np.array([100]), np.array([[0.5], [0.0], [0.0], [0.0], [0.1], [0.0]])).ravel().tolist()
    [100, 100, 100, 100, 150, 150]
    """
    held, found = opening.astype(np.int64), np.empty(paid.shape, np.int64)
    for number in range(len(paid)):
        if number >= LAG:
            due = found[number - LAG] * np.nan_to_num(paid[number - LAG])
            held = np.maximum(held + np.rint(due).astype(np.int64), 0)
        found[number] = held
    return found


def _paid(design: Design, scored: Scored, era: Era, world: World) -> Floats:
    """What each model of the world is paid of its stake, (n_models,); NaN for who stays away."""
    there = _places(era, world)
    paid = np.full(len(world.models), np.nan)
    found = scored.scores
    paid[there] = design.policy().payouts(
        np.ones(len(there)), found["corr"], found["mmc2"], metamodel_corr=scored.crowd["corr"]
    )
    return paid


def _metamodel(eras: Sequence[Era], held: Units, world: World) -> float:
    """The Sharpe ratio of the metamodel's CORR with these stakes, (n_rounds, n_models)."""
    scores = [_corr(era, units[_places(era, world)]) for era, units in zip(eras, held, strict=True)]
    return float(np.mean(scores) / np.std(scores))


def _corr(era: Era, units: Units) -> float:
    if not units.any():
        return 0.0
    rows = era.ranks.doubled
    weights = weigh(units, (), rows.shape[1])
    return float(corr(pool(partial_sums([rows], weights), weights).crowd, era.given("target")))


def _steady(paid: Floats) -> tuple[float, float]:
    """The Sharpe ratio of payouts, (n_rounds, n_models), and their spread: of a model of the crowd like any other."""
    there = paid[:, ~np.isnan(paid).all(axis=0)]
    swing = float(np.sqrt(np.mean(np.nanvar(there, axis=0))))
    return (float(np.nanmean(there)) / swing if swing else 0.0), swing


def _places(era: Era, world: World) -> list[int]:
    if era.models == world.models:
        return list(range(len(world.models)))
    at = {name: place for place, name in enumerate(world.models)}
    return [at[name] for name in era.models]
