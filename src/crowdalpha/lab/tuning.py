"""Tuning: payout designs and bags, drawn from a space and measured on simulated crowds by what one wants of them.

Two crowds are scored once for each kind of bags, and serve all designs: one that knows something, in which stakes
compound, for the metamodel and for honest models; and one in which nobody knows what others do not, beside which
attacks are played. A design pays every score alike, whatever else is at risk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial
from crowdalpha.lab.agents import AGENTS, Agent, View
from crowdalpha.lab.chance import Floats, interval, stream
from crowdalpha.lab.contests import UNINFORMED, Contest, Told, Trial, contests
from crowdalpha.lab.crowds import Shape
from crowdalpha.lab.fronts import Goal, front, goals_of
from crowdalpha.lab.rounds import places
from crowdalpha.lab.thriving import Crowd, Thriving, thrive
from crowdalpha.lab.verdicts import SURE
from crowdalpha.payouts.designs import Design
from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.tournament.scoringday import Scored

FEWEST = 10
"""Seasons below which an attack that earns nothing wins them all more often than `SURE` allows."""
HONEST = AGENTS["honest"]
NO_ATTACKS = ("honest", "crowder", "noise")


def both_ways(seen: View) -> Sequence[Floats]:
    """Random numbers and their inverse: expected to earn what random numbers do, with much less luck in it."""
    (found,) = AGENTS["noise"].predicts(seen)
    return [found, -found]


ATTACKS: tuple[Agent, ...] = (
    replace(AGENTS["noise"], predicts=both_ways),
    *(agent for agent in AGENTS.values() if not (agent.documented or agent.name in NO_ATTACKS)),
)
"""Those that may convict: what the others earn is documented, and a design has no payout factor to crowd."""


@dataclass(frozen=True, slots=True)
class Bagging:
    """So many bags of a fraction of the stakers each."""

    bags: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Space:
    """What is searched: the values that each part of a design may have; `kinds` is how many kinds of bags are tried."""

    bags: tuple[int, ...] = (5, 20, 40)
    fractions: tuple[float, ...] = (0.33, 0.5, 0.67, 0.85, 1.0)
    corr: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    mmc: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
    clips: tuple[float, ...] = (0.02, 0.05, 0.1, 0.25)
    hard_eras: tuple[float, ...] = (1.0, 1.15, 1.3, 1.5, 2.0)
    floors: tuple[float | None, ...] = (None,)
    kinds: int = 4


@dataclass(frozen=True, slots=True)
class Search:
    """A search: so many designs of a space, on seasons of a crowd of this shape and beside attacks, from one seed."""

    designs: int = 60
    seasons: int = 12
    rounds: int = 20
    shape: Shape = field(default_factory=Shape)
    space: Space = field(default_factory=Space)
    seed: object = "0"

    def __post_init__(self) -> None:
        """Refuse what cannot be searched."""
        refuse_if_any(_problems(self))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A design with its bags, and its figures by goal; `attacker` is the attack that may earn most.

    `metamodel` and `steady` have 99% intervals over seasons in `between`. What attacks earn is counted in swings, the
    standard deviation of what a round pays an honest model, `swing`, of its stake: so that a design is not taken for
    safe because it pays little. `convicted` names the attacks that surely earn, beyond `SURE`.
    """

    design: Design
    bagging: Bagging
    figures: Mapping[str, float]
    between: Mapping[str, tuple[float, float]]
    swing: float
    attacker: str
    convicted: tuple[str, ...]

    @property
    def safe(self) -> bool:
        """Whether no attack surely earns."""
        return not self.convicted

    def numbers(self) -> dict[str, object]:
        """The candidate as plain data."""
        return asdict(self) | {"safe": self.safe}


@dataclass(frozen=True, slots=True)
class Tuned:
    """All candidates, and those that none is better than by all goals, the safe ones first."""

    goals: tuple[Goal, ...]
    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]

    @property
    def safe(self) -> tuple[Candidate, ...]:
        """The safe part of the front."""
        return tuple(each for each in self.front if each.safe)


def tune(
    search: Search,
    goals: Sequence[str] = (),
    *,
    executor: Executor | None = None,
    told: Told = lambda done, all: None,
) -> Tuned:
    """Draw designs from a space, measure each, and keep those that none is better than.

    Refused with code `unknown_goal` before anything is played. The same seed finds the same, on any executor.
    """
    wanted, drawn = goals_of(goals), draw(search)
    executor, found, steps = executor or Serial(), [], 2 * search.seasons * len(drawn)
    for number, (bagging, designs) in enumerate(drawn.items()):
        start = 2 * search.seasons * number
        crowd = Crowd(search.shape, search.rounds, bagging.bags, bagging.fraction, search.seed)
        thriving = thrive(crowd, designs, search.seasons, executor, lambda done, all, s=start: told(s + done, steps))  # type: ignore[misc]
        trial = _trial(search, bagging)
        middle = start + search.seasons
        played = contests(
            (HONEST, *ATTACKS),
            trial,
            executor=executor,
            told=lambda done, all, s=middle: told(s + done, steps),  # type: ignore[misc]
        )
        scored = [Attacked.of(each) for each in played]
        found += [_candidate(design, bagging, thriving[k], scored) for k, design in enumerate(designs)]
    best = sorted(front(found, wanted), key=lambda each: (not each.safe, each.figures["attack"]))
    return Tuned(wanted, tuple(found), tuple(best))


def _trial(search: Search, bagging: Bagging) -> Trial:
    """What attacks play: beside a crowd in which nobody knows what others do not."""
    shape = replace(search.shape, own_edge=UNINFORMED.own_edge)
    size = {"seasons": search.seasons, "rounds": search.rounds, "bags": bagging.bags}
    return Trial(shape, **size, seed=f"{search.seed}/attacks", fraction=bagging.fraction, metrics=("corr", "mmc2"))


def draw(search: Search) -> dict[Bagging, list[Design]]:
    """The designs of a search, by their bags: all different, shared out evenly."""
    random, space = stream(search.seed, "tune"), search.space
    kinds = [Bagging(*pair) for pair in product(space.bags, space.fractions)]
    chosen = [kinds[k] for k in sorted(random.permutation(len(kinds))[: space.kinds].tolist())]
    every = list(_designs(space))
    found: dict[Bagging, list[Design]] = {}
    for k, bagging in enumerate(chosen):
        count = len(range(k, search.designs, len(chosen)))
        found[bagging] = [every[i] for i in random.permutation(len(every))[:count].tolist()]
    return {bagging: designs for bagging, designs in found.items() if designs}


@dataclass(frozen=True, slots=True, eq=False)
class Attacked:
    """The scores of an agent's models, (n_seasons, n_rounds, n_models), and of the crowd, (n_seasons, n_rounds, 1)."""

    agent: Agent
    corr: Floats
    mmc: Floats
    crowd: Floats

    @classmethod
    def of(cls, found: Contest) -> Attacked:
        """Those of a contest of an agent that splits its stake equally."""
        corr, mmc = (
            np.array([[_own(each, metric, found.own) for each in season] for season in found.seasons])
            for metric in ("corr", "mmc2")
        )
        crowd = np.array([[[each.crowd["corr"]] for each in season] for season in found.seasons])
        return cls(found.agent, corr, mmc, crowd)

    def profits(self, design: Design) -> Floats:
        """What the agent is paid a round, of its stake, (n_seasons,): that of `contests.profits`, but for rounding."""
        crowd = np.broadcast_to(self.crowd, self.corr.shape)
        paid = design.policy().payouts(np.ones_like(self.corr), self.corr, self.mmc, metamodel_corr=crowd)
        return np.asarray(paid.mean(axis=(1, 2)))


def _own(scored: Scored, metric: str, names: tuple[str, ...]) -> Floats:
    """A score of the agent's models in a round, whoever of the crowd stays away."""
    return scored.scores[metric][places(names, scored.models)]


def _candidate(design: Design, bagging: Bagging, thriving: Thriving, played: Sequence[Attacked]) -> Candidate:
    swing = float(np.sqrt(np.mean(np.square(thriving.swing))))
    spans = {name: interval(earned, confidence=SURE) for name, earned in _earned(design, played).items()}
    worst = max(spans, key=lambda name: spans[name][2])
    figures, between = {"attack": spans[worst][2] / swing if swing else 0.0}, {}
    for name, values in (("metamodel", thriving.gain), ("steady", thriving.steady)):
        figures[name], *ends = interval(values)
        between[name] = (ends[0], ends[1])
    guilty = tuple(sorted(name for name, (_, low, _) in spans.items() if low > 0))
    return Candidate(design, bagging, figures, between, swing, worst, guilty)


def _earned(design: Design, played: Sequence[Attacked]) -> dict[str, Floats]:
    """What each attack earns beyond what it is measured by, season by season."""
    honest, *attacks = played
    usual = honest.profits(design)
    return {
        each.agent.name: each.profits(design) - (usual if each.agent.against == "honesty" else 0) for each in attacks
    }


def _designs(space: Space) -> Iterator[Design]:
    """All that differ: where MMC has no weight, hard eras weigh nothing."""
    for corr, mmc, clip, hard_era, floor in product(space.corr, space.mmc, space.clips, space.hard_eras, space.floors):
        if mmc or (corr and hard_era == space.hard_eras[0]):
            yield Design(choices=((corr, mmc),), clip=clip, hard_era=hard_era if mmc else 1.0, floor=floor)


def _problems(search: Search) -> Iterator[Problem]:
    sizes = search.designs, search.space.kinds, search.rounds, search.seasons
    if min(sizes) < 1 or search.rounds < 2 or search.seasons < FEWEST:
        expected = f"a design and a kind of bags, 2 rounds and {FEWEST} seasons, or more"
        fix = "a Sharpe ratio needs two rounds; in fewer seasons an attack may win every one by luck"
        yield Problem("bad_search", expected, ", ".join(map(str, sizes)), fix)
