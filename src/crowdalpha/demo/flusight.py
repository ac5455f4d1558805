"""The real crowd: 58 weekly rounds of CDC FluSight, the models of public-health and university teams."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from crowdalpha.demo.crowd import STAKES_ARE_SIMULATED, Crowd, data_file, data_table, simulated_stakes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NAIVE = "FluSight-baseline"
"""The hub's own naive model: its median is the last count it saw, so it predicts (nearly) no change."""

KEYS = ("era", "reference_date", "location", "horizon", "last_obs", "last_date", "truth")

CREDIT = (
    "CDC FluSight forecasts, rounds of October 2023 to May 2025, from cdcepi/FluSight-forecast-hub at commit "
    "9246969 (hub: MIT; counts: US CDC). Each forecast is its team's work under CC BY 4.0: "
)


def flusight() -> Crowd:
    """The FluSight crowd, every forecast as the growth it expects.

        prediction = log(1 + forecast) - log(1 + last),   target = log(1 + truth) - log(1 + last)

    forecast: a model's median; last: the last count known at the round; truth: the count as finally revised. An
    era is a round, named by its reference date; an id is a place and a horizon in weeks, such as `US_h3`.
    A model that left out part of a round's ids is absent from that round (nothing is filled in).

    >>> crowd = flusight()
    >>> crowd.predictions.num_rows, len(crowd.models)
    (12058, 47)
    """
    rounds = data_table("flusight_rounds.parquet")
    names = [name for name in rounds.column_names if name not in KEYS]
    growth, target = _growth(rounds, names)
    whole, partial = _only_whole_rounds(growth, rounds["era"].to_numpy())
    played = [name for name, column in zip(names, whole.T, strict=True) if (column == column).any()]
    teams = {row["model"]: row["team"] for row in _models()}
    return Crowd(
        name="FluSight",
        predictions=_table(rounds, played, whole[:, [names.index(name) for name in played]]),
        targets=_table(rounds, ["target"], target[:, None]),
        stakes=simulated_stakes(played, seed="crowdalpha FluSight"),
        features=None,
        descriptions={name: teams[name] for name in played},
        attribution=CREDIT + "; ".join(f"{name} ({teams[name]})" for name in played) + ".",
        caveats=_caveats(played, teams, partial, sorted(set(names) - set(played))),
    )


def _models() -> list[dict[str, str]]:
    with data_file("flusight_models.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _growth(rounds: pa.Table, names: list[str]) -> tuple[Floats, Floats]:
    """Forecasts and truth as log growth over the last count known; NaN where there is no forecast."""
    import numpy as np

    def log_count(column: str) -> Any:
        return np.log1p(rounds[column].to_numpy().astype(np.float64))

    last = log_count("last_obs")
    return np.column_stack([log_count(name) for name in names]) - last[:, None], log_count("truth") - last


def _only_whole_rounds(growth: Floats, era: Any) -> tuple[Floats, int]:
    """The forecasts without those of a model-round with holes, and how many model-rounds had holes."""
    import numpy as np

    whole, partial = growth.copy(), 0
    for name in np.unique(era):
        rows = np.flatnonzero(era == name)
        share = np.isfinite(growth[rows]).mean(axis=0)
        holed = (share > 0) & (share < 1)
        whole[np.ix_(rows, np.flatnonzero(holed))] = np.nan
        partial += int(holed.sum())
    return whole, partial


def _table(rounds: pa.Table, names: list[str], values: Floats) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    places, horizons = rounds["location"].to_pylist(), rounds["horizon"].to_pylist()
    ids = [f"{place}_h{horizon}" for place, horizon in zip(places, horizons, strict=True)]
    keys = {"era": rounds["reference_date"].cast(pa.string()), "id": pa.array(ids, pa.string())}
    columns = {name: pa.array(v, mask=np.isnan(v)) for name, v in zip(names, values.T, strict=True)}
    return pa.table(keys | columns)


def _caveats(played: list[str], teams: dict[str, str], partial: int, unplayed: list[str]) -> tuple[str, ...]:
    n_teams = len({teams[name] for name in played})
    return (
        STAKES_ARE_SIMULATED + " No FluSight team ever staked.",
        f"These are {len(played)} models of {n_teams} teams as the hub names them; its own ensembles and its baseline "
        "count as teams.",
        "Rounds are not independent: neighbouring weeks share a season, and forecasts of up to four weeks overlap.",
        f"{partial} times a model forecast only part of a round's places or horizons. It counts as absent from that "
        f"round: nothing was filled in. {len(unplayed)} models never covered a whole round and are left out: "
        f"{', '.join(unplayed)}.",
        "Some models are ensembles of the other teams' forecasts or naive baselines run by the hub.",
        "The truth is the count as finally revised. The teams had other aims than these scores, which are no "
        "verdict on them.",
    )
