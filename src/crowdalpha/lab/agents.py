"""Agents: ways to take part beside a crowd, as functions of the era. What they want is to be paid.

Attackers are given more than they could know: the crowd's metamodel as it will be, what all models have in common. A
rule that withstands them withstands those who have to guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, SupportsIndex

import numpy as np

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.crowds import Drawn, World, blended, seen
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.scoring.ranks import gaussianize

CLONES = 5
"""Models that the splitter and the cloner have instead of one."""
CROWDING = 1_000.0
"""What the crowder stakes for each coin of the crowd: enough to make every payout factor fall."""
Choice = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What an agent sees of a round: the era, the crowd's metamodel (n_ids,), and an honest model of its own.

    `faded` is what is left of the metamodel by the next round, `features` (n_ids, n_features) what the crowd's common
    signal is made of.
    """

    drawn: Drawn
    metamodel: Floats
    own: Floats
    random: np.random.Generator
    faded: Floats
    features: Floats


def equally(paid: Floats) -> Floats:
    """The same share of the stake on every model, whatever they were paid, (n_rounds, n_models)."""
    return np.full(paid.shape[1], 1.0 / paid.shape[1])


def on_the_best(paid: Floats) -> Floats:
    """All of the stake on the model that was paid most for a coin so far; on all alike before anything was paid.

    >>> on_the_best(np.array([[0.01, -0.02, 0.03]])).tolist()
    [0.0, 0.0, 1.0]
    """
    if not len(paid):
        return equally(paid)
    best: Floats = np.zeros(paid.shape[1])
    best[int(np.argmax(paid.sum(axis=0)))] = 1.0
    return best


@dataclass(frozen=True, slots=True)
class Agent:
    """A way to take part: `predicts` gives a column for each of its models, and they share its stake equally.

    `stake` is what it stakes for each coin of the crowd. `against` is what its profit is measured by: nothing at all,
    for whoever needs no knowledge, or the profit of an honest agent with the same model. `chooses` picks among the
    multipliers that a rule offers; by default all are tried and the one that pays best is reported. `documented` says
    why what it earns is known and accepted.

    `allots` splits the stake over its models anew in every round, by what each was paid for a coin in the rounds that
    have resolved by then, (n_resolved, n_models): an agent learns from what it can know. Scores are those of equal
    shares; a learner's stake is too small to move the metamodel.
    """

    name: str
    says: str
    predicts: Callable[[View], Sequence[Floats]]
    stake: float = 0.05
    against: Literal["nothing", "honesty"] = "nothing"
    chooses: Callable[[Sequence[Choice]], Sequence[Choice]] = field(default=tuple)
    documented: str = ""
    allots: Callable[[Floats], Floats] = equally

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Those of AGENTS are pickled by name: what they do is no data."""
        known = AGENTS.get(self.name) is self
        return (known_agent, (self.name,)) if known else object.__reduce_ex__(self, protocol)


def view(world: World, number: int) -> View:
    """What agents see of a round of a world.

    Eras of a world have nothing to do with each other, so an earlier metamodel would be mere noise. Where ids stay, a
    ranking fades from round to round, and `memory` says how fast: what is left of today's is today's with as much
    noise as that takes. It keeps its share of what the metamodel knows, more than a real leftover would.
    """
    drawn = world.round(number)
    stakes = np.array(list(world.stakes.values()), np.int64)
    random = stream(world.seed, "agent", number)
    skill = float(np.mean(world.shape.own_edge))
    own = seen(drawn.latent, skill, random.standard_normal(world.shape.ids))
    crowd = metamodel(drawn.era.predictions, stakes)
    noise = stream(world.seed, "faded", number).standard_normal(world.shape.ids)
    faded = seen(gaussianize(crowd), world.shape.memory, noise)
    return View(drawn, crowd, blended(drawn.shared, own, world.shape), random, faded, world.features(drawn))


def _most_mmc(choices: Sequence[Choice]) -> Sequence[Choice]:
    """The choice in which MMC weighs most beside CORR."""
    return [max(choices, key=lambda choice: choice[1] - choice[0])]


_FOLLOWS = "whoever follows the crowd is paid for what it knows already"
_ROWS = (
    Agent("honest", "An average model of the crowd, as it is.", lambda seen: [seen.own], against="honesty"),
    Agent("inverter", "An average model turned round: 1-p.", lambda seen: [-seen.own]),
    Agent("pair", "A model p and its inverse 1-p, the same stake on both.", lambda seen: [seen.own, -seen.own]),
    Agent("copier", "A copy of the metamodel.", lambda seen: [seen.metamodel],
          documented=_FOLLOWS),
    Agent("laggard", "A copy of the metamodel of a round ago, which resembles that of today.",
          lambda seen: [seen.faded], documented=_FOLLOWS),
    Agent("splitter", f"An average model, handed in {CLONES} times with a {CLONES}th of the stake on each.",
          lambda seen: [seen.own] * CLONES, against="honesty"),
    Agent("cloner", f"An average model, handed in {CLONES} times with a whole stake on each.",
          lambda seen: [seen.own] * CLONES, 0.05 * CLONES, against="honesty"),
    Agent("giant", "An average model with four times the stake of the whole crowd.", lambda seen: [seen.own], 4.0,
          against="honesty", documented="who is most of the crowd is measured by himself, and hardly burns"),
    Agent("noise", "Random numbers.", lambda seen: [seen.random.standard_normal(len(seen.own))]),
    Agent("contrarian", "A bet against what all models have in common: it wins in hard eras.",
          lambda seen: [-seen.drawn.shared]),
    Agent("loader", "All on one of the features that the crowd's common signal is made of.",
          lambda seen: [seen.features[:, 0]], documented=_FOLLOWS),
    Agent("chooser", "An average model paid by the choice with the most MMC, instead of the default.",
          lambda seen: [seen.own], against="honesty", chooses=_most_mmc,
          documented="a rule that offers a choice pays whoever chooses well"),
    Agent("crowder", f"A model and its inverse with {CROWDING:,.0f} times the stake of the crowd, so that the payout "
          "factor falls.", lambda seen: [seen.own, -seen.own], CROWDING),
    Agent("learner", "An own model, the crowd's common signal and a bet against it: the stake goes where most was "
          "paid so far.", lambda seen: [seen.own, seen.drawn.shared, -seen.drawn.shared], allots=on_the_best,
          documented="it learns to follow the crowd, and is paid for what all know already"),
)  # fmt: skip
AGENTS: Mapping[str, Agent] = {row.name: row for row in _ROWS}
"""Every agent by name."""


def known_agent(name: str) -> Agent:
    """The agent of a name."""
    return AGENTS[name]
