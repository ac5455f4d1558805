"""numerai-tools as a second opinion: where it is well defined we agree, and where we differ it is listed why."""

import warnings

import numpy as np
import pandas as pd
import pytest
from crowds import features_for, random_crowd
from numerai_tools import scoring as nt

from crowdalpha import scoring
from crowdalpha.scoring.eras import summarize

SEEDS = range(8)


def close(expected):
    return pytest.approx(np.asarray(expected, float), rel=1e-12, abs=1e-12)


def frame(values):
    """A frame with the sorted string index that numerai-tools asks for."""
    values = np.asarray(values, float)
    index = [f"id{i:04d}" for i in range(len(values))]
    return pd.DataFrame(values.reshape(len(values), -1), index=index)


def series(values):
    return frame(values)[0].rename("target")


@pytest.fixture(params=SEEDS)
def crowd(request):
    """Nobody absent and nobody constant, but many ties."""
    crowd = random_crowd(request.param, absent=False, min_ids=15, max_ids=40)
    crowd.predictions = np.round(np.random.default_rng(request.param).normal(size=crowd.predictions.shape), 1)
    return crowd


@pytest.fixture
def features(crowd):
    return features_for(crowd, 3, n_features=4)


def test_ranks_and_uniforms_agree(crowd):
    p = crowd.predictions
    assert np.array_equal(scoring.uniform(p), nt.tie_kept_rank(frame(p)))
    assert np.array_equal(scoring.uniform(p, ties="first"), nt.tie_broken_rank(frame(p)))


def test_gaussianized_predictions_and_powers_agree(crowd):
    z = nt.gaussian(nt.tie_kept_rank(frame(crowd.predictions)))
    assert scoring.gaussianize(crowd.predictions) == close(z)
    assert scoring.signed_power(z, 1.5) == close(nt.power(z, 1.5))


def test_corr_agrees(crowd):
    p, t = frame(crowd.predictions), series(crowd.target)
    expected = [nt.tie_broken_rank_correlation(t, p[j]) for j in p]
    assert scoring.corr(crowd.predictions, crowd.target, ties="first") == close(expected)
    expected = [nt.correlation(t, nt.tie_kept_rank(p[j])) for j in p]
    assert scoring.corr(crowd.predictions, crowd.target) == close(expected)


def test_numerai_corr_agrees(crowd):
    expected = nt.numerai_corr(frame(crowd.predictions), series(crowd.target))
    assert scoring.numerai_corr(crowd.predictions, crowd.target) == close(expected)


@pytest.mark.parametrize("proportion", [0.0, 0.5, 1.0])
def test_neutralized_predictions_agree(crowd, features, proportion):
    expected = nt.neutralize(frame(crowd.predictions), frame(features), proportion)
    assert scoring.neutralize(crowd.predictions, features, proportion=proportion) == close(expected)


def test_feature_neutral_correlation_agrees(features, crowd):
    """Predictions and features without ties: equal residuals would be ranked by their rounding."""
    rng = np.random.default_rng(1)
    p, f = rng.normal(size=crowd.predictions.shape), rng.normal(size=features.shape)
    expected = nt.feature_neutral_corr(frame(p), frame(f), series(crowd.target))
    assert scoring.fnc(p, f, crowd.target) == close(expected)


def test_the_metamodel_agrees_where_no_two_ids_tie_in_it(crowd):
    rng = np.random.default_rng(2)
    p, stakes = rng.normal(size=crowd.predictions.shape), rng.integers(1, 10**9, len(crowd.stakes))
    stakes = pd.Series(stakes)
    weighted = nt.stake_weight(nt.tie_kept_rank(frame(p)), stakes)
    assert np.diff(np.sort(weighted)).min() > 1e-12
    assert np.array_equal(scoring.metamodel(p, stakes), nt.tie_kept_rank(weighted))


def test_mmc2_agrees_with_its_building_blocks(crowd):
    p, t = crowd.predictions, series(crowd.target)
    m = frame(scoring.metamodel(p, crowd.stakes))
    left = nt.neutralize(nt.tie_kept_rank(frame(p)), m)
    expected = [left[j].cov(t, ddof=1) / 0.29**2 for j in left]
    assert scoring.mmc2(p, crowd.stakes, crowd.target) == close(expected)

    by_projection = nt.orthogonalize(*(nt.center(nt.tie_kept_rank(frame(x))).to_numpy() for x in (p, m)))
    expected = by_projection.T @ nt.center(t) / (len(t) - 1) / 0.29**2
    assert scoring.mmc2(p, crowd.stakes, crowd.target) == close(expected)


def test_the_mmc_of_2024_agrees_once_the_scale_it_guesses_is_given(crowd):
    m = crowd.predictions[:, 0] + np.arange(len(crowd.target)) / 7
    expected = nt.correlation_contribution(frame(crowd.predictions), series(m), series(crowd.target))
    found = scoring.mmc2024(crowd.predictions, m, crowd.target, target_scale=4)
    assert found == close(expected)


def portfolio_inputs(crowd):
    rng = np.random.default_rng(5)
    n = len(crowd.target)
    return np.linalg.qr(rng.normal(size=(n, 3)))[0], rng.uniform(0.5, 2.0, n)


def test_alpha_agrees(crowd):
    n, v = portfolio_inputs(crowd)
    expected = nt.alpha(frame(crowd.predictions), frame(n), series(v), series(crowd.target))
    assert scoring.alpha(crowd.predictions, n, v, crowd.target) == close(expected)


def test_meta_portfolio_contribution_agrees(crowd):
    n, v = portfolio_inputs(crowd)
    stakes = pd.Series(crowd.stakes, dtype=float)
    expected = nt.meta_portfolio_contribution(
        frame(crowd.predictions), stakes, frame(n), series(v), series(crowd.target)
    )
    assert scoring.mpc(crowd.predictions, crowd.stakes, n, v, crowd.target) == close(expected)


def test_the_largest_exposure_agrees(crowd, features):
    p = crowd.predictions[:, 0]
    _, expected = nt.max_feature_correlation(series(p), frame(features))
    assert scoring.exposure_metrics(p, features).max == close(expected)


def test_the_sharpe_agrees():
    scores = np.random.default_rng(1).normal(0.02, 0.03, 60)
    assert summarize(scores).sharpe == close(nt.sharpe_ratio(pd.Series(scores)))


# Where numerai-tools and we differ, and why


def rng_era(n=40, n_models=2):
    rng = np.random.default_rng(7)
    return rng.normal(size=(n, n_models)), rng.permutation(np.resize([0, 0.25, 0.5, 0.75, 1], n))


def scale_of_a_shifted_target():
    p, t = rng_era()
    shifted = t - 0.5
    theirs = nt.correlation_contribution(frame(p), series(p[:, 1]), series(shifted))[0]
    return theirs, scoring.mmc2024(p, p[:, 1], shifted, target_scale=4)[0]


def scale_of_returns_in_the_unit_interval():
    p, t = rng_era()
    returns = t / 100
    theirs = nt.correlation_contribution(frame(p), series(p[:, 1]), series(returns))[0]
    return theirs, scoring.mmc2024(p, p[:, 1], returns)[0]


def constant_prediction_neutralized():
    constant, by = np.ones(10), np.arange(10.0)
    return nt.neutralize(frame(constant), frame(by))[0], scoring.neutralize(constant, by)


def constant_prediction_correlated():
    t = np.resize([0, 0.5, 1], 10)
    return nt.numerai_corr(frame(np.ones(10)), series(t))[0], scoring.numerai_corr(np.ones(10), t)


def constant_metamodel():
    p, t = rng_era()
    theirs = nt.correlation_contribution(frame(p), series(np.ones(40)), series(t))[0]
    return theirs, scoring.mmc2024(p, np.ones(40), t, target_scale=4)[0]


def feature_of_a_small_scale():
    rng = np.random.default_rng(8)
    y, by = rng.normal(size=50), rng.normal(size=(50, 2)) * [1.0, 1e-8]
    return nt.neutralize(frame(y), frame(by))[0], scoring.neutralize(y, by)


def residual_that_is_rounding():
    feature, t = np.array([0, 0, 1, 1, 1, 0, 1]), np.array([0, 0.25, 0.5, 0.75, 1, 0.5, 0])
    theirs = nt.feature_neutral_corr(frame(feature), frame(feature), series(t))[0]
    return theirs, scoring.fnc(feature, feature, t)


def tie_in_the_metamodel():
    p = np.array([[0, 5, 4, 3, 2, 1], [4, 1, 2, 3, 0, 5], [4, 2, 0, 5, 1, 3]]).T
    stakes = [0.2, 0.1, 0.1]
    theirs = nt.tie_kept_rank(nt.stake_weight(nt.tie_kept_rank(frame(p)), pd.Series(stakes)))
    return theirs, scoring.metamodel(p, stakes)


def missing_ids_of_another_model():
    p, t = rng_era()
    gappy = p.copy()
    gappy[:6, 1] = np.nan
    return nt.numerai_corr(frame(gappy), series(t))[0], scoring.numerai_corr(p[:, 0], t)


def target_centred_before_ids_are_dropped():
    p, t = rng_era()
    t[:6] = 1.0
    theirs = nt.numerai_corr(frame(p)[6:], series(t))[0]
    return theirs, scoring.numerai_corr(p[6:, 0], t[6:])


def no_stake_for_a_missing_one():
    p, t = rng_era(n_models=3)
    n, v, stakes = np.eye(40, 2), np.ones(40), [1.0, np.nan, 2.0]
    theirs = nt.meta_portfolio_contribution(frame(p), pd.Series(stakes), frame(n), series(v), series(t))
    with pytest.raises(scoring.InputError):
        scoring.mpc(p, stakes, n, v, t)
    return theirs, np.nan


DIFFERENCES = {
    "theirs multiplies a target by 4 if it lies in [0, 1]: shifted by -1/2 it scores a quarter; ours is told": (
        scale_of_a_shifted_target
    ),
    "theirs multiplies returns that happen to lie in [0, 1] by 4": scale_of_returns_in_the_unit_interval,
    "theirs makes a constant prediction NaN when neutralising; ours is exactly 0": constant_prediction_neutralized,
    "theirs correlates a constant prediction to NaN; ours is 0, as it says nothing": constant_prediction_correlated,
    "theirs divides by 0 for a constant metamodel; ours has nothing to take out of the prediction": (
        constant_metamodel
    ),
    "theirs drops directions 1e-6 below the largest, so a feature of small scale is never neutralised": (
        feature_of_a_small_scale
    ),
    "theirs ranks the rounding that is left of a model that is all feature; ours is 0": residual_that_is_rounding,
    "theirs adds stakes in floating point, which breaks ties of the metamodel at random": tie_in_the_metamodel,
    "theirs drops an id from all models if one of them lacks it (up to 20 %); ours refuses such a model": (
        missing_ids_of_another_model
    ),
    "theirs centres the target before it drops ids, so it is off centre afterwards": (
        target_centred_before_ids_are_dropped
    ),
    "theirs takes a missing stake for 0; ours refuses it": no_stake_for_a_missing_one,
}


def quietly(difference):
    """Their value and ours, without the warnings of theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return difference()


@pytest.mark.parametrize("reason", DIFFERENCES)
def test_we_differ_because(reason):
    theirs, ours = quietly(DIFFERENCES[reason])
    assert not np.allclose(theirs, ours, rtol=1e-9, atol=1e-9)


def ours(difference):
    return quietly(difference)[1]


def test_our_side_of_each_difference_is_the_one_that_the_definition_gives():
    p, t = rng_era()
    assert ours(scale_of_a_shifted_target) == close(scoring.mmc2024(p, p[:, 1], t, target_scale=4)[0])
    assert (ours(constant_prediction_neutralized) == 0).all()
    assert ours(constant_prediction_correlated) == ours(residual_that_is_rounding) == 0.0
    z = scoring.gaussianize(p[:, 0])
    assert ours(constant_metamodel) == close(4 * np.cov(z, t, ddof=0)[0, 1])
    assert len(np.unique(ours(tie_in_the_metamodel))) == 5


def test_theirs_refuses_what_ours_takes_rows_out_of_order_and_powers_that_bend_much():
    p, _ = rng_era()
    with pytest.raises(AssertionError, match="unsorted index"):
        nt.tie_kept_rank(frame(p)[::-1])
    with pytest.raises(AssertionError):
        nt.power(frame(p), 4.0)
    assert np.array_equal(scoring.uniform(p[::-1]), scoring.uniform(p)[::-1])
    assert scoring.signed_power(p, 4.0) == close(np.sign(p) * p**4)


def test_theirs_drops_up_to_a_fifth_of_the_ids_in_silence_where_ours_refuses():
    p, t = rng_era()
    assert np.isfinite(nt.numerai_corr(frame(p)[8:], series(t))).all()
    with pytest.raises(AssertionError, match="overlapping ids"):
        nt.numerai_corr(frame(p)[9:], series(t))
    with pytest.raises(scoring.InputError):
        scoring.numerai_corr(p[1:], t)
