"""Agents: ways to take part beside a crowd, as functions of the era. What they want is to be paid.

Attackers are given more than they could know: the crowd's metamodel as it will be, what all models have in common. A
rule that withstands them withstands those who have to guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.crowds import Drawn, World, blended, seen
from crowdalpha.scoring.metamodel import metamodel

CLONES = 5
"""Models that the splitter has instead of one."""
Choice = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What an agent sees of a round: the era, the crowd's metamodel (n_ids,), and an honest model of its own."""

    drawn: Drawn
    metamodel: Floats
    own: Floats
    random: np.random.Generator


@dataclass(frozen=True, slots=True)
class Agent:
    """A way to take part: `predicts` gives a column for each of its models, and they share its stake equally.

    `stake` is what it stakes for each coin of the crowd. `against` is what its profit is measured by: nothing at all,
    for whoever needs no knowledge, or the profit of an honest agent with the same model. `chooses` picks among the
    multipliers that a rule offers; by default all are tried and the one that pays best is reported. `documented` says
    why what it earns is known and accepted.
    """

    name: str
    says: str
    predicts: Callable[[View], Sequence[Floats]]
    stake: float = 0.05
    against: Literal["nothing", "honesty"] = "nothing"
    chooses: Callable[[Sequence[Choice]], Sequence[Choice]] = field(default=tuple)
    documented: str = ""


def view(world: World, number: int) -> View:
    """What agents see of a round of a world."""
    drawn = world.round(number)
    stakes = np.array(list(world.stakes.values()), np.int64)
    random = stream(world.seed, "agent", number)
    skill = float(np.mean(world.shape.own_edge))
    own = seen(drawn.latent, skill, random.standard_normal(world.shape.ids))
    return View(drawn, metamodel(drawn.era.predictions, stakes), blended(drawn.shared, own, world.shape), random)


def _default(choices: Sequence[Choice]) -> Sequence[Choice]:
    return choices[:1]


def _most_mmc(choices: Sequence[Choice]) -> Sequence[Choice]:
    """The choice in which MMC weighs most beside CORR."""
    return [max(choices, key=lambda choice: choice[1] - choice[0])]


_ROWS = (
    Agent("honest", "An average model of the crowd, as it is.", lambda seen: [seen.own], against="honesty"),
    Agent("inverter", "An average model turned round: 1-p.", lambda seen: [-seen.own]),
    Agent("pair", "A model p and its inverse 1-p, the same stake on both.", lambda seen: [seen.own, -seen.own]),
    Agent(
        "copier",
        "A copy of the metamodel.",
        lambda seen: [seen.metamodel],
        documented="whoever copies the crowd is paid for what it knows already",
    ),
    Agent(
        "splitter",
        f"An average model, handed in {CLONES} times with a {CLONES}th of the stake on each.",
        lambda seen: [seen.own] * CLONES,
        against="honesty",
    ),
    Agent("giant", "An average model with four times the stake of the whole crowd.", lambda seen: [seen.own], 4.0,
          against="honesty"),
    Agent("noise", "Random numbers.", lambda seen: [seen.random.standard_normal(len(seen.own))]),
    Agent("contrarian", "A bet against what all models have in common: it wins in hard eras.",
          lambda seen: [-seen.drawn.shared]),
    Agent("chooser", "An average model paid by the choice with the most MMC, instead of the default.",
          lambda seen: [seen.own], against="honesty", chooses=_most_mmc,
          documented="a rule that offers a choice pays whoever chooses well"),
)  # fmt: skip
AGENTS: Mapping[str, Agent] = {row.name: row for row in _ROWS}
"""Every agent by name."""
