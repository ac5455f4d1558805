"""`crowdalpha lab`: claims and verdicts for people and for scripts."""

from __future__ import annotations

import json

from click.testing import CliRunner

from crowdalpha.cli import main


def lab(*args: str) -> str:
    result = CliRunner().invoke(main, ["lab", *args])
    assert result.exit_code == 0, result.output
    return result.output


def test_claims_show_theory_beside_what_was_simulated() -> None:
    shown = lab("claims", "inverse", "blend", "--seasons", "4")
    assert "inverse [F93#1]" in shown
    assert "MMC2 of p and of 1-p together" in shown
    assert shown.count("yes") == 2


def test_claims_are_the_same_for_a_seed_and_can_be_read_by_scripts() -> None:
    one, again = (json.loads(lab("claims", "noise", "--seasons", "3", "--seed", "7", "--json")) for _ in range(2))
    assert one == again
    assert one[0]["figures"][0]["theory"] == 0
    assert {"simulated", "low", "high", "holds"} < one[0]["figures"][0].keys()


def test_a_rule_that_can_be_milked_is_convicted_and_the_attack_is_named() -> None:
    asked = ("judge", "floor-at-zero", "corr", "--agent", "pair", "--seasons", "4", "--rounds", "2")
    found = json.loads(lab(*asked, "--json"))
    assert found["floor-at-zero"]["convicted_by"] == "pair"
    assert found["corr"]["convicted_by"] is None
    shown = lab(*asked)
    assert "floor-at-zero is convicted by the pair." in " ".join(shown.split())
    assert "corr is acquitted" in " ".join(shown.split())


def test_unknown_names_are_refused_before_anything_is_played() -> None:
    for args, code in (
        (("claims", "perpetual"), "unknown_claim"),
        (("judge", "corr", "--agent", "perpetual"), "unknown_agent"),
        (("judge", "perpetual"), "unknown_rule"),
    ):
        result = CliRunner().invoke(main, ["lab", *args, "--json"])
        assert result.exit_code == 3
        assert [problem["code"] for problem in json.loads(result.output)["problems"]] == [code]
