"""`crowdalpha score`: what each model of a crowd is worth, and what it adds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import as_json, existing, number, print_json, print_table, progress, reports_refusals

if TYPE_CHECKING:
    from crowdalpha.diagnostics.survey import Survey

REPORTED = ("corr", "mmc2")
"""What a report page cannot do without."""


@click.command(name="score")
@click.argument("predictions", type=existing(folder=True))
@click.option("--targets", type=existing(), required=True, help="era, id and the target.")
@click.option("--stakes", type=existing(), help="model, stake (or era, model, stake); without it all stakes are equal.")
@click.option("--features", type=existing(), help="era, id and a column a feature.")
@click.option("--metamodel", type=existing(), help="era, id, metamodel; without it the crowd's own.")
@click.option("--benchmarks", type=existing(), help="era, id and a column a benchmark model.")
@click.option("--neutralizers", type=existing(), help="era, id and columns, for alpha and mpc.")
@click.option("--sample-weights", type=existing(), help="era, id and one column, for alpha and mpc.")
@click.option("--metrics", default="corr,mmc2", show_default=True, help="Names from `crowdalpha metrics`.")
@click.option("--bags", default=20, show_default=True, help="Subsamples of the stakers an era; 0 for none.")
@click.option("--seed", default="0", show_default=True, help="What the bags are drawn from.")
@click.option("--ties", type=click.Choice(["average", "first"]), default="average", show_default=True)
@click.option("--leave-out-invalid", is_flag=True, help="Score on without the models that have problems.")
@click.option("--output", type=click.Path(path_type=Path), help="Scores an era and model (.csv, .parquet, .feather).")
@click.option("--report", type=click.Path(path_type=Path), help="A page that explains the scores (.html).")
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    stakes: Path | None,
    metrics: str,
    bags: int,
    seed: str,
    ties: str,
    leave_out_invalid: bool,
    output: Path | None,
    report: Path | None,
    as_json: bool,
    **references: Any,
) -> None:
    """Score every model of PREDICTIONS in every era.

    PREDICTIONS is a table, long (era, id, model, prediction) or wide (era, id, a column a model), or a folder with a
    file a model (era, id, prediction). Without an era column, everything is one era.
    """
    from crowdalpha.diagnostics.survey import survey
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, score_table

    wanted = _names(metrics, with_report=report is not None)
    left_out: list[Any] = []
    crowd = eras(
        predictions,
        targets,
        stakes,
        metrics=wanted,
        bags=bags,
        seed=seed,
        ties=ties,
        invalid="leave_out" if leave_out_invalid else "refuse",
        problems=left_out,
        **references,
    )
    for problem in left_out:
        click.secho(f"left out: {problem}", err=True, fg="yellow")
    with progress("Scoring") as told:
        done = iter(range(1, len(crowd) + 1))
        seen = survey(crowd, wanted, progress=lambda era: told(next(done), len(crowd)))
    table = score_table(crowd, seen.scores)
    if output is not None:
        write_table(table, output)
    if report is not None:
        _write_report(seen, report, predictions, bags, seed)
    if as_json:
        models = [dict(zip(("model", *_fields(wanted)), row, strict=True)) for row in _ranking(seen, wanted)]
        print_json({"models": models, "scores": table.to_pylist()})
        return
    rows = [(row[0], *(_shown(value) for value in row[1:])) for row in _ranking(seen, wanted)]
    caption = "".join(f"\n{what} in {where}" for what, where in (("scores", output), ("report", report)) if where)
    print_table(
        f"{len(seen.models)} models, {len(seen.eras)} eras",
        ("model", *_fields(wanted)),
        rows,
        caption=f"means over eras; low and high: 95% block-bootstrap interval of {_key(wanted)}{caption}",
    )


def _names(metrics: str, *, with_report: bool) -> list[str]:
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    return list(dict.fromkeys([*names, *(REPORTED if with_report else ())]))


def _key(metrics: list[str]) -> str:
    """The metric that the models are ordered by."""
    return "mmc2" if "mmc2" in metrics else metrics[0]


def _fields(metrics: list[str]) -> tuple[str, ...]:
    return ("stake", "share", "eras", *metrics, "low", "high", "sharpe")


def _ranking(seen: Survey, metrics: list[str]) -> list[tuple[Any, ...]]:
    """A row a model, best first; models without a score last."""
    import numpy as np

    from crowdalpha.scoring.eras import summarize
    from crowdalpha.scoring.metrics import METRICS

    key = summarize(seen.scores[_key(metrics)])
    means = [np.asarray(summarize(seen.scores[name], n_resamples=1).mean) for name in metrics]
    columns = (seen.stakes, seen.shares, key.n_eras, *means, key.mean_low, key.mean_high, key.sharpe)
    rows = list(zip(seen.models, *(np.asarray(column).tolist() for column in columns), strict=True))
    place = 4 + metrics.index(_key(metrics))
    sign = 1.0 if METRICS[_key(metrics)].better == "lower" else -1.0
    return sorted(rows, key=lambda row: (row[place] != row[place], sign * row[place], row[0]))


def _shown(value: float | int) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return number(value) if abs(value) < 10 else f"{value:,.2f}"


def _write_report(seen: Survey, page: Path, source: Path, bags: int, seed: str) -> None:
    from importlib.metadata import version

    from crowdalpha.diagnostics.data import Run
    from crowdalpha.diagnostics.report import crowd_report as draw
    from crowdalpha.diagnostics.survey import crowd_report

    low, high = min(seen.n_ids), max(seen.n_ids)
    ids = f"{low:,} an era" if low == high else f"{low:,} to {high:,} an era"
    run = Run(len(seen.eras), len(seen.models), ids, bags, seed, version("crowdalpha"), source=source.name)
    page.write_text(draw(crowd_report(seen, run, title=source.stem or "Crowd")), encoding="utf-8")
