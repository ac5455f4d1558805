"""Contests: seasons that agents play beside a simulated crowd, scored once and settled under any rule.

Stakes stay as they are, so that one scoring serves every rule. A round is drawn and ranked once for all agents: each
plays beside the same crowd, and none beside the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial
from crowdalpha.lab.agents import Agent, Choice, View, view
from crowdalpha.lab.chance import Floats
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.rounds import Staked, fractions, in_order, places, score, seed_of
from crowdalpha.lab.seasons import WEEKLY, master_of
from crowdalpha.scoring.bags import BAG_FRACTION
from crowdalpha.scoring.kernels import single_threaded
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.ranks import Ranks, rank_models
from crowdalpha.simulation.replay import FOLD
from crowdalpha.tournament.payments import payments
from crowdalpha.tournament.rulesets import RuleSet
from crowdalpha.tournament.scoringday import Scored

METRICS = ("corr", "mmc2", "numerai_corr", "mmc2024")
UNINFORMED = Shape(own_edge=(0.0, 0.0))
"""A crowd in which nobody knows what others do not: whoever profits in it profits by the rule."""
Told = Callable[[int, int], None]
Rounds = tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What contests are: so many seasons of so many rounds beside a crowd of a shape, from one seed.

    A round has `bags` bags of a `fraction` of the stakers each, and is scored by `metrics`.
    """

    shape: Shape = UNINFORMED
    seasons: int = 24
    rounds: int = 20
    bags: int = 20
    seed: object = 0
    fraction: float = BAG_FRACTION
    metrics: tuple[str, ...] = METRICS


USUAL = Trial()


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """An agent's seasons beside the crowd: what each model had at risk, and the scores of each round.

    `own` are the names of its models; `seasons` hold the rounds of each season.
    """

    agent: Agent
    own: tuple[str, ...]
    at_risk: tuple[Mapping[str, int], ...]
    seasons: tuple[Rounds, ...]


def contest(agent: Agent, trial: Trial, *, executor: Executor | None = None) -> Contest:
    """An agent's seasons beside the crowd."""
    (found,) = contests([agent], trial, executor=executor)
    return found


def contests(
    agents: Sequence[Agent],
    trial: Trial,
    *,
    executor: Executor | None = None,
    told: Told = lambda done, all: None,
) -> tuple[Contest, ...]:
    """The seasons of each agent, scored by an executor's workers; `told` hears how many of how many seasons are."""
    executor = executor or Serial()
    names = tuple(_names(agent, trial) for agent in agents)
    played: list[list[tuple[Mapping[str, int], Rounds]]] = [[] for _ in range(trial.seasons)]
    shared = executor.share((tuple(agents), names, trial))
    for done, (season, found) in enumerate(executor.run(play_season, range(trial.seasons), shared), 1):
        played[season] = found
        told(done, trial.seasons)
    return tuple(
        Contest(agent, names[k], *zip(*(season[k] for season in played), strict=True)) for k, agent in enumerate(agents)
    )


def play_season(
    season: int, shared: tuple[tuple[Agent, ...], tuple[tuple[str, ...], ...], Trial]
) -> list[tuple[Mapping[str, int], Rounds]]:
    """What a worker does: for each agent, whose models have these names, the stakes of a season and its rounds."""
    agents, names, trial = shared
    world = World(trial.shape, f"{trial.seed}/{season}")
    stakes = [_stakes(agent, world, own) for agent, own in zip(agents, names, strict=True)]
    with single_threaded():
        rounds = [list(_scored(agents, names, stakes, world, number, trial)) for number in range(1, trial.rounds + 1)]
    return list(zip(stakes, zip(*rounds, strict=True), strict=True))


def profits(found: Contest, rules: RuleSet, choice: Choice) -> Floats:
    """What the agent is paid a round under a rule, as a fraction of its stake, (n_seasons,): settled in whole units."""
    played = zip(found.seasons, found.at_risk, strict=True)
    return np.array([_profit(found, rounds, stakes, rules, choice) for rounds, stakes in played])


def _stakes(agent: Agent, world: World, own: Sequence[str]) -> Mapping[str, int]:
    amount = round(agent.stake * sum(world.stakes.values()) / len(own))
    return dict(world.stakes) | dict.fromkeys(own, amount)


def _scored(
    agents: Sequence[Agent],
    names: Sequence[tuple[str, ...]],
    stakes: Sequence[Mapping[str, int]],
    world: World,
    number: int,
    trial: Trial,
) -> Iterator[Scored]:
    """The scores of a round beside each agent in turn."""
    seen, seed = view(world, number), seed_of(number, master_of(world.seed))
    crowd = in_order(seen.drawn.era)
    ranked = rank_models(crowd.predictions)
    for agent, own, at_stake in zip(agents, names, stakes, strict=True):
        era = _joined(crowd, ranked, own, _predicted(agent, seen))
        units = np.array([at_stake[name] for name in era.models], np.int64)
        yield score(era, units, trial.metrics, seed=seed, bags=trial.bags, fraction=trial.fraction)


def _predicted(agent: Agent, seen: View) -> Ranks:
    """What an agent's models predict, ranked; its chance is its own, whoever plays beside it."""
    return rank_models(np.column_stack(agent.predicts(replace(seen, random=deepcopy(seen.random)))))


def _joined(crowd: Era, ranked: Ranks, own: tuple[str, ...], mine: Ranks) -> Era:
    """The era with the models of an agent, whose names come after the crowd's."""
    both: Any = Ranks(
        np.vstack([ranked.doubled, mine.doubled]), np.concatenate([ranked.present, mine.present]), ranked.ties
    )
    return replace(crowd, predictions=both, models=crowd.models + own)


def _profit(found: Contest, rounds: Rounds, stakes: Mapping[str, int], rules: RuleSet, choice: Choice) -> float:
    staked = Staked.of(rules, stakes, dict.fromkeys(found.own, choice))
    mine, treasury, paid = places(found.own, staked.models), FOLD * sum(stakes.values()), 0
    held = staked.amounts[mine].tolist()
    earned = np.empty((len(rounds), len(mine)))
    for number in range(1, len(rounds) + 1):
        there = _there(staked, rounds[number - 1])
        earned[number - 1] = fractions(rules, there, rounds[max(0, number - rules.policy.window) : number])[mine]
        shares = found.agent.allots(earned[: _resolved(number)])
        amounts = [round(sum(held) * share) for share in shares.tolist()]
        paid += sum(payments(amounts, earned[number - 1].tolist(), held, treasury=treasury, rounding=0).paid)
    return paid / (sum(held) * len(rounds))


def _there(staked: Staked, scored: Scored) -> Staked:
    """What those who take part in a round have at risk."""
    if scored.models == staked.models:
        return staked
    amounts, columns = np.zeros_like(staked.amounts), places(scored.models, staked.models)
    amounts[columns] = staked.amounts[columns]
    return staked.with_amounts(amounts)


@cache
def _resolved(number: int) -> int:
    """How many rounds have resolved when a round closes."""
    closes = WEEKLY.round(number, "corr").close_time
    return sum(WEEKLY.round(k, "corr").resolve_time <= closes for k in range(1, number))


def _names(agent: Agent, trial: Trial) -> tuple[str, ...]:
    """The agent's models, as many as it predicts with; they come after the crowd's."""
    return tuple(f"x{k:03d}" for k, _ in enumerate(agent.predicts(view(World(trial.shape, trial.seed), 1))))
