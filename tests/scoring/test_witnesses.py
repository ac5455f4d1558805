"""Every score against its slow witness, on crowds with ties, constants, absent models, stakes and bags."""

import numpy as np
import pytest
import witness
from crowds import crowds, features_for, random_crowd, seeds, tie_rules
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha import scoring

EXACT = 1e-12
few = settings(max_examples=30)
some = settings(max_examples=50)
proportions = st.sampled_from([0.0, 0.25, 1.0])


def close(expected):
    return pytest.approx(np.asarray(expected, float), rel=EXACT, abs=EXACT, nan_ok=True)


def each(crowd, score):
    """The witness's score of every present model, NaN for the others."""
    return [score(j) if there else np.nan for j, there in enumerate(crowd.present)]


def columns(crowd, score):
    """The witness's column of every present model, NaN for the others."""
    absent = np.full(len(crowd.target), np.nan)
    return np.column_stack([score(j) if there else absent for j, there in enumerate(crowd.present)])


@some
@given(crowds, tie_rules)
def test_ranks(crowd, ties):
    expected = columns(crowd, lambda j: witness.rank(crowd.predictions[:, j], ties))
    assert np.array_equal(scoring.rank(crowd.predictions, ties=ties), expected, equal_nan=True)


@some
@given(crowds, tie_rules)
def test_uniforms(crowd, ties):
    expected = columns(crowd, lambda j: witness.uniform(crowd.predictions[:, j], ties))
    assert np.array_equal(scoring.uniform(crowd.predictions, ties=ties), expected, equal_nan=True)


@some
@given(crowds)
def test_gaussianized(crowd):
    expected = columns(crowd, lambda j: witness.gaussianize(crowd.predictions[:, j]))
    assert scoring.gaussianize(crowd.predictions) == close(expected)


@some
@given(crowds, st.sampled_from([0.5, 1.0, 1.5, 2.0]))
def test_signed_powers(crowd, power):
    values = crowd.predictions[:, crowd.present]
    assert scoring.signed_power(values, power) == close(witness.signed_power(values, power))


@some
@given(crowds, tie_rules)
def test_corr(crowd, ties):
    expected = each(crowd, lambda j: witness.corr(crowd.predictions[:, j], crowd.target, ties))
    assert scoring.corr(crowd.predictions, crowd.target, ties=ties) == close(expected)


@some
@given(crowds)
def test_numerai_corr(crowd):
    expected = each(crowd, lambda j: witness.numerai_corr(crowd.predictions[:, j], crowd.target))
    assert scoring.numerai_corr(crowd.predictions, crowd.target) == close(expected)


@some
@given(crowds, seeds, proportions)
def test_neutralized_to_features(crowd, seed, proportion):
    features = features_for(crowd, seed)
    expected = columns(crowd, lambda j: witness.neutralize(crowd.predictions[:, j], features, proportion))
    found = scoring.neutralize(crowd.predictions, features, proportion=proportion)
    size = max(1.0, np.nanmax(np.abs(crowd.predictions)))  # of what the residual is a difference
    assert found / size == close(expected / size)


@some
@given(seeds, proportions)
def test_normalized_and_neutralized(seed, proportion):
    crowd = random_crowd(seed, absent=False, min_ids=8)
    features = features_for(crowd, seed)
    expected = columns(crowd, lambda j: witness.normalize_and_neutralize(crowd.predictions[:, j], features, proportion))
    found = scoring.normalize_and_neutralize(crowd.predictions, features, proportion=proportion)
    assert found == close(expected)


@some
@given(crowds, seeds)
def test_fnc(crowd, seed):
    features = features_for(crowd, seed)
    expected = each(crowd, lambda j: witness.fnc(crowd.predictions[:, j], features, crowd.target))
    assert scoring.fnc(crowd.predictions, features, crowd.target) == close(expected)


@some
@given(crowds, seeds)
def test_the_fnc_of_2021(crowd, seed):
    features = features_for(crowd, seed)
    expected = each(crowd, lambda j: witness.fnc_2021(crowd.predictions[:, j], features, crowd.target))
    assert scoring.fnc_2021(crowd.predictions, features, crowd.target) == close(expected)


@some
@given(crowds, tie_rules)
def test_the_metamodel(crowd, ties):
    expected = witness.metamodel(*crowd.pool(), ties)
    assert np.array_equal(scoring.metamodel(crowd.predictions, crowd.stakes, ties=ties), expected)


@some
@given(seeds, st.integers(1, 2**61))
def test_the_metamodel_of_stakes_too_large_for_floating_point(seed, largest):
    crowd = random_crowd(seed, max_ids=12)
    rng = np.random.default_rng(seed)
    stakes = rng.integers(1, largest, len(crowd.stakes), endpoint=True)
    expected = witness.metamodel(crowd.pool()[0], np.where(crowd.present, stakes, 0).tolist())
    assert np.array_equal(scoring.metamodel(crowd.predictions, stakes), expected)


@pytest.mark.parametrize("bits", range(38, 62))
def test_the_metamodel_of_stakes_that_differ_in_their_last_unit_only(bits):
    predictions = np.array([[1, 2, 3], [2, 3, 1], [3, 1, 2], [2, 1, 3]])
    stakes = [2**bits, 2**bits + 1, 2**bits - 1]
    expected = witness.metamodel(predictions, stakes)
    assert np.array_equal(scoring.metamodel(predictions, np.array(stakes)), expected)


@few
@given(crowds, tie_rules, st.booleans())
def test_mmc2(crowd, ties, exclude_self):
    predictions, stakes = crowd.pool()
    options = {"bags": crowd.bags, "ties": ties, "exclude_self": exclude_self}
    expected = each(crowd, lambda j: witness.mmc2(predictions, stakes, crowd.target, j, **options))
    assert scoring.mmc2(crowd.predictions, crowd.stakes, crowd.target, **options) == close(expected)


@few
@given(crowds, tie_rules)
def test_mmc2_bag_by_bag(crowd, ties):
    predictions, stakes = crowd.pool()
    bags = witness.every_staker_once(stakes) if crowd.bags is None else crowd.bags
    found = scoring.mmc2_by_bag(crowd.predictions, crowd.stakes, crowd.target, bags=crowd.bags, ties=ties)
    assert found.shape == (len(bags), len(stakes))
    for b in range(len(bags)):
        expected = each(crowd, lambda j, b=b: witness.mmc2(predictions, stakes, crowd.target, j, bags[b : b + 1], ties))
        assert found[b][crowd.present] == close(np.array(expected)[crowd.present])


@few
@given(crowds, tie_rules)
def test_mmc1(crowd, ties):
    predictions, stakes = crowd.pool()
    expected = each(crowd, lambda j: witness.mmc1(predictions, stakes, crowd.target, j, crowd.bags, ties))
    found = scoring.mmc1(crowd.predictions, crowd.stakes, crowd.target, bags=crowd.bags, ties=ties)
    assert found == close(expected)


@some
@given(crowds, st.sampled_from([1.0, 4.0]))
def test_the_mmc_of_2024(crowd, scale):
    crowd.predictions[:, 0] += np.arange(len(crowd.target)) * (1e-3 if crowd.present[0] else 0)
    m = crowd.target * 0.5 + np.arange(len(crowd.target)) % 3
    expected = each(crowd, lambda j: witness.mmc2024(crowd.predictions[:, j], m, crowd.target, scale))
    assert scoring.mmc2024(crowd.predictions, m, crowd.target, target_scale=scale) == close(expected)


@some
@given(crowds, seeds)
def test_benchmark_contribution(crowd, seed):
    rng = np.random.default_rng(seed)
    benchmarks, stakes = rng.normal(size=(len(crowd.target), 3)), [5, 0, 2]
    m = witness.metamodel(benchmarks, stakes)
    expected = each(crowd, lambda j: witness.mmc2024(crowd.predictions[:, j], m, crowd.target))
    assert scoring.bmc(crowd.predictions, benchmarks, crowd.target, benchmark_stakes=stakes) == close(expected)
    equal = witness.metamodel(benchmarks, [1, 1, 1])
    expected = each(crowd, lambda j: witness.mmc2024(crowd.predictions[:, j], equal, crowd.target))
    assert scoring.bmc(crowd.predictions, benchmarks, crowd.target) == close(expected)


@some
@given(crowds)
def test_correlation_with_the_metamodel(crowd):
    m = witness.metamodel(*crowd.pool())
    expected = each(crowd, lambda j: witness.cwmm(crowd.predictions[:, j], m))
    assert scoring.cwmm(crowd.predictions, m) == close(expected)


@some
@given(crowds, seeds)
def test_exposures_and_their_four_sizes(crowd, seed):
    features = features_for(crowd, seed)
    expected = np.column_stack(
        each(crowd, lambda j: witness.exposures(crowd.predictions[:, j], features))
        if crowd.present.all()
        else [
            witness.exposures(p, features) if there else np.full(3, np.nan)
            for p, there in zip(crowd.predictions.T, crowd.present, strict=True)
        ]
    )
    assert scoring.exposures(crowd.predictions, features) == close(expected)
    sizes = scoring.exposure_metrics(crowd.predictions, features)
    assert sizes.std == close([pandas_free_std(c) for c in expected.T])
    assert sizes.l2 == close([np.sqrt(sum(c**2)) for c in expected.T])
    assert sizes.rms == close([np.sqrt(sum(c**2) / 3) for c in expected.T])
    assert sizes.max == close([max(abs(c)) for c in expected.T])


def pandas_free_std(c):
    return np.sqrt(sum((c - sum(c) / len(c)) ** 2) / len(c))


@some
@given(crowds)
def test_correlations_with_the_other_models(crowd):
    others = each(crowd, lambda j: witness.correlations_with_others(crowd.predictions, j) or [np.nan])
    if crowd.present.sum() == 1:
        assert np.isnan(scoring.mcwnm(crowd.predictions)).all()
    assert scoring.mcwnm(crowd.predictions) == close([np.max(o) for o in others])
    assert scoring.apcwnm(crowd.predictions) == close([np.mean(o) for o in others])


def portfolio_inputs(crowd, seed):
    rng = np.random.default_rng(seed)
    n = len(crowd.target)
    neutralizers = np.linalg.qr(rng.normal(size=(n, min(3, n))))[0]
    return neutralizers, rng.uniform(0.5, 2.0, n)


@some
@given(crowds, seeds)
def test_alpha(crowd, seed):
    neutralizers, sample_weights = portfolio_inputs(crowd, seed)
    expected = each(crowd, lambda j: witness.alpha(crowd.predictions[:, j], neutralizers, sample_weights, crowd.target))
    assert scoring.alpha(crowd.predictions, neutralizers, sample_weights, crowd.target) == close(expected)


@some
@given(seeds)
def test_meta_portfolio_contribution(seed):
    crowd = random_crowd(seed, coarse=False, min_ids=8)
    neutralizers, sample_weights = portfolio_inputs(crowd, seed)
    predictions, stakes = crowd.pool()
    expected = witness.mpc(predictions, stakes, neutralizers, sample_weights, crowd.target)
    found = scoring.mpc(crowd.predictions, crowd.stakes, neutralizers, sample_weights, crowd.target)
    assert found == close(np.where(crowd.present, expected, np.nan))


@some
@given(seeds, proportions)
def test_a_target_neutral_to_features(seed, proportion):
    crowd = random_crowd(seed, min_ids=8)
    features = features_for(crowd, seed)
    expected = witness.neutralize(crowd.target, features, proportion)
    assert scoring.neutralize_target(crowd.target, features, proportion=proportion) == close(expected)


@some
@given(seeds)
def test_a_neutral_target_binned_again_to_its_own_proportions(seed):
    rng = np.random.default_rng(seed)
    crowd = random_crowd(seed, min_ids=12)
    features = rng.normal(size=(len(crowd.target), 2))
    left = witness.neutralize(crowd.target, features)
    expected = np.sort(crowd.target)[np.argsort(np.argsort(left))]
    assert np.array_equal(scoring.neutralize_target(crowd.target, features, bins="own"), expected)


@some
@given(seeds)
def test_a_neutral_target_binned_to_given_shares(seed):
    rng = np.random.default_rng(seed)
    target, features = rng.normal(size=40), rng.normal(size=(40, 2))
    order = np.argsort(np.argsort(witness.neutralize(target, features)))
    levels = np.repeat([0, 0.25, 0.5, 0.75, 1], [2, 8, 20, 8, 2])
    found = scoring.neutralize_target(target, features, bins=(0.05, 0.2, 0.5, 0.2, 0.05))
    assert np.array_equal(found, levels[order])


@some
@given(crowds, tie_rules)
def test_one_model_alone_scores_as_it_does_among_others(crowd, ties):
    features = features_for(crowd, 1)
    for j in np.flatnonzero(crowd.present):
        p = crowd.predictions[:, j]
        assert scoring.corr(p, crowd.target, ties=ties) == scoring.corr(crowd.predictions, crowd.target, ties=ties)[j]
        assert scoring.numerai_corr(p, crowd.target) == scoring.numerai_corr(crowd.predictions, crowd.target)[j]
        together = scoring.exposures(crowd.predictions, features)[:, j]
        assert np.array_equal(scoring.exposures(p, features), together)


def test_a_pool_without_anybody_is_a_constant_whatever_breaks_ties():
    p, t = [[3.0], [1], [2], [5], [4]], [0, 0.25, 0.5, 0.75, 1]
    assert scoring.mmc1(p, [5], t, ties="first") == pytest.approx(scoring.mmc1(p, [5], t))
    alone = scoring.mmc2(p, [5], t, ties="first", exclude_self=True)
    assert alone == pytest.approx(np.cov(scoring.uniform([3.0, 1, 2, 5, 4]), t)[0, 1] / 0.29**2)


def test_exposure_sizes_are_the_same_bits_alone_and_beside_an_absent_model():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        p, features = rng.random((10, 1)), rng.random((10, 17))
        alone = scoring.exposure_metrics(p, features)
        beside = scoring.exposure_metrics(np.column_stack([p, np.full(10, np.nan)]), features)
        assert (alone.std[0], alone.l2[0], alone.rms[0]) == (beside.std[0], beside.l2[0], beside.rms[0])


def test_a_copy_of_a_metamodel_with_ties_scores_exactly_zero_in_2024_too():
    x = np.random.default_rng(3).integers(0, 4, 50)
    assert scoring.mmc2024(x, x, np.random.default_rng(4).random(50)) == 0.0


@pytest.mark.parametrize("scale", [float("nan"), float("inf")])
def test_a_target_scale_that_is_no_number_is_refused(scale):
    with pytest.raises(scoring.InputError) as refused:
        scoring.mmc2024([1, 2, 3], [1, 3, 2], [0, 0.5, 1], target_scale=scale)
    assert refused.value.code == "bad_target_scale"
