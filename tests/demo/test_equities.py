"""The equities crowd: nobody sees the future, every baseline is what its sentence says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import rankdata

from crowdalpha.demo import baselines
from crowdalpha.demo.baselines import BASELINES, FEATURES, PURGE, SIGNALS, STAKES, play
from crowdalpha.demo.crowd import Crowd, data_table, simulated_stake
from crowdalpha.demo.equities import N_IDS, PLAYED, equities
from crowdalpha.demo.walkforward import ridge

LEARNERS = tuple(name for name in BASELINES if name.startswith(("ridge", "boosting", "blend_ridge", "blend_all")))


def made_up(seed: int = 0, *, eras: int = 120, ids: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A small market with some signal in it: features and target in fifths."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 5, (eras, ids, len(FEATURES))) / 4
    wish = features[:, :, 0] - features[:, :, 5] + rng.normal(0, 0.5, (eras, ids))
    return features, (rankdata(wish, axis=1) * 4.999 / ids // 1) / 4


def by_era(values: object) -> np.ndarray:
    return np.asarray(values).reshape(-1, N_IDS)


def mean_corr(crowd: Crowd, name: str) -> float:
    target = by_era(crowd.targets["target"])
    ranked = rankdata(by_era(crowd.predictions[name]), axis=1)
    return float(np.mean([np.corrcoef(p, t)[0, 1] for p, t in zip(ranked, target, strict=True)]))


@pytest.mark.parametrize("cut", [90, 104])
def test_changing_later_targets_changes_no_earlier_prediction(cut: int) -> None:
    features, target = made_up()
    changed = target.copy()
    changed[cut:] = 1 - changed[cut:]
    before, after = play(features, target, first=60), play(features, changed, first=60)
    blind = cut + PURGE + 1 - 60
    for name in BASELINES:
        assert np.array_equal(before[name][:blind], after[name][:blind]), name


def test_the_first_era_that_may_know_a_target_does_use_it() -> None:
    features, target = made_up()
    changed = target.copy()
    changed[104:] = 1 - changed[104:]
    before, after = play(features, target, first=60), play(features, changed, first=60)
    assert not np.array_equal(before["ridge_medium"][110 - 60], after["ridge_medium"][110 - 60])
    assert not np.array_equal(before["boosting"][112 - 60], after["boosting"][112 - 60])


def test_changing_later_features_changes_no_earlier_prediction() -> None:
    features, target = made_up()
    changed = features.copy()
    changed[100:] = 1 - changed[100:]
    before, after = play(features, target, first=60), play(changed, target, first=60)
    for name in BASELINES:
        assert np.array_equal(before[name][: 100 - 60], after[name][: 100 - 60]), name


def test_playing_twice_gives_the_same_bits() -> None:
    features, target = made_up(1, eras=70)
    once, again = play(features, target, first=60), play(features, target, first=60)
    assert all(np.array_equal(once[name], again[name]) for name in BASELINES)


def test_running_sums_give_the_ridge_that_all_rows_at_once_give() -> None:
    features, target = made_up(2, eras=20)
    fast = ridge(features, target, first=19, purge=5, shrink=0.5)[0]
    x = np.concatenate([era - era.mean(axis=0) for era in features[:14]])
    y = np.concatenate([era - era.mean() for era in target[:14]])
    root = np.sqrt(0.5 * np.square(x).sum() / len(FEATURES))
    rows = np.vstack([x, root * np.eye(len(FEATURES))])
    weights = np.linalg.lstsq(rows, np.append(y, np.zeros(len(FEATURES))), rcond=None)[0]
    assert fast == pytest.approx(features[19] @ weights, rel=1e-9)


def test_a_window_forgets_what_is_older_and_a_lag_uses_older_weights() -> None:
    features, target = made_up(3, eras=40)
    recent = ridge(features, target, first=39, purge=5, shrink=1.0, window=10)
    assert recent == pytest.approx(ridge(features[24:], target[24:], first=15, purge=5, shrink=1.0), rel=1e-9)
    stale = ridge(features, target, first=39, purge=5, shrink=1.0, lag=7)
    assert np.array_equal(stale, ridge(features, target, first=39, purge=12, shrink=1.0))


def test_a_single_signal_is_its_feature_or_that_turned_round() -> None:
    features, _ = made_up(5, eras=3)
    for name, (feature, sign) in SIGNALS.items():
        column = features[:, :, FEATURES.index(feature)]
        assert np.array_equal(baselines.signals(features)[name], column if sign > 0 else 1 - column)


def test_the_metamodel_copy_is_the_stake_weighted_mean_of_the_others_in_exact_fractions() -> None:
    features, target = made_up(4, eras=61)
    played = play(features, target, first=60)
    others = [name for name in BASELINES if name != "metamodel_copy"]
    ranks = {name: [Fraction(r) for r in rankdata(played[name][0])] for name in others}
    sums = [sum(simulated_stake(name, seed=STAKES) * ranks[name][i] for name in others) for i in range(40)]
    places = [sum(y < x for y in sums) + (sum(y == x for y in sums) + 1) / 2 for x in sums]
    assert played["metamodel_copy"][0] == pytest.approx((np.array(places) - 0.5) / 40, rel=1e-12)


def test_adding_the_copy_leaves_the_order_of_the_metamodel_as_it_is() -> None:
    played = play(*made_up(6, eras=62), first=60)
    assert np.array_equal(baselines.metamodel_of(played), played["metamodel_copy"])


def test_every_baseline_is_described_in_a_sentence() -> None:
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in BASELINES.values())


def test_the_real_crowd_is_whole_and_scores_what_is_reported() -> None:
    crowd = equities()
    the_tables_match_row_for_row(crowd)
    targets_are_the_five_bins_of_the_file(crowd)
    scores = {name: mean_corr(crowd, name) for name in BASELINES}
    assert scores["ridge_inverse"] == pytest.approx(-scores["ridge_medium"], abs=1e-12)
    reported = {"reversal_1w": 0.008, "ridge_medium": 0.010, "noise": 0.001, "boosting": 0.017}
    assert {name: round(scores[name], 3) for name in reported} == reported


def the_tables_match_row_for_row(crowd: Crowd) -> None:
    assert crowd.features is not None
    for table in (crowd.predictions, crowd.targets, crowd.features):
        assert table.num_rows == 260 * N_IDS
        assert table["era"].equals(crowd.targets["era"])
        assert table["id"].equals(crowd.targets["id"])
    assert crowd.models == list(BASELINES) == crowd.stakes["model"].to_pylist()
    assert crowd.features.column_names[2:] == list(FEATURES)
    assert all(np.isfinite(crowd.predictions[name].to_numpy()).all() for name in BASELINES)


def targets_are_the_five_bins_of_the_file(crowd: Crowd) -> None:
    panel = data_table("us_equities_tournament.parquet")
    target = by_era(panel["target"])[-PLAYED:] / 4
    assert np.array_equal(by_era(crowd.targets["target"]), target)
    shares = [np.mean(target == x) for x in (0, 0.25, 0.5, 0.75, 1)]
    assert shares == pytest.approx([0.05, 0.2, 0.5, 0.2, 0.05], abs=1e-9)


def test_a_missing_scikit_learn_is_a_named_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.ensemble", None)
    from crowdalpha.scoring.problems import InputError

    with pytest.raises(InputError, match=r"crowdalpha\[demo\]") as refusal:
        play(*made_up(eras=61), first=60)
    assert refusal.value.code == "missing_extra"


def test_progress_goes_from_nothing_to_all() -> None:
    heard: list[float] = []
    play(*made_up(eras=61), first=60, progress=lambda share, what: heard.append(share))
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)
