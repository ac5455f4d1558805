"""`crowdalpha score`: what each model of a crowd is worth, and what it adds."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import (
    Advance,
    an_era,
    counted,
    number,
    print_json,
    progress,
    reports_refusals,
    span,
    warn,
)
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.notices import Notices, caveats_of, is_about, notices_beside
from crowdalpha.cli.options import as_json, existing, known_metrics, output, report

if TYPE_CHECKING:
    from crowdalpha.diagnostics.survey import Survey
    from crowdalpha.tables.crowd import Crowd

Record = dict[str, Any]

REPORTED = ("corr", "mmc2")
"""What a report page cannot do without."""
SPARE = ("share", "stake", "Sharpe", "eras")
"""Columns that a narrow terminal does without, in this order."""
ALONE = "One model alone is its own metamodel, so it adds nothing: pass --metamodel to score it against a crowd's."


@click.command(name="score")
@click.argument("predictions", type=existing)
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, help="model, stake (or era, model, stake); without it all stakes are equal.")
@click.option("--features", type=existing, help="era, id and a column a feature.")
@click.option("--metamodel", type=existing, help="era, id, metamodel; without it the crowd's own.")
@click.option("--benchmarks", type=existing, help="era, id and a column a benchmark model.")
@click.option("--neutralizers", type=existing, help="era, id and columns, for alpha and mpc.")
@click.option("--sample-weights", type=existing, help="era, id and one column, for alpha and mpc.")
@click.option(
    "--metrics",
    callback=known_metrics,
    default="corr,mmc2",
    show_default=True,
    help="Names from `crowdalpha metrics`, with commas between them.",
)
@click.option(
    "--bags",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Subsamples of the stakers an era; 0 for none.",
)
@click.option("--seed", default="0", show_default=True, help="What the bags are drawn from: a number or any text.")
@click.option(
    "--ties",
    type=click.Choice(["average", "first"]),
    default="average",
    show_default=True,
    help="Equal predictions share their rank, or the first in order of ids is lower.",
)
@click.option("--leave-out-invalid", is_flag=True, help="Score on without the models that have problems.")
@output("Scores an era and model")
@report("A page that explains the scores")
@as_json
@reports_refusals
def command(
    predictions: Path,
    targets: Path,
    stakes: Path | None,
    metrics: list[str],
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
    from crowdalpha.cli.outputs import write_all
    from crowdalpha.tables.files import write_table
    from crowdalpha.tables.frames import eras, score_table

    metrics = list(dict.fromkeys([*metrics, *(REPORTED if report else ())]))
    _require(metrics, ["target", *(name for name, path in references.items() if path)])
    with progress("Reading") as told:
        crowd = eras(
            predictions,
            targets,
            stakes,
            metrics=metrics,
            bags=bags,
            seed=seed,
            ties=ties,
            invalid="leave_out" if leave_out_invalid else "refuse",
            **references,
        )
        seen = _survey(crowd, metrics, report is not None, told)
    for problem in crowd.left_out:
        warn(f"left out: {problem}")
    table = score_table(crowd, seen.scores)
    notices, ranking = notices_beside(predictions), _marked(_ranking(seen, metrics), crowd, stakes)
    marked = {row["model"]: row for row in ranking if row["left_out"]}
    said = Notices((*notices.caveats, *caveats_of(crowd.left_out)), notices.credits)
    page = partial(_write_report, seen, predictions, bags, seed, said, marked)
    write_all({output: partial(write_table, table), report: page})
    if as_json:
        left_out = [asdict(problem) for problem in crowd.left_out]
        ordered = {"ordered_by": _key(metrics), "models": ranking, "notices": notices.caveats}
        print_json(ordered | {"scores": table.to_pylist(), "left_out": left_out})
        return
    hint = ALONE if len(ranking) == 1 and references["metamodel"] is None else ""
    written = [f"{what} in {where}" for what, where in {"scores": output, "report": report}.items() if where]
    _print(ranking, metrics, len(seen.eras), [hint, notices.first, *written])


def _survey(crowd: Crowd, metrics: list[str], pairs: bool, told: Advance) -> Survey:
    """Score the crowd. Where that fails because too many were left out, say first who was."""
    from crowdalpha.diagnostics.survey import survey
    from crowdalpha.scoring.problems import InputError

    done = iter(range(1, len(crowd) + 1))

    def progress(era: object) -> None:
        told(next(done), len(crowd), "Scoring")

    try:
        return survey(crowd, metrics, models=crowd.models, pairs=pairs, progress=progress)
    except InputError as refusal:
        raise InputError(*crowd.left_out, *refusal.problems) from None


def _require(metrics: list[str], given: list[str]) -> None:
    """Refuse metrics without the tables that they need, before any is read."""
    from crowdalpha.scoring.metrics import missing_inputs

    lacking = [(name, problem.code) for name in metrics for problem in missing_inputs([name], given)]
    if lacking:
        needs = [f"{name} needs --{code.removeprefix('no_').replace('_', '-')}" for name, code in lacking]
        raise click.UsageError(f"Among --metrics, {'; '.join(needs)}.")


def _key(metrics: list[str]) -> str:
    """The metric that the models are ordered by."""
    return "mmc2" if "mmc2" in metrics else metrics[0]


def _ranking(seen: Survey, metrics: list[str]) -> list[Record]:
    """A record a model, best first; models without a score last."""
    import numpy as np

    from crowdalpha.scoring.eras import summarize
    from crowdalpha.scoring.metrics import METRICS

    key = summarize(seen.scores[_key(metrics)])
    means = {name: summarize(seen.scores[name], n_resamples=1).mean for name in metrics}
    columns = {"model": seen.models, "stake": seen.stakes, "share": seen.shares, "eras": key.n_eras} | means
    columns |= {"low": key.mean_low, "high": key.mean_high, "sharpe": key.sharpe}
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    sign = 1.0 if METRICS[_key(metrics)].better == "lower" else -1.0

    def order(record: Record) -> tuple[bool, float, str]:
        score = record[_key(metrics)]
        return score != score, sign * score if score == score else 0.0, record["model"]

    return sorted((dict(zip(columns, row, strict=True)) for row in rows), key=order)


def _marked(ranking: list[Record], crowd: Crowd, stakes: Path | None) -> list[Record]:
    """The ranking with who was left out, and what such a model would have staked."""
    own = _own_stakes(stakes) if crowd.left_out and stakes else {}
    for row in ranking:
        about = any(is_about(problem, row["model"]) for problem in crowd.left_out)
        row["left_out"] = about or bool(crowd.left_out and not row["eras"])
        if row["left_out"] and not row["eras"]:
            row["stake"] = own.get(row["model"], 0.0) if stakes else 1.0
    return ranking


def _own_stakes(stakes: Path) -> dict[str, float]:
    """What a file says that each model staked, in its last row."""
    from crowdalpha.tables.files import read_table

    table = read_table(stakes)
    columns = (table.column(name).to_pylist() for name in ("model", "stake"))
    return {name: float(stake) for name, stake in zip(*columns, strict=True)}


def _mark(row: Record) -> str:
    return "left out in part" if row["eras"] else "left out"


def _print(ranking: list[Record], metrics: list[str], n_eras: int, below: list[str]) -> None:
    interval = f"95% of {_key(metrics)}"
    rows = [
        (
            f"{row['model']} ({_mark(row)})" if row["left_out"] else row["model"],
            f"{row['stake']:,.2f}",
            f"{row['share']:.1%}",
            f"{row['eras']:,}",
            *(number(row[name]) for name in metrics),
            span(row["low"], row["high"]),
            number(row["sharpe"], 2),
        )
        for row in ranking
    ]
    method = f"Means over eras, ordered by {_key(metrics)}, with its block-bootstrap interval and Sharpe."
    print_table(
        f"{counted(len(rows), 'model')}, {counted(n_eras, 'era')}",
        ("model", "stake", "share", "eras", *metrics, interval, "Sharpe"),
        rows,
        caption="\n".join(filter(None, [method, *below])),
        spare=SPARE,
    )


def _write_report(
    seen: Survey, source: Path, bags: int, seed: str, said: Notices, marked: dict[str, Record], page: Path
) -> None:
    from dataclasses import replace
    from importlib.metadata import version

    from crowdalpha.diagnostics.data import Run
    from crowdalpha.diagnostics.report import crowd_report as draw
    from crowdalpha.diagnostics.survey import crowd_report

    ids, made, models = an_era(seen.n_ids), version("crowdalpha"), len(seen.models)
    run = Run(len(seen.eras), models, ids, bags, seed, made, source=source.name, credits=said.credits)
    marks = {name: _mark(row) for name, row in marked.items()}
    report = crowd_report(seen, run, title=source.stem or "Crowd", descriptions=marks, caveats=said.caveats)
    rows = (replace(row, stake=marked.get(row.model, {}).get("stake", row.stake)) for row in report.leaderboard.rows)
    report = replace(report, leaderboard=replace(report.leaderboard, rows=tuple(rows)))
    page.write_text(draw(report), encoding="utf-8")
