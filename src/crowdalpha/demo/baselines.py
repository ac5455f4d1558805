"""The honest baselines that play the equities tournament, and what each one does, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from crowdalpha.demo.crowd import simulated_stake
from crowdalpha.demo.walkforward import boosting, ridge
from crowdalpha.scoring import ranks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Progress = Callable[[float, str], None]
"""Called with the share done, in [0, 1], and what is being done."""

PURGE = 5
"""Eras left out between the last one trained on and the one predicted: their targets are not all known yet."""

STAKES = "crowdalpha equities"
"""The name that the simulated stakes are drawn from."""

NOISE = 93
"""The seed of the noise model."""

SIGNALS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "reversal_1w": ("ret_1w", -1),
        "reversal_1m": ("resret_1m", -1),
        "reversal_2y": ("ret_24_12", -1),
        "momentum_12_1": ("mom_12_1", +1),
        "momentum_residual": ("resmom_12_1", +1),
        "low_volatility": ("vol_12m", -1),
        "low_beta": ("beta_12m", -1),
        "no_lottery": ("max_1m", -1),
        "illiquidity": ("illiq", +1),
        "volume_premium": ("volume_shock", +1),
    }
)
"""Single signals: the feature, and the sign that the literature gives it, also where this data disagrees."""

BASELINES: Mapping[str, str] = MappingProxyType(
    {
        "reversal_1w": "Last week's losers first.",
        "reversal_1m": "Losers of the last month, beyond what the market explains, first.",
        "reversal_2y": "Losers of the year before last first.",
        "momentum_12_1": "Winners of the last twelve months, without the most recent one, first.",
        "momentum_residual": "The same momentum, beyond what the market explains.",
        "low_volatility": "The calmest stocks of the last twelve months first.",
        "low_beta": "Stocks that move least with the market first.",
        "no_lottery": "Stocks without an extreme best day in the last month first.",
        "illiquidity": "Stocks whose price moves most for the money traded first.",
        "volume_premium": "Stocks traded more than usual first.",
        "blend_signals": "The equal blend of the ten single signals.",
        "ridge_light": "Ridge regression on all features, refitted every week on all the past, hardly shrunk.",
        "ridge_medium": "The same ridge regression, moderately shrunk.",
        "ridge_heavy": "The same, shrunk so strongly that each feature is weighed nearly by itself.",
        "ridge_recent": "Medium ridge regression on the last two years only.",
        "ridge_stale": "Medium ridge regression with the weights it had a year ago.",
        "ridge_signs": "Medium ridge regression with each weight replaced by its sign.",
        "boosting": "Gradient-boosted trees on all features, refitted once a year on all the past.",
        "blend_ridge_boosting": "The equal blend of medium ridge regression and boosting.",
        "blend_all": "The equal blend of all the above.",
        "ridge_inverse": "Medium ridge regression turned upside down: what one earns, the other loses.",
        "noise": "Random numbers: whatever it scores is luck.",
        "metamodel_copy": "The stake-weighted metamodel of all the others. No real player could submit it, as it "
        "needs their submissions; without bags its contribution is 0.",
    }
)
"""Every baseline, in the order of its column, and one sentence on what it predicts."""


FEATURES: tuple[str, ...] = (
    *("ret_1w", "ret_1m", "ret_3m", "ret_6m", "ret_12m", "mom_12_1", "mom_6_1", "ret_24_12", "resmom_12_1"),
    *("resret_1m", "indrel_1m", "sector_mom_6m", "vol_1m", "vol_3m", "vol_12m", "vol_ratio", "idiovol_3m"),
    *("beta_12m", "max_1m", "min_1m", "skew_3m", "dist_high_12m", "drawdown_6m", "ma_200", "dollar_vol"),
    *("volume_trend", "volume_shock", "illiq"),
)
"""The 28 features, in the order of their columns."""


def play(features: Floats, target: Floats, *, first: int, progress: Progress | None = None) -> dict[str, Floats]:
    """What every baseline predicts for the eras from `first` on, each knowing only what was known then.

    features: (n_eras, n_ids, 28), columns as in `FEATURES`; target: (n_eras, n_ids), both in [0, 1]; first: at
    least 59, a year and the purge. Returns for each name of `BASELINES` an array (n_eras - first, n_ids). A
    prediction for era e rests on features of eras up to e and on targets of eras before e - 5, on nothing else.
    """
    told = progress or (lambda share, what: None)
    told(0.0, "single signals")
    played = signals(features[first:])
    played["blend_signals"] = blend(played.values())
    told(0.1, "ridge regressions")
    played |= ridges(features, target, first=first)
    told(0.3, "gradient boosting")
    played["boosting"] = boosting(features, target, first=first, purge=PURGE)
    told(0.8, "blends and copies")
    played["blend_ridge_boosting"] = blend([played["ridge_medium"], played["boosting"]])
    played["blend_all"] = blend(played.values())
    played["ridge_inverse"] = 1 - uniform(played["ridge_medium"])
    played["noise"] = noise(*target.shape)[first:]
    played["metamodel_copy"] = metamodel_of(played)
    told(1.0, "done")
    return {name: played[name] for name in BASELINES}


def signals(features: Floats) -> dict[str, Floats]:
    """Each single signal: its feature, or 1 - the feature."""
    columns = {name: features[:, :, FEATURES.index(feature)] for name, (feature, _) in SIGNALS.items()}
    return {name: column if SIGNALS[name][1] > 0 else 1 - column for name, column in columns.items()}


def ridges(features: Floats, target: Floats, *, first: int) -> dict[str, Floats]:
    """The ridge regressions: `shrink` is in units of the features' mean sum of squares."""
    import numpy as np

    fit = partial(ridge, features, target, first=first, purge=PURGE)
    return {
        "ridge_light": fit(shrink=0.01),
        "ridge_medium": fit(shrink=1.0),
        "ridge_heavy": fit(shrink=100.0),
        "ridge_recent": fit(shrink=1.0, window=104),
        "ridge_stale": fit(shrink=1.0, lag=52),
        "ridge_signs": fit(shrink=1.0, reshape=np.sign),
    }


def uniform(values: Floats) -> Floats:
    """Ranks within each era (a row of `values`), scaled to (0, 1); ties share their mean rank."""
    return ranks.uniform(values.T).T


def blend(members: Iterable[Floats]) -> Floats:
    """The mean of the members' uniform ranks: (n_eras, n_ids)."""
    ranked = [uniform(member) for member in members]
    return sum(ranked[1:], start=ranked[0]) / len(ranked)


def noise(n_eras: int, n_ids: int) -> Floats:
    """Uniform random numbers from a fixed seed: (n_eras, n_ids)."""
    import numpy as np

    return np.random.Generator(np.random.Philox(NOISE)).random((n_eras, n_ids))


def metamodel_of(played: Mapping[str, Floats]) -> Floats:
    """The stake-weighted metamodel of these predictions, uniform within each era: (n_eras, n_ids).

        M = uniform(sum_j s_j (2 r_j - 1))

    r_j: model j's ranks, so that 2 r_j - 1 is whole even for ties; s_j: its simulated stake in cents. The sum is
    of whole numbers and exact, hence equal sums tie.
    """
    import numpy as np

    total = np.zeros(next(iter(played.values())).shape, dtype=np.int64)
    for name, values in played.items():
        doubled = np.rint(2 * values.shape[1] * uniform(values)).astype(np.int64)
        total += simulated_stake(name, seed=STAKES) * doubled
    return uniform(total.astype(np.float64))
