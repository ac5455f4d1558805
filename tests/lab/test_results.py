"""What the lab found is shipped as it was computed: anybody computes the same figures, and reads the same verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from crowdalpha.diagnostics.svg import standalone
from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.claims import CLAIMS, run
from crowdalpha.lab.contests import Trial
from crowdalpha.lab.drawing import draw_finding, draw_verdicts, worst
from crowdalpha.lab.results import SEED, read, shipped
from crowdalpha.lab.verdicts import conviction, try_rules
from crowdalpha.payouts import POLICIES

SVG = "{http://www.w3.org/2000/svg}"


def test_every_claim_has_a_finding_and_every_rule_a_verdict_on_every_agent() -> None:
    results = shipped()
    assert [found.claim.name for found in results.findings] == list(CLAIMS)
    assert list(results.verdicts) == list(POLICIES)
    assert {rule: {each.agent for each in found} for rule, found in results.verdicts.items()} == {
        rule: set(AGENTS) for rule in POLICIES
    }


@pytest.mark.parametrize("name", ["inverse", "blend"])
def test_a_claim_that_is_tried_again_gives_the_figures_that_are_shipped(name: str) -> None:
    results = shipped()
    (again,) = run([name], seed=results.seed, seasons=results.seasons)
    found = results.finding(name)
    assert found is not None
    assert [figure.what for figure in again.figures] == [figure.what for figure in found.figures]
    for now, then in zip(again.figures, found.figures, strict=True):
        both = [(now.simulated, then.simulated), (now.low, then.low), (now.high, then.high)]
        assert all(new == pytest.approx(old, abs=1e-9) for new, old in both)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMS)
def test_so_does_every_other(name: str) -> None:
    test_a_claim_that_is_tried_again_gives_the_figures_that_are_shipped(name)


@pytest.mark.slow
def test_rules_that_are_judged_again_get_the_verdicts_that_are_shipped() -> None:
    results = shipped()
    trial = Trial(seasons=results.judged, rounds=results.rounds, seed=results.seed)
    rules, agents = ["rank-bonus", "deburner", "floor-at-zero", "corr"], ["honest", "pair", "copier"]
    for rule, again in try_rules(rules, agents, trial).items():
        then = {each.agent: each for each in results.verdicts[rule]}
        for each in again:
            assert each.finding == then[each.agent].finding
            assert each.profit == pytest.approx(then[each.agent].profit, abs=1e-9)


def test_theory_lies_in_every_interval() -> None:
    assert shipped().seed == SEED
    assert [found.claim.name for found in shipped().findings if not found.holds] == []


def test_exploitable_proposals_are_convicted_and_no_dated_rule_is() -> None:
    guilty = {rule for rule, found in shipped().verdicts.items() if conviction(found)}
    assert {"rank-bonus", "deburner", "floor-at-zero"} <= guilty
    assert not [rule for rule in guilty if POLICIES[rule].start]


def test_results_are_read_as_they_were_written() -> None:
    results = shipped()
    assert read(results.as_json()) == results
    other = replace(results, seed="1", findings=results.findings[:1])
    assert read(other.as_json()) == other != results


@pytest.mark.parametrize("width", [1040, 358])
def test_a_chart_of_a_claim_shows_every_figure_and_every_value_of_theory(width: int) -> None:
    for found in shipped().findings:
        drawing = ET.fromstring(standalone(draw_finding(found, name="chart", width=width)))
        circles = [node.get("class") for node in drawing.iter(f"{SVG}circle")]
        shown = [node.text or "" for node in drawing.iter(f"{SVG}title")]
        assert [sum(text.startswith(f"{figure.what}: ") for text in shown) for figure in found.figures] == [1] * len(
            found.figures
        )
        rings = sum(figure.theory is not None for figure in found.figures)
        assert circles.count("target-end") == rings + (rings > 0)  # and one that says what a ring is
        for node in drawing.iter(f"{SVG}circle"):
            assert 0 <= float(node.get("cx", "nan")) <= width


def test_the_chart_of_verdicts_shows_who_convicts_a_rule_in_another_colour() -> None:
    verdicts = shipped().verdicts
    drawing = ET.fromstring(standalone(draw_verdicts(verdicts.values(), name="chart")))
    styles = [node.get("class") for node in drawing.iter(f"{SVG}circle")]
    guilty = sum(conviction(found) is not None for found in verdicts.values())
    assert (styles.count("v2"), styles.count("v1")) == (guilty + 1, len(verdicts) - guilty + 1)


def test_the_worst_attack_is_never_one_that_is_paid_for_a_known_reason() -> None:
    for found in shipped().verdicts.values():
        one = worst(found)
        assert one.finding != "honest"
        assert one.finding == "convicted" or not AGENTS[one.agent].documented
