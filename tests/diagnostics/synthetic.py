"""A synthetic crowd with families, a copy, an inverse and noise, scored with bare NumPy: values to draw."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from crowdalpha.diagnostics import (
    Bars,
    CrowdReport,
    Diagnosis,
    Exposures,
    Flows,
    Heatmap,
    Interval,
    Layer,
    Layers,
    Leaderboard,
    LeaderboardRow,
    Lines,
    Neutralized,
    Persistence,
    Point,
    Refusal,
    Ruling,
    Run,
    SeasonReport,
    SeasonRow,
    Series,
    Statistic,
    Vectors,
    cumulative,
)

ERAS, IDS = 58, 208
TEAMS = ("CEPH", "UMass", "CMU", "NIH", "PSI", "LosAlamos", "SigSci", "MIGHTE", "UGA", "JHU", "Stevens", "GT")
KINDS = ("trends", "sarima", "nowcast", "boost", "ensemble")
ODD = ("copy_of_the_metamodel", "inverse", "noise", "<script>alert(1)</script>", "流感预测-模型", "ע" * 12, "x" * 200)


def names_of(count: int) -> tuple[str, ...]:
    plain = [f"{TEAMS[i % len(TEAMS)]}-{KINDS[i // len(TEAMS) % len(KINDS)]}" for i in range(count - len(ODD))]
    return (*plain, *ODD)


def standard(values: np.ndarray) -> np.ndarray:
    ranks = values.argsort(axis=0).argsort(axis=0).astype(float)
    return (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)


@cache
def scored(count: int = 55, seed: int = 7) -> dict[str, np.ndarray]:
    """corr, mmc2, rho, crowd_corr over (eras, models), stakes and mean pairwise correlations."""
    rng = np.random.default_rng(seed)
    skill, family = rng.uniform(0.05, 0.6, count), rng.integers(0, 6, count)
    stakes = np.round(np.exp(rng.normal(5, 1.3, count)))
    stakes[-3:] = 0
    corr, mmc2, rho = (np.full((ERAS, count), np.nan) for _ in range(3))
    crowd, pairs = np.empty(ERAS), np.zeros((count, count))
    for era in range(ERAS):
        truth = rng.normal(size=(IDS, 1))
        shared = rng.normal(size=(IDS, 6)) + 0.5 * truth * (era % 5 != 0)
        p = skill * truth * rng.normal(0.8, 1) + shared[:, family] * 0.8 + rng.normal(size=(IDS, count))
        p[:, -5] = rng.normal(size=IDS)
        blend = (standard(p) * stakes).sum(axis=1)
        p[:, -7], p[:, -6] = blend, -p[:, 3] - 0.3 * rng.normal(size=IDS)
        u, m, t = standard(p), standard(blend[:, None])[:, 0], standard(truth)[:, 0]
        corr[era], rho[era], crowd[era] = u.T @ t / IDS, u.T @ m / IDS, m @ t / IDS
        pairs += u.T @ u / IDS / ERAS
    mmc2[:] = corr - rho * crowd[:, None]
    late = rng.random(count) < 0.2
    for table in (corr, mmc2, rho):
        table[:20, late] = np.nan
    return {"corr": corr, "mmc2": mmc2, "rho": rho, "crowd": crowd, "stakes": stakes, "pairs": pairs}


def interval(values: np.ndarray) -> Interval:
    known = values[~np.isnan(values)]
    mean, half = known.mean(), 1.96 * known.std() / math.sqrt(len(known))
    return Interval(float(mean - half), float(mean + half))


def leaderboard(count: int = 55) -> Leaderboard:
    s, names = scored(count), names_of(count)
    rows = [
        LeaderboardRow(
            names[i],
            float(s["stakes"][i]),
            float(s["stakes"][i] / s["stakes"].sum()),
            float(np.nanmean(s["corr"][:, i])),
            float(np.nanmean(s["mmc2"][:, i])),
            interval(s["mmc2"][:, i]),
            float(np.nanmean(s["mmc2"][:, i]) / np.nanstd(s["mmc2"][:, i])),
            int((~np.isnan(s["corr"][:, i])).sum()),
            "Seasonal autoregression on hospital counts" if i % 4 == 0 else "",
        )
        for i in range(count)
    ]
    return Leaderboard(tuple(sorted(rows, key=lambda row: -row.mmc2)), stake_unit="simulated")


def era_labels() -> tuple[str, ...]:
    return tuple(f"20{23 + (40 + i) // 52}-W{(40 + i) % 52 + 1:02d}" for i in range(ERAS))


def vectors_of(index: int, role: str = "", count: int = 55) -> Vectors:
    s = scored(count)
    mean = [float(np.nanmean(s[key][:, index])) for key in ("rho", "corr", "mmc2")]
    return Vectors(names_of(count)[index], mean[0], mean[1], float(s["crowd"].mean()), mean[2], role)


def crowd(count: int = 55) -> CrowdReport:
    s, names, board = scored(count), names_of(count), leaderboard(count)
    loud = {row.model for row in (*board.rows[:3], board.rows[-1])}
    series = [
        cumulative(name, s["corr"][:, i], "highlight" if name in loud else "rest") for i, name in enumerate(names)
    ]
    series.append(cumulative("metamodel", s["crowd"], "metamodel"))
    first, second = np.nanmean(s["mmc2"][:29], axis=0), np.nanmean(s["mmc2"][29:], axis=0)
    shares = s["stakes"] / s["stakes"].sum()
    points = tuple(
        Point(n, *map(float, v)) for n, *v in zip(names, first, second, shares, strict=True) if not np.isnan(v[0])
    )
    best = names.index(board.rows[0].model)
    return CrowdReport(
        "Weekly flu admissions, 2023–2025",
        Run(ERAS, count, "208 an era", 20, "0", "0.1.0", "2025-06-01", "FluSight, CC-BY-4.0"),
        board,
        Lines("Cumulative CORR", "cumulative CORR", era_labels(), tuple(series)),
        (
            vectors_of(best, "The best contributor", count),
            vectors_of(count - 7, "A copy of the metamodel", count),
            vectors_of(count - 6, "An inverse", count),
        ),
        Heatmap("Similarity of models", names, tuple(tuple(map(float, row)) for row in s["pairs"])),
        Persistence(points, 0.71),
        (
            "Stakes are simulated: the teams did not stake anything.",
            "Rounds are not independent: neighbouring weeks forecast overlapping horizons.",
        ),
    )


def diagnosis() -> Diagnosis:
    s = scored()
    corr, mmc2 = s["corr"][:, 2], s["mmc2"][:, 2]
    rng = np.random.default_rng(3)
    fnc = corr * 0.6 + rng.normal(0, 0.05, ERAS)
    wealth = np.cumprod(1 + np.nan_to_num(corr) - 0.12)
    fall = wealth / np.maximum.accumulate(wealth) - 1
    features = tuple(
        f"feature_{'_'.join(rng.choice(['lag', 'trend', 'share', 'age', 'diff'], 3))}_{i}" for i in range(28)
    )
    exposed = rng.normal(0, 0.12, 28)
    bars = [("CORR", corr), ("MMC2", mmc2), ("FNC", fnc)]
    steps = []
    for q in (0.0, 0.25, 0.5, 0.75, 1.0):
        values = corr * (1 - 0.45 * q) + rng.normal(0, 0.02, ERAS)
        total = tuple(float(v) for v in np.cumsum(np.nan_to_num(values)))
        steps.append(
            Neutralized(q, total, float(np.nanmean(values)), interval(values), 0.9 + q, -0.2 + 0.1 * q, 0.3 * (1 - q))
        )
    return Diagnosis(
        "CMU-trends",
        Run(ERAS, 55, "208 an era", 20, "0", "0.1.0", "2025-06-01"),
        (
            Statistic("Mean MMC2", float(np.nanmean(mmc2)), "what it adds to the crowd", interval(mmc2)),
            Statistic("Mean CORR", float(np.nanmean(corr)), "how right it is on its own", interval(corr)),
            Statistic("Mean FNC", float(np.nanmean(fnc)), "what is right beyond the features", interval(fnc)),
            Statistic("Sharpe of CORR", 0.84, "the mean in units of its spread over eras", digits=2),
        ),
        tuple(Bars(f"{n} of every era", n, era_labels(), tuple(map(float, v))) for n, v in bars),
        Lines("Drawdown", "drawdown", era_labels(), (Series("drawdown", tuple(map(float, fall))),)),
        Exposures(features, tuple(map(float, exposed)), 0.12, 0.64, 0.121, 0.31),
        vectors_of(2),
        tuple(steps),
        caveats=("Stakes are simulated.",),
    )


def season(count: int = 55) -> SeasonReport:
    """Stakes that compound with the crowd's contributions, one model wiped out, one without a stake."""
    s, names, eras = scored(count), names_of(count), era_labels()
    paid = np.clip(np.nan_to_num(s["mmc2"]), -0.25, 0.25)
    stakes = s["stakes"] * np.cumprod(1 + paid, axis=0)
    stakes[20:, 4] = 0
    shares = stakes / stakes.sum(axis=1, keepdims=True)
    first = np.argsort(-shares[-1])[:7]
    rest = np.setdiff1d(np.arange(count), first)
    layers = [Layer(names[j], tuple(shares[:, j].tolist())) for j in first]
    layers.append(Layer(f"{len(rest)} others", tuple(shares[:, rest].sum(axis=1).tolist()), named=False))
    opening, closing = s["stakes"], stakes[-1]
    rows = [
        SeasonRow(
            names[j],
            float(opening[j]),
            float(closing[j]),
            float(opening[j] / opening.sum()),
            float(shares[-1, j]),
            ERAS if opening[j] else 0,
            float(paid[:, j].mean()) if opening[j] else math.nan,
            "Seasonal autoregression on hospital counts" if j % 4 == 0 else "",
        )
        for j in range(count)
    ]
    crowd_corr = tuple(s["crowd"].tolist())
    lines = [cumulative(name, s["crowd"] * k, "highlight") for name, k in (("opening stakes", 0.9), ("equal", 0.8))]
    flows = [tuple(np.maximum(sign * paid * stakes, 0).sum(axis=1).tolist()) for sign in (1, -1)]
    return SeasonReport(
        "Weekly flu admissions: the season",
        Run(ERAS, count, "208 a round", 100, "0", "0.1.0", credits="FluSight, CC-BY-4.0"),
        tuple(sorted(rows, key=lambda row: -row.change)),
        ("CEPH-trends began with 2.0% of all stakes and ended with 30.0%.", "Half of them burned."),
        "Whether the crowd got better by it cannot be told.",
        Layers("How the weights moved", "share of what is at risk", eras, tuple(layers)),
        Bars("The metamodel's CORR", "CORR", eras, crowd_corr),
        Lines("Three metamodels", "cumulative CORR", eras, (*lines, cumulative("now", s["crowd"], "metamodel"))),
        Lines("Ahead", "cumulative CORR ahead", eras, (cumulative("opening", s["crowd"] / 9, "metamodel"),)),
        Bars("At risk", "coins at risk", eras, tuple(stakes.sum(axis=1).tolist())),
        Flows("Paid and burned", "coins", eras, *flows),
        Ruling("a-rule", "S clip(2 mmc, -.25, .25)", "Twice the contribution.", "2020-05-21", ("F220",), "2 × MMC"),
        (Refusal("a constant says nothing", 4, ODD[:2]),),
        caveats=("All stakes are simulated.",),
    )
