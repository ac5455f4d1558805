"""`crowdalpha leaderboard`: who is ahead, how sure that is, and who cannot be told apart."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, number, print_json, span
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.tournament.door import at, plays
from crowdalpha.cli.tournament.words import facts

if TYPE_CHECKING:
    from crowdalpha.engine import Board, Engine
    from crowdalpha.tournament.leaderboard import Difference, Standing

METHODS = ("mean", "one-year-mean", "weighted-twenty-rounds")
SPANS = {"d": 1, "w": 7, "y": 365}
"""Days in what a window is counted in."""
WINDOW = re.compile(r"(?P<all>all)|(?P<n>[1-9][0-9]{0,4}) ?((?P<rounds>rounds?)|(?P<unit>[dwy]))")
SPARE = ("missed", "rounds", "ranks")


def window(value: Any) -> timedelta | int | None:
    """A span back from now, a number of newest rounds, or None for all there ever was.

    >>> window("90d"), window("20 rounds"), window("all")
    (datetime.timedelta(days=90), 20, None)
    """
    match = WINDOW.fullmatch(str(value).strip())
    if match is None:
        raise click.BadParameter(f"'{value}' is no window such as 1y, 90d, '20 rounds' or all.")
    if match["all"]:
        return None
    return int(match["n"]) if match["rounds"] else timedelta(days=int(match["n"]) * SPANS[match["unit"]])


@click.command(name="leaderboard")
@click.option("--metric", default="mmc2", show_default=True, help="What is ranked by: one that the rounds score.")
@click.option("--window", type=window, metavar="SPAN", default="1y", show_default=True, help="1y, 90d, 20 rounds, all.")
@click.option(
    "--method", type=click.Choice(METHODS), default="mean", show_default=True, help="How rounds make one number."
)
@click.option("--by-account", is_flag=True, help="Rank accounts, their models weighted by what they had at risk.")
@click.option("--example", help="The model whose score stands for the first miss of weighted-twenty-rounds.")
@at
@plays
def command(
    engine: Engine, metric: str, window: timedelta | int | None, now: datetime, as_json: bool, **choices: Any
) -> None:
    """Rank models, or accounts, over the rounds resolved by now, with 95% intervals of value and rank."""
    rounds = _newest(engine, window, now) if isinstance(window, int) else None
    back = window if isinstance(window, timedelta) and window < now.replace(tzinfo=None) - datetime.min else None
    board = engine.leaderboard(metric, now=now, window=back, rounds=rounds, **choices)
    if as_json:
        print_json(facts(board))
    else:
        _print(board, _called(engine))


def _called(engine: Engine) -> dict[str, str]:
    """What models and accounts are called, by their ids, where that is something else."""
    called = engine.names().items()
    return {id: f"{name} ({id[:8]})" for id, name in called if name.casefold() != id.casefold()}


def _newest(engine: Engine, n_rounds: int, now: datetime) -> tuple[int, int]:
    """The numbers of the first and the last of the newest resolved rounds; of no round if there are none."""
    from crowdalpha.tournament.rounds import Stage

    over = [each.round for each in engine.round_list() if each.stage is Stage.RESOLVED]
    numbers = sorted(round.number for round in over if round.resolve_time <= now)[-n_rounds:]
    return (numbers[0], numbers[-1]) if numbers else (0, 0)


def _print(board: Board, called: dict[str, str]) -> None:
    columns = ("rank", "who", board.metric, "95%", "ranks", "rounds", "missed")
    title = f"{board.metric} over {counted(len(board.rounds), 'round')}, by {board.method}"
    rows = [
        _row(line, called.get(line.name, line.name), benchmark=line.name in board.benchmarks) for line in board.lines
    ]
    print_table(title, columns, rows, left=2, caption=_equals(board.equals, called), spare=SPARE)


def _row(line: Standing, name: str, *, benchmark: bool) -> tuple[str, ...]:
    ranks = "-" if line.best_rank is None else f"{line.best_rank} to {line.worst_rank}"
    name = f"{name} (benchmark)" if benchmark else name
    value, rank = number(line.value), "-" if line.rank is None else str(line.rank)
    return (rank, name, value, span(line.low, line.high), ranks, str(line.scored), str(line.missed))


def _equals(equals: tuple[Difference, ...], called: dict[str, str]) -> str:
    """Who cannot be told apart from whom, a line for each that has somebody below."""
    below: dict[str, list[str]] = {}
    for pair in equals:
        one, other = (called.get(name, name) for name in (pair.one, pair.other))
        below.setdefault(one, []).append(other)
    return "\n".join(f"{one} cannot be told apart from {', '.join(others)}." for one, others in below.items())
