"""Verdicts: what an attack is expected to earn under a rule, how sure that is, and whether the rule can be milked.

An attack joins a simulated crowd with stakes that stay as they are; every round is scored, and the attacker settled in
whole units. Seasons are alike and independent, so an interval is bootstrapped over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from crowdalpha.lab.agents import AGENTS, Agent, Choice, view
from crowdalpha.lab.chance import Floats, interval
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.records import choice_of, fractions, master_of, opening_balances, score, seed_of
from crowdalpha.payouts import payout_factor
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.simulation.replay import Timetable
from crowdalpha.tournament import settlement
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.rulesets import NONE, RuleSet, rule_set
from crowdalpha.tournament.scoringday import Scored
from crowdalpha.tournament.stakes import AtRisk

SURE = 0.999
"""Confidence of the interval that convicts: many attacks are tried on many rules, and hardly any may win by luck."""
MIXES: tuple[Choice, ...] = ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""What attackers try where a rule leaves everything open."""
METRICS = ("corr", "mmc2", "numerai_corr", "mmc2024")
UNINFORMED = Shape(own_edge=(0.0, 0.0))
"""A crowd in which nobody knows what others do not: whoever profits in it profits by the rule."""
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What verdicts rest on: so many seasons of so many rounds of a crowd of a shape, from one seed."""

    shape: Shape = UNINFORMED
    seasons: int = 24
    rounds: int = 20
    bags: int = 20
    seed: object = 0


USUAL = Trial()


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """An agent's seasons beside the crowd: what each model had at risk, and the scores of each round.

    `own` are the names of its models; `seasons` hold the rounds of each season.
    """

    agent: Agent
    own: tuple[str, ...]
    at_risk: tuple[Mapping[str, int], ...]
    seasons: tuple[tuple[Scored, ...], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an agent earns a round under a rule, as a fraction of its stake, beyond what it is measured by.

    `low` and `high` are the ends of the interval of confidence `SURE`, `ahead` the share of seasons that ended above
    0, `finding` is "convicted", "documented", "acquitted" or, for who attacks nothing, "honest". `factor` is the mean
    payout factor beside the agent's stake: what is left of everybody's payouts and burns.
    """

    rule: str
    agent: str
    choice: Choice
    profit: float
    low: float
    high: float
    ahead: float
    finding: str
    factor: float = 1.0

    def __str__(self) -> str:
        agent = AGENTS[self.agent]
        said = (
            f"{self.rule} pays the {self.agent} {self.profit:+.3%} of its stake a round "
            f"({SURE:.1%} interval {self.low:+.3%} to {self.high:+.3%}, above 0 in {self.ahead:.0%} of seasons)"
        )
        if self.finding == "honest":
            return f"{said}."
        beyond = "" if agent.against == "nothing" else " more than it pays the honest model"
        ends = {
            "convicted": "it can be milked.",
            "documented": f"{_reason(self)}.",
            "acquitted": "no profit can be told from luck.",
        }
        return f"{said}{beyond}: {ends[self.finding]}"


def contest(agent: Agent, trial: Trial, told: Told = lambda done, all: None) -> Contest:
    """Score an agent's seasons beside the crowd. Stakes stay as they are, so that one scoring serves every rule."""
    own, seasons, risks = _names(agent, trial), [], []
    for season in range(trial.seasons):
        world = World(trial.shape, f"{trial.seed}/{season}")
        amount = round(agent.stake * sum(world.stakes.values()) / len(own))
        stakes = dict(world.stakes) | dict.fromkeys(own, amount)
        risks.append(stakes)
        seasons.append(tuple(_scored(agent, world, number, own, stakes, trial) for number in _numbers(trial)))
        told(season + 1, trial.seasons)
    return Contest(agent, own, tuple(risks), tuple(seasons))


def profits(found: Contest, rules: RuleSet, choice: Choice) -> Floats:
    """What the agent is paid a round under a rule, as a fraction of its stake, (n_seasons,): settled in whole units."""
    played = zip(found.seasons, found.at_risk, strict=True)
    return np.array([_profit(found.agent, rounds, stakes, found.own, rules, choice) for rounds, stakes in played])


def judge(
    rule: str, contests: Iterable[Contest], *, honest: Contest, custom: Mapping[str, Policy] = NONE
) -> tuple[Verdict, ...]:
    """A verdict on every attack under a rule, what earns most first. `honest` played the seasons that they played."""
    rules = rule_set(rule, custom)
    found = [
        max((_verdict(rules, each, honest, choice) for choice in _open(rules, each.agent)), key=_order)
        for each in contests
    ]
    return tuple(sorted(found, key=_order, reverse=True))


def try_rules(
    rules: Sequence[str],
    agents: Sequence[str] = (),
    trial: Trial = USUAL,
    *,
    custom: Mapping[str, Policy] = NONE,
    told: Told = lambda done, all: None,
) -> dict[str, tuple[Verdict, ...]]:
    """Play agents, by default all, beside a simulated crowd and judge each rule by what they earn.

    Refused with codes `unknown_rule` and `unknown_agent` before anything is played.
    """
    for rule in rules:
        rule_set(rule, custom)
    names = _agents(agents)
    done = [contest(AGENTS[name], trial, partial(_part, told, k, len(names))) for k, name in enumerate(names)]
    return {rule: judge(rule, done, honest=done[0], custom=custom) for rule in rules}


def conviction(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The attack that convicts a rule, the surest one beside what it earns; None if the rule is acquitted."""
    guilty = [each for each in verdicts if each.finding == "convicted"]
    return min(guilty, key=lambda each: (each.high - each.low) / each.profit, default=None)


def sentence(rule: str, verdicts: Sequence[Verdict]) -> str:
    """The verdict on a rule in plain words."""
    guilty = conviction(verdicts)
    if guilty is not None:
        return f"{rule} is convicted by the {guilty.agent}. {guilty}"
    attacks = sum(each.finding != "honest" for each in verdicts)
    return " ".join([f"{rule} is acquitted: none of {attacks} attacks is a way to milk it.", *_known(verdicts)])


def _known(verdicts: Sequence[Verdict]) -> list[str]:
    """What is documented of a rule, a sentence a reason with the agents that it is about."""
    reasons: dict[str, list[str]] = {}
    for each in verdicts:
        if each.finding == "documented":
            reasons.setdefault(_reason(each), []).append(f"{each.agent} {each.profit:+.2%}")
    return [f"Known: {reason} ({', '.join(agents)} a round)." for reason, agents in reasons.items()]


def _agents(wanted: Sequence[str]) -> tuple[str, ...]:
    """The agents to play, the honest one first: others are measured by it."""
    unknown = sorted(set(wanted) - AGENTS.keys())
    if unknown:
        fix = "leave --agent out to try all"
        raise InputError(Problem("unknown_agent", f"one of {', '.join(AGENTS)}", ", ".join(unknown), fix, "agent"))
    return tuple(dict.fromkeys(["honest", *(wanted or AGENTS)]))


def _part(told: Told, part: int, parts: int, done: int, all: int) -> None:
    """Tell of a part of the whole as of the whole."""
    told(part * all + done, parts * all)


def _scored(
    agent: Agent, world: World, number: int, own: Sequence[str], stakes: Mapping[str, int], trial: Trial
) -> Scored:
    """The scores of a round in which the agent takes part."""
    seen = view(world, number)
    columns = dict(zip(world.models, seen.drawn.era.predictions.T, strict=True))
    columns |= dict(zip(own, agent.predicts(seen), strict=True))
    models = tuple(sorted(columns))
    era = replace(seen.drawn.era, predictions=np.column_stack([columns[name] for name in models]), models=models)
    round = Timetable().round(number, "corr", n_bags=1, final_bags=trial.bags, metrics=METRICS)
    at_risk = [AtRisk(number, name, units, 1.0, 0.0) for name, units in stakes.items()]
    return score(round, era, at_risk, seed_of(number, master_of(world.seed)))


def _profit(
    agent: Agent,
    rounds: Sequence[Scored],
    stakes: Mapping[str, int],
    own: Sequence[str],
    rules: RuleSet,
    choice: Choice,
) -> float:
    paid, earned = 0, np.empty((len(rounds), len(own)))
    balances, staked = opening_balances(stakes), sum(stakes[name] for name in own)
    for number in range(1, len(rounds) + 1):
        risks = [
            AtRisk(number, name, units * (name in rounds[number - 1].places),
                   *choice_of(rules, choice if name in own else None))
            for name, units in stakes.items()
        ]  # fmt: skip
        given = fractions(rules, risks, rounds[max(0, number - rules.policy.window) : number])
        earned[number - 1] = [given[name] for name in own]
        shares = agent.allots(earned[: _resolved(number)])
        mine = [AtRisk(number, name, round(staked * share), *choice) for name, share in zip(own, shares, strict=True)]
        at = Timetable().start
        settled = settlement.settle(number, mine, {name: given[name] for name in own}, at, balances=balances)
        paid += sum(payout.paid for payout in settled.payouts)
    return paid / (staked * len(rounds))


def _resolved(number: int) -> int:
    """How many rounds have resolved when a round closes."""
    table = Timetable()
    closes = table.round(number, "corr").close_time
    return sum(table.round(k, "corr").resolve_time <= closes for k in range(1, number))


def _verdict(rules: RuleSet, found: Contest, honest: Contest, choice: Choice) -> Verdict:
    agent, earned = found.agent, profits(found, rules, choice)
    if agent.against == "honesty" and agent is not honest.agent:
        own = choice if agent.chooses is tuple else choice_of(rules, None)
        earned = earned - profits(honest, rules, own)
    profit, low, high = interval(earned, confidence=SURE)
    ahead, factor = float(np.mean(earned > 0)), _factor(rules, found)
    verdict = Verdict(rules.name, agent.name, choice, profit, low, high, ahead, "acquitted", factor)
    return replace(verdict, finding=_finding(verdict, _factor(rules, honest)))


def _finding(verdict: Verdict, usual: float) -> str:
    """What is found of an agent, where `usual` is the payout factor beside an honest one."""
    agent = AGENTS[verdict.agent]
    if agent.name == "honest":
        return "honest"
    if verdict.low > 0:
        return "documented" if agent.documented else "convicted"
    free = agent.against == "nothing" and verdict.high >= 0
    return "documented" if free and verdict.factor < usual else "acquitted"


def _reason(verdict: Verdict) -> str:
    """Why what a documented agent does is known and accepted."""
    if verdict.low > 0:
        return AGENTS[verdict.agent].documented
    left = f"{verdict.factor:.0%}"
    return f"a large stake on a model and its inverse costs nothing, and leaves {left} of what others are paid or burn"


def _factor(rules: RuleSet, found: Contest) -> float:
    """The payout factor beside the agent if everybody takes part, the mean over seasons."""
    totals = [sum(stakes.values()) / UNITS for stakes in found.at_risk]
    return float(np.mean(payout_factor(totals, rules.threshold)))


def _open(rules: RuleSet, agent: Agent) -> Sequence[Choice]:
    return agent.chooses(rules.policy.choices or MIXES)


def _order(verdict: Verdict) -> tuple[bool, float]:
    return verdict.low > 0, verdict.profit


def _names(agent: Agent, trial: Trial) -> tuple[str, ...]:
    """The agent's models, as many as it predicts with; they come after the crowd's."""
    return tuple(f"x{k:03d}" for k, _ in enumerate(agent.predicts(view(World(trial.shape, trial.seed), 1))))


def _numbers(trial: Trial) -> range:
    return range(1, trial.rounds + 1)
