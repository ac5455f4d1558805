"""`crowdalpha lab tune`: payout designs searched for what one wants of them."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.lab.crowd import fitted, like
from crowdalpha.cli.lab.options import engine, seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import Destination, as_json, report, some
from crowdalpha.cli.tournament.door import refusals

if TYPE_CHECKING:
    from crowdalpha.lab.tuning import Candidate, Tuned

SPARE = ("swing", "99% interval", "by")


@click.command(name="tune")
@click.option("--goal", "goals", multiple=True, help="metamodel, attack or steady, again and again; else all three.")
@click.option("--designs", type=some, default=60, show_default=True, help="Designs that are tried.")
@click.option(
    "--seasons", type=click.IntRange(min=10), default=10, show_default=True, help="Seasons that each is measured on."
)
@click.option(
    "--rounds",
    type=click.IntRange(min=2),
    default=20,
    show_default=True,
    help="Rounds of a season; what is earned is staked four rounds later.",
)
@click.option("--models", type=some, help="Models of a crowd: 30, or as many as in the history it is like.")
@click.option("--ids", type=click.IntRange(min=2), help="Ids of an era: 300, or those of the history.")
@click.option("--floor", "floors", is_flag=True, help="Try designs under which nobody burns, too.")
@like
@seed
@engine
@as_json
@click.option("--output", type=Destination((".toml",)), help="The safe part of the front, as policies (.toml).")
@report("The designs as a picture and a table, on one page")
@reports_refusals
def command(
    goals: tuple[str, ...],
    designs: int,
    seasons: int,
    rounds: int,
    models: int | None,
    ids: int | None,
    floors: bool,
    like: str | None,
    seed: str,
    engine: str,
    as_json: bool,
    output: Path | None,
    report: Path | None,
) -> None:
    """Search payout designs: multipliers, clip, hard-era coefficient, number and fraction of bags.

    Each is measured on simulated crowds by three goals: what compounding stakes add to the metamodel's Sharpe ratio;
    the most that an attack may earn, the upper end of its 99.9% interval; how steadily honest models are paid. Shown is
    the Pareto front: the designs that no other is better than by all the goals.

    With --like the crowd is one fitted to a real history; attacks are still played beside models that know nothing of
    their own. What --output writes is judged by `crowdalpha lab judge`, and any engine can play it.
    """
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.lab.crowds import Shape
    from crowdalpha.lab.frontpage import describe, front_page
    from crowdalpha.lab.tuning import Search, Space, tune
    from crowdalpha.settings import open_executor

    sizes: Any = {name: size for name, size in (("models", models), ("ids", ids)) if size is not None}
    space = Space(floors=(None, 0.0)) if floors else Space()
    with refusals(), progress("Trying designs") as told, open_executor(engine) as executor:
        shape = replace(Shape() if like is None else fitted(like), **sizes)
        search = Search(designs, seasons, rounds, shape, space, seed)
        found = tune(search, goals, executor=executor, told=told)
    size = f"{counted(seasons, 'season')} of {counted(rounds, 'round')}"
    title = f"{counted(len(found.candidates), 'payout design')}, each measured on {size}"
    write_all(
        {
            output: partial(_write, _policies(found)),
            report: partial(_write, front_page(found, title, describe(found))),
        }
    )
    if as_json:
        print_json(_record(found))
        return
    _print(found)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _policies(found: Tuned) -> str:
    """The safe part of the front as policies that other commands of the lab take; bags are said in words."""
    tables = [
        f"# {each.bagging.bags} bags of {each.bagging.fraction:g}\n{each.design.toml(f'design-{k}')}\n"
        for k, each in enumerate(found.safe, 1)
    ]
    return "\n".join(tables)


def _record(found: Tuned) -> dict[str, object]:
    fronts = set(map(id, found.front))
    rows = [each.numbers() | {"front": id(each) in fronts} for each in found.candidates]
    return {"goals": [asdict(goal) for goal in found.goals], "candidates": rows}


def _print(found: Tuned) -> None:
    from crowdalpha.lab.frontpage import describe

    columns = ("design", "bags", "metamodel", "99% interval", "attack", "by", "steady", "swing", "finding")
    wanted = "; ".join(f"{goal.name}: {goal.says}" for goal in found.goals)
    caption = f"{describe(found)}\n{wanted}. A swing is the standard deviation of a round's payout, of the stake."
    print_table("The Pareto front", columns, [_row(each) for each in found.front], caption=caption, spare=SPARE)


def _row(each: Candidate) -> tuple[str, ...]:
    figures, bagging = each.figures, each.bagging
    return (
        str(each.design),
        f"{bagging.bags} of {bagging.fraction:g}",
        number(figures["metamodel"]),
        span(*each.between["metamodel"]),
        number(figures["attack"], 3),
        each.attacker,
        number(figures["steady"], 3),
        f"{each.swing:.2%}",
        "milked" if each.convicted else "safe",
    )
