"""`crowdalpha diagnose`: one participant's model from every side."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import as_json, existing, number, print_json, print_table, progress, reports_refusals

if TYPE_CHECKING:
    from crowdalpha.diagnostics.data import Diagnosis, Interval, Run


@click.command(name="diagnose")
@click.argument("predictions", type=existing(folder=True))
@click.option("--targets", type=existing(), required=True, help="era, id and the target.")
@click.option("--features", type=existing(), required=True, help="era, id and a column a feature.")
@click.option("--metamodel", type=existing(), help="era, id, metamodel; without it there is no MMC2.")
@click.option("--model", help="The model to look at, if PREDICTIONS holds several.")
@click.option("--worst", default=10, show_default=True, help="How many features to list.")
@click.option("--report", type=click.Path(path_type=Path), help="A page with the pictures (.html).")
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    features: Path,
    metamodel: Path | None,
    model: str | None,
    worst: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Look at one model of PREDICTIONS: scores an era, exposures, drawdown, and what neutralising it would do."""
    from crowdalpha.diagnostics.checkup import diagnose
    from crowdalpha.diagnostics.data import as_json as plain
    from crowdalpha.tables.frames import eras

    aligned = eras(predictions, targets, features=features, metamodel=metamodel, bags=0).only(model)
    with progress("Diagnosing") as told:
        done = iter(range(1, len(aligned) + 1))
        diagnosis = diagnose(
            aligned,
            aligned.models[0],
            partial(_run, predictions.name),
            features=aligned.names["features"],
            progress=lambda era: told(next(done), len(aligned)),
        )
    if report is not None:
        from crowdalpha.diagnostics.report import diagnosis_report

        report.write_text(diagnosis_report(diagnosis), encoding="utf-8")
    if as_json:
        print_json(plain(diagnosis))
    else:
        _print(diagnosis, worst, report)


def _run(source: str, n_eras: int) -> Run:
    from importlib.metadata import version

    from crowdalpha.diagnostics.data import Run

    return Run(n_eras, 1, "", 0, "none", version("crowdalpha"), source=source)


def _print(diagnosis: Diagnosis, worst: int, report: Path | None) -> None:
    figures = [(s.name, number(s.value, s.digits), _range(s.interval, s.digits)) for s in diagnosis.statistics]
    print_table(f"{diagnosis.model}, {diagnosis.run.eras} eras", ("figure", "value", "95% interval"), figures)
    if diagnosis.exposures is not None:
        c = diagnosis.exposures
        sizes = f"exposure: std {c.std:.4f}, L2 {c.l2:.4f}, RMS {c.rms:.4f}, max {c.max:.4f} (means over eras)"
        rows = [(name, number(value)) for name, value in c.worst(worst)]
        print_table("Features it leans on most", ("feature", "mean exposure"), rows, caption=sizes)
    neutral = [
        (f"{n.proportion:.0%}", number(n.mean), _range(n.interval, 4), number(n.sharpe, 2), number(n.max_drawdown),
         f"{n.max_exposure:.4f}")
        for n in diagnosis.neutralized
    ]  # fmt: skip
    print_table(
        "Neutralised to the features by",
        ("share", "mean CORR", "95% interval", "Sharpe", "max drawdown", "max exposure"),
        neutral,
        caption=f"report in {report}" if report else "",
    )


def _range(interval: Interval | None, digits: int) -> str:
    return "-" if interval is None else f"{number(interval.low, digits)} to {number(interval.high, digits)}"
