"""Figures over eras: slow witnesses in pandas, laws of shifting and scaling, honest intervals."""

import math
import warnings
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crowdalpha.scoring.bootstrap import default_block
from crowdalpha.scoring.eras import Summary, bag_standard_error, corr_mmc_sharpe, summarize
from crowdalpha.scoring.problems import InputError

NAMES = [field.name for field in fields(Summary)]
FIGURES = NAMES[:10]
INTERVALS = NAMES[10:]

series_of_scores = hnp.arrays(
    np.float64,
    st.integers(3, 40),
    elements=st.floats(-0.9, 2.0, allow_subnormal=False).map(lambda score: round(score, 4)),
)
gappy_series = hnp.arrays(
    np.float64,
    st.integers(0, 30),
    elements=st.one_of(st.just(math.nan), st.floats(-1.5, 1.5).map(lambda score: round(score, 3))),
)


def draw_scores(n_eras, n_models, *, seed=1, mean=0.02, std=0.03):
    return np.random.default_rng(seed).normal(mean, std, (n_eras, n_models))


def pandas_figures(scores, *, eras_per_year=52, ddof=0):
    """What the tournament's scripts compute, in pandas, and the penalty term by term."""
    s = pd.Series(scores)
    present = s.dropna()
    n, r = len(present), s.corr(s.shift(1))
    penalty = math.sqrt(1 + 2 * sum((n - i) / n * r**i for i in range(1, n)))
    value = (1 + present).cumprod()
    peak = value.rolling(100, min_periods=1).max()
    losses = (present.clip(upper=0) ** 2).sum() / (n - ddof)
    return {
        "mean": present.mean(),
        "std": present.std(ddof=ddof),
        "sharpe": present.mean() / present.std(ddof=ddof),
        "adjusted_sharpe": present.mean() / (present.std(ddof=ddof) * penalty),
        "sortino": present.mean() / math.sqrt(losses),
        "max_drawdown": -((peak - value) / peak).max(),
        "hit_rate": (present > 0).mean(),
        "apy": value.iloc[-1] ** (eras_per_year / n) - 1,
        "n_eras": n,
        "autocorrelation": r,
    }


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("n_eras", [12, 58, 355])
def test_every_figure_agrees_with_pandas(n_eras, ddof):
    scores = draw_scores(n_eras, 1, seed=n_eras)[:, 0]
    expected = pandas_figures(scores, ddof=ddof)
    found = summarize(scores, ddof=ddof, n_resamples=1)
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-12, abs=1e-14), name


def test_missing_eras_are_left_out_as_pandas_leaves_them_out():
    scores = draw_scores(120, 1, seed=5)[:, 0]
    scores[[0, 7, 8, 50, 119]] = np.nan
    expected = pandas_figures(scores)
    found = summarize(scores, n_resamples=1)
    for name in FIGURES:
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-12), name


def test_a_drawdown_forgets_peaks_of_more_than_a_hundred_eras_ago():
    slow_fall = np.full(300, -0.001)
    assert summarize(slow_fall).max_drawdown == pytest.approx(0.999**99 - 1, rel=1e-12)


def test_a_hand_example():
    found = summarize([0.1, -0.1, 0.2, -0.2], eras_per_year=4)
    assert found.mean == 0.0
    assert found.std == pytest.approx(math.sqrt(0.025), rel=1e-15)
    assert found.hit_rate == 0.5
    assert found.max_drawdown == pytest.approx(-0.2, rel=1e-14)
    assert found.apy == pytest.approx(1.1 * 0.9 * 1.2 * 0.8 - 1, rel=1e-14)


def test_the_annual_yield_of_the_operators_analysis_is_that_of_49_eras():
    scores = draw_scores(100, 1)[:, 0].clip(-0.25, 0.25)
    published = ((1 + pd.Series(scores)).cumprod().iloc[-1] ** (1 / 100)) ** 49 - 1
    assert summarize(scores, eras_per_year=49).apy == pytest.approx(published, rel=1e-12)


def test_a_score_of_minus_one_loses_everything_and_for_good():
    found = summarize([0.1, -1.0, 0.5, 0.5])
    assert found.max_drawdown == -1.0
    assert found.apy == -1.0
    assert summarize([-2.0, 0.3]).max_drawdown == -1.0


def test_a_yield_beyond_any_number_is_infinite():
    assert summarize([1e6, 1e6]).apy == math.inf
    assert summarize(np.full(400, 9.0)).max_drawdown == 0.0


@given(series_of_scores)
def test_a_model_alone_and_the_same_model_in_a_crowd_agree_to_the_bit(scores):
    crowd = np.column_stack([scores[::-1], scores, np.full_like(scores, np.nan)])
    alone, among = summarize(scores, n_resamples=20), summarize(crowd, n_resamples=20)
    for name in NAMES:
        assert np.array_equal(getattr(alone, name), getattr(among, name)[1], equal_nan=True), name


@given(series_of_scores, st.sampled_from([0.25, 2.0, 64.0]))
def test_scaling_the_scores_leaves_every_ratio_and_scales_mean_and_std(scores, factor):
    base, scaled = summarize(scores, n_resamples=20), summarize(scores * factor, n_resamples=20)
    for name in ("sharpe", "adjusted_sharpe", "sortino", "hit_rate", "autocorrelation", "sharpe_low"):
        assert np.array_equal(getattr(base, name), getattr(scaled, name), equal_nan=True), name
    for name in ("mean", "std", "mean_low", "mean_high"):
        assert getattr(scaled, name) == getattr(base, name) * factor, name


@given(series_of_scores, st.floats(-1.0, 1.0))
def test_shifting_the_scores_moves_the_mean_and_no_spread(scores, shift):
    base, shifted = summarize(scores, n_resamples=20), summarize(scores + shift, n_resamples=20)
    for name in ("mean", "mean_low", "mean_high"):
        assert getattr(shifted, name) == pytest.approx(getattr(base, name) + shift, abs=1e-13), name
    assert shifted.std == pytest.approx(base.std, abs=1e-13)


@given(series_of_scores)
def test_flipping_the_sign_flips_the_sharpe_and_nothing_of_the_risk(scores):
    base, flipped = summarize(scores, n_resamples=1), summarize(-scores, n_resamples=1)
    assert flipped.mean == -base.mean
    assert flipped.std == base.std
    assert np.array_equal(flipped.sharpe, -np.float64(base.sharpe), equal_nan=True)


@given(series_of_scores, st.randoms())
def test_the_order_of_eras_matters_only_to_what_looks_at_neighbours(scores, random):
    order = list(range(len(scores)))
    random.shuffle(order)
    base, shuffled = summarize(scores, n_resamples=1), summarize(scores[order], n_resamples=1)
    for name in ("mean", "std", "sharpe", "sortino", "hit_rate", "apy", "n_eras"):
        assert np.array_equal(getattr(base, name), getattr(shuffled, name), equal_nan=True), name


@given(gappy_series)
def test_no_series_whatever_raises_a_warning_or_leaves_its_range(scores):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = summarize(scores, n_resamples=20)
    assert found.n_eras == np.count_nonzero(~np.isnan(scores))
    assert math.isnan(found.max_drawdown) or -1.0 <= found.max_drawdown <= 0.0
    assert math.isnan(found.autocorrelation) or abs(found.autocorrelation) <= 1.0 + 1e-12
    assert math.isnan(found.mean_low) or found.mean_low <= found.mean_high
    assert math.isnan(found.sharpe_low) or found.sharpe_low <= found.sharpe_high


@given(st.floats(-2.0, 2.0), st.integers(2, 30))
def test_equal_scores_have_no_spread_and_therefore_no_sharpe(score, n_eras):
    found = summarize(np.full(n_eras, score), n_resamples=10)
    assert found.mean == found.mean_low == found.mean_high == score
    assert found.std == 0.0
    assert all(math.isnan(getattr(found, name)) for name in ("sharpe", "adjusted_sharpe", "sharpe_low"))


@pytest.mark.parametrize("shape", [(0,), (0, 2), (3, 0), (1,), (1, 2), (4, 2)])
def test_no_era_one_era_and_only_missing_eras_give_nan_of_the_right_shape(shape):
    found = summarize(np.full(shape, np.nan))
    for name in NAMES:
        assert np.shape(getattr(found, name)) == shape[1:], name
        if name != "n_eras":
            assert np.isnan(getattr(found, name)).all(), name
    assert np.all(np.asarray(found.n_eras) == 0)
    assert np.asarray(found.n_eras).dtype == np.int64


def test_one_era_has_a_mean_and_nothing_that_needs_two():
    found = summarize([0.03])
    assert (found.mean, found.std, found.n_eras, found.hit_rate) == (0.03, 0.0, 1, 1.0)
    for name in ("sharpe", "adjusted_sharpe", "autocorrelation", *INTERVALS):
        assert math.isnan(getattr(found, name)), name
    assert math.isnan(summarize([0.03], ddof=1).std)


def test_an_adjusted_sharpe_is_lower_for_streaks_and_higher_for_alternation():
    streaks = np.repeat([0.05, -0.02, 0.04, -0.01], 10) + draw_scores(40, 1, std=0.001)[:, 0]
    alternating = np.tile([0.05, -0.01], 20) + draw_scores(40, 1, std=0.01)[:, 0]
    assert summarize(streaks).adjusted_sharpe < summarize(streaks).sharpe / 2
    assert summarize(alternating).adjusted_sharpe > summarize(alternating).sharpe


def test_perfect_alternation_has_no_adjusted_sharpe_to_divide_by():
    assert math.isnan(summarize([0.25, -0.125] * 4).adjusted_sharpe)


def test_the_penalty_is_the_honest_error_of_a_mean_of_dependent_eras():
    r, n = 0.6, 50
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    from crowdalpha.scoring.series import autocorrelation_penalty

    assert autocorrelation_penalty(r, n) == pytest.approx(math.sqrt((r**lags).sum() / n), rel=1e-13)


def slow_resample_moments(scores, block, n_resamples, seed):
    """The bootstrap with the eras really laid out, resample by resample."""
    n = len(scores)
    n_blocks = math.ceil(n / block)
    words = np.random.Philox(seed).random_raw(n_resamples * n_blocks).tolist()
    starts = np.reshape([word % n for word in words], (n_resamples, n_blocks))
    for row in starts:
        eras = [(start + step) % n for start in row for step in range(block)][:n]
        yield scores[eras].mean(), scores[eras].mean() / scores[eras].std()


@pytest.mark.parametrize("block", [1, 3, 7, 40])
def test_intervals_are_those_of_resampled_eras_laid_out_one_by_one(block):
    scores = draw_scores(40, 1, seed=block)[:, 0]
    means, sharpes = zip(*slow_resample_moments(scores, block, 200, seed=9), strict=True)
    found = summarize(scores, block=block, n_resamples=200, seed=9, confidence=0.9)
    expected = [*np.quantile(means, [0.05, 0.95]), *np.quantile(sharpes, [0.05, 0.95])]
    assert [getattr(found, name) for name in INTERVALS] == pytest.approx(expected, rel=1e-11)


def test_a_block_longer_than_the_series_is_the_series():
    scores = draw_scores(10, 1)[:, 0]
    found = summarize(scores, block=50)
    assert found.mean_low == pytest.approx(found.mean, rel=1e-12)
    assert found.sharpe_high == pytest.approx(found.sharpe, rel=1e-12)


def test_the_default_block_is_the_cube_root_of_the_number_of_eras():
    assert [default_block(n) for n in (1, 8, 27, 125, 355, 1000)] == [1, 2, 3, 5, 7, 10]
    scores = draw_scores(125, 1)[:, 0]
    assert summarize(scores) == summarize(scores, block=5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    scores = draw_scores(60, 3)
    first, again, other = summarize(scores, seed=1), summarize(scores, seed=1), summarize(scores, seed=2)
    for name in INTERVALS:
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))


def coverage(scores, truth, **options):
    found = summarize(scores, n_resamples=300, **options)
    return np.mean((found.sharpe_low <= truth) & (truth <= found.sharpe_high))


def test_intervals_of_the_sharpe_cover_the_truth_as_often_as_they_say():
    scores = draw_scores(200, 400, seed=11, mean=0.5, std=1.0)
    assert 0.92 <= coverage(scores, 0.5) <= 0.98
    assert 0.76 <= coverage(scores, 0.5, confidence=0.8) <= 0.84


def test_blocks_keep_the_coverage_that_single_eras_lose_under_autocorrelation():
    shocks = draw_scores(1040, 200, seed=12, mean=0.0, std=math.sqrt(1 - 0.5**2))
    scores = np.zeros_like(shocks)
    for era in range(1, len(shocks)):
        scores[era] = 0.5 * scores[era - 1] + shocks[era]
    scores = scores[40:] + 0.5
    assert coverage(scores, 0.5, block=1) < 0.80
    assert coverage(scores, 0.5, block=25) > 0.90


def test_mmc_that_comes_when_corr_fails_raises_the_joint_sharpe():
    corr = np.array([0.04, -0.02, 0.05, -0.01])
    hedge = 0.01 - 0.5 * corr
    assert corr_mmc_sharpe(corr, hedge).difference > 0
    assert corr_mmc_sharpe(corr, corr).difference == pytest.approx(0, abs=1e-15)


def test_the_joint_sharpe_is_that_of_the_sum_over_eras_that_have_both():
    corr, mmc = draw_scores(30, 3, seed=3), draw_scores(30, 3, seed=4)
    corr[4, 0], mmc[9, 0], mmc[:, 2] = np.nan, np.nan, np.nan
    found = corr_mmc_sharpe(corr, mmc)
    kept = np.delete(np.arange(30), [4, 9])
    both = (corr + mmc)[kept, 0]
    alone = corr[kept, 0]
    assert found.sharpe[0] == pytest.approx(both.mean() / both.std(), rel=1e-12)
    expected = both.mean() / both.std() - alone.mean() / alone.std()
    assert found.difference[0] == pytest.approx(expected, rel=1e-11)
    assert np.isnan(found.sharpe[2])
    assert found.sharpe[1] == corr_mmc_sharpe(corr[:, 1], mmc[:, 1]).sharpe


def test_the_error_over_bags_is_that_of_a_mean_of_draws():
    bags = draw_scores(20, 4, seed=8)
    bags[:, 3] = np.nan
    found = bag_standard_error(bags)
    assert found[:3] == pytest.approx(bags[:, :3].std(axis=0, ddof=1) / math.sqrt(20), rel=1e-12)
    assert math.isnan(found[3])
    assert bag_standard_error(bags[:, 1]) == found[1]
    assert math.isnan(bag_standard_error([0.01]))
    assert math.isnan(bag_standard_error([]))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: summarize([0.1, math.inf]), "inf_in_scores_by_era"),
        (lambda: summarize(np.zeros((2, 2, 2))), "wrong_shape"),
        (lambda: summarize(["a", "b"]), "not_numeric"),
        (lambda: summarize([0.1], eras_per_year=0), "bad_eras_per_year"),
        (lambda: summarize([0.1], ddof=-1), "bad_ddof"),
        (lambda: summarize([0.1], n_resamples=0), "bad_n_resamples"),
        (lambda: summarize([0.1], block=0), "bad_block"),
        (lambda: summarize([0.1], confidence=1.0), "bad_confidence"),
        (lambda: summarize([0.1], seed=-1), "bad_seed"),
        (lambda: corr_mmc_sharpe([0.1, 0.2], [0.1]), "misaligned"),
    ],
)
def test_what_cannot_be_summarised_is_refused_by_name(call, code):
    with pytest.raises(InputError) as refusal:
        call()
    assert refusal.value.code == code


def test_all_bad_options_are_named_at_once():
    with pytest.raises(InputError) as refusal:
        summarize([0.1], ddof=-1, confidence=2, block=0)
    assert {problem.code for problem in refusal.value.problems} == {"bad_ddof", "bad_confidence", "bad_block"}
