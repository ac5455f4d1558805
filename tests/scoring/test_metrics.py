"""METRICS: one row a metric, and everything else follows from the row."""

import numpy as np
import pytest
from crowds import features_for, random_crowd

from crowdalpha import scoring
from crowdalpha.scoring.metrics import GIVEN, METRICS, Era, evaluate, metric, missing_inputs
from crowdalpha.scoring.problems import InputError


@pytest.fixture
def era():
    crowd = random_crowd(12, min_ids=12)
    rng = np.random.default_rng(12)
    n = len(crowd.target)
    return Era(
        crowd.predictions,
        crowd.target,
        np.array(crowd.stakes),
        crowd.bags,
        features=features_for(crowd, 1),
        benchmarks=rng.normal(size=(n, 2)),
        neutralizers=rng.normal(size=(n, 2)),
        sample_weights=np.ones(n),
    )


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_scores_every_present_model_of_an_era(era, name):
    scores = METRICS[name](era)
    present = ~np.isnan(era.predictions).any(axis=0)
    assert scores.shape == present.shape
    assert np.array_equal(~np.isnan(scores), present)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_is(name):
    row = METRICS[name]
    assert row.name == name
    assert row.title
    assert row.says.endswith(".")
    assert row.bounds
    assert row.better in ("higher", "lower", "neither")
    assert row.source
    assert set(row.needs) <= set(GIVEN)


def test_a_row_gives_what_its_function_gives(era):
    p, t, s = era.predictions, era.target, era.stakes
    found = evaluate(["corr", "mmc2", "cwmm", "exposure_rms"], era)
    assert np.array_equal(found["corr"], scoring.corr(p, t), equal_nan=True)
    assert np.array_equal(found["mmc2"], scoring.mmc2(p, s, t, bags=era.bags), equal_nan=True)
    assert np.array_equal(found["cwmm"], scoring.cwmm(p, scoring.metamodel(p, s)), equal_nan=True)
    rms = scoring.exposure_metrics(p, era.features).rms
    assert np.array_equal(found["exposure_rms"], rms, equal_nan=True)


def test_ties_by_order_reach_the_metrics_that_know_them_and_no_other(era):
    first = Era(era.predictions, era.target, era.stakes, ties="first")
    found = evaluate(["corr", "numerai_corr"], first)
    assert np.array_equal(found["corr"], scoring.corr(era.predictions, era.target, ties="first"), equal_nan=True)
    expected = scoring.numerai_corr(era.predictions, era.target)
    assert np.array_equal(found["numerai_corr"], expected, equal_nan=True)


def test_without_stakes_all_models_count_alike_and_a_given_metamodel_is_taken(era):
    equal = Era(era.predictions, era.target)
    expected = scoring.mmc2(era.predictions, np.ones(era.predictions.shape[1]), era.target)
    assert np.array_equal(METRICS["mmc2"](equal), expected, equal_nan=True)
    given = Era(era.predictions, era.target, metamodel=era.target)
    assert np.array_equal(METRICS["cwmm"](given), scoring.cwmm(era.predictions, era.target), equal_nan=True)


def test_what_a_metric_needs_and_nobody_gave_is_refused_by_name(era):
    with pytest.raises(InputError) as refusal:
        METRICS["fnc"](Era(era.predictions, era.target))
    assert refusal.value.code == "no_features"
    assert [p.code for p in missing_inputs(["fnc", "corr"], ["features"])] == ["no_target", "no_target"]


def test_an_unknown_metric_is_refused_with_the_names_of_all():
    with pytest.raises(InputError, match="mmc2") as refusal:
        metric("mmc3")
    assert refusal.value.code == "unknown_metric"
