"""The policy tests a non-programmer can review: `sentences.toml`, one sentence a test."""

import tomllib
from pathlib import Path

import pytest

from crowdalpha.payouts import policy_on, rule_on, rules

SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text())["sentence"]


@pytest.mark.parametrize("case", SENTENCES, ids=lambda case: case["says"])
def test_the_rule_pays_what_the_sentence_says(case):
    chosen = dict(zip(("corr_multiplier", "mmc_multiplier"), case.get("choice", ()), strict=False))
    factor = case.get("factor", 1.0)
    paid = policy_on(case["on"]).payouts(
        case["stake"], case["corr"], case.get("mmc", 0.0), payout_factor=factor, **chosen
    )
    assert paid == pytest.approx(case["pays"], abs=1e-12)


def test_every_dated_rule_has_a_sentence():
    assert {rule_on(case["on"]).name for case in SENTENCES} == {rule.name for rule in rules()}
