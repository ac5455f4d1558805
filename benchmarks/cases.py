"""The races and what was promised of each: one function a section of the page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks import peers
from benchmarks.inputs import SHAPES, Array, Round, crowd, features
from benchmarks.lab import seasons
from benchmarks.limits import limits
from benchmarks.results import Row, at_least, at_most, duration
from benchmarks.timing import Contestant, Time, kernel, race, threads
from benchmarks.tournament import tournament
from crowdalpha.scoring import Ranks, fnc, mmc1, mmc2, rank_models

Section = tuple[str, str, list[Row]]


@dataclass(frozen=True)
class Sizes:
    """How large the jobs are."""

    models: int = 1000
    ids: int = 5000
    live: tuple[int, int] = (10_000, 6_000)
    eras: int = 150
    lengths: tuple[int, ...] = (500, 5_000, 50_000, 500_000)
    values: int = 1_000_000
    features: tuple[tuple[int, float], ...] = ((300, 20.0), (2400, 10.0))
    feature_models: int = 200
    launches: int = 7
    round: tuple[int, int] = (5_000, 5_000)
    season: tuple[int, int, int] = (100, 200, 1_000)


QUICK = Sizes(60, 1000, (200, 1000), 10, (500, 5_000), 50_000, ((20, 20.0),), 20, 2, (100, 500), (6, 20, 100))


def contribution(sizes: Sizes) -> Section:
    era = crowd(sizes.models, sizes.ids)
    ours = Contestant(lambda: mmc2(era.predictions, era.stakes, era.target, bags=era.bags))
    pooled, few = peers.metamodels(era), max(sizes.models // 20, 1)
    some, target = peers.frame(era.predictions[:, :few]), peers.series(era.target)
    some_shares, bag_share = few / sizes.models, 1 / len(era.bags)
    together = some.assign(pooled=pooled[1], target=era.target, era="era")
    best = race(
        {
            "ours": ours,
            "numerai-tools": Contestant(
                lambda: peers.numerai_contribution(some, peers.series(pooled[0]), target), some_shares * bag_share
            ),
            "careful": Contestant(lambda: peers.careful_contribution(some, pooled, era.target), some_shares),
            "recipe": Contestant(
                lambda: [peers.recipe_contribution(some.iloc[:, j], pooled[1], era.target) for j in range(few)],
                some_shares * bag_share,
            ),
            **_if_there(lambda: peers.numerblox_contribution(together, few), some_shares * bag_share),
            "rank": Contestant(lambda: rank_models(era.predictions)),
            "argsort": Contestant(
                lambda: np.argsort(np.ascontiguousarray(era.predictions[:, :few].T), axis=1, kind="stable"), some_shares
            ),
        }
    )
    rows = [
        _faster("numerai-tools `correlation_contribution`, a call a bag", best, "numerai-tools", 300, 400),
        _faster("numerai-tools' parts used with care (rank once, orthogonalize a bag)", best, "careful", 30),
        *_beside_numerblox("numerblox `legacy_contribution`, a user and a bag at a time", best),
        _faster("plain pandas, a user and a bag at a time (rank, lstsq, cov)", best, "recipe", 350),
        _cost("ranking the columns once, ours", best, "rank", 3, 2),
        _cost("a stable `np.argsort` of each column", best, "argsort", 0.2),
    ]
    text = (
        f"MMC2 of {sizes.models:,} models on {sizes.ids:,} ids against 20 bags, from raw predictions. Peers get the "
        f"bags' metamodels for nothing and were timed on {few} models (but for numerai-tools' parts on one bag); their "
        "times were scaled up."
    )
    return "Contribution", text, rows


def _if_there(run: Callable[[], object], share: float) -> dict[str, Contestant]:
    """numerblox as a contestant, where it is installed."""
    return {"numerblox": Contestant(run, share)} if peers.WITH_NUMERBLOX else {}


def _beside_numerblox(what: str, best: dict[str, Time]) -> list[Row]:
    if "numerblox" not in best:
        return []
    ratio = best["numerblox"].cpu / best["ours"].cpu
    times = f"{duration(best['ours'].cpu)} against {duration(best['numerblox'].cpu)}"
    return [Row(f"faster than {what}", "", f"{ratio:.3g} x", None, times)]


def _faster(what: str, best: dict[str, Time], peer: str, *targets: float) -> Row:
    ours, theirs = best["ours"].cpu, best[peer].cpu
    times = f"{duration(ours)} against {duration(theirs)}"
    return at_least(f"faster than {what}", theirs / ours, *targets, times=times)


def _cost(what: str, best: dict[str, Time], peer: str, *targets: float) -> Row:
    ours, theirs = best["ours"].cpu, best[peer].cpu
    times = f"{duration(ours)} against {duration(theirs)}"
    return at_most(f"cost beside {what}", ours / theirs, *targets, times=times)


def ranking(sizes: Sizes) -> Section:
    rows = [row for n, ties in product(sizes.lengths, ("average", "first")) for row in _rank_race(n, ties, sizes)]
    rows += [_skewed(n, sizes) for n in sizes.lengths]
    text = (
        "Columns of normal values to ranks, time a column. Ours become whole doubled ranks, from which every score "
        "starts, those of pandas and SciPy floats. The last rows rank other shapes of values and name the slowest."
    )
    return "Ranking", text, rows


def _rank_race(n: int, ties: str, sizes: Sizes) -> list[Row]:
    columns = np.asfortranarray(np.random.default_rng(n).normal(size=(n, max(sizes.values // n, 2))))
    table, method = pd.DataFrame(columns), {"average": "average", "first": "ordinal"}[ties]
    best = race(
        {
            "ours": Contestant(lambda: rank_models(columns, ties=ties), columns.shape[1]),
            "pandas": Contestant(lambda: table.rank(method=ties), columns.shape[1]),
            "SciPy": Contestant(lambda: rankdata(columns, method=method, axis=0), columns.shape[1]),
        },
        seconds=2.0 * columns.shape[1],
    )
    return [_faster(f"{peer}, {n:,} ids, ties {ties}", best, peer, 10) for peer in ("pandas", "SciPy")]


def _skewed(n: int, sizes: Sizes) -> Row:
    shape = (n, max(sizes.values // n // 4, 2))
    data = {name: np.asfortranarray(make(np.random.default_rng(n), shape)) for name, make in SHAPES.items()}
    best = race({name: Contestant(_rank(values)) for name, values in data.items()})
    slow = {name: time.cpu / best["normal"].cpu for name, time in best.items()}
    worst = max(slow, key=lambda name: slow[name])
    listed = ", ".join(f"{name} {ratio:.2g}" for name, ratio in slow.items())
    return at_most(f"worst of {len(SHAPES)} shapes beside normal, {n:,} ids: {worst}", slow[worst], 4, times=listed)


def _rank(values: Array) -> Callable[[], object]:
    return lambda: rank_models(values)


def rounds(sizes: Sizes) -> Section:
    n_models, n_ids = sizes.live
    era = crowd(n_models, n_ids)
    rescored = rank_models(era.predictions)
    walls = {}
    for count in (1, 2):
        with threads(count):
            walls[count] = race(
                {"live": Contestant(lambda: _mmc2(era)), "again": Contestant(lambda: _again(era, rescored))}
            )
    one, two = walls[1]["live"].wall, walls[2]["live"].wall
    again = walls[1]["again"].wall
    live = f"a live round, {n_models:,} models x {n_ids:,} ids x 20 bags"
    kept, halved = f"{duration(again)}, one thread", f"{duration(two)} against {duration(one)}"
    rows = [
        at_most(f"{live}, wall time, two threads", two, 0.6, unit="s", times=f"one thread {duration(one)}"),
        at_most("the same from kept ranks, beside a full scoring", again / one, 0.15, times=kept),
        at_least("two threads beside one, wall time", one / two, 1.6, times=halved),
        _one_model(sizes),
        _pairs(sizes),
    ]
    text = "Whole jobs, from arrays in memory. Two threads help as far as the machine has two idle cores."
    return "Rounds", text, rows


def _mmc2(era: Round) -> Array:
    return np.asarray(mmc2(era.predictions, era.stakes, era.target, bags=era.bags))


def _again(era: Round, ranks: Ranks) -> object:
    return mmc2(ranks, era.stakes, era.target, bags=era.bags)


def _one_model(sizes: Sizes) -> Row:
    era = crowd(2, sizes.ids)
    best = race({"ours": Contestant(lambda: [mmc2(era.predictions, [0, 1], era.target) for _ in range(sizes.eras)])})
    what = f"one model against a given metamodel, {sizes.eras} eras of {sizes.ids:,} ids, MMC2"
    return at_most(what, 1e3 * best["ours"].wall, 50, unit="ms")


def _pairs(sizes: Sizes) -> Row:
    era = crowd(sizes.live[0], sizes.ids)
    best = race({"ours": Contestant(lambda: mmc1(era.predictions, era.stakes, era.target, bags=era.bags))}, rounds=3)
    pair = best["ours"].cpu / era.bags.size
    what = f"MMC1, {sizes.live[0]:,} models x 20 bags on {sizes.ids:,} ids, one thread"
    return at_most(what, best["ours"].cpu, 3, unit="s", times=f"{duration(pair)} a pair of model and bag")


def neutral(sizes: Sizes) -> Section:
    rows = [row for n_features, target in sizes.features for row in _fnc_race(n_features, target, sizes)]
    text = f"FNC of {sizes.feature_models} models on {sizes.ids:,} ids against numerai-tools `feature_neutral_corr`."
    return "Feature-neutral correlation", text, rows


def _fnc_race(n_features: int, target: float, sizes: Sizes) -> list[Row]:
    era, by = crowd(sizes.feature_models, sizes.ids), features(sizes.ids, n_features)
    table, columns, t = peers.frame(era.predictions), peers.frame(by), peers.series(era.target)
    contestants = {
        "ours": Contestant(lambda: fnc(era.predictions, by, era.target)),
        "numerai-tools": Contestant(lambda: peers.numerai_fnc(table, columns, t)),
    }
    some = table.iloc[:, : max(sizes.feature_models // 40, 1)]
    blox = _if_there(lambda: peers.numerblox_fnc(some, columns, t), some.shape[1] / sizes.feature_models)
    best = race(contestants | blox, rounds=5)
    with threads(2):
        wall = race(contestants, rounds=3)
    ratio, times = wall["numerai-tools"].wall / wall["ours"].wall, [duration(time.wall) for time in wall.values()]
    return [
        _faster(f"numerai-tools, {n_features:,} features", best, "numerai-tools", target),
        *_beside_numerblox(f"numerblox, {n_features:,} features", best),
        Row(
            f"the same on two threads, wall time, {n_features:,} features",
            "",
            f"{ratio:.3g} x",
            None,
            " against ".join(times),
        ),
    ]


def sameness(sizes: Sizes) -> Section:
    era = crowd(sizes.models // 5, sizes.ids)
    ranks = (rank_models(era.predictions).doubled + sizes.ids) / (2.0 * sizes.ids)
    pooled, reference = peers.metamodels(era), _mmc2(era)
    slow = [np.mean([_lstsq(u, m, era.target) for m in pooled]) for u in ranks[:20]]
    error = float(np.abs(np.asarray(reference)[:20] - slow).max())
    with kernel("numpy"):
        same = {"NumPy instead of numba": np.array_equal(_mmc2(era), reference)}
        witness = race({"numpy": Contestant(lambda: _mmc2(era))})["numpy"].cpu
    with threads(2):
        same["two threads"] = np.array_equal(_mmc2(era), reference)
    order = np.random.default_rng(0).permutation(sizes.ids)
    turned = Round(np.asfortranarray(era.predictions[order]), era.stakes, era.target[order], era.bags)
    same["rows in another order, columns first in memory"] = np.array_equal(_mmc2(turned), reference)
    ours = race({"numba": Contestant(lambda: _mmc2(era))})["numba"].cpu
    rows = [
        at_most("largest difference to float64 `np.linalg.lstsq`, 20 models x 20 bags", error, 1e-12, unit=""),
        *[Row(f"the same bits: {what}", "yes", "yes" if holds else "no", holds) for what, holds in same.items()],
        Row(
            "numba beside NumPy, the witness",
            "",
            f"{witness / ours:.3g} x",
            None,
            f"{duration(ours)} against {duration(witness)}",
        ),
    ]
    return "Exactness", f"MMC2 of {sizes.models // 5:,} models on {sizes.ids:,} ids against 20 bags.", rows


def _lstsq(uniform: Array, pooled: Array, target: Array) -> float:
    design = np.column_stack([pooled, np.ones(len(pooled))])
    left = uniform - design @ np.linalg.lstsq(design, uniform, rcond=None)[0]
    return float(np.cov(left, target)[0, 1] / 0.29**2)


def start(sizes: Sizes) -> Section:
    commands = {"`import crowdalpha`": [sys.executable, "-c", "import crowdalpha"]}
    script = Path(sys.executable).with_name("crowdalpha")
    if script.exists():
        commands["`crowdalpha --help`"] = [str(script), "--help"]
    commands["`python -c pass`, for comparison"] = [sys.executable, "-c", "pass"]
    best = race(
        {what: Contestant(_launch(command)) for what, command in commands.items()}, rounds=sizes.launches, seconds=9
    )
    rows = [at_most(what, best[what].wall, 0.3, unit="s") for what in commands]
    rows[-1] = Row(rows[-1].what, "", rows[-1].measured, None)
    return "Start", "Processes of their own, wall time.", rows


def _launch(command: list[str]) -> Callable[[], object]:
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


SECTIONS: list[Callable[[Sizes], Section]] = [
    *(limits, contribution, ranking, rounds, neutral, sameness, start),
    lambda sizes: tournament(*sizes.round),
    lambda sizes: seasons(*sizes.season),
]
