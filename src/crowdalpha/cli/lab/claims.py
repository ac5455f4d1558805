"""`crowdalpha lab claims`: what was said about MMC, tried by experiments."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import number, print_json, progress, reports_refusals, span
from crowdalpha.cli.lab.options import engine, seed
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, some

if TYPE_CHECKING:
    from crowdalpha.lab.claims import Finding


@click.command(name="claims")
@click.argument("names", nargs=-1, metavar="[CLAIM]...")
@click.option("--seasons", type=some, default=50, show_default=True, help="Seasons that are simulated for each.")
@seed
@engine
@as_json
@reports_refusals
def command(names: tuple[str, ...], seasons: int, seed: str, engine: str, as_json: bool) -> None:
    """Try the claims made about MMC, or those named, each by an experiment.

    What a simulated crowd does is shown with its 99% interval, beside what theory says where there is a closed form.
    """
    from crowdalpha.lab.claims import CLAIMS, run
    from crowdalpha.settings import open_executor

    found = []
    with progress("Trying claims") as told, open_executor(engine) as executor:
        for each in run(names, seed=seed, seasons=seasons, executor=executor):
            found.append(each)
            told(len(found), len(names or CLAIMS))
    if as_json:
        print_json([_record(each) for each in found])
        return
    for each in found:
        _print(each)


def _record(found: Finding) -> dict[str, object]:
    figures = [asdict(figure) | {"holds": figure.holds} for figure in found.figures]
    claim = found.claim
    return {"name": claim.name, "says": claim.says, "source": claim.source, "holds": found.holds, "figures": figures}


def _print(found: Finding) -> None:
    rows = [
        (
            figure.what,
            number(figure.simulated),
            span(figure.low, figure.high),
            "-" if figure.theory is None else number(figure.theory),
            "" if figure.theory is None else "yes" if figure.holds else "NO",
        )
        for figure in found.figures
    ]
    columns = ("figure", "simulated", "99% interval", "theory", "inside")
    print_table(f"{found.claim.name} [{found.claim.source}]", columns, rows, caption=found.claim.says)
