"""Designs: policies as numbers."""

from __future__ import annotations

import pickle
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.payouts import POLICIES, PayoutError, exploit_of
from crowdalpha.payouts.designs import Design

unit = st.floats(-1, 1)
designs = st.builds(
    Design,
    choices=st.tuples(st.tuples(st.floats(-3, 3), st.floats(-3, 3))),
    clip=st.floats(0.01, 1),
    hard_era=st.floats(0, 3),
    floor=st.none() | unit,
)


@given(designs, unit, unit, unit, st.floats(0.1, 1))
def test_a_design_pays_what_its_formula_says(
    design: Design, corr: float, mmc: float, crowd: float, factor: float
) -> None:
    paid = design.policy().payouts([100.0], [corr], [mmc], payout_factor=factor, metamodel_corr=crowd)
    ((by_corr, by_mmc),) = design.choices
    score = by_corr * corr + by_mmc * mmc * (design.hard_era if crowd < 0 else 1)
    floored = score if design.floor is None else max(score, design.floor)
    assert paid[0] == pytest.approx(100 * min(max(factor * floored, -design.clip), design.clip), abs=1e-12)


@given(designs)
def test_a_design_survives_pickling(design: Design) -> None:
    again = pickle.loads(pickle.dumps(design.policy()))
    assert pickle.loads(pickle.dumps(design)) == design
    paid = [
        policy.payouts([1.0, 1.0], [0.1, -0.1], [0.2, 0.1], metamodel_corr=-0.01) for policy in (again, design.policy())
    ]
    assert np.array_equal(*paid)


def test_a_dated_rule_written_as_a_design_pays_the_same() -> None:
    mine, theirs = Design(choices=((0.75, 2.25),), clip=0.05).policy(), POLICIES["heavier-mmc"].policy
    corr, mmc = np.random.default_rng(0).normal(scale=0.03, size=(2, 50))
    for factor in (1.0, 0.3):
        paid = [policy.payouts(np.ones(50), corr, mmc, payout_factor=factor) for policy in (mine, theirs)]
        assert np.array_equal(*paid)


def test_a_floor_at_zero_fails_the_fairness_gate_and_a_design_without_one_passes_it() -> None:
    assert exploit_of(Design(choices=((0.0, 1.0),), floor=0.0).policy()) is not None
    assert exploit_of(Design(choices=((0.5, 2.0),), clip=0.05, hard_era=1.4).policy()) is None


def test_everything_wrong_with_a_design_is_told_at_once() -> None:
    with pytest.raises(PayoutError) as refused:
        Design(choices=((1.0, float("nan")),), clip=0, hard_era=-1, floor=2)
    codes = [code for code, _ in refused.value.problems]
    assert codes == ["design_choices", "design_clip", "design_hard_era", "design_floor"]


def test_a_design_says_what_it_is() -> None:
    assert str(Design(choices=((0.5, 2.0),), clip=0.05, hard_era=1.3, floor=-0.01)) == (
        "0.5 x CORR + 2 x MMC, clip 0.05, MMC x 1.3 in hard eras, never below -0.01"
    )


@given(designs)
def test_a_design_written_down_is_read_as_itself(design: Design) -> None:
    table = tomllib.loads(design.toml("mine"))["mine"]
    assert Design(choices=tuple(map(tuple, table.pop("choices"))), **table) == design
