"""`crowdalpha exposure`: how much of a model is the features themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import Advance, counted, number, print_json, progress, reports_refusals
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, existing, some

if TYPE_CHECKING:
    from crowdalpha.scoring.arrays import Floats
    from crowdalpha.tables.crowd import Crowd

SIZES = ("std", "l2", "rms", "max")


@click.command(name="exposure")
@click.argument("predictions", type=existing)
@click.option("--features", type=existing, required=True, help="era, id and a column a feature.")
@click.option("--worst", type=some, default=3, show_default=True, help="How many features to name for each model.")
@as_json
@reports_refusals
def command(predictions: Path, features: Path, worst: int, as_json: bool) -> None:
    """Correlate the ranks of every model of PREDICTIONS with every feature; all four sizes, as means over eras."""
    from crowdalpha.tables.frames import eras

    with progress("Reading") as told:
        crowd = eras(predictions, None, features=features, bags=0)
        sizes, leans = _measured(crowd, told)
    names = crowd.names["features"]
    most = {model: _worst(dict(zip(names, leans[model], strict=True)), worst) for model in crowd.models}
    if as_json:
        print_json(
            [
                {"model": m} | dict(zip(SIZES, sizes[m], strict=True)) | {"worst": most[m]}
                | {"features": dict(zip(names, leans[m], strict=True))}
                for m in crowd.models
            ]
        )  # fmt: skip
        return
    rows = [
        (m, ", ".join(f"{f} {number(c, 3)}" for f, c in most[m].items()), *(f"{value:.4f}" for value in sizes[m]))
        for m in crowd.models
    ]
    print_table(
        f"Exposure to {counted(len(names), 'feature')}, means over {counted(len(crowd), 'era')}",
        ("model", "leans most on", "std", "L2", "RMS", "max"),
        rows,
        left=2,
        spare=("std", "RMS"),
    )


def _measured(crowd: Crowd, told: Advance) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """For each model its four sizes and its exposure to each feature, as means over the eras that it is in."""
    import numpy as np

    from crowdalpha.scoring.exposure import exposure_metrics, exposures
    from crowdalpha.scoring.ranks import uniform

    sizes: dict[str, list[Floats]] = {model: [] for model in crowd.models}
    leans: dict[str, list[Floats]] = {model: [] for model in crowd.models}
    for done, era in enumerate(crowd, 1):
        ranked, by = uniform(era.ranks), era.given("features")
        figures, each = exposure_metrics(ranked, by), exposures(ranked, by)
        measured = np.column_stack([getattr(figures, size) for size in SIZES])
        for j, model in enumerate(era.models):
            sizes[model].append(measured[j])
            leans[model].append(each[:, j])
        told(done, len(crowd), "Measuring")
    return (
        {model: np.mean(rows, axis=0).tolist() for model, rows in sizes.items()},
        {model: np.mean(rows, axis=0).tolist() for model, rows in leans.items()},
    )


def _worst(exposures: dict[str, float], count: int) -> dict[str, float]:
    return dict(sorted(exposures.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:count])
