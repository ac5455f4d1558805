"""`crowdalpha replay`: a history played as a tournament, with stakes that compound."""

from __future__ import annotations

import shlex
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, print_json, progress, reports_refusals
from crowdalpha.cli.layout import print_prose
from crowdalpha.cli.notices import notices_beside
from crowdalpha.cli.options import as_json, existing, report, some
from crowdalpha.cli.season import print_season, season_record
from crowdalpha.cli.tournament.door import refusals

if TYPE_CHECKING:
    from crowdalpha.diagnostics.season import SeasonReport
    from crowdalpha.tables.crowd import Crowd

RULE = "corr-or-twice-mmc"


def pair(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Two multipliers with a comma between them."""
    try:
        corr, mmc = (float(part) for part in value.split(",")) if value is not None else (0.0, 0.0)
        if not (isfinite(corr) and isfinite(mmc)):
            raise ValueError
    except ValueError:
        raise click.BadParameter(f"'{value}' is no pair such as 0,2.", ctx, param) from None
    return None if value is None else (corr, mmc)


@click.command(name="replay")
@click.argument("predictions", type=existing)
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, required=True, help="model, stake: the opening stakes, in coins.")
@click.option("--rule", default=RULE, show_default=True, help="One of `crowdalpha rules`.")
@click.option("--choice", callback=pair, metavar="CORR,MMC", help="The multipliers that all choose; else the rule's.")
@click.option("--bags", type=some, default=100, show_default=True, help="Bags of the score that a round is paid on.")
@click.option("--seed", default="0", show_default=True, help="What the bags are drawn from: a number or any text.")
@report("A page that shows who earned, who burned and how the weights moved")
@click.option(
    "--tournament",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the rounds as a new tournament in this folder.",
)
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    stakes: Path,
    rule: str,
    choice: tuple[float, float] | None,
    bags: int,
    seed: str,
    report: Path | None,
    tournament: Path | None,
    as_json: bool,
) -> None:
    """Play PREDICTIONS, era by era, as rounds of a tournament whose stakes compound.

    Files are those of `crowdalpha score`. Every era becomes a round: one opens every week of a simulated clock and is
    paid four weeks later, and what it pays is staked again. All stakes are simulated.
    """
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.diagnostics.report import season_report
    from crowdalpha.settings.replays import replay_in_memory, replay_into
    from crowdalpha.simulation.season import season
    from crowdalpha.tables.frames import eras
    from crowdalpha.tables.opening import opening_stakes

    with refusals(), progress("Reading") as told:
        require_choice(choice, rule)
        history = eras(predictions, targets, bags=0)
        opening = opening_stakes(stakes, history.models)
        play: Any = replay_in_memory if tournament is None else partial(replay_into, tournament)
        found = play(
            history,
            opening,
            rule=rule,
            choice=choice,
            final_bags=bags,
            seed=seed,
            told=lambda what, done, all: told(done, all, what),
        )
    played, notices = found[0] if tournament is None else found, notices_beside(predictions)
    shown = season(
        history,
        played,
        _run(history, bags, seed, predictions, notices.credits),
        title=f"{predictions.stem or 'Crowd'}, replayed",
        rule=rule,
        choice=choice,
        caveats=notices.caveats,
    )
    write_all({report: partial(_write, season_report(shown) if report else "")})
    if as_json:
        print_json(season_record(shown) | {"tournament": tournament and tournament.resolve()})
        return
    print_season(shown)
    _print_places(shown, report, tournament)


def require_choice(choice: tuple[float, float] | None, rule: str) -> None:
    """Refuse multipliers that a rule does not offer."""
    from crowdalpha.scoring.problems import InputError, Problem
    from crowdalpha.tournament.rulesets import rule_set

    choices = rule_set(rule).policy.choices
    if choice is not None and choices and choice not in choices:
        expected = " or ".join(f"{corr:g},{mmc:g}" for corr, mmc in choices)
        found = f"{choice[0]:g},{choice[1]:g}"
        raise InputError(
            Problem("choice_not_offered", expected, found, "choose one of them, or another rule", "choice")
        )


def _run(history: Crowd, bags: int, seed: str, source: Path, credits: str) -> Any:
    from importlib.metadata import version

    from crowdalpha.diagnostics.data import Run

    sizes = sorted({len(era.ids) for era in history}) or [0]
    ids = f"{sizes[0]:,} a round" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,} a round"
    made = version("crowdalpha")
    return Run(len(history), len(history.models), ids, bags, seed, made, source=source.name, credits=credits)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _print_places(shown: SeasonReport, report: Path | None, tournament: Path | None) -> None:
    print_prose(f"report in {report}" if report else "")
    if tournament is not None:
        last, place = shown.run.eras, shlex.quote(str(tournament))
        click.echo(f"{counted(last, 'round')} kept; prove one with\n  crowdalpha verify {last} --tournament {place}")
