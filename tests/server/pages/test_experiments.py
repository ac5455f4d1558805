"""The lab's pages say what was simulated and what theory says, with charts that can be taken away."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET

from sites import Site

from crowdalpha.diagnostics.formats import plain, signed_percent
from crowdalpha.lab.results import shipped
from crowdalpha.lab.verdicts import conviction, sentence


def test_every_experiment_has_an_address_with_its_figures_beside_theory(over: Site) -> None:
    listed = over.page("/lab").text
    for found in shipped().findings:
        page = over.page(f"/lab/{found.claim.name}").text
        assert found.claim.says in listed
        for words in (found.claim.says, found.answer, found.claim.does, found.claim.theory, found.claim.name):
            assert words in page
        for figure in found.figures:
            assert figure.what in page
            assert all(plain(v) in page for v in (figure.simulated, figure.low, figure.high, figure.theory or 0.0))


def test_every_rule_has_its_verdict_with_the_agent_that_convicts_it(over: Site) -> None:
    listed, page = over.page("/lab").text, over.page("/lab/verdicts").text
    for rule, found in shipped().verdicts.items():
        assert sentence(rule, found) in page
        assert all(signed_percent(each.profit) in page for each in found)
        if guilty := conviction(found):
            assert f"convicted by the {guilty.agent}" in listed


def test_the_figures_can_be_taken_away(over: Site) -> None:
    for base in ("/lab/giant/figures", "/lab/verdicts/verdicts"):
        rows = list(csv.DictReader(io.StringIO(over.text(f"{base}.csv"))))
        assert {"low", "high"} <= rows[0].keys()
        assert ET.fromstring(over.text(f"{base}.svg")).find("{http://www.w3.org/2000/svg}desc") is not None
    (giant,) = (found for found in shipped().findings if found.claim.name == "giant")
    table = list(csv.DictReader(io.StringIO(over.text("/lab/giant/figures.csv"))))
    assert [float(row["simulated"]) for row in table] == [figure.simulated for figure in giant.figures]


def test_the_lab_is_in_the_menu(over: Site) -> None:
    assert "/lab" in [node.attributes["href"] for node in over.page("/").all("nav")[0].all("a")]
