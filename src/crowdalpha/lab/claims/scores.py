"""Claims about the score itself: what an inverse, a copy and random numbers get, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdalpha.lab.chance import stream
from crowdalpha.lab.claims.experiment import BAGS, Claim, Figure, figure, measured, ratio, stakes_of
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.theory import luck, magnitude
from crowdalpha.scoring import corr, draw_bags, metamodel, mmc2, rank_models

EASY = Shape(models=20, ids=200, edge=0.2, hard_share=0.0)
BLIND = Shape(models=20, ids=200, edge=0.0, own_edge=(0.0, 0.0))


def inverse(seed: object, seasons: int) -> Sequence[Figure]:
    """MMC2 of p and of 1-p, both staked: they add up to nothing, to the bit."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        predictions = np.hstack([drawn.era.predictions, -drawn.era.predictions[:, :1]])
        staked = np.append(stakes, stakes[0])
        bags = draw_bags(staked, n_bags=BAGS, seed=f"{world.seed}/{number}")
        scores = mmc2(predictions, staked, drawn.target, bags=bags)
        return float(scores[0] + scores[-1]), abs(float(scores[0]))

    table = measured(EASY, one, seed, seasons)
    return (
        figure("MMC2 of p and of 1-p together", table[:, 0], theory=0.0, unit="MMC2"),
        figure("size of one of them", table[:, 1], unit="MMC2"),
    )


def copy(seed: object, seasons: int) -> Sequence[Figure]:
    """MMC2 of a copy of the metamodel, against the metamodel itself and against those of bags."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        copied = metamodel(drawn.era.predictions, stakes)
        predictions, staked = np.column_stack([drawn.era.predictions, copied]), np.append(stakes, 0)
        bags = draw_bags(staked, n_bags=BAGS, seed=f"{world.seed}/{number}")
        scores = [mmc2(predictions, staked, drawn.target, bags=each)[-1] for each in (None, bags)]
        return (*map(float, scores), float(corr(copied, drawn.target)))

    table = measured(EASY, one, seed, seasons)
    return (
        figure("MMC2 of a copy, un-bagged", table[:, 0], theory=0.0, unit="MMC2"),
        figure(f"MMC2 of a copy, {BAGS} bags", table[:, 1], unit="MMC2"),
        figure("the same beside its CORR", table[:, 1:], ratio, unit="parts of its CORR"),
    )


def size(seed: object, seasons: int) -> Sequence[Figure]:
    """The closed form of MMC2 against one metamodel: how many times CORR - rho CORR_M it is."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), stakes_of(world)
        ranks, target = rank_models(drawn.era.predictions), drawn.target
        pooled = metamodel(ranks, stakes)
        rho = np.corrcoef(ranks.doubled, rank_models(pooled).doubled)[-1, :-1]
        beyond = corr(ranks, target) - rho * corr(pooled, target)
        return float(np.abs(mmc2(ranks, stakes, target)).sum()), float(np.abs(beyond).sum())

    table = measured(EASY, one, seed, seasons)
    what = "MMC2 beside CORR - rho x CORR of the metamodel"
    return (figure(what, table, ratio, theory=magnitude(EASY), unit="k"),)


def noise(seed: object, seasons: int) -> Sequence[Figure]:
    """What random numbers score: nothing on average, with a spread of k / sqrt(n - 1), if the crowd is blind too."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn = world.round(number)
        random = stream(world.seed, "noise", number).standard_normal((BLIND.ids, 20))
        predictions = np.hstack([drawn.era.predictions, random])
        scores = mmc2(predictions, np.append(stakes_of(world), np.zeros(20, int)), drawn.target)[-20:]
        return float(scores.mean()), float(np.square(scores).mean())

    table = measured(BLIND, one, seed, seasons)
    spread = magnitude(BLIND) * luck(BLIND.ids)
    return (
        figure("mean", table[:, 0], theory=0.0, unit="MMC2"),
        figure("spread", table[:, 1], lambda means: np.sqrt(means[..., 0]), theory=spread, unit="MMC2"),
    )


ROWS = (
    Claim(
        "inverse", "A model and its inverse",
        "The inverse of a model, 1-p, has the opposite MMC2: a pair of both nets nothing.", ("F93#1",), inverse,
        "A model of a crowd of 20 hands in its inverse as well, with the same stake. Both are scored with 20 bags.",
        "Ranks of 1-p are those of p the other way round, and bags are the same for all: MMC2(1-p) = -MMC2(p), to the "
        "bit.",
        "Nobody earns by handing in a model and its inverse: what one earns, the other burns. Neither score is small "
        "by itself ({1:.3f} on average), only their sum is nothing.",
    ),
    Claim(
        "copy", "A copy of the metamodel",
        "A copy of the metamodel scores 0 un-bagged, and a little with bags.", ("SPEC 5",), copy,
        "Somebody without a stake hands in the metamodel itself. The copy is scored once against the metamodel and "
        "once against those of 20 bags. No era is hard, so the metamodel is right on average.",
        "The residual of the metamodel on itself is 0. What bags leave is the subject of the experiment on redundancy.",
        "A copy earns nothing where there are no bags. With bags, none of which is quite the metamodel, it keeps "
        "{2:.0%} of its CORR.",
    ),
    Claim(
        "size", "How large a contribution is",
        "MMC2 is k (CORR - rho CORR of the metamodel), of about the magnitude of CORR.", ("F93#1", "SPEC 2"), size,
        "All models of a crowd are scored un-bagged; their MMC2 is held against what they know beyond the metamodel.",
        "k is the spread of ranks times that of the target over 0.29^2: .77 for the target of five unequal bins.",
        "The magnitude is that of CORR but for a factor of {0:.2f}: a model that has nothing in common with the "
        "metamodel is scored {0:.2f} of its CORR, not all of it.",
    ),
    Claim(
        "noise", "Random numbers", "Random numbers have an MMC2 of 0 on average.", ("SPEC 5",), noise,
        "Twenty columns of random numbers are scored beside a crowd that knows nothing either.",
        "The mean is 0, the spread k / sqrt(n - 1) with n ids.",
        "Who hands in random numbers earns nothing on average. With 200 ids a round, luck alone makes scores of about "
        "{1:.3f} either way.",
    ),
)  # fmt: skip
