"""Claims about who is paid: the average user, the weak but independent one, the redundant one, the giant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crowdalpha.lab.chance import stream
from crowdalpha.lab.claims.experiment import BAGS, ROUNDS, Claim, Figure, beside, figure, measured, ratio, stakes_of
from crowdalpha.lab.claims.scores import BLIND, EASY
from crowdalpha.lab.crowds import Shape, World, seen
from crowdalpha.lab.theory import average_contribution, expected_corr, giant, magnitude, redundancy
from crowdalpha.payouts import blend_corr, blend_weights
from crowdalpha.scoring import corr, draw_bags, metamodel, mmc2, rank_models
from crowdalpha.scoring.bags import BAG_FRACTION

ALIKE = Shape(models=100, ids=500, edge=0.25, own_edge=(0.0, 0.0), hard_share=0.0, tail=0.0)
STRONG, WEAK = 0.3, 0.1
"""Correlations of the strong and the weak signal: those of the thread, .03 and .01, ten times as large."""
ONE_SIGNAL = Shape(models=5, ids=500, edge=STRONG, own_edge=(0.0, 0.0), shared=1.0, hard_share=0.0)
"""A crowd whose models are all the same."""
EQUAL = replace(EASY, own_edge=(0.0, 0.0), tail=0.0)
SMALL = BAG_FRACTION / 2
GIANT = 4.0
"""What the giant stakes for each coin of the crowd: 80% of all."""
KNOWN = 0.3
"""How much the giant alone knows."""


def average_user(seed: object, seasons: int) -> Sequence[Figure]:
    """What 2 x MMC pays the average coin beside what CORR pays it, un-bagged."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        ranks = rank_models(drawn.era.predictions)
        shares = stakes / stakes.sum()
        return float(shares @ mmc2(ranks, stakes, drawn.target)), float(shares @ corr(ranks, drawn.target))

    table = measured(ALIKE, one, seed, seasons)
    what, theory = "2 x MMC of the average coin beside its CORR", 2 * average_contribution(ALIKE)
    return (figure(what, table, lambda means: 2 * ratio(means), theory=theory, unit="parts of its CORR"),)


def blend(seed: object, seasons: int) -> Sequence[Figure]:
    """How much better the best blend of a strong and a weak independent signal is than the strong one alone."""

    def one(world: World, number: int) -> tuple[float, ...]:
        random = stream(world.seed, "blend", number)
        signals, rest = random.standard_normal((4000, 2)), random.standard_normal(4000)
        truth = signals @ [STRONG, WEAK] + np.sqrt(1 - STRONG**2 - WEAK**2) * rest
        best = signals @ blend_weights([STRONG, WEAK])
        return float(corr(best, truth)), float(corr(signals[:, 0], truth))

    table = measured(EASY, one, seed, seasons)
    what, theory = "CORR of the blend 3:1 beside that of the strong signal", blend_corr([STRONG, WEAK]) / STRONG
    return (figure(what, table, ratio, theory=theory, unit="times"),)


def independent(seed: object, seasons: int) -> Sequence[Figure]:
    """What MMC pays a weak model that is independent of the metamodel, and one that is as strong and the same."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        random = stream(world.seed, "independent", number).standard_normal(ONE_SIGNAL.ids)
        weak = beside(drawn, WEAK, 0.0, random, shape=ONE_SIGNAL)
        predictions = np.column_stack([drawn.era.predictions, weak])
        scores = mmc2(predictions, np.append(stakes, 0), drawn.target)
        corrs = corr(predictions, drawn.target)
        return float(scores[-1]), float(corrs[-1]), float(corrs[0]), float(scores[0])

    table = measured(ONE_SIGNAL, one, seed, seasons, rounds=2 * ROUNDS)
    k, weak, strong = magnitude(ONE_SIGNAL), expected_corr(WEAK), expected_corr(STRONG)
    return (
        figure("MMC2 of the weak one beside its CORR", table, ratio, theory=k, unit="parts of CORR"),
        figure("2 x MMC of the weak one beside CORR of the strong", table[:, [0, 2]], lambda means: 2 * ratio(means),
               theory=2 * k * weak / strong, unit="parts of CORR"),
        figure("MMC2 of the strong one beside its CORR", table[:, [3, 2]], ratio, theory=0.0, unit="parts of CORR"),
    )  # fmt: skip


def redundant(seed: object, seasons: int) -> Sequence[Figure]:
    """What a copy of the metamodel keeps of its CORR, with bags of the usual size and of half of it."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        copied = metamodel(drawn.era.predictions, stakes)
        predictions, staked = np.column_stack([drawn.era.predictions, copied]), np.append(stakes, 0)
        bags = [
            draw_bags(staked, n_bags=BAGS, fraction=part, seed=f"{world.seed}/{number}")
            for part in (BAG_FRACTION, SMALL)
        ]
        scores = [float(mmc2(predictions, staked, drawn.target, bags=each)[-1]) for each in bags]
        return (*scores, float(corr(copied, drawn.target)))

    table = measured(EQUAL, one, seed, seasons)
    unit = "parts of its CORR"
    return (
        figure(f"MMC2 of a copy, bags of {BAG_FRACTION:.0%}", table[:, [0, 2]], ratio, theory=redundancy(EQUAL),
               unit=unit),
        figure(f"MMC2 of a copy, bags of {SMALL:.0%}", table[:, [1, 2]], ratio, theory=redundancy(EQUAL, SMALL),
               unit=unit),
    )  # fmt: skip


def giant_staker(seed: object, seasons: int) -> Sequence[Figure]:
    """What a giant who alone knows something keeps of his CORR, un-bagged and with bags, and his clone with him."""
    shape = replace(BLIND, tail=0.0)

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        own = seen(drawn.latent, KNOWN, stream(world.seed, "giant", number).standard_normal(shape.ids))
        predictions = np.column_stack([drawn.era.predictions, own, own])
        staked = np.append(stakes, [round(GIANT * stakes.sum()), 0])
        bags = draw_bags(staked, n_bags=BAGS, seed=f"{world.seed}/{number}")
        alone, bagged = (mmc2(predictions, staked, drawn.target, bags=each)[-2:] for each in (None, bags))
        return float(alone[0]), float(bagged[0]), float(corr(own, drawn.target)), float(bagged[1] - bagged[0])

    table = measured(shape, one, seed, seasons)
    unit = "parts of his CORR"
    return (
        figure("MMC2 of the giant, un-bagged", table[:, [0, 2]], ratio, theory=giant(shape, GIANT), unit=unit),
        figure(f"MMC2 of the giant, {BAGS} bags", table[:, [1, 2]], ratio, theory=giant(shape, GIANT, BAG_FRACTION),
               unit=unit),
        figure("what a clone of his gets more than he", table[:, 3], theory=0.0, unit=unit),
    )  # fmt: skip


ROWS = (
    Claim(
        "average-user", "Twice MMC for the average user",
        "The average user earns hardly anything by 2 x MMC, whatever CORR pays.", ("F93#1", "F220"), average_user,
        "In a crowd of 100 models with equal stakes every model is scored by CORR and, un-bagged, by MMC2. Each coin "
        "is paid 2 x MMC2, and the sum is held against what CORR pays the same coins.",
        "Against the metamodel as it is summed, the stake-weighted sum of residual covariances is 0. Ranking the sum "
        "leaves 2 k (1 - 6 asin(sqrt(c) / 2) / (pi sqrt(c))), c being what models have in common.",
        "For all coins together 2 x MMC is no alternative to CORR: it pays {0:.1%} of it. It pays those who differ "
        "from the crowd, and takes from those who do not.",
    ),
    Claim(
        "blend", "A weak model beside a strong one",
        "A weak model that is independent of a strong one is worth having: their best blend beats the strong one.",
        ("F93#20",), blend,
        "Two signals that have nothing in common, one with three times the correlation of the other, are blended 3 to "
        "1: the .03 and .01 of the thread, ten times as large so that fewer rounds show it.",
        "The best blend has weights in proportion to the correlations, and the correlation sqrt(r1^2 + r2^2).",
        "The blend is {0:.3f} times as good as the strong signal alone: a third of the skill is worth a twentieth more "
        "if it is independent.",
    ),
    Claim(
        "independent", "What MMC pays the weak but independent model",
        "A model with a third of the metamodel's CORR earns by MMC if it is independent of it; the same signal as the "
        "metamodel's, three times as good, earns nothing.", ("F93#20",), independent,
        "All models of a crowd hand in the same strong signal. Beside them a weak one is scored, un-bagged, that has "
        "nothing in common with theirs.",
        "MMC2 = k (CORR - rho CORR_M) with rho = 0 for the weak signal, and rho = 1 for the strong one.",
        "The weak model is scored {0:.0%} of its CORR and, paid 2 x MMC, earns {1:.0%} of what the strong one earns "
        "by CORR. By MMC the strong one, which everybody has, earns nothing.",
    ),
    Claim(
        "redundancy", "The reward for redundancy",
        "Bags reward redundancy: what all know already is paid a little, more so the smaller the bags.",
        ("docs@527f3cc", "SPEC 1"), redundant,
        "A copy of the metamodel of 20 equal stakes is scored with bags of the usual 67% of the stakers, and with bags "
        "of half of that.",
        "k (1 - rho_S rho), rho being the correlation of the metamodel with that of a bag: the fewer stakers a bag "
        "draws, the less it knows of what all know.",
        "A copy keeps {0:.1%} of its CORR with the usual bags, and {1:.1%} with bags half as large. In a large crowd "
        "bags are nearly the metamodel, and hardly anything is left.",
    ),
    Claim(
        "giant", "The giant staker",
        "Un-bagged, who holds most of the stake is paid nothing for what he alone knows; bags that leave him out pay "
        "him.", ("docs@527f3cc", "SPEC 5"), giant_staker,
        "A giant has 80% of all stakes, and he alone knows anything. He is scored un-bagged and with 20 bags, and so "
        "is a clone of his without a stake.",
        "k (1 - rho^2) with rho the correlation of the giant with the metamodel, averaged over how often a bag draws "
        "him; about half of the bags leave him out.",
        "Un-bagged the giant is the metamodel, and keeps {0:.1%} of his CORR. With bags he keeps {1:.0%}: in about "
        "half of them he is not drawn. His clone is scored the same as he, whatever it stakes.",
    ),
)  # fmt: skip
