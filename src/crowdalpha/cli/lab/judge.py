"""`crowdalpha lab judge`: attacks on a rule beside a simulated crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, print_json, progress, reports_refusals
from crowdalpha.cli.lab.crowd import fitted, like
from crowdalpha.cli.lab.options import engine, seed
from crowdalpha.cli.layout import print_prose, print_table
from crowdalpha.cli.options import as_json, some
from crowdalpha.cli.tournament.door import refusals

if TYPE_CHECKING:
    from crowdalpha.lab.verdicts import Verdict


ENOUGH = 16
"""Seasons below which a bootstrapped interval is markedly too narrow."""


@click.command(name="judge")
@click.argument("rules", nargs=-1, required=True, metavar="RULE...")
@click.option("--agent", "agents", multiple=True, help="An agent to try, again and again; else all.")
@click.option("--seasons", type=some, default=24, show_default=True, help="Seasons that are simulated.")
@click.option("--rounds", type=some, default=20, show_default=True, help="Rounds of a season.")
@like
@seed
@engine
@as_json
@reports_refusals
def command(
    rules: tuple[str, ...],
    agents: tuple[str, ...],
    seasons: int,
    rounds: int,
    like: str | None,
    seed: str,
    engine: str,
    as_json: bool,
) -> None:
    """Try every attack on each RULE beside a simulated crowd, and say whether it can be milked.

    Rules are those of `crowdalpha rules` and the proposals beside them, fair or not, or your own: FILE.toml with
    numbers, or FILE.py:FUNCTION. Profits are fractions of the attacker's stake a round; an attack that only stakes or
    chooses otherwise is measured by an honest model. With --like the crowd is one fitted to a real history, as
    `crowdalpha lab crowd` shows it.
    """
    from crowdalpha.lab.contests import USUAL, Trial
    from crowdalpha.lab.policies import asked
    from crowdalpha.lab.verdicts import sentence, try_rules
    from crowdalpha.settings import open_executor

    with refusals(), progress("Trying attacks") as told, open_executor(engine) as executor:
        shape = USUAL.shape if like is None else fitted(like)
        trial = Trial(shape, seasons, rounds, seed=seed)
        policies = asked(rules)
        found = try_rules(policies.rules, agents, trial, custom=policies.custom, executor=executor, told=told)
    if as_json:
        print_json({rule: _judgement(rule, verdicts) for rule, verdicts in found.items()})
        return
    for rule, verdicts in found.items():
        columns = ("agent", "choice", "profit", "99.9% interval", "ahead", "finding")
        caption = sentence(rule, verdicts)
        print_table(rule, columns, [_verdict(each) for each in verdicts], caption=caption, spare=("ahead", "choice"))
    if seasons < ENOUGH:
        few = f"{counted(seasons, 'season')} say little, and make intervals narrower than they should be"
        print_prose(f"{few}: try --seasons {ENOUGH} or more before you believe a close verdict.")


def _judgement(rule: str, verdicts: Sequence[Verdict]) -> dict[str, object]:
    from crowdalpha.lab.verdicts import conviction, sentence

    guilty = conviction(verdicts)
    said = {"says": sentence(rule, verdicts), "convicted_by": guilty and guilty.agent}
    return said | {"verdicts": [asdict(each) for each in verdicts]}


def _verdict(each: Verdict) -> tuple[str, ...]:
    choice, between = f"{each.choice[0]:g},{each.choice[1]:g}", f"{each.low:+.3%} to {each.high:+.3%}"
    return each.agent, choice, f"{each.profit:+.3%}", between, f"{each.ahead:.0%}", each.finding
