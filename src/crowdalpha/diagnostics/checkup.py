"""One participant's model, looked at from every side: the values of its diagnosis page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.diagnostics.data import (
    Bars,
    Diagnosis,
    Exposures,
    Interval,
    Lines,
    Neutralized,
    Run,
    Series,
    Statistic,
    Vectors,
    cumulative,
)
from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.contribution import mmc2
from crowdalpha.scoring.correlation import corr, fnc
from crowdalpha.scoring.eras import Summary, corr_mmc_sharpe, summarize
from crowdalpha.scoring.exposure import exposure_metrics, exposures
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.neutral import neutralize
from crowdalpha.scoring.ranks import Ranks, gaussianize, rank_models, uniform
from crowdalpha.scoring.series import drawdowns

PROPORTIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the feature exposure to take out, as in the announcement thread's figure [F93#12]."""


@dataclass(frozen=True)
class _Measured:
    """The series of one model, an entry an era."""

    corr: list[float]
    mmc2: list[float]
    fnc: list[float]
    rho: list[float]
    metamodel_corr: list[float]
    exposures: list[Floats]
    neutral_corr: list[list[float]]
    neutral_exposure: list[list[float]]


def diagnose(
    eras: Iterable[Era],
    model: str,
    run: Callable[[int], Run],
    *,
    features: Sequence[str] | None,
    caveats: Sequence[str] = (),
    progress: Callable[[Era], None] = lambda era: None,
) -> Diagnosis:
    """CORR, MMC2 and FNC an era, exposures, drawdown, and what neutralising by 0 .. 100% would have done.

    The eras hold the model as their only column, and features and a metamodel where there are any. Without features
    (None), FNC, exposures and neutralising are left out; without a metamodel, MMC2 and the picture of both. `run` is
    told the number of eras.

    Neutralised by q are the Gaussianised ranks, ties shared; ranked again, 0% has the CORR and the exposure of the
    model itself. FNC is numerai_corr of the 100% residual, where the row of 100% is its CORR.
    """
    labels: list[str] = []
    found = _Measured([], [], [], [], [], [], [], [])
    for era in eras:
        if not era.ranks.present.any():
            continue
        _measure(era, found)
        if features is not None:
            _measure_features(era, found)
        labels.append(str(era.label))
        progress(era)
    names = tuple(labels)
    has_crowd = len(found.mmc2) == len(names)
    series = {"CORR": found.corr, "MMC2": found.mmc2 if has_crowd else [], "FNC": found.fnc}
    return Diagnosis(
        model=model,
        run=run(len(names)),
        statistics=_statistics(found, has_crowd),
        per_era=tuple(Bars(name, name, names, tuple(values)) for name, values in series.items() if values),
        drawdown=_drawdown(names, model, found.corr) if len(names) > 1 else None,
        exposures=None if features is None else _exposures(found, features),
        vectors=_vectors(found, model) if has_crowd else None,
        neutralized=tuple(_neutralized(found, k) for k in range(len(PROPORTIONS)) if found.neutral_corr),
        caveats=tuple(caveats),
    )


def _drawdown(eras: tuple[str, ...], model: str, scores: list[float]) -> Lines:
    fallen = Series(model, tuple(drawdowns(np.array(scores)).tolist()))
    return Lines("Drawdown", "share of the peak", eras, (fallen,))


def _measure(era: Era, found: _Measured) -> None:
    t = era.given("target")
    found.corr.append(float(corr(era.ranks, t)[0]))
    if era.metamodel is not None:
        crowd = rank_models(era.metamodel)
        both = Ranks(np.vstack([era.shared_ranks.doubled, crowd.doubled]), np.ones(2, bool), "average")
        found.mmc2.append(float(mmc2(both, np.array([0, 1]), t)[0]))
        found.rho.append(float(corr(era.shared_ranks, uniform(crowd))[0]))
        found.metamodel_corr.append(float(corr(crowd, t)))


def _measure_features(era: Era, found: _Measured) -> None:
    t, features = era.given("target"), era.given("features")
    found.fnc.append(float(fnc(era.shared_ranks, features, t)[0]))
    found.exposures.append(exposures(uniform(era.shared_ranks)[:, 0], features))
    shape = gaussianize(era.shared_ranks)[:, 0]
    left = np.column_stack([neutralize(shape, features, proportion=q) for q in PROPORTIONS])
    found.neutral_corr.append(np.asarray(corr(left, t, ties=era.ties)).tolist())
    found.neutral_exposure.append(np.asarray(exposure_metrics(uniform(left), features).max).tolist())


def _statistics(found: _Measured, has_crowd: bool) -> tuple[Statistic, ...]:
    alone = summarize(found.corr)
    figures = [
        Statistic("CORR", _f(alone.mean), "How well the model orders the ids, on average over eras.", _mean(alone)),
        Statistic("CORR Sharpe", _f(alone.sharpe), "Mean CORR over its spread: how steady it is.", _sharpe(alone), 2),
        Statistic("Hit rate", _f(alone.hit_rate), "Share of eras with a CORR above 0.", None, 2, plus=False),
        Statistic("Max drawdown", _f(alone.max_drawdown), "Deepest fall of the compounded CORR below its peak."),
    ]
    if found.fnc:
        left = summarize(found.fnc)
        figures.append(
            Statistic("FNC", _f(left.mean), "numerai_corr of what is left without the features.", _mean(left))
        )
    if has_crowd:
        added, both = summarize(found.mmc2), corr_mmc_sharpe(found.corr, found.mmc2)
        figures[1:1] = [
            Statistic("MMC2", _f(added.mean), "What the model adds to the metamodel.", _mean(added)),
            Statistic("Correlation with the metamodel", float(np.mean(found.rho)), "1 for a copy of it.", None, 2),
            Statistic("CORR + MMC2 Sharpe", _f(both.sharpe), "Steadiness when paid on both.", None, 2),
        ]
    return tuple(figures)


def _exposures(found: _Measured, features: Sequence[str]) -> Exposures:
    """Mean exposure to each feature; the four sizes are means over eras of each era's size."""
    by_era = np.array(found.exposures)
    squares = (by_era * by_era).mean(axis=1)
    return Exposures(
        names=tuple(features),
        values=tuple(by_era.mean(axis=0).tolist()),
        std=float(by_era.std(axis=1).mean()),
        l2=float(np.sqrt(squares * by_era.shape[1]).mean()),
        rms=float(np.sqrt(squares).mean()),
        max=float(np.abs(by_era).max(axis=1).mean()),
    )


def _vectors(found: _Measured, model: str) -> Vectors:
    rho, alone, crowd, added = (
        float(np.mean(series)) for series in (found.rho, found.corr, found.metamodel_corr, found.mmc2)
    )
    return Vectors(model, rho, alone, crowd, added)


def _neutralized(found: _Measured, k: int) -> Neutralized:
    scores = [era[k] for era in found.neutral_corr]
    figures = summarize(scores)
    return Neutralized(
        proportion=PROPORTIONS[k],
        cumulative=cumulative("", scores).values,
        mean=_f(figures.mean),
        interval=_mean(figures),
        sharpe=_f(figures.sharpe),
        max_drawdown=_f(figures.max_drawdown),
        max_exposure=float(np.mean([era[k] for era in found.neutral_exposure])),
    )


def _f(figure: object) -> float:
    return float(np.asarray(figure))


def _mean(figures: Summary) -> Interval | None:
    low, high = _f(figures.mean_low), _f(figures.mean_high)
    return None if np.isnan(low) else Interval(low, high)


def _sharpe(figures: Summary) -> Interval | None:
    low, high = _f(figures.sharpe_low), _f(figures.sharpe_high)
    return None if np.isnan(low) else Interval(low, high)
