"""`crowdalpha exposure`: how much of a model is the features themselves."""

from __future__ import annotations

from pathlib import Path

import click

from crowdalpha.cli.console import as_json, existing, number, print_json, print_table, progress, reports_refusals

SIZES = ("std", "l2", "rms", "max")


@click.command(name="exposure")
@click.argument("predictions", type=existing(folder=True))
@click.option("--features", type=existing(), required=True, help="era, id and a column a feature.")
@click.option("--worst", default=3, show_default=True, help="How many features to name for each model.")
@as_json
@reports_refusals
def command(predictions: Path, features: Path, worst: int, as_json: bool) -> None:
    """Correlate the ranks of every model of PREDICTIONS with every feature; all four sizes, as means over eras."""
    import numpy as np

    from crowdalpha.scoring.arrays import Floats
    from crowdalpha.scoring.exposure import exposure_metrics, exposures
    from crowdalpha.scoring.ranks import uniform
    from crowdalpha.tables.frames import eras

    crowd = eras(predictions, None, features=features, bags=0)
    names = crowd.names["features"]
    sizes: dict[str, list[list[float]]] = {model: [] for model in crowd.models}
    each: dict[str, list[Floats]] = {model: [] for model in crowd.models}
    with progress("Measuring") as told:
        for done, era in enumerate(crowd, 1):
            ranked = uniform(era.ranks)
            by = era.given("features")
            figures, c = exposure_metrics(ranked, by), exposures(ranked, by)
            for j, model in enumerate(era.models):
                sizes[model].append([float(getattr(figures, size)[j]) for size in SIZES])
                each[model].append(c[:, j])
            told(done, len(crowd))
    means = {model: np.mean(rows, axis=0).tolist() for model, rows in sizes.items()}
    leans = {model: _worst(np.mean(rows, axis=0).tolist(), names, worst) for model, rows in each.items()}
    if as_json:
        print_json(
            [{"model": m} | dict(zip(SIZES, means[m], strict=True)) | {"worst": dict(leans[m])} for m in crowd.models]
        )
        return
    rows = [
        (m, ", ".join(f"{f} {number(c, 3)}" for f, c in leans[m]), *(f"{value:.4f}" for value in means[m]))
        for m in crowd.models
    ]
    print_table(
        f"Exposure to {len(names)} features, {len(crowd)} eras",
        ("model", "leans most on", "std", "L2", "RMS", "max"),
        rows,
        left=2,
    )


def _worst(values: list[float], names: tuple[str, ...], count: int) -> list[tuple[str, float]]:
    return sorted(zip(names, values, strict=True), key=lambda pair: (-abs(pair[1]), pair[0]))[:count]
