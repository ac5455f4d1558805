"""The claims of the announcement's thread, each as an experiment: what theory says beside what a simulated crowd does.

An experiment plays seasons that are alike and independent; a figure is a mean over them, or a ratio of two means, with
its bootstrap interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.lab.chance import Floats, interval, stream
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.theory import average_contribution, magnitude
from crowdalpha.payouts import blend_corr, blend_weights, contrarian_profit, hard_era_coefficient
from crowdalpha.scoring import corr, draw_bags, metamodel, mmc2, rank_models
from crowdalpha.scoring.problems import InputError, Problem

SEASONS, ROUNDS, BAGS = 24, 10, 20
CONFIDENCE = 0.99
"""Confidence of intervals: there are ten of them, and one in a hundred misses by luck."""
EASY = Shape(models=20, ids=200, edge=0.2, hard_share=0.0)
MIXED = Shape(models=20, ids=200, edge=0.5, own_edge=(0.0, 0.0), shared=0.3)
ALIKE = Shape(models=100, ids=500, edge=0.25, own_edge=(0.0, 0.0), hard_share=0.0, tail=0.0)
BLIND = Shape(models=20, ids=200, edge=0.0, own_edge=(0.0, 0.0))
STRONG, WEAK = 0.3, 0.1
"""Correlations of the blended signals: those of the thread, .03 and .01, ten times as large."""
COEFFICIENTS = (1.5, 1.3, 1.0)
"""Hard-era coefficients that the thread weighs."""
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a claim: `simulated` with the ends of its interval, and what theory says (None: no closed form)."""

    what: str
    simulated: float
    low: float
    high: float
    theory: float | None = None

    @property
    def holds(self) -> bool:
        """Whether theory's value lies in the interval, but for rounding."""
        return self.theory is None or self.low - ROUNDING <= self.theory <= self.high + ROUNDING


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, where it was made, and the experiment: from a seed and a number of seasons to its figures."""

    name: str
    says: str
    source: str
    experiment: Callable[[object, int], Iterable[Figure]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an experiment found."""

    claim: Claim
    figures: tuple[Figure, ...]

    @property
    def holds(self) -> bool:
        """Whether every figure agrees with theory."""
        return all(figure.holds for figure in self.figures)


def run(names: Sequence[str] = (), *, seed: object = 0, seasons: int = SEASONS) -> Iterator[Finding]:
    """Run the experiments of these names, or all, from a seed.

    Refused with code `unknown_claim` if there is none of a name.
    """
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        fix = "see `crowdalpha lab claims`"
        raise InputError(Problem("unknown_claim", f"one of {', '.join(CLAIMS)}", ", ".join(unknown), fix, "claim"))
    for claim in (CLAIMS[name] for name in names or CLAIMS):
        yield Finding(claim, tuple(claim.experiment(f"{seed}/{claim.name}", seasons)))


def inverse(seed: object, seasons: int) -> Sequence[Figure]:
    """MMC2 of p and of 1-p, both staked: they add up to nothing, to the bit."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn = world.round(number)
        first = drawn.era.predictions[:, :1]
        predictions = np.hstack([drawn.era.predictions, -first])
        stakes = np.array([*world.stakes.values(), next(iter(world.stakes.values()))])
        bags = draw_bags(stakes, n_bags=BAGS, seed=str(number))
        scores = mmc2(predictions, stakes, drawn.target, bags=bags)
        return float(scores[0] + scores[-1]), abs(float(scores[0]))

    table = _table(EASY, one, seed, seasons)
    sums, sizes = interval(table[:, 0], confidence=CONFIDENCE), interval(table[:, 1], confidence=CONFIDENCE)
    return Figure("MMC2 of p and of 1-p together", *sums, theory=0.0), Figure("size of one of them", *sizes)


def copy(seed: object, seasons: int) -> Sequence[Figure]:
    """MMC2 of a copy of the metamodel, against the metamodel itself and against those of bags."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), np.array(list(world.stakes.values()))
        copied = metamodel(drawn.era.predictions, stakes)
        predictions = np.column_stack([drawn.era.predictions, copied])
        stakes = np.append(stakes, 0)
        bags = draw_bags(stakes, n_bags=BAGS, seed=str(number))
        scores = [mmc2(predictions, stakes, drawn.target, bags=each)[-1] for each in (None, bags)]
        return (*map(float, scores), float(corr(copied, drawn.target)))

    table = _table(EASY, one, seed, seasons)
    without, bagged = (interval(table[:, k], confidence=CONFIDENCE) for k in (0, 1))
    share = interval(table[:, 1:], _ratio, confidence=CONFIDENCE)
    return (
        Figure("MMC2 of a copy, un-bagged", *without, theory=0.0),
        Figure(f"MMC2 of a copy, {BAGS} bags", *bagged),
        Figure("the same beside its CORR", *share),
    )


def size(seed: object, seasons: int) -> Sequence[Figure]:
    """The closed form of MMC2 against one metamodel: how many times CORR - rho CORR_M it is."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), np.array(list(world.stakes.values()))
        ranks, target = rank_models(drawn.era.predictions), drawn.target
        pooled = metamodel(ranks, stakes)
        rho = np.corrcoef(ranks.doubled, rank_models(pooled).doubled)[-1, :-1]
        beyond = corr(ranks, target) - rho * corr(pooled, target)
        return float(np.abs(mmc2(ranks, stakes, target)).sum()), float(np.abs(beyond).sum())

    found = interval(_table(EASY, one, seed, seasons), _ratio, confidence=CONFIDENCE)
    return (Figure("MMC2 beside CORR - rho x CORR of the metamodel", *found, theory=magnitude(EASY)),)


def hard_eras(seed: object, seasons: int) -> Iterator[Figure]:
    """What a bet against the crowd's common signal earns by MMC, in units of its size, by hard-era coefficient."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), np.array(list(world.stakes.values()))
        predictions = np.column_stack([drawn.era.predictions, -drawn.shared])
        score = float(mmc2(predictions, np.append(stakes, 0), drawn.target)[-1])
        own = float(corr(metamodel(drawn.era.predictions, stakes), drawn.target))
        paid = [float(hard_era_coefficient(score, own, coefficient)) for coefficient in COEFFICIENTS]
        return (*paid, score if drawn.hard else -score)

    table = _table(MIXED, one, seed, seasons, rounds=6 * ROUNDS)
    for k, coefficient in enumerate(COEFFICIENTS):
        found = interval(table[:, [k, -1]], _ratio, confidence=CONFIDENCE)
        theory = contrarian_profit(coefficient, 1 - MIXED.hard_share)
        yield Figure(f"coefficient {coefficient:g} at 60/40", *found, theory=theory)


def average_user(seed: object, seasons: int) -> Sequence[Figure]:
    """What 2 x MMC pays the average coin beside what CORR pays it, un-bagged."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), np.array(list(world.stakes.values()))
        ranks = rank_models(drawn.era.predictions)
        shares = stakes / stakes.sum()
        return float(shares @ mmc2(ranks, stakes, drawn.target)), float(shares @ corr(ranks, drawn.target))

    table = _table(ALIKE, one, seed, seasons)
    found = interval(table, lambda means: 2 * _ratio(means), confidence=CONFIDENCE)
    return (Figure("2 x MMC of the average coin beside its CORR", *found, theory=2 * average_contribution(ALIKE)),)


def noise(seed: object, seasons: int) -> Sequence[Figure]:
    """What random numbers score: nothing on average, with a spread of k / sqrt(n - 1), if the crowd is blind too."""

    def one(world: World, number: int) -> tuple[float, ...]:
        drawn, stakes = world.round(number), np.array(list(world.stakes.values()))
        random = stream(world.seed, "noise", number).standard_normal((BLIND.ids, 20))
        predictions = np.hstack([drawn.era.predictions, random])
        scores = mmc2(predictions, np.append(stakes, np.zeros(20, int)), drawn.target)[-20:]
        return float(scores.mean()), float(np.square(scores).mean())

    table = _table(BLIND, one, seed, seasons)
    mean = interval(table[:, 0], confidence=CONFIDENCE)
    spread = interval(table[:, 1], lambda means: np.sqrt(means[..., 0]), confidence=CONFIDENCE)
    expected = magnitude(BLIND) / np.sqrt(BLIND.ids - 1)
    return Figure("mean", *mean, theory=0.0), Figure("spread", *spread, theory=float(expected))


def blend(seed: object, seasons: int) -> Sequence[Figure]:
    """How much better the best blend of a strong and a weak independent signal is than the strong one alone."""

    def one(world: World, number: int) -> tuple[float, ...]:
        random = stream(world.seed, "blend", number)
        signals, rest = random.standard_normal((4000, 2)), random.standard_normal(4000)
        truth = signals @ [STRONG, WEAK] + np.sqrt(1 - STRONG**2 - WEAK**2) * rest
        best = signals @ blend_weights([STRONG, WEAK])
        return float(corr(best, truth)), float(corr(signals[:, 0], truth))

    found = interval(_table(EASY, one, seed, seasons), _ratio, confidence=CONFIDENCE)
    theory = blend_corr([STRONG, WEAK]) / STRONG
    return (Figure("CORR of the blend 3:1 beside that of the strong signal", *found, theory=theory),)


Measure = Callable[[World, int], tuple[float, ...]]


def _table(shape: Shape, one: Measure, seed: object, seasons: int, rounds: int = ROUNDS) -> Floats:
    """The mean of what is measured in each round of each season, (n_seasons, n_measures)."""
    worlds = [World(shape, f"{seed}/{season}") for season in range(seasons)]
    return np.array([np.mean([one(world, number) for number in range(1, rounds + 1)], axis=0) for world in worlds])


def _ratio(means: Floats) -> Floats:
    return np.asarray(means[..., 0] / means[..., 1])


_ROWS = (
    Claim("inverse", "The inverse of a model, 1-p, has the opposite MMC2: a pair of both nets nothing.", "F93#1",
          inverse),
    Claim("copy", "A copy of the metamodel scores 0 un-bagged, and a little with bags.", "SPEC 5", copy),
    Claim("size", "MMC2 is k (CORR - rho CORR of the metamodel), of about the magnitude of CORR.", "SPEC 2", size),
    Claim("hard-eras", "At 60 easy eras to 40 hard ones a coefficient of 1.5 lets a contrarian break even; 1.3 is "
          "safe.", "F93#17", hard_eras),
    Claim("average-user", "The average user earns hardly anything by 2 x MMC, whatever CORR pays.", "F220",
          average_user),
    Claim("noise", "Random numbers have an MMC2 of 0 on average.", "SPEC 5", noise),
    Claim("blend", "A weak model that is independent of a strong one is worth having: their best blend beats the "
          "strong one.", "F93#20", blend),
)  # fmt: skip
CLAIMS: Mapping[str, Claim] = {row.name: row for row in _ROWS}
"""Every claim by name."""
