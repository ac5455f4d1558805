"""`crowdalpha round`: rounds announced, moved on, looked at; their targets and beacons handed in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, number, print_json
from crowdalpha.cli.layout import print_prose, print_table
from crowdalpha.cli.options import existing
from crowdalpha.cli.tournament.door import InOrder, at, plays, whole
from crowdalpha.cli.tournament.schedule import id_column, schedule
from crowdalpha.cli.tournament.words import answer, coins, done, facts, moment

if TYPE_CHECKING:
    from crowdalpha.engine import Engine, Overview

COLUMNS = ("round", "stage", "opens", "closes", "resolves", "on time", "late", "at risk", "paid", "burned")
ACTIONS = {
    "open": "Open a round.\n\nWhat came late for the one before it counts for this one.",
    "close": "Close a round.\n\nChanges of stakes become effective, and what is at risk is frozen.",
    "score": "Score the days of a round that are due.\n\nEach needs its target, and the beacon if one is named.",
    "resolve": "Resolve a round.\n\nIt is scored for the last time and settled, and its secret is revealed.",
}


@click.group(name="round", cls=InOrder)
def command() -> None:
    """Announce rounds, hand in their targets, move them on.

    `crowdalpha tick` moves all of them on at once.
    """


def _action(name: str) -> click.Command:
    """The command of one action on one round."""

    @click.argument("number", type=whole)
    @at
    @plays
    def act(engine: Engine, number: int, now: datetime, as_json: bool) -> None:
        keys = getattr(engine, f"round_{name}")(number, now)
        answer({"done": keys}, "\n".join(map(done, keys)), as_json)

    return click.command(name=name, help=ACTIONS[name])(act)


command.add_command(schedule)
for each in ACTIONS:
    command.add_command(_action(each))


@command.command(name="list")
@plays
def list_rounds(engine: Engine, as_json: bool) -> None:
    """List all rounds and where they stand."""
    found = engine.round_list()
    if as_json:
        print_json(facts(found))
    elif found:
        print_table(counted(len(found), "round"), COLUMNS, [_row(each) for each in found], left=2, spare=SPARE)
    else:
        print_prose("No round is scheduled.")


@command.command(name="show")
@click.argument("number", type=whole)
@plays
def show(engine: Engine, number: int, as_json: bool) -> None:
    """Show a round: its times, its rules, what came of it."""
    found = engine.round_show(number)
    if as_json:
        print_json(facts(found))
    else:
        print_table(f"Round {number}, {found.stage}", COLUMNS[2:], [_row(found)[2:]], left=0, spare=SPARE)
        print_prose("\n".join(_details(found)))


@command.command(name="target")
@click.argument("number", type=whole)
@click.argument("file", type=existing)
@click.option("--day", type=whole, help="The scoring day it is for; without it the final target.")
@id_column
@click.option("--column", default="target", show_default=True, help="The column with the numbers.")
@plays
def target(
    engine: Engine, number: int, file: Path, day: int | None, as_json: bool, id_column: str, column: str
) -> None:
    """Hand in a target of round NUMBER.

    FILE has a row an id of the round. What was handed in stays: it is scored against.
    """
    from crowdalpha.cli.tournament.columns import read_target

    values = read_target(file, id_column, column)
    engine.set_target(number, day, values)
    which = f"the target of day {day}" if day else "the final target"
    record = {"round": number, "day": day, "ids": len(values)}
    answer(record, f"round {number} has {which}, for {counted(len(values), 'id')}", as_json)


@command.command(name="beacon")
@click.argument("number", type=whole)
@click.argument("index", type=whole)
@click.argument("value")
@at
@plays
def beacon(engine: Engine, number: int, index: int, value: str, now: datetime, as_json: bool) -> None:
    """Hand in the randomness that round NUMBER waits for.

    VALUE in hex is the INDEX-th of its beacon, the first after the close.
    """
    try:
        content = bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter(f"'{value}' is not hexadecimal.", param_hint="VALUE") from None
    engine.set_beacon(number, index, content, now)
    record = {"round": number, "index": index, "value": content.hex()}
    answer(record, f"round {number} has value {index} of its beacon", as_json)


SPARE = ("late", "resolves", "opens", "on time")
"""Columns that a narrow terminal does without, in this order."""


def _row(found: Overview) -> tuple[str, ...]:
    round, money = found.round, (found.at_risk, found.paid, found.burned)
    times = map(moment, (round.open_time, round.close_time, round.resolve_time))
    return (str(round.number), found.stage, *times, str(found.on_time), str(found.late), *map(coins, money))


def _details(found: Overview) -> list[str]:
    round = found.round
    days = f"{len(found.scored_days)} of {counted(len(round.scoring_times), 'scoring day')} done"
    crowd = ", ".join(f"{name} {number(value)}" for name, value in found.crowd.items())
    return [
        f"Rule {round.rule_set}; metrics {', '.join(round.metrics)}; {round.n_bags} bags, {round.final_bags} at last.",
        f"{days}, from {moment(round.scoring_times[0])} to {moment(round.scoring_times[-1])}."
        if round.scoring_times
        else "No scoring day before the last.",
        f"The metamodel itself: {crowd}." if crowd else "The metamodel has no final score yet.",
        f"Commitment {round.commitment}",
        f"Ids        {round.universe}",
        *([f"Features   {round.features}"] if round.features else []),
        *([f"Beacon     {round.beacon}"] if round.beacon else []),
    ]
