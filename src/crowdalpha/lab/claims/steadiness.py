"""Claims about steadiness: payouts on Sharpe and Sortino ratios, and models that are neutral to features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.claims.experiment import ROUNDS, Claim, Figure, figure, measured, of_season, ratio, steadiness
from crowdalpha.lab.crowds import Shape, World, binned, blended, seen
from crowdalpha.lab.theory import (
    expected_corr,
    luck,
    neutral_corrs,
    neutral_luck,
    short_sharpe,
    swinging_sharpe,
    swinging_sortino_pair,
    two_point_sharpe,
)
from crowdalpha.payouts import POLICIES
from crowdalpha.payouts.policies import SCALE, WINDOW
from crowdalpha.scoring import corr, neutralize

LARGE = Shape(models=1, ids=4000, edge=0.25, hard_share=0.3)
"""Ids enough that a score is what it is on average."""
MEAN = LARGE.edge * (1 - 2 * LARGE.hard_share)
SPREAD = 0.1
"""Mean and spread of the edge of the calm model, which is drawn anew for every era."""
CLIP = 0.25
LOADED = Shape(models=1, ids=500, edge=0.3, shared=0.5, hard_share=0.3)
OWN = 0.1
"""How good the part of a model is that is none of the features'."""
PROPORTIONS = (0.0, 0.5, 1.0)


def ratios(seed: object, seasons: int) -> Sequence[Figure]:
    """What CORR, Sharpe and Sortino payouts pay a calm and a swinging model of the same mean, and inverse pairs."""

    def one(world: World) -> tuple[float, ...]:
        scores = np.array([_corrs(world, number) for number in range(1, WINDOW + 6 * ROUNDS)])
        windows = [scores[k : k + WINDOW] for k in range(len(scores) - WINDOW + 1)]
        of_sharpe = np.mean([_paid("sharpe", each) for each in windows], axis=0)
        of_sortino = np.mean([_paid("sortino", each) for each in windows], axis=0)
        calm, swinging = 0, 1
        pairs = [of_sharpe[swinging] + of_sharpe[swinging + 2], of_sortino[swinging] + of_sortino[swinging + 2]]
        return (*scores.mean(axis=0)[:2], of_sharpe[calm], of_sharpe[swinging], *pairs)

    table = of_season(LARGE, one, seed, seasons)
    mean, spread = expected_corr(MEAN), np.hypot(expected_corr(SPREAD), luck(LARGE.ids))
    by: dict[str, float] = {"scale": SCALE, "clip": CLIP}
    sharpe, pair = (each(LARGE.hard_share, WINDOW, **by) for each in (swinging_sharpe, swinging_sortino_pair))
    equal, unit = (1 - 2 * LARGE.hard_share) * expected_corr(LARGE.edge) / mean, "payout a round, parts of the stake"
    return (
        figure("mean CORR of the swinging model beside the calm one's", table[:, [1, 0]], ratio, theory=equal,
               unit="times"),
        figure("Sharpe pays the calm model", table[:, 2], theory=SCALE * short_sharpe(mean / float(spread), WINDOW),
               unit=unit),
        figure("Sharpe pays the swinging model", table[:, 3], theory=sharpe, unit=unit),
        figure("Sharpe pays a swinging model and its inverse", table[:, 4], theory=0.0, unit=unit),
        figure("Sortino pays a swinging model and its inverse", table[:, 5], theory=pair, unit=unit),
    )  # fmt: skip


def _corrs(world: World, number: int) -> Floats:
    """CORR of the calm and of the swinging model, and of their inverses, (4,)."""
    random = stream(world.seed, "ratios", number)
    hard, calm = random.random() < LARGE.hard_share, random.normal(MEAN, SPREAD)
    latent = random.standard_normal(LARGE.ids)
    edges = (calm, -LARGE.edge if hard else LARGE.edge)
    models = np.column_stack([seen(latent, edge, random.standard_normal(LARGE.ids)) for edge in edges])
    found = np.asarray(corr(models, binned(latent, LARGE.bins)))
    return np.concatenate([found, -found])


def _paid(policy: str, window: Floats) -> Floats:
    """What a policy pays of a stake of 1 for a window of CORR, (n_eras, n_models)."""
    models = np.ones(window.shape[1])
    paid = POLICIES[policy].policy.payouts
    return np.asarray(paid(models, window, 0 * window, corr_multiplier=models, mmc_multiplier=0 * models))


def neutral(seed: object, seasons: int) -> Sequence[Figure]:
    """CORR of a model that leans on features, after neutralising it to them not at all, by half, and wholly."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn = world.round(number)
        own = seen(drawn.latent, OWN, stream(world.seed, "own", number).standard_normal(LOADED.ids))
        model, features = blended(drawn.shared, own, LOADED), world.features(drawn)
        scores = [float(corr(neutralize(model, features, proportion=q), drawn.target)) for q in PROPORTIONS]
        return (*scores, *np.square(scores).tolist())

    table = measured(LOADED, one, seed, seasons, rounds=6 * ROUNDS)
    scores = [neutral_corrs(LOADED, OWN, q) for q in PROPORTIONS]
    means = [(1 - LOADED.hard_share) * easy + LOADED.hard_share * hard for easy, hard in scores]
    return (
        *(figure(f"Sharpe ratio, neutralised {q:.0%}", table[:, [k, k + 3]], steadiness, unit="Sharpe ratio",
                 theory=two_point_sharpe(*scores[k], LOADED.hard_share, neutral_luck(LOADED, q)))
          for k, q in enumerate(PROPORTIONS)),
        figure("mean CORR, wholly neutralised beside as it was", table[:, [2, 0]], ratio, theory=means[2] / means[0],
               unit="times"),
    )  # fmt: skip


ROWS = (
    Claim(
        "ratios", "Payouts on Sharpe and Sortino ratios",
        "Paid on its Sharpe or Sortino ratio instead of its score, a model is paid for being steady.", ("F93#18",),
        ratios,
        "Two models have the same mean CORR. The edge of the calm one changes a little from era to era; the swinging "
        "one is right in seven eras of ten and wrong by as much in three. Both are paid by the last 20 eras: a tenth "
        "of the ratio of mean to spread, at most a quarter of the stake.",
        "For normal scores the ratio of a window is a noncentral t, which lies a little above the true one; for the "
        "swinging model all is counted out by the number of hard eras in the window.",
        "CORR pays both the same ({0:.2f} times); Sharpe pays the calm one {1:.1%} of its stake a round and the "
        "swinging one {2:.1%}. A model and its inverse net nothing by Sharpe, but {4:.1%} of the stake of one of them "
        "a round by Sortino, without knowing anything: the fairness gate refuses it.",
    ),
    Claim(
        "neutralisation", "Neutral to the features",
        "A model neutralised to the features earns less on average, but more steadily.", ("F93#12", "F93#14"), neutral,
        "Half of a model's variance is a sum of features that are right in seven eras of ten and wrong in three; the "
        "other half is its own, weaker but as good in every era. It is scored as it is, and neutralised to the "
        "features by half and wholly.",
        "What is left of the model after taking out the features, era by era, is a normal signal of known correlation "
        "with the truth.",
        "Neutralising wholly leaves {3:.0%} of the mean CORR and raises its Sharpe ratio from {0:.2f} to {2:.2f} an "
        "era (halfway: {1:.2f}): what is taken out is what swings. Were the features always right, it "
        "would only cost.",
    ),
)  # fmt: skip
