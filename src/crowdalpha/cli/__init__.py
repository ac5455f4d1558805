"""The command line: one module a verb, loaded when it is called, so that `crowdalpha --help` is instant."""

from __future__ import annotations

import io
import sys
from importlib import import_module

import click
from click.core import ParameterSource

from crowdalpha.cli.options import Place

CHAPTERS = {
    "Score a crowd": {
        "score": "Score a crowd: what each model is worth, and what it adds.",
        "diagnose": "Look at one model from every side.",
        "metamodel": "Build the stake-weighted metamodel of a crowd.",
        "neutralize": "Take the features out of predictions.",
        "exposure": "Say how much of a model is the features themselves.",
        "metrics": "List every metric and what it means.",
        "rules": "List every dated payout rule with its source.",
        "demo": "Play the shipped tournaments and write their reports.",
    },
    "Score a history again and again": {
        "pack": "Rank a history once, into a folder of eras.",
        "backfill": "Score what has changed in a history, on threads or a cluster.",
    },
    "Run a tournament": {
        "init": "Make a tournament in a folder.",
        "account": "Open accounts, add models, move money in and out.",
        "round": "Announce rounds, hand in targets, move rounds on.",
        "stake": "Stake on models, and take stakes back.",
        "submit": "Hand in predictions for the round that is open.",
        "tick": "Do all that is due: open, close, score, resolve.",
        "leaderboard": "Rank models or accounts, with intervals.",
        "replay": "Play a history as a tournament whose stakes compound.",
    },
    "Ask what a rule would pay": {
        "lab": "Try claims about rules and attacks on them, on simulated crowds.",
    },
    "Take part": {
        "numerapi": "Have numerapi's own command line ask a server of yours.",
    },
    "Serve a tournament": {
        "serve": "Serve pages, both APIs and the clock.",
        "admin": "Open accounts with a login, give and end tokens.",
    },
    "Prove and keep a tournament": {
        "bundle": "Write the proof of a round as a file.",
        "verify": "Recompute a round and name the first number that differs.",
        "rescore": "Say what a round would have paid under another rule.",
        "backup": "Write one moment of a tournament into one file.",
        "restore": "Make a tournament of a backup.",
    },
}
"""The verbs, in the order people meet them."""
HOMES = {
    "Score a crowd": "crowdalpha.cli",
    "Ask what a rule would pay": "crowdalpha.cli",
    "Take part": "crowdalpha.cli",
    "Score a history again and again": "crowdalpha.cli.history",
    "Serve a tournament": "crowdalpha.cli.serving",
}
"""Where the modules of a chapter are, if not with the tournament's."""
TOURNAMENT = "crowdalpha.cli.tournament"
COMMANDS = {name: f"{HOMES.get(chapter, TOURNAMENT)}.{name}" for chapter, verbs in CHAPTERS.items() for name in verbs}
"""Every verb and its module."""

DISTANT = ("account", "round", "stake", "submit", "leaderboard")
"""The verbs that can be asked of a server."""


class Verbs(click.Group):
    """A group that knows its commands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from the module of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by chapters, without importing any; their lines begin in one column."""
        widest = max(map(len, COMMANDS))
        for chapter, verbs in CHAPTERS.items():
            with formatter.section(chapter):
                formatter.write_dl([(name.ljust(widest), line) for name, line in verbs.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crowdalpha")
@click.option(
    "--server",
    metavar="URL",
    envvar="CROWDALPHA_SERVER",
    default="",
    show_envvar=True,
    help="Take part at this server: submit, stake, account, round, leaderboard.",
)
@click.option(
    "--token", metavar="ID.SECRET", envvar="CROWDALPHA_TOKEN", default="", show_envvar=True, help="Who you are there."
)
@click.pass_context
def main(context: click.Context, server: str, token: str) -> None:
    """What each model adds to the stake-weighted crowd.

    Files may be CSV, Parquet or Feather; predictions also a folder with a file per model.
    Add --json to any command for output that scripts read. Exit codes: 0 done, 2 wrong usage,
    3 the input was refused (every problem is listed); of verify also 1, something differs.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name must not stop what a narrow encoding shows
    said = context.get_parameter_source("server") is ParameterSource.COMMANDLINE
    if said and context.invoked_subcommand not in DISTANT:
        raise click.UsageError(f"A server does not do '{context.invoked_subcommand}': leave --server out.")
    context.obj = Place(server, token, said)
