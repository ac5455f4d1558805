"""Predictions of past eras: a link to put them to, having them scored, and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crowdalpha.server.graphql.asked import Asked, answers
from crowdalpha.tournament.people import Diagnostic

SERIES = {"Corr": "corr", "Mmc": "mmc2", "CorrPlusMmc": "corr_plus_mmc2"}
"""What stands in the middle of a figure's name, and whose figure it is."""
FIGURES = {"Mean": "mean", "Std": "std", "Sharpe": "sharpe"}
OTHERS = {
    "validationMaxDrawdown": ("corr", "max_drawdown"),
    "validationCorrMaxDrawdown": ("corr", "max_drawdown"),
    "validationAdjustedSharpe": ("corr", "adjusted_sharpe"),
    "validationApy": ("corr", "apy"),
    "validationAutocorr": ("corr", "autocorrelation"),
    "validationFeatureNeutralCorrMean": ("fnc", "mean"),
    "validationFeatureCorrMax": ("exposure_max", "mean"),
    "validationBmcMean": ("bmc", "mean"),
    "examplePredsCorrMean": ("benchmark_correlation", "mean"),
}
"""Figures by themselves: of which series, and which of it."""
ERAS = {
    "validationCorr": "corr",
    "validationMmc": "mmc2",
    "validationFeatureNeutralCorr": "fnc",
    "validationFeatureCorrMax": "exposure_max",
    "validationBmc": "bmc",
    "examplePredsCorr": "benchmark_correlation",
}
"""What is said of each era."""
NOTHING: dict[str, Any] = {"eras": [], "scores": {}, "figures": {}, "both": None}


@answers("Query.diagnosticsUploadAuth")
def upload_auth(asked: Asked, filename: str, model_id: str | None = None) -> dict[str, Any]:
    """A link to put predictions of past eras to."""
    slot = asked.service.diagnostics.slot(asked.who, filename, asked.base, model_id)
    return {"filename": slot.filename, "url": slot.url}


@answers("Mutation.createDiagnostics")
def create(asked: Asked, filename: str, model_id: str | None = None) -> dict[str, Any]:
    """Have a file that was put looked at; it is, after the answer."""
    return shown(asked.service.diagnostics.hand_in(asked.who, filename, model_id))


@answers("Query.diagnostics")
def diagnostics(asked: Asked, id: str | None = None, model_id: str | None = None) -> list[dict[str, Any]]:
    """What was handed in for a model, newest first, or the one with that id."""
    if id:
        return [shown(asked.service.diagnostics.one(asked.who, id))]
    return [shown(one) for one in asked.service.diagnostics.of_model(asked.who, model_id)]


@answers("Mutation.deleteDiagnostics")
def delete(asked: Asked, id: str) -> dict[str, Any]:
    """Forget a file and what was found in it."""
    return shown(asked.service.diagnostics.delete(asked.who, id))


def shown(one: Diagnostic) -> dict[str, Any]:
    """What was found, in the words of the clients; what this tournament does not compute is absent."""
    found = json.loads(one.content) if one.status == "done" else NOTHING
    figures = found["figures"]
    said = {
        f"validation{middle}{end}": _figure(figures, series, figure)
        for middle, series in SERIES.items()
        for end, figure in FIGURES.items()
    }
    said |= {name: _figure(figures, series, figure) for name, (series, figure) in OTHERS.items()}
    return said | {
        "id": one.id,
        "status": one.status,
        "message": one.message or None,
        "updatedAt": one.updated_at,
        "erasAcceptedCount": len(found["eras"]) or None,
        "validationCorrPlusMmcSharpeDiff": (found["both"] or {}).get("difference"),
        "perEraDiagnostics": [_era(found["scores"], k, era) for k, era in enumerate(found["eras"])],
    }


def _figure(figures: Mapping[str, Mapping[str, Any]], series: str, figure: str) -> Any:
    return figures.get(series, {}).get(figure)


def _era(scores: Mapping[str, list[Any]], k: int, era: str) -> dict[str, Any]:
    return {"era": era} | {name: scores[series][k] for name, series in ERAS.items() if series in scores}
