"""What payouts may not be asked, each refused by its code and never by a traceback."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from crowdalpha.payouts import (
    FormulaPolicy,
    PayoutError,
    account_score,
    blend_corr,
    calibrate_hard_era_coefficient,
    contrarian_profit,
    growth_rate,
    hard_era_coefficient,
    log_symmetric,
    one_year_reputation,
    payout_factor,
    policy_of,
    policy_on,
    reputation_weights,
    rule_on,
    weighted_reputation,
)

POLICY = policy_on(date(2022, 7, 1))
MASKED = np.ma.array([0.1, 0.2], mask=[0, 1])


def pay(stake=(100, 100), corr=(0.1, 0.2), mmc=(0, 0), **more):
    return POLICY.payouts(stake, corr, mmc, **more)


REFUSED = {
    "not_numeric stake": lambda: pay(stake=["a", "b"]),
    "not_numeric score": lambda: pay(corr=[0.1j, 0.2]),
    "not_numeric none": lambda: pay(mmc=[None, 0.1]),
    "not_numeric multiplier": lambda: pay(corr_multiplier="1"),
    "not_numeric factor": lambda: pay(payout_factor="1"),
    "not_numeric total": lambda: payout_factor(["a"], 1),
    "not_numeric reputation": lambda: one_year_reputation(["a"]),
    "not_numeric account": lambda: account_score([0.1], ["a"]),
    "not_numeric correlations": lambda: blend_corr(["a"]),
    "not_numeric fraction": lambda: log_symmetric("a"),
    "not_numeric formula": lambda: policy_of(lambda corr, mmc: ["a", "b"]).payouts([1, 1], [0.1, 0.1], 0),
    "ragged stake": lambda: pay(stake=[[1, 2], [3]]),
    "ragged score": lambda: pay(corr=[[1, 2], [3]]),
    "masked stake": lambda: pay(stake=MASKED),
    "masked score": lambda: pay(corr=MASKED),
    "masked score in a list": lambda: pay(corr=[0.1, np.ma.masked]),
    "masked factor": lambda: pay(payout_factor=MASKED),
    "masked reputation": lambda: one_year_reputation(MASKED),
    "too_large stake": lambda: pay(stake=[1e308, 1]),
    "too_large score": lambda: pay(corr=[1e308, 0], corr_multiplier=1),
    "too_large long double": lambda: pay(corr=np.array([1e200, 0], np.longdouble)),
    "shape_mismatch of the factor": lambda: pay(payout_factor=[1, 1, 1]),
    "shape_mismatch of a column of factors": lambda: pay(payout_factor=[[1], [1]]),
    "shape_mismatch of the formula": lambda: policy_of(lambda corr, mmc: [1, 2, 3]).payouts([1, 1], [0.1, 0.1], 0),
    "shape_mismatch of the example": lambda: weighted_reputation([np.nan] * 20, 3, example=[0.1] * 19),
    "shape_mismatch of eras": lambda: hard_era_coefficient([[0.1, 0.2]] * 3, [0.1, 0.2], 1.5),
    "not_a_date with a time": lambda: policy_on(datetime(2022, 7, 1, tzinfo=UTC)),
    "not_a_date in words": lambda: rule_on("2022-07-01"),
    "clip_range": lambda: FormulaPolicy(lambda scores: scores.weighted, clip="a"),
    "threshold of a text": lambda: payout_factor([1], "1"),
    "threshold of infinity": lambda: payout_factor([1], float("inf")),
    "threshold of many digits": lambda: payout_factor([1], 10**400),
    "share_range of a text": lambda: contrarian_profit(1.5, "a"),
    "share_range of a list": lambda: growth_rate([0.5], 0.1),
    "coefficient": lambda: contrarian_profit("a", 0.5),
    "coefficient of eras": lambda: hard_era_coefficient([0.1], 0.1, None),
    "step": lambda: growth_rate(0.5, None),
    "window": lambda: calibrate_hard_era_coefficient([0.1] * 20, 2.5),
    "reputation_day": lambda: reputation_weights(np.array([1, 2])),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_its_name(case):
    with pytest.raises(PayoutError) as refused:
        REFUSED[case]()
    assert refused.value.code == case.split()[0]


def test_a_factor_may_be_one_for_all_or_one_a_model():
    assert pay(payout_factor=[0.5]).tolist() == pay(payout_factor=0.5).tolist() == pay(payout_factor=[0.5] * 2).tolist()


def test_a_formula_without_bounds_is_clipped_whatever_it_gives():
    steep = policy_of(lambda corr, mmc: corr * 1e300, clip=0.25)
    assert steep.payouts([100, 100], [0.1, -0.1], 0).tolist() == [25.0, -25.0]


def test_a_mask_that_hides_nothing_is_no_mask():
    assert pay(corr=np.ma.array([0.1, 0.2])).tolist() == pay().tolist()
