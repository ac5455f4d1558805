"""Verdicts: what an attack is expected to earn under a rule, how sure that is, and whether the rule can be milked.

An attack joins a simulated crowd with stakes that stay as they are; every round is scored, and the attacker settled in
whole units. Seasons are alike and independent, so an interval is bootstrapped over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.lab.agents import AGENTS, Agent, Choice
from crowdalpha.lab.chance import interval
from crowdalpha.lab.contests import USUAL, Contest, Told, Trial, contests, profits
from crowdalpha.lab.rounds import choice_of
from crowdalpha.payouts import payout_factor
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.rulesets import NONE, RuleSet, rule_set

SURE = 0.999
"""Confidence of the interval that convicts: many attacks are tried on many rules, and hardly any may win by luck."""
MIXES: tuple[Choice, ...] = ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""What attackers try where a rule leaves everything open."""


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
    executor: Executor | None = None,
    told: Told = lambda done, all: None,
) -> dict[str, tuple[Verdict, ...]]:
    """Play agents, by default all, beside a simulated crowd and judge each rule by what they earn.

    Seasons are played by an executor's workers, in this thread if there is none; verdicts are the same.

    Refused with codes `unknown_rule` and `unknown_agent` before anything is played.
    """
    for rule in rules:
        rule_set(rule, custom)
    done = contests([AGENTS[name] for name in _agents(agents)], trial, executor=executor, told=told)
    return {rule: judge(rule, done, honest=done[0], custom=custom) for rule in rules}


def conviction(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The attack that convicts a rule: of those that need no fortune the surest one beside what it earns.

    None if the rule is acquitted.
    """
    guilty = [each for each in verdicts if each.finding == "convicted"]
    return min(guilty, key=_order_of_guilt, default=None)


def _order_of_guilt(verdict: Verdict) -> tuple[bool, float]:
    return AGENTS[verdict.agent].stake > 1, (verdict.high - verdict.low) / verdict.profit


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
