"""`crowdalpha demo`: the shipped tournaments, scored, with a page each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import number, print_table, progress, reports_refusals

if TYPE_CHECKING:
    from crowdalpha.demo.play import Played

TOP, BOTTOM = 10, 5


@click.command(name="demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("crowdalpha-demo"),
    show_default=True,
    help="Where the pages go.",
)
@click.option("--files", is_flag=True, help="Instead, write the crowds as files to try the other commands on.")
@reports_refusals
def command(folder: Path, files: bool) -> None:
    """Play the shipped tournaments: a real crowd of flu forecasters, and stocks played by honest baselines."""
    from crowdalpha.demo.play import play, write_files

    if files:
        with progress("Writing") as told:
            written = write_files(folder, lambda what, done, total: told(done, total, what))
        click.echo("\n".join(str(path) for path in written))
        return
    pages: list[Path] = []
    with progress("Playing") as told:
        for played in play(folder, lambda what, done, total: told(done, total, what)):
            _print(played)
            pages += played.pages
    click.echo("Open in a browser:")
    for page in pages:
        click.echo(f"  {page.resolve()}")


def _print(played: Played) -> None:
    from crowdalpha.diagnostics.survey import leaderboard, persistence

    seen = played.survey
    rows = leaderboard(seen).rows
    shown = rows if len(rows) <= TOP + BOTTOM + 1 else rows[:TOP] + rows[-BOTTOM:]
    table = [
        (
            row.model,
            f"{row.stake:,.2f}",
            str(row.eras),
            number(row.corr),
            number(row.mmc2),
            f"{number(row.interval.low)} to {number(row.interval.high)}" if row.interval else "-",
            number(row.sharpe, 2),
        )
        for row in shown
    ]
    if len(shown) < len(rows):
        table.insert(TOP, (f"... {len(rows) - len(shown)} more", "", "", "", "", "", ""))
    lasting = persistence(seen)
    own = seen.metamodel_corr.mean()
    caption = f"CORR of the stake-weighted metamodel {number(own)}"
    if lasting is not None:
        caption += f"; contributions of the first half against the second: Spearman {number(lasting.spearman, 2)}"
    print_table(
        f"{played.crowd.name}: {len(seen.models)} models, {len(seen.eras)} eras, simulated stakes",
        ("model", "stake", "eras", "CORR", "MMC2", "95% interval", "Sharpe"),
        table,
        caption=caption + (f" ({len(lasting.points)} models)" if lasting is not None else ""),
    )
