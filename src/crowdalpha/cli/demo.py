"""`crowdalpha demo`: the shipped crowds scored and played as tournaments, with their pages."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import number, print_json, progress, reports_refusals, span
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json
from crowdalpha.cli.season import print_season, season_record

if TYPE_CHECKING:
    from crowdalpha.demo.play import Played
    from crowdalpha.diagnostics.data import LeaderboardRow

TOP, BOTTOM = 10, 5
EARNED, BURNED = 6, 4
STARTS = "Playing the two tournaments and drawing their pages: this takes a good half minute."


@click.command(name="demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("crowdalpha-demo"),
    show_default=True,
    help="Where the pages and the tournaments go.",
)
@click.option("--files", is_flag=True, help="Instead, write the crowds as files to try the other commands on.")
@click.option("--serve", is_flag=True, help="Instead, serve both as living sites, whose last rounds are still to come.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --serve: the address to listen at.")
@click.option("--port", type=click.IntRange(0, 65534), default=8000, show_default=True,
              help="With --serve: the port of the first site, the second has the next one; 0 for any.")  # fmt: skip
@click.option("--week", type=click.FloatRange(min=5), default=120.0, show_default=True, metavar="SECONDS",
              help="With --serve: how long a week takes.")  # fmt: skip
@as_json
@reports_refusals
def command(folder: Path, files: bool, serve: bool, host: str, port: int, week: float, as_json: bool) -> None:
    """Play the shipped tournaments: a real crowd of flu forecasters, and stocks played by honest baselines."""
    from crowdalpha.demo.play import play, write_files

    if serve:
        from crowdalpha.cli.living import serve as serve_living

        serve_living(folder, host, port, week, as_json=as_json)
        return
    if files:
        with progress("Writing") as told:
            written = write_files(folder, lambda what, done, total: told(done, total, what))
        print_json({"files": written}) if as_json else click.echo("\n".join(map(str, written)))
        return
    if not sys.stderr.isatty():  # no bar will be seen
        click.echo(STARTS, err=True)
    with progress("Playing") as told:
        crowds = list(play(folder, lambda what, done, total: told(done, total, what)))
    pages = [page.resolve() for played in crowds for page in played.pages]
    if as_json:
        print_json({"crowds": [_record(played) for played in crowds], "pages": pages})
        return
    for played in crowds:
        _print(played)
    click.echo("Open in a browser:")
    for page in pages:
        click.echo(f"  {page}")
    click.echo("The rounds are kept. List them, prove one, go on with them:")
    for played in crowds:
        place = shlex.quote(str(played.tournament.folder))
        for verb in ("round list", "verify 12"):
            click.echo(f"  crowdalpha {verb} --tournament {place}")


def _record(played: Played) -> dict[str, Any]:
    from crowdalpha.diagnostics.survey import leaderboard, persistence

    lasting = persistence(played.survey)
    return {
        "name": played.crowd.name,
        "eras": len(played.survey.eras),
        "metamodel_corr": played.survey.metamodel_corr.mean(),
        "persistence": lasting and {"spearman": lasting.spearman, "models": len(lasting.points)},
        "models": [asdict(row) for row in leaderboard(played.survey).rows],
        "caveats": played.crowd.caveats,
        "season": season_record(played.tournament.season),
        "tournament": played.tournament.folder.resolve(),
    }


def _print(played: Played) -> None:
    from crowdalpha.diagnostics.survey import leaderboard, persistence

    seen, lasting = played.survey, persistence(played.survey)
    rows = [_row(row) for row in leaderboard(seen).rows]
    if len(rows) > TOP + BOTTOM + 1:
        rows[TOP:-BOTTOM] = [(f"... {len(rows) - TOP - BOTTOM} more", *[""] * 6)]
    caption = f"CORR of the stake-weighted metamodel: {number(seen.metamodel_corr.mean())}"
    if lasting is not None:
        caption += f"\nContributions of the first half against the second: Spearman {number(lasting.spearman, 2)}"
        caption += f" ({len(lasting.points)} models)"
    print_table(
        f"{played.crowd.name}: {len(seen.models)} models, {len(seen.eras)} eras, simulated stakes",
        ("model", "stake", "eras", "CORR", "MMC2", "95% of MMC2", "Sharpe"),
        rows,
        caption=caption,
        spare=("stake", "Sharpe", "eras"),
    )
    print_season(played.tournament.season, top=EARNED, bottom=BURNED)


def _row(row: LeaderboardRow) -> tuple[str, ...]:
    interval = span(row.interval.low, row.interval.high) if row.interval else "-"
    figures = number(row.corr), number(row.mmc2), interval, number(row.sharpe, 2)
    return row.model, f"{row.stake:,.2f}", str(row.eras), *figures
