"""`crowdalpha lab`: what a rule would pay, and whether it can be gamed. One module a command."""

from __future__ import annotations

import click

from crowdalpha.cli.lab import add, claims, crowd, judge, plan, replay, seasons, tune
from crowdalpha.cli.tournament.door import InOrder


@click.group(name="lab", cls=InOrder)
def command() -> None:
    """Ask what a rule would pay, and whether it can be gamed, on simulated crowds.

    Rounds are scored and settled by the functions that real rounds are. All stakes are simulated.
    """


for each in (
    claims.command,
    crowd.command,
    judge.command,
    replay.command,
    seasons.command,
    tune.command,
    plan.command,
    add.command,
):
    command.add_command(each)
