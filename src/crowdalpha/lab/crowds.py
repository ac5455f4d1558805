"""Crowds from one seed: signals, what models have in common, easy and hard eras, stakes, who is there and who is not.

    y ~ N(0, 1)                                     what will come true; the target is y in bins
    g = e y + sqrt(1 - e^2) z                       what all models see; e is `edge`, in hard eras -`edge`
    o_j = a_j y + sqrt(1 - a_j^2) z_j               what only model j sees
    p_j = sqrt(c) g + sqrt(1 - c) o_j               c is `shared`

In a hard era the crowd is wrong together, while each model's own part stays as good as it was. What all models see is
made of features: g is their sum, weighted alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.scoring.kernels import column_blocks
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.tournament.money import UNITS

SMALLEST_STAKE, LARGEST_STAKE = 10, 5_000
"""Coins that a model of the crowd stakes."""
IN_CACHE = 2**14
"""Predictions that are drawn at a time: they stay in a core's cache until they are done."""
FEATURES = 4
"""Features that the shared signal is made of."""
SPREAD = (0.05, 0.2, 0.5, 0.2, 0.05)
"""Shares of the bins of a target since Nomi [SPEC 2]."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a crowd is like: how many models and ids, how good, how alike, how often wrong together.

    `edge` and `own_edge` (from, to) are correlations with what will come true, `shared` the part of a model's variance
    that all have in common, `hard_share` the probability of a hard era, `tail` the Pareto exponent of stakes (0: all
    stake the same), `bins` the shares of the target's values, which go from 0 to `top` in equal steps.

    Spells: with probability `lasting` an era is as hard or easy as the one before, else that is drawn anew. A model
    takes part with probability `present`; with probability `staying` it does what it did the round before. `memory` is
    the correlation of the metamodel with its ranking of the same ids a round ago.
    """

    models: int = 30
    ids: int = 300
    edge: float = 0.1
    own_edge: tuple[float, float] = (0.0, 0.05)
    shared: float = 0.5
    hard_share: float = 0.4
    tail: float = 1.2
    bins: tuple[float, ...] = SPREAD
    top: float = 1.0
    lasting: float = 0.0
    present: float = 1.0
    staying: float = 0.0
    memory: float = 0.6

    def __post_init__(self) -> None:
        """Refuse what is no correlation, no probability, or too few to be a crowd."""
        refuse_if_any(_problems(self))


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An era of a simulated crowd, and what nobody in it knows: `shared` is g (n_ids,), `hard` whether it misleads."""

    era: Era
    latent: Floats
    shared: Floats
    hard: bool

    @property
    def target(self) -> Floats:
        """What came true, in bins, (n_ids,)."""
        return np.asarray(self.era.given("target"))


@dataclass(frozen=True)
class World:
    """A crowd of a shape from a seed: the same in every round, its eras drawn anew.

    >>> world = World(Shape(models=3, ids=20), seed=1)
    >>> world.models, next(world.rounds(1)).era.predictions.shape
    (('m000', 'm001', 'm002'), (20, 3))
    """

    shape: Shape
    seed: object = 0

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The names of the crowd's models, sorted."""
        return tuple(f"m{j:03d}" for j in range(self.shape.models))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of an era, sorted."""
        return tuple(f"i{k:06d}" for k in range(self.shape.ids))

    @cached_property
    def skills(self) -> Floats:
        """How good each model's own part is, (n_models,)."""
        return stream(self.seed, "skills").uniform(*self.shape.own_edge, self.shape.models)

    @cached_property
    def stakes(self) -> Mapping[str, int]:
        """What each model stakes, in whole units: Pareto, cut at the largest, in whole coins."""
        coins = np.full(self.shape.models, float(SMALLEST_STAKE))
        if self.shape.tail:
            coins *= (1.0 - stream(self.seed, "stakes").random(self.shape.models)) ** (-1.0 / self.shape.tail)
        whole = np.minimum(np.rint(coins), LARGEST_STAKE).astype(np.int64)
        return dict(zip(self.models, (whole * UNITS).tolist(), strict=True))

    def rounds(self, count: int) -> Iterator[Drawn]:
        """The first so many eras."""
        return (self.round(number) for number in range(1, count + 1))

    def round(self, number: int) -> Drawn:
        """The era of a number, counted from 1: it depends on no other."""
        random, shape = stream(self.seed, "round", number), self.shape
        hard = bool(random.random() < shape.hard_share)
        if shape.lasting:
            hard = bool(spells(self.seed, "hard", number, shape.hard_share, shape.lasting)[0])
        latent = random.standard_normal(shape.ids)
        shared = seen(latent, -shape.edge if hard else shape.edge, random.standard_normal(shape.ids))
        predictions = self._predictions(random, latent, shared)
        if shape.present < 1:
            predictions[:, ~self.there(number)] = np.nan
        target = shape.top * binned(latent, shape.bins)
        return Drawn(Era(predictions, target, label=number, ids=self.ids, models=self.models), latent, shared, hard)

    def _predictions(self, random: np.random.Generator, latent: Floats, shared: Floats) -> Floats:
        """What all models predict, (n_ids, n_models): `blended` of what is `seen`, a few ids at a time."""
        shape, out = self.shape, np.empty((self.shape.ids, self.shape.models))
        for ids in column_blocks(shape.ids, max(1, IN_CACHE // shape.models)):
            some = random.standard_normal(out=out[ids])
            some *= np.sqrt(1.0 - np.square(self.skills))
            some += latent[ids, None] * self.skills
            some *= np.sqrt(1.0 - shape.shared)
            some += (np.sqrt(shape.shared) * shared[ids])[:, None]
        return out

    def there(self, number: int) -> NDArray[np.bool_]:
        """Which models take part in a round, (n_models,): the first one always, so that there is a crowd."""
        shape = self.shape
        if shape.present == 1:
            return np.ones(shape.models, bool)
        there = spells(self.seed, "there", number, shape.present, shape.staying, shape.models)
        there[0] = True
        return there

    def features(self, drawn: Drawn) -> Floats:
        """What the shared signal of an era is made of, (n_ids, n_features): sum(features) = sqrt(n_features) g."""
        random = stream(self.seed, "features", drawn.era.label)
        rest = random.standard_normal((self.shape.ids, FEATURES))
        return np.asarray(rest - rest.mean(axis=1, keepdims=True) + drawn.shared[:, None] / np.sqrt(FEATURES))


def spells(seed: object, what: str, number: int, share: float, lasting: float, count: int = 1) -> NDArray[np.bool_]:
    """What holds in a round, (count,): with probability `lasting` what held in the round before, else drawn anew.

    What is drawn holds with probability `share`; k rounds apart it is correlated by lasting^k.
    """
    held, open = np.zeros(count, bool), np.ones(count, bool)
    for earlier in range(number, 0, -1):
        anew, luck = stream(seed, what, earlier).random((2, count))
        drawn = open & ((anew >= lasting) | (earlier == 1))
        held[drawn] = luck[drawn] < share
        open &= ~drawn
        if not open.any():
            break
    return held


def seen(latent: Floats, edge: Floats | float, noise: Floats) -> Floats:
    """What is seen of the truth through noise: of variance 1, with `edge` as its correlation with it."""
    return np.asarray(edge * latent + np.sqrt(1.0 - np.square(edge)) * noise)


def blended(shared: Floats, own: Floats, shape: Shape) -> Floats:
    """What a model predicts: what all see and what only it sees."""
    return np.asarray(np.sqrt(shape.shared) * shared + np.sqrt(1.0 - shape.shared) * own)


def binned(latent: Floats, shares: tuple[float, ...]) -> Floats:
    """The target: the values 0 to 1 in equal steps, in these shares, in the order of what came true.

    >>> binned(np.array([3.0, 1.0, 2.0, 4.0]), (0.5, 0.5))
    array([1., 0., 0., 1.])
    """
    place = (np.argsort(np.argsort(latent)) + 0.5) / len(latent)
    return np.asarray(np.searchsorted(np.cumsum(shares)[:-1], place) / (len(shares) - 1))


def _problems(shape: Shape) -> Iterator[Problem]:
    fix = "see the fields of crowdalpha.lab.crowds.Shape"
    if shape.models < 1 or shape.ids < 2:
        yield Problem("bad_shape", "1 model or more, 2 ids or more", f"{shape.models}, {shape.ids}", fix, "shape")
    parts = {
        "edge": (shape.edge,),
        "shared": (shape.shared,),
        "hard_share": (shape.hard_share,),
        "bins": shape.bins,
        "lasting, present, staying, memory": (shape.lasting, shape.present, shape.staying, shape.memory),
    }
    for name, values in parts.items():
        if not all(0 <= value <= 1 for value in values):
            yield Problem("bad_shape", f"{name} from 0 to 1", f"{values}", fix, "shape")
    if not all(-1 <= value <= 1 for value in shape.own_edge) or not shape.top > 0:
        yield Problem("bad_shape", "own_edge from -1 to 1, top above 0", f"{shape.own_edge}, {shape.top}", fix, "shape")
    if len(shape.bins) < 2 or abs(sum(shape.bins) - 1) > 1e-9 or shape.tail < 0:
        yield Problem(
            "bad_shape", "two bins or more that add up to 1, a tail of 0 or more", f"{shape.bins}, {shape.tail}", fix
        )
