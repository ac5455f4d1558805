"""`crowdalpha lab seasons`: what a rule pays in many seasons of simulated crowds."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.lab.crowd import fitted, like
from crowdalpha.cli.lab.options import engine, seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, output, some
from crowdalpha.cli.tournament.door import refusals
from crowdalpha.cli.tournament.replay import RULE, pair

if TYPE_CHECKING:
    from crowdalpha.lab.ensembles import Ensemble, Spread


@click.command(name="seasons")
@click.option("--rule", default=RULE, show_default=True, help="A rule, FILE.toml:NAME or FILE.py:FUNCTION.")
@click.option("--choice", callback=pair, metavar="CORR,MMC", help="The multipliers that all choose; else the rule's.")
@click.option("--seasons", type=some, default=100, show_default=True, help="Seasons, each with a crowd of its own.")
@click.option("--rounds", type=some, default=20, show_default=True, help="Rounds of a season.")
@click.option("--models", type=some, help="Models of a crowd: 30, or as many as in the history it is like.")
@click.option("--ids", type=click.IntRange(min=2), help="Ids of an era: 300, or those of the history.")
@click.option("--bags", type=some, default=20, show_default=True, help="Bags of the score that a round is paid on.")
@like
@seed
@engine
@output("Every season's figures")
@as_json
@reports_refusals
def command(
    rule: str,
    choice: tuple[float, float] | None,
    seasons: int,
    rounds: int,
    models: int | None,
    ids: int | None,
    bags: int,
    like: str | None,
    seed: str,
    engine: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Play seasons of simulated crowds under a rule, with stakes that compound, and say what it paid.

    A season comes from the seed and its number alone, so all engines give the same. Growth is that of all stakes
    together unless another is named; means are told with their 99% intervals, and how seasons differ by quantiles. With
    --like the crowd is one fitted to a real history, as `crowdalpha lab crowd` shows it.
    """
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.lab.crowds import Shape
    from crowdalpha.lab.ensembles import Plan, simulate
    from crowdalpha.settings import open_executor
    from crowdalpha.tables.files import write_table

    sizes: Any = {name: size for name, size in (("models", models), ("ids", ids)) if size is not None}
    with refusals(), progress("Playing seasons") as told, open_executor(engine) as executor:
        shape = replace(Shape() if like is None else fitted(like), **sizes)
        plan = Plan(_located(rule), shape, seasons, rounds, bags, seed, choice)
        found = simulate(executor, plan, told=told)
    write_all({output: lambda path: write_table(_table(found), path)})
    if as_json:
        print_json(_record(found))
        return
    _print(found)


def _located(rule: str) -> str:
    """A rule, its file by the whole path: workers may be elsewhere."""
    file, colon, name = rule.rpartition(":") if ":" in rule else (rule, "", "")
    return f"{Path(file).resolve()}{colon}{name}" if Path(file).suffix in (".py", ".toml") else rule


def _record(found: Ensemble) -> dict[str, object]:
    from crowdalpha.lab.ensembles import FIGURES, QUANTILES

    names = ("rule", "choice", "seasons", "rounds", "bags", "seed")
    played = {name: getattr(found.plan, name) for name in names} | {"shape": asdict(found.plan.shape)}
    figures = {}
    for spread in map(found.spread, FIGURES):
        quantiles = {f"{share:.0%}": value for share, value in zip(QUANTILES, spread.quantiles, strict=True)}
        numbers = {"mean": spread.mean, "low": spread.low, "high": spread.high, "quantiles": quantiles}
        figures[spread.name] = {"says": spread.says} | numbers
    return {"played": played, "figures": figures}


def _table(found: Ensemble) -> Any:
    """The figures of every season, a row a season."""
    import pyarrow as pa

    from crowdalpha.lab.ensembles import FIGURES

    return pa.table({"season": range(len(found.seasons))} | {name: found.values(name) for name in FIGURES})


def _print(found: Ensemble) -> None:
    from crowdalpha.lab.ensembles import FIGURES, QUANTILES

    plan, quantiles = found.plan, tuple("median" if share == 0.5 else f"{share:.0%}" for share in QUANTILES)
    size = f"{counted(plan.rounds, 'round')}, {counted(plan.shape.models, 'model')} and {plan.shape.ids:,} ids"
    print_table(
        f"{Path(plan.rule).name}: {counted(plan.seasons, 'season')} of {size}",
        ("figure", "mean", "99% interval", *quantiles),
        [_row(found.spread(name)) for name in FIGURES],
        caption="Stakes compound. Quantiles are of seasons: in 5% of them a figure is below the first.",
        spare=("25%", "75%", "99% interval"),
    )


def _row(spread: Spread) -> tuple[str, ...]:
    if spread.name == "gini":
        plain = "{:.3f}".format
        return (
            spread.says,
            plain(spread.mean),
            f"{plain(spread.low)} to {plain(spread.high)}",
            *map(plain, spread.quantiles),
        )
    if spread.name in ("corr", "sharpe"):
        return spread.says, number(spread.mean), span(spread.low, spread.high), *map(number, spread.quantiles)
    share = "{:+.2%}".format if spread.name in ("growth", "payout", "median") else "{:.2%}".format
    between = "-" if spread.low != spread.low else f"{share(spread.low)} to {share(spread.high)}"
    return spread.says, share(spread.mean), between, *map(share, spread.quantiles)
