"""The shipped FluSight crowd, read by an independent witness: csv, pandas-free loops, scipy's rank correlation."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from crowdalpha.demo.crowd import LARGEST_STAKE, SMALLEST_STAKE, Crowd, data_file, data_table
from crowdalpha.demo.flusight import KEYS, NAIVE, flusight

HUB_ENSEMBLES = ("FluSight-ensemble", "FluSight-lop_norm", "FluSight-trained_mean", "FluSight-trained_med")


@cache
def crowd() -> Crowd:
    return flusight()


@cache
def raw() -> dict[str, list[object]]:
    return data_table("flusight_rounds.parquet").to_pydict()


@cache
def rounds() -> list[tuple[np.ndarray, np.ndarray]]:
    """Per round: predictions (n_ids, n_models), NaN where absent, and target (n_ids,)."""
    eras = np.array(crowd().predictions["era"].to_pylist())
    columns = [crowd().predictions[name].to_numpy(zero_copy_only=False) for name in crowd().models]
    values, target = np.column_stack(columns), crowd().targets["target"].to_numpy()
    return [(values[eras == era], target[eras == era]) for era in np.unique(eras)]


def present(predictions: np.ndarray) -> np.ndarray:
    """The models that are in the round and say more than one thing about it."""
    return np.flatnonzero(np.isfinite(predictions).all(axis=0) & (np.ptp(predictions, axis=0) > 0))


def uniform(x: np.ndarray) -> np.ndarray:
    return (rankdata(x) - 0.5) / len(x)


def equal_weight_metamodel(predictions: np.ndarray) -> np.ndarray:
    inside = predictions[:, np.isfinite(predictions).all(axis=0)]
    return uniform(np.mean([uniform(x) for x in inside.T], axis=0))


@cache
def correlations() -> np.ndarray:
    """Spearman's rank correlation with the target: (n_rounds, n_models)."""
    found = np.full((len(rounds()), len(crowd().models)), np.nan)
    for row, (predictions, target) in enumerate(rounds()):
        for j in present(predictions):
            found[row, j] = spearmanr(predictions[:, j], target).statistic
    return found


@cache
def contributions() -> np.ndarray:
    """The residual contribution (mmc2, equal stakes, no bags), written out: (n_rounds, n_models)."""
    found = np.full((len(rounds()), len(crowd().models)), np.nan)
    for row, (predictions, target) in enumerate(rounds()):
        m = equal_weight_metamodel(predictions)
        for j in present(predictions):
            u = uniform(predictions[:, j])
            slope, height = np.polyfit(m, u, 1)
            found[row, j] = np.cov(u - slope * m - height, target, ddof=1)[0, 1] / 0.29**2
    return found


def split_halves(scores: np.ndarray, first: np.ndarray, *, rounds_in_each: int) -> tuple[int, float]:
    """Models with enough rounds in both halves, and the rank correlation of their means in the two."""
    halves = scores[first], scores[~first]
    enough = np.all([np.isfinite(half).sum(axis=0) >= rounds_in_each for half in halves], axis=0)
    means = [np.nanmean(half[:, enough], axis=0) for half in halves]
    return int(enough.sum()), float(spearmanr(*means).statistic)


def test_there_are_58_rounds_of_about_208_ids() -> None:
    sizes = [len(target) for _, target in rounds()]
    assert len(sizes) == 58
    assert (min(sizes), max(sizes), sum(sizes)) == (204, 208, 12058)


def test_eras_are_dates_in_order_and_no_era_holds_an_id_twice() -> None:
    keys = list(zip(*(crowd().predictions[name].to_pylist() for name in ("era", "id")), strict=True))
    assert len(set(keys)) == len(keys)
    eras = [era for era, _ in keys]
    assert eras == sorted(eras)
    assert (eras[0], eras[-1]) == ("2023-10-14", "2025-05-31")


def test_a_prediction_is_the_log_growth_over_the_last_count_known() -> None:
    table = raw()
    row = table["UMass-flusion"].index(next(x for x in table["UMass-flusion"] if x is not None))
    last, forecast, truth = (table[name][row] for name in ("last_obs", "UMass-flusion", "truth"))
    assert crowd().predictions["UMass-flusion"][row].as_py() == pytest.approx(
        np.log((1 + forecast) / (1 + last)), rel=1e-12
    )
    assert crowd().targets["target"][row].as_py() == pytest.approx(np.log((1 + truth) / (1 + last)), rel=1e-12)
    assert crowd().targets["id"][row].as_py() == f"{table['location'][row]}_h{table['horizon'][row]}"


def test_predictions_and_targets_have_the_same_rows() -> None:
    for key in ("era", "id"):
        assert crowd().predictions[key].equals(crowd().targets[key])


def test_a_model_is_wholly_in_a_round_or_wholly_out_of_it() -> None:
    for predictions, _ in rounds():
        assert set(np.isfinite(predictions).mean(axis=0)) <= {0.0, 1.0}


def test_the_caveat_counts_every_model_round_that_was_left_out() -> None:
    table, eras = raw(), np.array(raw()["era"])
    holed, never_whole = 0, []
    for name in [name for name in table if name not in KEYS]:
        given = np.array([x is not None for x in table[name]])
        shares = [given[eras == era].mean() for era in np.unique(eras)]
        holed += sum(0 < share < 1 for share in shares)
        never_whole += [name] if 1.0 not in shares else []
    text = " ".join(crowd().caveats)
    assert f"{holed} times a model forecast only part" in text
    assert f"{len(never_whole)} models never covered a whole round and are left out: {', '.join(never_whole)}." in text
    assert set(never_whole).isdisjoint(crowd().models)


def test_every_shipped_forecast_has_its_attribution_and_licence() -> None:
    with data_file("flusight_models.csv").open(encoding="utf-8") as file:
        credited = {row["model"]: row for row in csv.DictReader(file)}
    shipped = [name for name in raw() if name not in KEYS]
    assert {credited[name]["licence"] for name in shipped} == {"CC-BY-4.0"}
    assert all(f"{name} ({credited[name]['team']})" in crowd().attribution for name in crowd().models)


def test_as_many_teams_are_told_as_stand_behind_the_models_that_play() -> None:
    assert len(set(crowd().descriptions.values())) == 31
    assert "These are 47 models of 31 teams" in crowd().caveats[1]


def test_stakes_are_whole_cents_for_every_model_and_said_to_be_simulated() -> None:
    stakes = dict(zip(*(crowd().stakes[name].to_pylist() for name in ("model", "stake")), strict=True))
    assert list(stakes) == crowd().models
    assert all(isinstance(x, int) and SMALLEST_STAKE <= x <= LARGEST_STAKE for x in stakes.values())
    assert "simulated" in crowd().caveats[0]


def test_the_crowd_beats_every_team_on_the_rounds_that_the_team_played() -> None:
    metamodel = np.array([spearmanr(equal_weight_metamodel(p), t).statistic for p, t in rounds()])
    assert round(metamodel.mean(), 3) == 0.500
    teams = {}
    for name, scores in zip(crowd().models, correlations().T, strict=True):
        played = np.isfinite(scores)
        if played.sum() >= 29 and name not in HUB_ENSEMBLES:
            teams[name] = scores[played].mean()
            assert teams[name] < metamodel[played].mean()
    best = max(teams, key=lambda name: teams[name])
    assert (best, round(teams[best], 3)) == ("UMass-flusion", 0.455)


def test_the_naive_baseline_hardly_ranks_anything() -> None:
    naive = correlations()[:, crowd().models.index(NAIVE)]
    assert (np.isfinite(naive).sum(), round(np.nanmean(naive), 3)) == (53, 0.040)


def test_the_naive_baseline_takes_away_most() -> None:
    enough = np.isfinite(contributions()).sum(axis=0) >= 20
    means = np.nanmean(contributions()[:, enough], axis=0)
    names = np.array(crowd().models)[enough]
    assert (names[means.argmin()], round(means.min(), 3), round(means.max(), 3)) == (NAIVE, -0.304, 0.294)


def test_contributions_persist_between_alternating_rounds() -> None:
    models, persistence = split_halves(contributions(), np.arange(58) % 2 == 0, rounds_in_each=10)
    assert (models, round(persistence, 2)) == (37, 0.86)


def test_contributions_persist_less_from_the_first_half_to_the_second() -> None:
    models, persistence = split_halves(contributions(), np.arange(58) < 29, rounds_in_each=10)
    assert (models, round(persistence, 2)) == (17, 0.39)


def test_plain_correlation_persists_more_than_contribution_does() -> None:
    models, persistence = split_halves(correlations(), np.arange(58) < 29, rounds_in_each=10)
    assert (models, round(persistence, 2)) == (17, 0.71)
