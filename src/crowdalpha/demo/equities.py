"""The equities tournament: honest baselines on 260 weekly eras of 1,000 obfuscated US stocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdalpha.demo.baselines import BASELINES, FEATURES, PURGE, STAKES, Progress, play
from crowdalpha.demo.crowd import STAKES_ARE_SIMULATED, Crowd, data_table, simulated_stakes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_IDS = 1000
"""Stocks in every era."""

PLAYED = 260
"""Eras of the tournament, five years; the 208 before them are only learnt from."""

CREDIT = (
    "Features and targets in five bins, derived from a daily-price panel that third parties label CC0 (the label "
    "was not verified at the source; guyr18/stock-market-big-data at commit 30d766f, a copy of the Kaggle Huge "
    "Stock Market Dataset). Sectors: JerBouma/FinanceDatabase, MIT."
)

CAVEATS = (
    STAKES_ARE_SIMULATED,
    "Survivors only: about 70 % of the index members of 2006 are in the data and 97 % of those of 2017, so these "
    "are never tradable returns.",
    "Sector labels are those of 2021-2023, applied to all years.",
    "Targets of neighbouring eras overlap (20 trading days, one era a week), so eras are not independent; every "
    f"model leaves the {PURGE} eras before the one it predicts out of its training.",
    "The signal is weak: at 260 overlapping eras most differences between these models may be luck.",
    "Scores depend on the span: played from two years earlier on, through the rebound of "
    "2009, boosting's mean correlation is 0.011 instead of 0.017, and medium ridge's 0.008 instead of 0.010.",
    "metamodel_copy uses what no player could know: the other models' predictions of the same era.",
)


def equities(progress: Progress | None = None, *, eras: int = PLAYED) -> Crowd:
    """The equities crowd: what the models of `BASELINES` predict, era by era, from the past alone.

    An era is named by its date; targets are 0, 0.25, 0.5, 0.75, 1 in shares of 5, 20, 50, 20 and 5 %. Takes some
    seconds; `progress` is called with the share done and a word about it, `eras` is how many of the last ones are
    played. Needs the extra `demo` (scikit-learn).
    """
    panel = data_table("us_equities_tournament.parquet")
    features, target = _panel(panel)
    first = len(target) - eras
    played = play(features, target, first=first, progress=progress)
    later = panel.slice(first * N_IDS)
    columns = dict(zip(FEATURES, features[first:].reshape(-1, len(FEATURES)).T, strict=True))
    return Crowd(
        name="Equities",
        predictions=_table(later, played),
        targets=_table(later, {"target": target[first:]}),
        stakes=simulated_stakes(BASELINES, seed=STAKES),
        features=_table(later, columns),
        descriptions=BASELINES,
        attribution=CREDIT,
        caveats=CAVEATS,
    )


def _panel(panel: pa.Table) -> tuple[Floats, Floats]:
    """Features (n_eras, n_ids, 28) and target (n_eras, n_ids), in [0, 1]; the file is sorted by era and id."""
    import numpy as np

    features = np.empty((panel.num_rows // N_IDS, N_IDS, len(FEATURES)))
    for place, name in enumerate(FEATURES):
        features[:, :, place] = panel[name].to_numpy().reshape(-1, N_IDS) / 4
    return features, panel["target"].to_numpy().reshape(-1, N_IDS) / 4


def _table(panel: pa.Table, columns: dict[str, Floats]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    keys = {"era": panel["date"].cast(pa.string()), "id": panel["id"].cast(pa.string())}
    return pa.table(keys | {name: pa.array(np.ravel(values)) for name, values in columns.items()})
