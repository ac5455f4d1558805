"""`crowdalpha lab`: what a rule would pay, and whether it can be gamed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import number, print_json, progress, reports_refusals, span
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, some
from crowdalpha.cli.tournament.door import InOrder, refusals

if TYPE_CHECKING:
    from crowdalpha.lab.claims import Finding

seed = click.option("--seed", default="0", show_default=True, help="What all chance comes from: a number or any text.")


@click.group(name="lab", cls=InOrder)
def command() -> None:
    """Ask what a rule would pay, and whether it can be gamed, on simulated crowds.

    Rounds are scored and settled by the functions that real rounds are. All stakes are simulated.
    """


@command.command(name="claims")
@click.argument("names", nargs=-1, metavar="[CLAIM]...")
@click.option("--seasons", type=some, default=24, show_default=True, help="Seasons that are simulated for each.")
@seed
@as_json
@reports_refusals
def claims(names: tuple[str, ...], seasons: int, seed: str, as_json: bool) -> None:
    """Try the claims made about MMC, or those named, each by an experiment.

    What a simulated crowd does is shown with its 99% interval, beside what theory says where there is a closed form.
    """
    from crowdalpha.lab.claims import CLAIMS, run

    found = []
    with progress("Trying claims") as told:
        for each in run(names, seed=seed, seasons=seasons):
            found.append(each)
            told(len(found), len(names or CLAIMS))
    if as_json:
        print_json([_record(each) for each in found])
        return
    for each in found:
        _print(each)


@command.command(name="judge")
@click.argument("rules", nargs=-1, required=True, metavar="RULE...")
@click.option("--agent", "agents", multiple=True, help="An agent to try, again and again; else all.")
@click.option("--seasons", type=some, default=24, show_default=True, help="Seasons that are simulated.")
@click.option("--rounds", type=some, default=20, show_default=True, help="Rounds of a season.")
@seed
@as_json
@reports_refusals
def judge(rules: tuple[str, ...], agents: tuple[str, ...], seasons: int, rounds: int, seed: str, as_json: bool) -> None:
    """Try every attack on each RULE beside a simulated crowd, and say whether it can be milked.

    Rules are those of `crowdalpha rules` and the proposals beside them, fair or not. Profits are fractions of the
    attacker's stake a round; an attack that only stakes or chooses otherwise is measured by an honest model.
    """
    from crowdalpha.lab.verdicts import Trial, conviction, sentence, try_rules

    with refusals(), progress("Trying attacks") as told:
        trial = Trial(seasons=seasons, rounds=rounds, seed=seed)
        found = try_rules(rules, agents, trial, told=told)
    if as_json:
        records = {rule: [asdict(each) for each in verdicts] for rule, verdicts in found.items()}
        guilty = {rule: conviction(verdicts) for rule, verdicts in found.items()}
        print_json(
            {
                rule: {
                    "says": sentence(rule, verdicts),
                    "convicted_by": getattr(guilty[rule], "agent", None),
                    "verdicts": records[rule],
                }
                for rule, verdicts in found.items()
            }
        )
        return
    for rule, verdicts in found.items():
        rows = [
            (
                each.agent,
                f"{each.choice[0]:g},{each.choice[1]:g}",
                f"{each.profit:+.3%}",
                f"{each.low:+.3%} to {each.high:+.3%}",
                f"{each.ahead:.0%}",
                each.finding,
            )
            for each in verdicts
        ]
        columns = ("agent", "choice", "profit", "99.9% interval", "ahead", "finding")
        print_table(rule, columns, rows, caption=sentence(rule, verdicts), spare=("ahead", "choice"))


def _record(found: Finding) -> dict[str, object]:
    figures = [asdict(figure) | {"holds": figure.holds} for figure in found.figures]
    claim = found.claim
    return {"name": claim.name, "says": claim.says, "source": claim.source, "holds": found.holds, "figures": figures}


def _print(found: Finding) -> None:
    rows = [
        (
            figure.what,
            number(figure.simulated),
            span(figure.low, figure.high),
            "-" if figure.theory is None else number(figure.theory),
            "" if figure.theory is None else "yes" if figure.holds else "NO",
        )
        for figure in found.figures
    ]
    columns = ("figure", "simulated", "99% interval", "theory", "inside")
    print_table(f"{found.claim.name} [{found.claim.source}]", columns, rows, caption=found.claim.says)
