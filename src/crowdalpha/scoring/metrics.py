"""METRICS: one row a metric. The command line's choices, the columns of a score table and the pages follow from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from crowdalpha.scoring.arrays import Floats, Whole
from crowdalpha.scoring.contribution import bmc, cwmm, mmc1, mmc2, mmc2024
from crowdalpha.scoring.correlation import corr, fnc, fnc_2021, numerai_corr
from crowdalpha.scoring.exposure import exposure_metrics
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.scoring.options import said
from crowdalpha.scoring.pairwise import apcwnm, mcwnm
from crowdalpha.scoring.portfolio import alpha, mpc
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, rank_models

GIVEN = ("target", "features", "benchmarks", "neutralizers", "sample_weights")
"""What only the caller can supply; the rest (stakes, bags, metamodel) has a default or follows from it."""


@dataclass(frozen=True)
class Era:
    """One era as arrays: rows are ids, sorted bytewise; columns of `predictions` are models, sorted by name.

    predictions (n_ids, n_models), NaN columns for absent models. target (n_ids,). stakes (n_models,). bags
    (n_bags, n_models) or None for every staker once. features (n_ids, n_features). metamodel (n_ids,): None stands
    for the crowd's own, from its stakes. The others are for the metrics that name them.
    """

    predictions: Floats
    target: Floats | None = None
    stakes: Floats | Whole | None = None
    bags: Whole | None = None
    features: Floats | None = None
    metamodel: Floats | None = None
    benchmarks: Floats | None = None
    neutralizers: Floats | None = None
    sample_weights: Floats | None = None
    ties: str = "average"
    label: object = None
    ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def given(self, name: str, metric: str = "this score") -> Any:
        """An input of the era by its name, or a refusal if nobody gave it."""
        value = getattr(self, name)
        if value is None:
            raise InputError(_missing(metric, name))
        return value

    @cached_property
    def ranks(self) -> Ranks:
        """The crowd ranked once, for every metric that asks only for the order."""
        return rank_models(self.predictions, ties=self.ties)

    @cached_property
    def shared_ranks(self) -> Ranks:
        """The crowd ranked with shared ties, for the metrics that know no other rule."""
        return self.ranks if self.ties == "average" else rank_models(self.predictions)

    @cached_property
    def own_stakes(self) -> Any:
        """The stakes, equal ones if none were given."""
        return np.ones(self.predictions.shape[1], np.int64) if self.stakes is None else self.stakes

    @cached_property
    def crowd(self) -> Floats:
        """The metamodel to score against: the one given, or the crowd's own without bags."""
        if self.metamodel is not None:
            return self.metamodel
        return metamodel(self.ranks, self.own_stakes)


@dataclass(frozen=True)
class Metric:
    """A row of METRICS: a function of arrays by their names, and what its number means.

    `raw` metrics look at the predictions themselves, all others at their ranks. `better` is "higher", "lower" or
    "neither". `bounds` is the range in words.
    """

    name: str
    function: Callable[..., Any]
    title: str
    says: str
    bounds: str
    better: str = "higher"
    raw: bool = False
    source: str = "SPEC 2"
    parameters: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(inspect.signature(self.function).parameters))

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs that this metric cannot do without, beyond the predictions."""
        return tuple(name for name in self.parameters if name in GIVEN)

    def __call__(self, era: Era) -> Floats:
        """The score of every model of the era, NaN for those that are absent."""
        return np.asarray(self.function(**{name: self._argument(era, name) for name in self._bound}))

    @property
    def _bound(self) -> tuple[str, ...]:
        known = (*GIVEN, "predictions", "stakes", "bags", "metamodel", "ties")
        return tuple(name for name in self.parameters if name in known)

    def _argument(self, era: Era, name: str) -> Any:
        if name == "predictions":
            return era.predictions if self.raw else era.ranks if "ties" in self.parameters else era.shared_ranks
        if name == "stakes":
            return era.own_stakes
        if name == "metamodel":
            return era.crowd
        return era.given(name, self.name) if name in GIVEN else getattr(era, name)


def evaluate(names: Iterable[str], era: Era) -> dict[str, Floats]:
    """Each named metric of each model of an era: {name: (n_models,)}."""
    return {name: metric(name)(era) for name in names}


def metric(name: str) -> Metric:
    """A metric by its name, or a refusal that lists the names."""
    if not isinstance(name, str) or name not in METRICS:
        raise InputError(
            Problem("unknown_metric", "one of " + ", ".join(METRICS), said(name), "see `crowdalpha metrics`")
        )
    return METRICS[name]


def missing_inputs(names: Iterable[str], given: Iterable[str]) -> list[Problem]:
    """What the metrics need and nobody gave, as problems."""
    have = set(given)
    return [_missing(name, need) for name in names for need in metric(name).needs if need not in have]


def _missing(name: str, need: str) -> Problem:
    return Problem(
        f"no_{need}",
        f"{need} for the metric {name}",
        "none",
        f"pass {need}, or leave {name} out of the metrics",
    )


_ROWS = (
    Metric("corr", corr, "CORR", "How well the model orders the ids, alone: correlation of its ranks with the target.",
           "-1 to 1", source="DOCS"),
    Metric("mmc2", mmc2, "MMC2", "What the model adds: covariance with the target of the part of it that the "
           "stake-weighted crowd does not have. 0 for a copy of the metamodel.", "about -1 to 1", source="F93#1"),
    Metric("mmc1", mmc1, "MMC (original)", "How the metamodel's CORR changes when the model is put in at the "
           "mean stake, times the number of stakers.", "open", source="DOCS"),
    Metric("numerai_corr", numerai_corr, "CORR (2023)", "CORR with the tails stressed on both sides.", "-1 to 1",
           source="NT"),
    Metric("mmc2024", mmc2024, "MMC (2024)", "Covariance with the target of the model orthogonal to the "
           "metamodel, both made Gaussian.", "open", source="NT"),
    Metric("bmc", bmc, "BMC", "The same against the benchmark models: what it adds to models everybody has.", "open",
           source="NT"),
    Metric("fnc", fnc, "FNC", "What the model is worth without its features: numerai_corr of "
           "neutralize(gaussianize(p), features).", "-1 to 1", source="NT"),
    Metric("fnc_2021", fnc_2021, "FNC (2021)", "FNC by the first rule: CORR, uniform ranks, no intercept.", "-1 to 1",
           source="EX"),
    Metric("cwmm", cwmm, "CWMM", "Correlation with the metamodel: 1 for a copy, 0 for a model that has "
           "nothing in common with the crowd.", "-1 to 1", better="neither"),
    Metric("mcwnm", mcwnm, "MCWNM", "Correlation with the most similar other model.", "-1 to 1", better="neither"),
    Metric("apcwnm", apcwnm, "APCWNM", "Average correlation with the other models.", "-1 to 1", better="neither"),
    Metric("exposure_std", lambda predictions, features: exposure_metrics(predictions, features).std,
           "Exposure, std", "Spread of the correlations with the features; blind to equal ones.", "0 to 1",
           better="lower", raw=True, source="F93#6"),
    Metric("exposure_l2", lambda predictions, features: exposure_metrics(predictions, features).l2,
           "Exposure, L2", "Length of the vector of correlations with the features.", "0 to sqrt(features)",
           better="lower", raw=True, source="F93#11"),
    Metric("exposure_rms", lambda predictions, features: exposure_metrics(predictions, features).rms,
           "Exposure, RMS", "Root mean square of the correlations with the features.", "0 to 1", better="lower",
           raw=True, source="F93#11"),
    Metric("exposure_max", lambda predictions, features: exposure_metrics(predictions, features).max,
           "Exposure, max", "Correlation with the feature the model leans on most.", "0 to 1", better="lower",
           raw=True, source="F93#6"),
    Metric("alpha", alpha, "Alpha", "Mean return of the model's neutralised weights.", "units of the target",
           source="NT"),
    Metric("mpc", mpc, "MPC", "How the return of the unit-risk meta portfolio changes with the model's stake.", "open",
           source="NT"),
)  # fmt: skip
METRICS = {row.name: row for row in _ROWS}
