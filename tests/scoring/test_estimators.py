"""Neutralisers and scorers are good citizens of scikit-learn and agree with the array functions."""

import builtins
import importlib
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from crowdalpha.scoring.contribution import mmc2
from crowdalpha.scoring.correlation import corr, numerai_corr
from crowdalpha.scoring.estimators import (
    FeatureNeutralizer,
    MetamodelNeutralizer,
    corr_score,
    corr_scorer,
    mmc2_score,
    mmc2_scorer,
    numerai_corr_score,
    numerai_corr_scorer,
)
from crowdalpha.scoring.neutral import neutralize
from crowdalpha.scoring.problems import InputError

ESTIMATORS = [
    FeatureNeutralizer(),
    FeatureNeutralizer(prediction_columns=0, proportion=0.5),
    MetamodelNeutralizer(),
    MetamodelNeutralizer(metamodel_column=0, proportion=0.25),
]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def frame(rng):
    """Three eras, shuffled, of two features and two predictions that lean on them."""
    features = rng.normal(size=(90, 2))
    predictions = features @ [[1.0, 0.5], [-0.5, 1.0]] + rng.normal(size=(90, 2))
    columns = np.column_stack([features, predictions])
    return pd.DataFrame(columns, columns=["f1", "f2", "p1", "p2"])


@pytest.fixture
def eras(rng):
    return rng.permutation(np.repeat(["era10", "era2", "era9"], 30))


@parametrize_with_checks(ESTIMATORS)
def test_a_neutralizer_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("proportion", [0.0, 0.3, 1.0])
def test_features_are_taken_out_of_predictions_era_by_era(frame, eras, proportion):
    neutralizer = FeatureNeutralizer(["p1", "p2"], proportion).fit(frame)
    found = neutralizer.transform(frame, eras=eras)
    for era in set(eras):
        rows = frame[eras == era]
        expected = neutralize(rows[["p1", "p2"]], rows[["f1", "f2"]], proportion=proportion)
        assert np.array_equal(found[eras == era], expected)


def test_the_metamodel_is_taken_out_of_every_other_column(frame, eras):
    found = MetamodelNeutralizer("f2").fit_transform(frame, eras=eras)
    for era in set(eras):
        rows = frame[eras == era]
        assert np.array_equal(found[eras == era], neutralize(rows[["f1", "p1", "p2"]], rows["f2"]))


def test_without_eras_the_fitted_rows_are_one_era(frame):
    found = FeatureNeutralizer().fit_transform(frame)
    expected = neutralize(frame["p2"], frame[["f1", "f2", "p1"]])
    assert found[:, 0] == pytest.approx(expected, abs=1e-12)


def test_without_eras_new_rows_are_corrected_by_what_was_learnt(frame):
    neutralizer = FeatureNeutralizer("p1").fit(frame[:60])
    design = np.column_stack([np.ones(60), frame[["f1", "f2", "p2"]][:60]])
    slope = np.linalg.lstsq(design, frame["p1"][:60])[0]
    expected = frame["p1"][60:] - np.column_stack([np.ones(30), frame[["f1", "f2", "p2"]][60:]]) @ slope
    assert neutralizer.transform(frame[60:])[:, 0] == pytest.approx(expected.to_numpy(), abs=1e-12)


def test_what_an_era_gets_depends_on_no_other_era(frame, eras):
    neutralizer = FeatureNeutralizer().fit(frame)
    one = eras == "era2"
    together = neutralizer.transform(frame, eras=eras)[one]
    assert np.array_equal(neutralizer.transform(frame[one], eras=eras[one]), together)


def test_frames_come_out_as_frames_with_the_names_of_the_neutralised_columns(frame, eras):
    neutralizer = FeatureNeutralizer(["p2", "p1"]).set_output(transform="pandas")
    found = neutralizer.fit(frame).transform(frame, eras=eras)
    assert list(found.columns) == ["p2", "p1"]
    assert list(MetamodelNeutralizer(-1).fit(frame.to_numpy()).get_feature_names_out()) == ["x0", "x1", "x2"]


def test_a_name_list_that_is_not_the_fitted_one_is_refused(frame):
    neutralizer = FeatureNeutralizer().fit(frame)
    with pytest.raises(ValueError, match="input_features is not equal"):
        neutralizer.get_feature_names_out(["a", "b", "c", "d"])
    with pytest.raises(ValueError, match="another length"):
        FeatureNeutralizer().fit(frame.to_numpy()).get_feature_names_out(["a"])


@pytest.mark.parametrize("columns", ["absent", [], 4, [-1, 3], ["p1", 2]])
def test_prediction_columns_that_x_does_not_have_once_are_refused(frame, columns):
    with pytest.raises(InputError) as refusal:
        FeatureNeutralizer(columns).fit(frame)
    assert refusal.value.code == "bad_prediction_columns"


def test_a_proportion_out_of_range_and_eras_of_another_length_are_refused(frame, eras):
    with pytest.raises(InputError, match="proportion"):
        FeatureNeutralizer(proportion=1.5).fit(frame)
    with pytest.raises(InputError, match="eras of shape"):
        FeatureNeutralizer().fit(frame).transform(frame, eras=eras[:-1])


def test_eras_reach_a_neutralizer_inside_a_pipeline(frame, eras):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            FunctionTransformer(lambda X: X * 2.0),
            FeatureNeutralizer("p1").set_transform_request(eras=True),
        )
        found = pipeline.fit(frame).transform(frame, eras=eras)
    assert np.array_equal(found, FeatureNeutralizer("p1").fit_transform(frame * 2.0, eras=eras))


def mean_over_eras(score, eras):
    return np.mean([score(eras == era) for era in np.unique(eras)])


def test_scores_are_means_of_the_scores_of_the_eras(rng, eras):
    p, m, t = rng.normal(size=90), rng.normal(size=90), rng.choice([0, 0.25, 0.5, 0.75, 1], 90)
    expected = mean_over_eras(lambda era: corr(p[era], t[era]), eras)
    assert corr_score(t, p, eras=eras) == pytest.approx(expected, abs=1e-15)
    expected = mean_over_eras(lambda era: numerai_corr(p[era], t[era]), eras)
    assert numerai_corr_score(t, p, eras=eras) == pytest.approx(expected, abs=1e-15)
    expected = mean_over_eras(lambda era: mmc2(np.c_[p, m][era], [0, 1], t[era])[0], eras)
    assert mmc2_score(t, p, metamodel=m, eras=eras) == pytest.approx(expected, abs=1e-15)


def test_without_eras_all_rows_are_one_era(rng):
    p, m, t = rng.normal(size=(3, 50))
    assert corr_score(t, p) == corr(p, t)
    assert numerai_corr_score(t, p) == numerai_corr(p, t)
    assert mmc2_score(t, m, metamodel=m) == 0.0


def test_scorers_work_in_cross_validation_without_any_routing(frame, rng):
    target = frame["f1"] + rng.normal(size=90)
    scorers = {"corr": corr_scorer, "numerai": numerai_corr_scorer}
    found = cross_validate(Ridge(), frame, target, scoring=scorers, cv=3)
    assert (found["test_corr"] > 0.3).all()
    assert (found["test_numerai"] > 0.3).all()


def test_eras_and_metamodel_are_routed_to_scorers_in_cross_validation(frame, eras, rng):
    target = frame["f1"] + rng.normal(size=90)
    metamodel = frame["p1"].to_numpy()
    with sklearn.config_context(enable_metadata_routing=True):
        scorers = {
            "corr": corr_scorer.set_score_request(eras=True),
            "mmc2": mmc2_scorer.set_score_request(eras=True, metamodel=True),
        }
        params = {"eras": eras, "metamodel": metamodel, "groups": eras}
        found = cross_validate(
            LinearRegression(), frame, target, scoring=scorers, cv=GroupKFold(3), params=params, return_indices=True
        )
    for fold, test in enumerate(found["indices"]["test"]):
        train = found["indices"]["train"][fold]
        predicted = LinearRegression().fit(frame.iloc[train], target[train]).predict(frame.iloc[test])
        assert found["test_corr"][fold] == corr_score(target[test], predicted, eras=eras[test])
        expected = mmc2_score(target[test], predicted, metamodel=metamodel[test], eras=eras[test])
        assert found["test_mmc2"][fold] == expected


def test_a_grid_search_picks_a_model_by_its_mean_score_over_eras(frame, eras, rng):
    target = frame["f1"] + 0.1 * rng.normal(size=90)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = corr_scorer.set_score_request(eras=True)
        grid = {"fit_intercept": [True], "alpha": [1e-3, 1e6], "positive": [False]}
        search = GridSearchCV(Ridge(), grid, scoring=scorer, cv=GroupKFold(3))
        search.fit(frame, target, groups=eras, eras=eras)
    assert search.best_params_["alpha"] == 1e-3


def test_without_scikit_learn_the_import_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def no_sklearn(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_sklearn)
    monkeypatch.delitem(sys.modules, "crowdalpha.scoring.estimators")
    with pytest.raises(ImportError, match=r"crowdalpha\[sklearn\]"):
        importlib.import_module("crowdalpha.scoring.estimators")


def test_a_scorer_refuses_masks_and_digits_as_the_scores_do():
    masked = np.ma.array([0.0, 0.5, 1.0], mask=[0, 1, 0])
    for score in (corr_score, numerai_corr_score):
        with pytest.raises(InputError, match="masked"):
            score(masked, [1, 2, 3])
    with pytest.raises(InputError, match="too_many_digits"):
        mmc2_score([0.0, 0.5, 1.0], 2**60 + np.arange(3), metamodel=[0.1, 0.2, 0.3])
