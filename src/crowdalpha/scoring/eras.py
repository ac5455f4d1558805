"""What a series of scores, one an era, says about a model: level, risk, drawdown and how sure one can be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdalpha.scoring import series
from crowdalpha.scoring.arrays import LARGEST, Floats, numbers
from crowdalpha.scoring.bootstrap import default_block, percentile_interval, resample
from crowdalpha.scoring.options import is_real, is_whole, said
from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.scoring.series import NAN

Figure = float | Floats
"""A number for one model, an array (n_models,) for several."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a series of scores; each a number for one model, (n_models,) for several.

    NaN stands wherever a figure has no meaning: no era, no spread to divide by, no loss for a Sortino.
    """

    mean: Figure
    """Mean score per era."""
    std: Figure
    """Standard deviation of the score over eras."""
    sharpe: Figure
    """mean / std, per era and not annualised."""
    adjusted_sharpe: Figure
    """mean / (std x penalty): the Sharpe with its risk corrected for autocorrelation."""
    sortino: Figure
    """mean / downside deviation: only losses count as risk."""
    max_drawdown: Figure
    """The deepest fall of the compounded scores below their rolling maximum, from 0 down to -1."""
    hit_rate: Figure
    """Share of eras with a score above 0."""
    apy: Figure
    """What a year of compounding the scores would return, as a fraction: 0.1 is 10 %."""
    n_eras: int | NDArray[np.int64]
    """Eras that have a score."""
    autocorrelation: Figure
    """Pearson correlation of a score with the one of the era before."""
    mean_low: Figure
    """Lower end of the bootstrap interval of the mean."""
    mean_high: Figure
    """Upper end of the bootstrap interval of the mean."""
    sharpe_low: Figure
    """Lower end of the bootstrap interval of the Sharpe."""
    sharpe_high: Figure
    """Upper end of the bootstrap interval of the Sharpe."""


@dataclass(frozen=True, slots=True)
class CorrMmcSharpe:
    """The Sharpe of corr + mmc, and what mmc added to the Sharpe of corr alone."""

    sharpe: Figure
    """Sharpe of corr + mmc."""
    difference: Figure
    """That Sharpe minus the Sharpe of corr over the same eras."""


@dataclass(frozen=True, slots=True)
class _Options:
    eras_per_year: float = 52
    ddof: int = 0
    n_resamples: int = 1000
    block: int | None = None
    confidence: float = 0.95
    seed: int = 0

    def problems(self) -> Iterator[Problem]:
        allowed = {
            "eras_per_year": (is_real(self.eras_per_year) and self.eras_per_year > 0, "a number above 0"),
            "ddof": (is_whole(self.ddof, 0), "0 or more"),
            "n_resamples": (is_whole(self.n_resamples, 1), "1 or more"),
            "block": (self.block is None or is_whole(self.block, 1), "None or at least 1 era"),
            "confidence": (is_real(self.confidence) and 0 < self.confidence < 1, "between 0 and 1"),
            "seed": (is_whole(self.seed, 0), "a whole number, 0 or more"),
        }
        for name, (fits, expected) in allowed.items():
            if not fits:
                found = said(getattr(self, name))
                yield Problem(f"bad_{name}", f"{name} {expected}", found, "choose one in that range")


def summarize(
    scores_by_era: ArrayLike,
    *,
    eras_per_year: float = 52,
    ddof: int = 0,
    n_resamples: int = 1000,
    block: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Summary:
    r"""Summarise scores over eras: risk, drawdown, autocorrelation and block-bootstrap intervals.

        sharpe          = mean / std
        adjusted_sharpe = mean / (std sqrt(1 + 2 sum_{i=1}^{n-1} (n-i)/n r^i)),  r the lag-1 autocorrelation
        sortino         = mean / sqrt(sum min(score, 0)^2 / (n - ddof))
        max_drawdown    = -max((rollmax - v) / rollmax),  v = cumprod(1 + score), rollmax over 100 eras
        apy             = prod(1 + score)^(eras_per_year / n) - 1

    `scores_by_era` is (n_eras,) or (n_eras, n_models) in the order of time, NaN where a model has no score:
    such an era is left out of that model's figures, and a pair across the gap out of its autocorrelation.
    `ddof` is 0 as in the tournament's Sharpe; its scripts of 2020 used 1. The penalty of the adjusted Sharpe
    keeps the sign of r, so scores that alternate are rewarded; from 2021 the scripts took |r|.
    A score of -1 or less loses everything, for good. The operator's example analysis clips scores
    at +-0.25 and counts 49 eras a year (52 less 3 of compounding lag), in per cent: `eras_per_year=49`.

    Intervals are percentiles over `n_resamples` circular block resamples of runs of `block` eras (default
    n^(1/3) rounded; longer for strongly autocorrelated scores, or the interval is too narrow), drawn by
    Philox from `seed`; they need two eras. All figures are the same to the bit for a model alone and among
    others. Raises InputError for infinite scores, other shapes and options out of range.
    Source: [F151#2], [PR92], [SPEC 2].

    >>> s = summarize([0.03, -0.01, 0.02, 0.04])
    >>> round(s.mean, 6), round(s.sharpe, 6), round(s.max_drawdown, 6), s.hit_rate, s.n_eras
    (0.02, 1.069045, -0.01, 0.75, 4)
    """
    scores = _scores(scores_by_era, "scores_by_era")
    options = _Options(eras_per_year, ddof, n_resamples, block, confidence, seed)
    refuse_if_any(options.problems())
    rows = [_figures(column, options) for column in _columns(scores)]
    if scores.ndim == 1:
        return Summary(**rows[0])
    kinds = {field.name: "i8" if field.name == "n_eras" else "f8" for field in fields(Summary)}
    stacked: dict[str, Any] = {name: np.array([row[name] for row in rows], kind) for name, kind in kinds.items()}
    return Summary(**stacked)


def corr_mmc_sharpe(corr: ArrayLike, mmc: ArrayLike, *, ddof: int = 0) -> CorrMmcSharpe:
    """Compare the Sharpe of corr + mmc with that of corr alone, over the eras that have both.

        sharpe = mean(corr + mmc) / std(corr + mmc);   difference = sharpe - mean(corr) / std(corr)

    Both are (n_eras,) or (n_eras, n_models). A positive difference says that the contribution comes when the
    correlation is poor, or is steadier than it. Raises InputError if the shapes differ. Source: [F93#1].

    >>> both = corr_mmc_sharpe([0.02, 0.04, 0.00], [0.02, 0.00, 0.01])
    >>> round(both.sharpe, 6), round(both.difference, 6)
    (2.12132, 0.896575)
    """
    corr, mmc = _scores(corr, "corr"), _scores(mmc, "mmc")
    refuse_if_any(_Options(ddof=ddof).problems())
    if corr.shape != mmc.shape:
        expected, found = f"mmc of shape {corr.shape}, as corr", f"shape {mmc.shape}"
        refuse_if_any([Problem("misaligned", expected, found, "pass both for the same eras and models")])
    together = corr + mmc
    of_both = _sharpes(together, ddof)
    of_corr = _sharpes(np.where(np.isnan(together), NAN, corr), ddof)
    return CorrMmcSharpe(_like(of_both, corr), _like(of_both - of_corr, corr))


def bag_standard_error(per_bag_scores: ArrayLike) -> Figure:
    """Say how far a bagged score would move if its bags were drawn again: std over bags / sqrt(n_bags).

    `per_bag_scores` is (n_bags,) or (n_bags, n_models), an era's score for each bag; the std has ddof 1. NaN
    for a model without scores and for a single bag. It shrinks as 1/sqrt(n_bags). Source: [F84#6].

    >>> round(bag_standard_error([0.01, 0.03]), 12)
    0.01
    """
    scores = _scores(per_bag_scores, "per_bag_scores")
    present = [column[~np.isnan(column)] for column in _columns(scores)]
    return _like(np.array([series.std(bags, 1) / math.sqrt(len(bags) or 1) for bags in present]), scores)


def _figures(column: Floats, options: _Options) -> dict[str, Any]:
    """Every figure of one model's scores, by name."""
    scores = column[~np.isnan(column)]
    mean, std = series.mean(scores), series.std(scores, options.ddof)
    lag1 = series.autocorrelation(column)
    return {
        "mean": mean,
        "std": std,
        "sharpe": series.ratio(mean, std),
        "adjusted_sharpe": series.ratio(mean, std * series.autocorrelation_penalty(lag1, len(scores))),
        "sortino": series.ratio(mean, series.downside(scores, options.ddof)),
        "max_drawdown": series.max_drawdown(scores),
        "hit_rate": series.hit_rate(scores),
        "apy": series.apy(scores, options.eras_per_year),
        "n_eras": len(scores),
        "autocorrelation": lag1,
    } | _intervals(scores, options)


def _intervals(scores: Floats, options: _Options) -> dict[str, float]:
    """Bootstrap intervals of mean and Sharpe; NaN where fewer than two eras leave nothing to resample."""
    names = ("mean_low", "mean_high", "sharpe_low", "sharpe_high")
    n = len(scores)
    if n < 2:
        return dict.fromkeys(names, NAN)
    block = min(options.block or default_block(n), n)
    draws = resample(scores, options.ddof, block=block, n_resamples=options.n_resamples, seed=options.seed)
    ends = [end for drawn in draws for end in percentile_interval(drawn, options.confidence)]
    return dict(zip(names, ends, strict=True))


def _sharpes(scores: Floats, ddof: int) -> Floats:
    return np.array([series.sharpe(column[~np.isnan(column)], ddof) for column in _columns(scores)])


def _columns(scores: Floats) -> Floats:
    return np.ascontiguousarray(np.atleast_2d(scores.T))


def _like(figures: Floats, scores: Floats) -> Figure:
    return float(figures[0]) if scores.ndim == 1 else figures


def _scores(values: ArrayLike, name: str) -> Floats:
    """Scores as (n_eras,) or (n_eras, n_models); NaN may stand for a missing score, infinity for nothing."""
    scores = numbers(values, name)
    problems = []
    if scores.ndim not in (1, 2):
        expected = f"{name} of shape (n_eras,) or (n_eras, n_models)"
        problems.append(Problem("wrong_shape", expected, f"shape {scores.shape}", "reshape them"))
    if np.isinf(scores).any():
        expected, found = f"{name} that are finite or NaN", f"{np.isinf(scores).sum()} infinite"
        problems.append(Problem(f"inf_in_{name}", expected, found, "put NaN where there is no score"))
    elif (np.abs(scores) > LARGEST).any():
        expected, found = f"{name} from -1e150 to 1e150", f"{np.nanmax(np.abs(scores)):g}"
        problems.append(Problem("too_large", expected, found, "put NaN where there is no score"))
    refuse_if_any(problems)
    return scores
