"""What is found in predictions of past eras: the pictures of `crowdalpha diagnose`, and every figure beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.diagnostics.checkup import diagnose
from crowdalpha.diagnostics.data import Run, as_json
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.eras import CorrMmcSharpe, Summary, corr_mmc_sharpe, summarize
from crowdalpha.scoring.metrics import Era, metric
from crowdalpha.scoring.ranks import rank_models, uniform
from crowdalpha.server.past import Past

Floats = NDArray[np.float64]
TITLES = {"CORR": "corr", "MMC2": "mmc2", "FNC": "fnc"}
"""The series of a diagnosis, by their names in METRICS."""


def findings(past: Past, ranks: Mapping[str, Floats], model: str) -> dict[str, Any]:
    """Everything about predictions of past eras, as JSON: `ranks` (n_ids,) for each era that was sent in.

    `eras` are their labels, `scores` the series of each metric (one number an era), `figures` what `summarize` says of
    each series, `both` the Sharpe of corr + mmc2, and `diagnosis` the values of the page of `crowdalpha diagnose`.
    What an era lacks (features, a metamodel, example predictions), all go without.
    """
    eras, caveats = list(ranks), []
    names = {past.feature_names(era) for era in eras}
    features = next(iter(names)) if len(names) == 1 else ()
    if len(names) > 1:
        caveats.append("The eras have not the same features: FNC and exposures are left out.")
    crowd = _of_all(past.metamodel, eras)
    if crowd is None:
        caveats.append("Nobody knows the metamodel of all of the eras: MMC2 is left out.")
    beside: dict[str, list[float]] = {}
    diagnosis = diagnose(
        _beside(_eras(past, ranks, model, bool(features), crowd, _of_all(past.benchmark, eras)), beside),
        model,
        lambda n: Run(n, 1, _counted([len(ranks[era]) for era in eras]), 0, "none", version("crowdalpha")),
        features=features or None,
        caveats=caveats,
    )
    scores = {TITLES[bars.title]: list(bars.values) for bars in diagnosis.per_era} | beside
    return {
        "eras": eras,
        "scores": {name: as_json(values) for name, values in scores.items()},
        "figures": _figures(scores),
        "both": _both(scores),
        "diagnosis": as_json(diagnosis),
    }


def _of_all(known: Any, eras: Sequence[str]) -> dict[str, Floats] | None:
    """What is known of each era; None unless it is known of all."""
    found: dict[str, Floats] = {}
    for era in eras:
        if (values := known(era)) is None:
            return None
        found[era] = values
    return found


def _eras(
    past: Past,
    ranks: Mapping[str, Floats],
    model: str,
    featured: bool,
    crowd: Mapping[str, Floats] | None,
    example: Mapping[str, Floats] | None,
) -> Iterator[Era]:
    for era, values in ranks.items():
        yield Era(
            values[:, np.newaxis],
            past.target(era),
            features=past.features(era) if featured else None,
            metamodel=None if crowd is None else crowd[era],
            benchmarks=None if example is None else example[era][:, np.newaxis],
            label=era,
            ids=tuple(past.universe[era]),
            models=(model,),
        )


def _beside(eras: Iterable[Era], series: dict[str, list[float]]) -> Iterator[Era]:
    """The eras as they pass by, scored by what a diagnosis leaves out."""
    for era in eras:
        found: dict[str, Any] = {"numerai_corr": metric("numerai_corr")(era)[0]}
        if era.features is not None:
            found["exposure_max"] = metric("exposure_max")(era)[0]
        if era.benchmarks is not None:
            found["bmc"] = metric("bmc")(era)[0]
            found["benchmark_correlation"] = corr(era.shared_ranks, uniform(rank_models(era.benchmarks[:, 0])))[0]
        for name, value in found.items():
            series.setdefault(name, []).append(float(value))
        yield era


def _figures(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """What `summarize` says of each series, and of CORR and MMC2 together."""
    series = dict(scores)
    if "mmc2" in series:
        series["corr_plus_mmc2"] = (np.array(series["corr"]) + np.array(series["mmc2"])).tolist()
    return {name: _plain(summarize(values)) for name, values in series.items()}


def _both(scores: Mapping[str, Sequence[float]]) -> dict[str, Any] | None:
    return _plain(corr_mmc_sharpe(scores["corr"], scores["mmc2"])) if "mmc2" in scores else None


def _plain(figures: Summary | CorrMmcSharpe) -> dict[str, Any]:
    """Figures of one model by their names, as JSON has them."""
    return {name: value if isinstance(value, int) else as_json(float(value)) for name, value in asdict(figures).items()}


def _counted(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return f"{low} an era" if low == high else f"{low} to {high} an era"
