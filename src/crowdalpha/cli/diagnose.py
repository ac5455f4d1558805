"""`crowdalpha diagnose`: one participant's model from every side."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import an_era, counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.notices import notices_beside
from crowdalpha.cli.options import as_json, existing, report, some

if TYPE_CHECKING:
    from crowdalpha.diagnostics.data import Diagnosis, Interval, Run

ENDS = 5
"""Eras of each kind, best and worst, that the table of eras shows."""


@click.command(name="diagnose")
@click.argument("predictions", type=existing)
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--features", type=existing, help="era, id and a column a feature; without it no FNC and no exposures.")
@click.option("--metamodel", type=existing, help="era, id, metamodel; without it there is no MMC2.")
@click.option("--model", help="The model to look at, if PREDICTIONS holds several.")
@click.option("--worst", type=some, default=10, show_default=True, help="How many features to list.")
@report("A page with the pictures")
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    features: Path | None,
    metamodel: Path | None,
    model: str | None,
    worst: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Look at one model of PREDICTIONS: scores an era, exposures, drawdown, and what neutralising it would do."""
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.diagnostics.checkup import diagnose
    from crowdalpha.diagnostics.data import as_json as plain
    from crowdalpha.tables.frames import eras

    notices = notices_beside(predictions)
    with progress("Reading") as told:
        aligned = eras(predictions, targets, features=features, metamodel=metamodel, bags=0).only(model)
        done = iter(range(1, len(aligned) + 1))
        diagnosis = diagnose(
            aligned,
            aligned.models[0],
            partial(_run, predictions.name, notices.credits, an_era([len(era.ids) for era in aligned])),
            features=aligned.names["features"] if features else None,
            caveats=notices.caveats,
            progress=lambda era: told(next(done), len(aligned), "Diagnosing"),
        )
    write_all({report: partial(_write_report, diagnosis)})
    if as_json:
        print_json(plain(diagnosis))
    else:
        _print(diagnosis, worst, report, notices.first)


def _run(source: str, credits: str, ids: str, n_eras: int) -> Run:
    from importlib.metadata import version

    from crowdalpha.diagnostics.data import Run

    return Run(n_eras, 1, ids, 0, "none", version("crowdalpha"), source=source, credits=credits)


def _write_report(diagnosis: Diagnosis, page: Path) -> None:
    from crowdalpha.diagnostics.report import diagnosis_report

    page.write_text(diagnosis_report(diagnosis), encoding="utf-8")


def _print(diagnosis: Diagnosis, worst: int, report: Path | None, notice: str) -> None:
    figures = [
        (s.name, number(s.value, s.digits, plus=s.plus), _range(s.interval, s.digits))
        for s in diagnosis.statistics
        if math.isfinite(s.value)
    ]
    lacking = [
        "" if diagnosis.vectors else "No MMC2: there is no --metamodel to compare with.",
        "" if diagnosis.exposures else "No FNC, no exposures and no neutralising: there are no --features.",
    ]
    title, caption = (
        f"{diagnosis.model}, {counted(diagnosis.run.eras, 'era')}",
        "\n".join(filter(None, [*lacking, notice])),
    )
    print_table(title, ("figure", "value", "95%"), figures, caption=caption)
    _print_eras(diagnosis)
    _print_exposures(diagnosis, worst)
    _print_neutralized(diagnosis)
    if report is not None:
        click.echo(f"report in {report}")


def _print_eras(diagnosis: Diagnosis) -> None:
    """Every era, or the best and the worst ones by the last thing that counts: MMC2, or CORR without it."""
    names = [bars.title for bars in diagnosis.per_era]
    by = names.index("MMC2" if "MMC2" in names else "CORR")
    scores = zip(*(bars.values for bars in diagnosis.per_era), strict=True)
    rows = list(zip(diagnosis.per_era[0].eras, scores, strict=True))
    title = "Scores an era"
    if len(rows) > 2 * ENDS + 1:
        title = f"Best and worst eras by {names[by]}"
        rows.sort(key=lambda row: -row[1][by])
    shown = [(era, *map(number, values)) for era, values in rows]
    if len(rows) > 2 * ENDS + 1:
        shown[ENDS:-ENDS] = [(f"... {len(rows) - 2 * ENDS} more", *[""] * len(names))]
    print_table(title, ("era", *names), shown)


def _print_exposures(diagnosis: Diagnosis, worst: int) -> None:
    c = diagnosis.exposures
    if c is not None:
        sizes = (
            f"All {len(c.names)}: std {c.std:.4f}, L2 {c.l2:.4f}, RMS {c.rms:.4f}, max {c.max:.4f} (means over eras)"
        )
        rows = [(name, number(value)) for name, value in c.worst(worst)]
        print_table("Features it leans on most", ("feature", "mean exposure"), rows, caption=sizes)


def _print_neutralized(diagnosis: Diagnosis) -> None:
    if not diagnosis.neutralized:
        return
    rows = [
        (
            f"{n.proportion:.0%}",
            number(n.mean),
            _range(n.interval, 4),
            number(n.sharpe, 2),
            number(n.max_drawdown),
            f"{n.max_exposure:.4f}",
        )
        for n in diagnosis.neutralized
    ]
    columns = ("share", "mean CORR", "95%", "Sharpe", "max drawdown", "max exposure")
    print_table("Neutralised to the features by", columns, rows, left=0, spare=("max exposure", "Sharpe"))


def _range(interval: Interval | None, digits: int) -> str:
    return "-" if interval is None else span(interval.low, interval.high, digits)
