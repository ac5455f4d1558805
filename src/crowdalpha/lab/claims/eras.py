"""Claims about easy and hard eras: who bets on which, what a coefficient does, and what steadiness is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.claims.experiment import (
    ROUNDS,
    Claim,
    Figure,
    beside,
    figure,
    measured,
    of_season,
    ratio,
    stakes_of,
    steadiness,
)
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.theory import calibrated, expected_corr, luck, magnitude, of_ranks, two_point_sharpe
from crowdalpha.payouts import calibrate_hard_era_coefficient, contrarian_profit, hard_era_coefficient
from crowdalpha.scoring import corr, metamodel, mmc2

CROWD = Shape(models=5, ids=100, edge=0.5, own_edge=(0.0, 0.0), shared=0.3)
"""A small crowd, for many eras: six easy ones to four hard ones."""
EASY_SHARE = 1 - CROWD.hard_share
COEFFICIENTS = (1.5, 1.3, 1.0)
"""Hard-era coefficients that the thread weighs."""
WINDOW, LONG = 20, 60
"""Eras that a coefficient is calibrated over."""
SWING = Shape(models=3, ids=1000, edge=0.25, own_edge=(0.0, 0.0), shared=1.0, hard_share=0.3)
"""A crowd of one signal, which is right in seven eras of ten and wrong in the others."""
STEADY = SWING.edge * (1 - 2 * SWING.hard_share)
"""The edge of a model that is in every era as good as the crowd is on average."""
PROFIT = "profit an era, parts of a score"
LIKE = 0.6
"""The correlation of the steady model with the crowd's signal."""


def contrarian(world: World, number: int) -> tuple[float, float, bool]:
    """MMC2 of a bet against what all see, un-bagged, the metamodel's CORR, and whether the era is hard."""
    drawn, stakes = world.round(number), stakes_of(world)
    predictions = np.column_stack([drawn.era.predictions, -drawn.shared])
    score = float(mmc2(predictions, np.append(stakes, 0), drawn.target)[-1])
    return score, float(corr(metamodel(drawn.era.predictions, stakes), drawn.target)), drawn.hard


def hard_eras(seed: object, seasons: int) -> Iterator[Figure]:
    """What a bet against the crowd's common signal earns by MMC, in units of its size, by hard-era coefficient."""

    def one(world: World, number: int) -> tuple[float, ...]:
        score, crowd, hard = contrarian(world, number)
        paid = [float(hard_era_coefficient(score, crowd, coefficient)) for coefficient in COEFFICIENTS]
        return (*paid, score if hard else -score)

    table = measured(CROWD, one, seed, seasons, rounds=24 * ROUNDS)
    for k, coefficient in enumerate(COEFFICIENTS):
        theory = contrarian_profit(coefficient, EASY_SHARE)
        yield figure(f"coefficient {coefficient:g} at 60/40", table[:, [k, -1]], ratio, theory=theory, unit=PROFIT)


def calibration(seed: object, seasons: int) -> Iterator[Figure]:
    """The same with a coefficient that is calibrated anew for every era, by the last eras of the metamodel."""

    def one(world: World) -> tuple[float, ...]:
        rounds = [contrarian(world, number) for number in range(1, LONG + 24 * ROUNDS + 1)]
        crowd = np.array([each[1] for each in rounds])
        size = np.mean([score if hard else -score for score, _, hard in rounds[LONG:]])
        found = [size]
        for window in (WINDOW, LONG):
            by = [coefficient(crowd[:number], window) for number in range(LONG, len(rounds))]
            paid = [hard_era_coefficient(*each[:2], c) for each, c in zip(rounds[LONG:], by, strict=True)]
            found += [np.mean(by), np.mean(paid)]
        return tuple(map(float, found))

    table = of_season(CROWD, one, seed, seasons)
    for k, window in enumerate((WINDOW, LONG)):
        expected = calibrated(EASY_SHARE, window)
        what, profit = f"coefficient calibrated over {window} eras, on average", contrarian_profit(expected, EASY_SHARE)
        yield figure(what, table[:, 1 + 2 * k], theory=expected, unit="coefficient")
        what = f"what a contrarian earns by it, {window} eras"
        yield figure(what, table[:, [2 + 2 * k, 0]], ratio, theory=profit, unit=PROFIT)


def coefficient(crowd: Floats, window: int) -> float:
    """The coefficient by the last so many eras, or by more where none of them was hard."""
    last_hard = len(crowd) - int(np.flatnonzero(crowd < 0)[-1])
    return calibrate_hard_era_coefficient(crowd, max(window, last_hard))


def steadier(seed: object, seasons: int) -> Sequence[Figure]:
    """MMC and CORR of a model that is as good as the metamodel on average, like it, and as good in every era."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        random = stream(world.seed, "steady", number).standard_normal(SWING.ids)
        steady = beside(drawn, STEADY, LIKE, random, shape=SWING)
        predictions = np.column_stack([drawn.era.predictions, steady])
        score = float(mmc2(predictions, np.append(stakes, 0), drawn.target)[-1])
        own, crowd = map(float, corr(np.column_stack([steady, drawn.shared]), drawn.target))
        return score, score**2, own, own**2, crowd, crowd**2

    table = measured(SWING, one, seed, seasons, rounds=6 * ROUNDS)
    k, rho, chance = magnitude(SWING), of_ranks(LIKE), luck(SWING.ids)
    own, right = expected_corr(STEADY), expected_corr(SWING.edge)
    crowd = two_point_sharpe(right, -right, SWING.hard_share, chance)
    left = two_point_sharpe(own - rho * right, own + rho * right, SWING.hard_share, chance * np.sqrt(1 - rho**2))
    mean = (1 - 2 * SWING.hard_share) * right
    return (
        figure("mean MMC2 beside mean CORR", table[:, [0, 2]], ratio, theory=k * (1 - rho * mean / own),
               unit="parts of its CORR"),
        figure("Sharpe ratio of the metamodel's CORR", table[:, 4:], steadiness, theory=crowd, unit="Sharpe ratio"),
        figure("Sharpe ratio of its CORR", table[:, 2:], steadiness, theory=own / chance, unit="Sharpe ratio"),
        figure("Sharpe ratio of its MMC2", table, steadiness, theory=float(left), unit="Sharpe ratio"),
    )  # fmt: skip


ROWS = (
    Claim(
        "steadier", "As good as the crowd, but steadier",
        "A model as good as the metamodel and like it, but steadier, gets an MMC near 0 that is more volatile than its "
        "CORR.", ("F93#16", "F93#21"), steadier,
        "The crowd has one signal, right in seven eras of ten and wrong in three. A model beside it is in every era as "
        "good as the crowd is on average, and its ranks are correlated by .58 with the crowd's.",
        "MMC2 = k (CORR - rho CORR_M): with equal means k (1 - rho) of the CORR is left, and it swings against the "
        "crowd by k rho times what the crowd swings.",
        "It is so. CORR pays the steady model evenly (a Sharpe ratio of {2:.1f} an era, where the metamodel has "
        "{1:.2f}); MMC leaves {0:.0%} of that, and swings (a Sharpe ratio of {3:.2f}), for it pays what the metamodel "
        "lacks: much in hard eras, less than nothing in easy ones.",
    ),
    Claim(
        "hard-eras", "A coefficient for hard eras",
        "At 60 easy eras to 40 hard ones a coefficient of 1.5 lets a contrarian break even; 1.3 is safe.",
        ("F93#17", "F93#18", "F93#19"), hard_eras,
        "A contrarian bets against what all models have in common, which misleads in 40 eras of 100. MMC counts 1.5, "
        "1.3 or 1 times in eras in which the metamodel's CORR is below 0. Profits are in units of his score's size.",
        "He loses x in easy eras and earns c x in hard ones: c P(hard) - P(easy).",
        "A coefficient of 1.5 lets the contrarian break even ({0:+.2f} an era), 1.3 costs him {1:+.2f} and 1 costs "
        "{2:+.2f}: any coefficient up to P(easy) / P(hard) is safe, if that is known.",
    ),
    Claim(
        "calibration", "Calibrating the coefficient by a reference model",
        "The coefficient can be calibrated by a reference model: its positive eras over its negative ones, of the last "
        "20.", ("F93#19",), calibration,
        "The coefficient of every era is calibrated anew, by the last 20 or 60 eras of the metamodel. The contrarian "
        "of the experiment on hard eras is paid by it.",
        "The mean of K / (n - K), K of n eras being easy, lies above P(easy) / P(hard): one hard era fewer raises the "
        "ratio by more than one more lowers it.",
        "On average, 20 eras give a coefficient of {0:.2f} where 1.5 is break-even, and the contrarian earns "
        "{1:+.2f} an era: calibrated over so few eras the coefficient is not safe. Over 60 eras it is {2:.2f}, and "
        "his profit falls to {3:+.3f}.",
    ),
)  # fmt: skip
