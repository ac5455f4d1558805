"""docs/lab: a page an experiment and one of verdicts with their charts, drawn from the results that are shipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from docs.make.markdown import GENERATED, link, prose, table

if TYPE_CHECKING:
    from crowdalpha.lab.claims import Figure, Finding
    from crowdalpha.lab.results import Results
    from crowdalpha.lab.verdicts import Verdict

WIDTH = 900
"""Pixels of a chart: what a page of documentation is wide."""
LEAD = """What would a rule pay, and can it be gamed? The announcement of MMC was followed by a debate about it. Each
claim is an experiment here: simulated crowds are scored by the functions that score real rounds, and theory's value
stands beside what they do, with a 99% interval, wherever there is a closed form.

`make lab` runs everything anew, in minutes, from seed {seed}, and writes `src/crowdalpha/lab/results.json`. These pages
and charts are drawn from it, and so are those that a server shows under `/lab`."""
ASKING = """## Asking for yourself

- [A policy of your own](your-own-policy.md) is judged and replayed like the rules above; `crowdalpha lab tune` searches
  for one.
- [Your stake](your-stake.md): how much to stake on a model; `crowdalpha lab add`: what it would add to the metamodel.
- `crowdalpha lab crowd` fits a simulated crowd to a history, and `crowdalpha lab judge --like` judges beside it.
- `crowdalpha lab seasons` plays whole seasons with stakes that compound.
- All commands with their options: [`crowdalpha lab`](../commands.md#crowdalpha-lab)."""
RULES = """Each rule, dated or proposed, is played by {n} agents beside simulated crowds ({seasons} seasons of
{rounds} rounds, seed {seed}), settled in whole units. The crowds know nothing but what all of them know, so whoever
profits beside them profits by the rule. Profits are fractions of the agent's stake a round. A rule is convicted if an
attack that asks for no knowledge earns, with an interval of 99.9% that lies above 0; what is documented earns too,
but for a reason that is known and accepted."""
MARKS = {"convicted": " ✗", "documented": " †", "honest": "", "acquitted": ""}


def pages() -> dict[str, str]:
    """Every page and chart by its name in docs."""
    from crowdalpha.diagnostics.svg import standalone
    from crowdalpha.lab.drawing import draw_finding, draw_verdicts
    from crowdalpha.lab.results import shipped

    results = shipped()
    made = {"README.md": index(results), "verdicts.md": verdicts(results)}
    made["verdicts.svg"] = standalone(draw_verdicts(results.verdicts.values(), name="verdicts", width=WIDTH)) + "\n"
    for found in results.findings:
        name = found.claim.name
        made[f"{name}.md"] = experiment(found, results)
        made[f"{name}.svg"] = standalone(draw_finding(found, name=name, width=WIDTH)) + "\n"
    return {f"lab/{name}": text for name, text in made.items()}


def index(results: Results) -> str:
    """The first page: every claim with its answer, and the verdicts on rules."""
    rows = [
        (f"[{found.claim.title}]({found.claim.name}.md)", prose(found.claim.says), prose(found.answer))
        for found in results.findings
    ]
    claims = table(("experiment", "the claim", "the answer"), rows)
    convicted, acquitted = parted(results)
    said = (
        f"[{len(convicted)} of {len(results.verdicts)} rules are convicted](verdicts.md), each with the agent that "
        f"milks it: {', '.join(convicted)}. Acquitted, with what is known about them: {', '.join(acquitted)}."
    )
    lead = LEAD.format(seed=results.seed)
    return _page("# The mechanism lab", lead, "## Claims", claims, "## Verdicts on rules", said, ASKING)


def experiment(found: Finding, results: Results) -> str:
    """The page of a claim."""
    claim = found.claim
    sources = ", ".join(map(link, claim.sources)).replace("](", "](../")
    again = f"    crowdalpha lab claims {claim.name} --seed {results.seed} --seasons {results.seasons}"
    return _page(
        f"# {claim.title}",
        f"**The claim:** {prose(claim.says)} ({sources})",
        f"**The answer:** {prose(found.answer)}",
        f"![{claim.title}: what was simulated, with its interval, beside theory]({claim.name}.svg)",
        table(("figure", "simulated", "99% interval", "theory", "inside"), map(_figure, found.figures)),
        "## What the experiment does",
        prose(claim.does),
        f"{results.seasons} seasons are simulated; an interval is bootstrapped over them.",
        "## What theory says",
        prose(claim.theory),
        "## Once more",
        again,
        "[All experiments](README.md)",
    )


def verdicts(results: Results) -> str:
    """The page of verdicts: a chart of the worst attacks, what is found of each rule, and every agent's profit."""
    from crowdalpha.lab.agents import AGENTS
    from crowdalpha.lab.verdicts import sentence
    from crowdalpha.payouts import POLICIES

    said = RULES.format(n=len(AGENTS), seasons=results.judged, rounds=results.rounds, seed=results.seed)
    dated = [rule for rule in results.verdicts if POLICIES[rule].start]
    proposed = [rule for rule in results.verdicts if not POLICIES[rule].start]
    listed = {
        title: "\n".join(f"- {prose(sentence(rule, results.verdicts[rule]))}" for rule in rules)
        for title, rules in (("Dated rules", dated), ("Proposals", proposed))
    }
    again = f"    crowdalpha lab judge {' '.join(proposed)} --seed {results.seed}"
    return _page(
        "# Verdicts on rules",
        said,
        "![What the worst attack earns under each rule](verdicts.svg)",
        *(part for title, lines in listed.items() for part in (f"## {title}", lines)),
        "## Who earns what",
        "Profit a round; ✗ convicts the rule, † is documented. What only stakes or chooses otherwise than the honest "
        "model is measured by it.",
        profits(results),
        "## The agents",
        "\n".join(f"- **{agent.name}**: {prose(agent.says)}" for agent in AGENTS.values()),
        "## Once more",
        again,
        "[All experiments](README.md)",
    )


def profits(results: Results) -> str:
    """Every agent's profit under every rule, a row a rule."""
    from crowdalpha.lab.agents import AGENTS

    return table(("rule", *AGENTS), ((rule, *_row(found)) for rule, found in results.verdicts.items()))


def parted(results: Results) -> tuple[list[str], list[str]]:
    """The rules that are convicted, with who milks them, and the others."""
    from crowdalpha.lab.verdicts import conviction

    guilty = {rule: conviction(found) for rule, found in results.verdicts.items()}
    convicted = [f"{rule} ({each.agent})" for rule, each in guilty.items() if each]
    return convicted, [rule for rule, each in guilty.items() if not each]


def _row(found: Iterable[Verdict]) -> list[str]:
    from crowdalpha.diagnostics.formats import signed_percent
    from crowdalpha.lab.agents import AGENTS

    by_agent = {each.agent: each for each in found}
    return [
        f"{signed_percent(by_agent[agent].profit)}{MARKS[by_agent[agent].finding]}" if agent in by_agent else "–"
        for agent in AGENTS
    ]


def _figure(figure: Figure) -> Sequence[str]:
    from crowdalpha.diagnostics.formats import plain

    span = f"{plain(figure.low)} to {plain(figure.high)}"
    if figure.theory is None:
        return figure.what, plain(figure.simulated), span, "no closed form", ""
    return figure.what, plain(figure.simulated), span, plain(figure.theory), "yes" if figure.holds else "**no**"


def _page(title: str, *parts: Any) -> str:
    return "\n\n".join([title, GENERATED, *parts]) + "\n"
