"""Likenesses: real histories that a simulated crowd can be made like, as the traces that shapes are fitted to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdalpha.demo.crowd import Crowd, data_table
from crowdalpha.demo.equities import equities
from crowdalpha.demo.flusight import flusight
from crowdalpha.lab.crowds import SPREAD
from crowdalpha.lab.traces import Trace, trace
from crowdalpha.scoring.problems import InputError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

METAMODEL = "NUMERAI_SWMM"
"""Numerai's stake-weighted metamodel among the models whose scores are known."""
BUCKETS = 4.0
"""The distance of Numerai's highest target from its lowest, as contribution counts it."""
NUMERAI_CREDIT = (
    "Scores of 32 models in 355 Numerai rounds, collected by BorisVSchmid/numerai-vladthestaker at commit 86a9c2e "
    "(Unlicense)."
)
NUMERAI_CAVEATS = (
    "Known are scores of 32 models that somebody chose to follow, no predictions; nobody drew them from the thousands "
    "that played.",
    "How much models have in common is inferred from scores: what a model's CORR is beside its MMC and the "
    "metamodel's CORR.",
    "Rounds are a day apart and last 20: neighbours share nearly all of their outcome.",
    f"Targets go from 0 to {BUCKETS:g}, as contribution since 2024 counts them. Rules of before were paid on targets "
    "from 0 to 1, that is on a quarter of the MMC2 that they see here.",
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """A history to be like: its trace, whom to credit, and what to know before trusting a number."""

    name: str
    trace: Trace
    attribution: str
    caveats: tuple[str, ...]


def likeness(name: str) -> Likeness:
    """The history of a name: flusight, equities (needs the extra `demo` and some seconds), or numerai.

    Refused with code `unknown_history` if there is none.
    """
    if name not in LIKENESSES:
        raise InputError(Problem("unknown_history", f"one of {', '.join(LIKENESSES)}", repr(name), "take one", "like"))
    return LIKENESSES[name]()


def of_crowd(name: str, crowd: Crowd) -> Likeness:
    """What a shipped crowd's history shows, with its simulated stakes."""
    from crowdalpha.tables.frames import eras

    stakes = dict(zip(crowd.stakes["model"].to_pylist(), crowd.stakes["stake"].to_pylist(), strict=True))
    aligned = eras(crowd.predictions, crowd.targets, bags=0)
    return Likeness(name, trace(aligned.eras, stakes), crowd.attribution, crowd.caveats)


def numerai() -> Likeness:
    """What the scores of Numerai models show.

        CORR_jt = k MMC_jt + rho_j CORR_t + noise

    CORR_t is that of the metamodel. A model's correlation with it, rho_j, follows by least squares over rounds; two
    models that resemble each other only through the metamodel are correlated by rho_i rho_j.

    >>> numerai().trace.corr.shape
    (355, 31)
    """
    scores = data_table("numerai_scores.parquet")
    rounds, places = np.unique(scores["round"].to_numpy(), return_inverse=True)
    names = sorted(set(scores["model"].to_pylist()))
    columns = np.searchsorted(np.array(names), np.array(scores["model"].to_pylist()))
    corr, mmc = (np.full((len(rounds), len(names)), np.nan) for _ in range(2))
    corr[places, columns], mmc[places, columns] = scores["corr"].to_numpy(), scores["mmc"].to_numpy()
    crowd, others = corr[:, names.index(METAMODEL)], [k for k, name in enumerate(names) if name != METAMODEL]
    corr, mmc = corr[:, others], mmc[:, others]
    alike = np.full(len(rounds), _alike(np.array([_rho(*pair, crowd) for pair in zip(corr.T, mmc.T, strict=True)])))
    models = tuple(names[k] for k in others)
    found = Trace(models, corr, mmc, crowd, alike, SPREAD, BUCKETS, metrics=("numerai_corr", "mmc2024"))
    return Likeness("numerai", found, NUMERAI_CREDIT, NUMERAI_CAVEATS)


def _rho(corr: Floats, mmc: Floats, crowd: Floats) -> float:
    there = ~np.isnan(corr)
    found, *_ = np.linalg.lstsq(np.column_stack([mmc, crowd])[there], corr[there], rcond=None)
    return float(found[1])


def _alike(rho: Floats) -> float:
    """The mean of rho_i rho_j over pairs."""
    return float((rho.sum() ** 2 - np.square(rho).sum()) / (len(rho) * (len(rho) - 1)))


LIKENESSES: Mapping[str, Callable[[], Likeness]] = {
    "flusight": lambda: of_crowd("flusight", flusight()),
    "equities": lambda: of_crowd("equities", equities()),
    "numerai": numerai,
}
"""Every history by name."""
