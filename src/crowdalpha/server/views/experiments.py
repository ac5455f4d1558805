"""What the mechanism lab found, as charts and tables: the results that come with this version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.claims import Finding
from crowdalpha.lab.drawing import draw_finding, draw_verdicts
from crowdalpha.lab.results import shipped
from crowdalpha.lab.verdicts import Verdict, conviction, sentence
from crowdalpha.payouts import POLICIES
from crowdalpha.server.charts import Chart, Column


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is found of a rule: its name, since when it is or was in force ("" if never), the verdict in words.

    `guilty` is the agent that convicts it ("" if none does), `found` what each agent earns, by its name.
    """

    rule: str
    since: str
    meaning: str
    words: str
    guilty: str
    found: Mapping[str, Verdict]


def experiments() -> tuple[Finding, ...]:
    """Every experiment, in the order of its themes."""
    return shipped().findings


def rulings() -> tuple[Ruling, ...]:
    """Every verdict, dated rules first."""
    return tuple(_ruling(rule, found) for rule, found in shipped().verdicts.items())


@cache
def chart_of(name: str) -> Chart | None:
    """The chart of an experiment; None if there is none of that name."""
    found = shipped().finding(name)
    if found is None:
        return None
    return Chart(
        "figures",
        "What was simulated, and what theory says",
        "A dot is what simulated crowds do, the line its 99% interval; a ring is where theory says it should be.",
        lambda name, width: draw_finding(found, name=name, width=width),
        (Column("figure"), *(Column(word, "plain") for word in ("simulated", "low", "high", "theory"))),
        tuple((f.what, f.simulated, f.low, f.high, f.theory) for f in found.figures),
    )


@cache
def verdict_chart() -> Chart:
    """What the worst attack earns under each rule."""
    results = shipped()
    rows = [each for found in results.verdicts.values() for each in found]
    return Chart(
        "verdicts",
        "What the worst attack earns",
        "The attack that convicts a rule, or comes nearest to it. What is known and accepted is left out.",
        lambda name, width: draw_verdicts(results.verdicts.values(), name=name, width=width),
        (Column("rule"), Column("agent"), Column("finding"), *(Column(w, "share") for w in ("profit", "low", "high"))),
        tuple((each.rule, each.agent, each.finding, each.profit, each.low, each.high) for each in rows),
    )


def _ruling(rule: str, found: Iterable[Verdict]) -> Ruling:
    row, verdicts = POLICIES[rule], tuple(found)
    guilty = conviction(verdicts)
    by_agent = {each.agent: each for each in verdicts}
    ordered = {name: by_agent[name] for name in AGENTS if name in by_agent}
    since = "" if row.start is None else row.start.isoformat()
    return Ruling(rule, since, row.meaning, sentence(rule, verdicts), guilty.agent if guilty else "", ordered)
