"""From the eras of a crowd to the values its report shows: one pass over the arrays, no drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.diagnostics.data import (
    CrowdReport,
    Heatmap,
    Interval,
    Leaderboard,
    LeaderboardRow,
    Lines,
    Persistence,
    Point,
    Run,
    Series,
    Vectors,
    cumulative,
)
from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.correlation import corr
from crowdalpha.scoring.eras import Summary, summarize
from crowdalpha.scoring.metrics import Era, evaluate
from crowdalpha.scoring.pairwise import similarity
from crowdalpha.scoring.problems import InputError

METAMODEL = "metamodel"
HIGHLIGHTED = 5
"""Models whose line stands out from the rest: the largest contributions."""


@dataclass(frozen=True)
class Survey:
    """What a crowd did, as arrays over its eras; NaN where a model is absent.

    `scores` holds each metric, (n_eras, n_models). `rho` (n_eras, n_models) is the correlation of each model with
    the un-bagged metamodel, `metamodel_corr` (n_eras,) the metamodel's own CORR, `alike` (n_models, n_models) the mean
    correlation of two models over the eras they share, `stakes` (n_models,) what they had in their last era.
    """

    eras: tuple[str, ...]
    models: tuple[str, ...]
    stakes: Floats
    scores: Mapping[str, Floats]
    rho: Floats
    metamodel_corr: Floats
    alike: Floats
    n_ids: tuple[int, ...]

    @property
    def shares(self) -> Floats:
        """Each model's share of all stake."""
        return np.asarray(self.stakes / max(float(self.stakes.sum()), 1e-300))


def survey(
    eras: Iterable[Era],
    metrics: Sequence[str] = ("corr", "mmc2"),
    *,
    models: Sequence[str] = (),
    pairs: bool = True,
    progress: Callable[[Era], None] = lambda era: None,
) -> Survey:
    """Score every era and collect what a report needs beside the scores. Models may come and go.

    `models` are listed also if they are in no era. Without `pairs` nothing is compared with everything else, which
    is most of the work for many models, and `alike` is NaN.
    """
    found: list[_Found] = []
    for era in eras:
        found.append(_look_at(era, metrics, pairs))
        progress(era)
    names = tuple(sorted({*models, *(name for one in found for name in one.models)}, key=str.encode))
    place = {name: j for j, name in enumerate(names)}
    columns = [np.array([place[name] for name in one.models], int) for one in found]
    alike, shared = np.zeros((2, len(names), len(names)))
    stakes = np.zeros(len(names))
    for one, at in zip(found, columns, strict=True):
        alike[np.ix_(at, at)] += np.nan_to_num(one.alike)
        shared[np.ix_(at, at)] += ~np.isnan(one.alike)
        stakes[at] = one.stakes

    def spread(rows: Iterable[Floats]) -> Floats:
        table = np.full((len(found), len(names)), np.nan)
        for line, at, values in zip(table, columns, rows, strict=True):
            line[at] = values
        return table

    return Survey(
        eras=tuple(one.label for one in found),
        models=names,
        stakes=stakes,
        scores={name: spread(one.scores[name] for one in found) for name in metrics},
        rho=spread(one.rho for one in found),
        metamodel_corr=np.array([one.metamodel_corr for one in found]),
        alike=np.divide(alike, shared, out=np.full_like(alike, np.nan), where=shared > 0),
        n_ids=tuple(one.n_ids for one in found),
    )


@dataclass(frozen=True)
class _Found:
    """What one era contributes to a survey, for the models that are in it."""

    label: str
    models: tuple[str, ...]
    stakes: Floats
    scores: Mapping[str, Floats]
    rho: Floats
    metamodel_corr: float
    alike: Floats
    n_ids: int


def _look_at(era: Era, metrics: Sequence[str], pairs: bool) -> _Found:
    try:
        return _measure(era, metrics, pairs)
    except InputError as refusal:
        raise InputError(*(problem.at(f"era {era.label}") for problem in refusal.problems)) from None


def _measure(era: Era, metrics: Sequence[str], pairs: bool) -> _Found:
    return _Found(
        label=str(era.label),
        models=era.models,
        stakes=np.asarray(era.own_stakes, np.float64),
        scores=evaluate(metrics, era),
        rho=np.asarray(corr(era.ranks, era.crowd)),
        metamodel_corr=float(corr(era.crowd, era.given("target"), ties=era.ties)),
        alike=similarity(era.ranks) if pairs else np.full((len(era.models), len(era.models)), np.nan),
        n_ids=era.predictions.shape[0],
    )


def crowd_report(
    crowd: Survey,
    run: Run,
    *,
    title: str,
    stake_unit: str = "",
    descriptions: Mapping[str, str] | None = None,
    caveats: Sequence[str] = (),
) -> CrowdReport:
    """The report of a surveyed crowd that was scored on at least corr and mmc2."""
    board = leaderboard(crowd, stake_unit=stake_unit, descriptions=descriptions or {})
    return CrowdReport(
        title=title,
        run=run,
        leaderboard=board,
        over_time=over_time(crowd, [row.model for row in board.rows[:HIGHLIGHTED]]),
        vectors=vectors(crowd, board),
        similarity=Heatmap("How alike the models are", crowd.models, tuple(map(tuple, crowd.alike.tolist()))),
        persistence=persistence(crowd),
        caveats=tuple(caveats),
    )


def leaderboard(crowd: Survey, *, stake_unit: str = "", descriptions: Mapping[str, str] | None = None) -> Leaderboard:
    """The models by mean MMC2, best first, with bootstrap intervals; those without a score come last."""
    mmc2, alone = summarize(crowd.scores["mmc2"]), summarize(crowd.scores["corr"])
    order = sorted(range(len(crowd.models)), key=lambda j: (-_number(mmc2.mean, j, -np.inf), crowd.models[j]))
    rows = tuple(
        LeaderboardRow(
            model=crowd.models[j],
            stake=float(crowd.stakes[j]),
            share=float(crowd.shares[j]),
            corr=_number(alone.mean, j),
            mmc2=_number(mmc2.mean, j),
            interval=_interval(mmc2, j),
            sharpe=_number(mmc2.sharpe, j),
            eras=int(np.asarray(mmc2.n_eras)[j]),
            description=(descriptions or {}).get(crowd.models[j], ""),
        )
        for j in order
    )
    return Leaderboard(rows, stake_unit=stake_unit)


def over_time(crowd: Survey, highlighted: Sequence[str]) -> Lines:
    """Cumulative CORR of the metamodel and of every model."""
    lines: list[Series] = [
        cumulative(name, crowd.scores["corr"][:, j].tolist(), "highlight" if name in highlighted else "rest")
        for j, name in enumerate(crowd.models)
    ]
    lines.append(cumulative(METAMODEL, crowd.metamodel_corr.tolist(), "metamodel"))
    return Lines("The metamodel against its models", "cumulative CORR", crowd.eras, tuple(lines))


def vectors(crowd: Survey, board: Leaderboard) -> tuple[Vectors, ...]:
    """The neutralisation picture of telling models: who adds most, is closest to the crowd, adds least."""
    if not board.rows:
        return ()
    rho = np.nanmean(np.where(np.isnan(crowd.rho).all(axis=0), 0.0, crowd.rho), axis=0)
    scored = [row.model for row in board.rows if row.eras >= len(crowd.eras) / 2] or [board.rows[0].model]
    by_rho = sorted(scored, key=lambda name: float(rho[crowd.models.index(name)]))
    ends = [row.model for row in board.rows if row.eras] or scored
    most, least = (
        f"adds {words}" + ("" if name == end else ", of models in at least half of the eras")
        for words, name, end in (("most", scored[0], ends[0]), ("least", scored[-1], ends[-1]))
    )
    roles: dict[str, list[str]] = {}
    for name, role in ((scored[0], most), (by_rho[-1], "closest to the crowd"), (scored[-1], least)):
        roles.setdefault(name, []).append(role)
    return tuple(model_vectors(crowd, name, "; ".join(said)) for name, said in roles.items())


def model_vectors(crowd: Survey, name: str, role: str = "") -> Vectors:
    """A model, the metamodel and the target by their mean correlations over the eras the model took part in."""
    j = crowd.models.index(name)
    there = ~np.isnan(crowd.scores["corr"][:, j])
    return Vectors(
        model=name,
        rho=float(np.mean(crowd.rho[there, j])),
        corr_model=float(np.mean(crowd.scores["corr"][there, j])),
        corr_metamodel=float(np.mean(crowd.metamodel_corr[there])),
        mmc2=float(np.mean(crowd.scores["mmc2"][there, j])),
        role=role,
    )


def persistence(crowd: Survey) -> Persistence | None:
    """Mean MMC2 in the first half of the eras against the second, for models with five eras in each; None if few."""
    half = len(crowd.eras) // 2
    first, second = crowd.scores["mmc2"][:half], crowd.scores["mmc2"][half:]
    both = [
        j
        for j in range(len(crowd.models))
        if min(int((~np.isnan(first[:, j])).sum()), int((~np.isnan(second[:, j])).sum())) >= 5
    ]
    if len(both) < 4:
        return None
    x, y = np.nanmean(first[:, both], axis=0), np.nanmean(second[:, both], axis=0)
    points = tuple(Point(crowd.models[j], float(x[k]), float(y[k]), float(crowd.shares[j])) for k, j in enumerate(both))
    return Persistence(points, float(similarity(np.column_stack([x, y]))[0, 1]))


def _number(figures: object, j: int, missing: float = float("nan")) -> float:
    value = float(np.asarray(figures)[j])
    return missing if np.isnan(value) else value


def _interval(figures: Summary, j: int) -> Interval | None:
    low, high = _number(figures.mean_low, j), _number(figures.mean_high, j)
    return None if np.isnan(low) else Interval(low, high)
