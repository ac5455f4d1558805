"""What `make docs` writes is what the code says, and says what it should."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def make(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import docs.make

    return docs.make


@pytest.mark.parametrize("name", ["reference.md", "rules.md", "problems.md", "commands.md"])
def test_a_generated_page_is_up_to_date(make, name):
    assert set(make.PAGES) == {"reference.md", "rules.md", "problems.md", "commands.md"}
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make.PAGES[name](), "run make docs"


def test_every_metric_has_its_row_and_every_public_function_its_entry():
    from crowdalpha import scoring

    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [name for name in scoring.METRICS if f"| `{name}` |" not in page] == []
    functions = [name for name in scoring.__all__ if callable(getattr(scoring, name)) and name not in ("Era", "Metric")]
    assert [name for name in functions if f"### `{name}`" not in page] == []


def test_a_code_is_found_through_loops_names_and_callers(make):
    codes = {sighting.code for sighting in make.problems.input_problems()}
    assert {
        "bad_ties",
        "missing_ids",
        "blank_era",
        "bad_ddof",
        "nan_in_features",
        "inf_in_by",
        "bad_proportion",
    } <= codes


def test_advice_is_spelt_out_and_so_are_limits_and_the_rules_of_submissions(make):
    from crowdalpha.tournament.faults import RULES

    found = make.problems.input_problems()
    assert not [sighting for sighting in found if sighting.fix == "<fix>"]
    assert {rule.code for rule in RULES.values()} <= {sighting.code for sighting in found}
    expected = {sighting.code: sighting.expected for sighting in found}
    assert expected["amount_too_fine"] == "at most 9 decimals"
    assert expected["unknown_metric"].startswith("one of corr, mmc2")


def test_every_code_that_is_refused_while_scoring_badly_is_in_the_catalogue(make):
    from crowdalpha.scoring import InputError, corr, draw_bags, mmc2, neutralize

    codes = {sighting.code for sighting in make.problems.input_problems()}
    refused = []
    for call in (
        lambda: corr([1, 2, 3], [1, 1, 1]),
        lambda: corr([1, float("nan"), 3], [1, 2, 3]),
        lambda: corr([1, 2, 3], [1, 2], ties="random"),
        lambda: mmc2([[1], [2]], [0], [1, 2]),
        lambda: neutralize([1, 2], [1, 2], proportion=2),
        lambda: draw_bags([1e-12]),
    ):
        with pytest.raises((InputError, TypeError)) as refusal:
            call()
        refused += getattr(refusal.value, "problems", ())
    assert len(refused) >= 5
    assert {problem.code for problem in refused} <= codes


def test_checking_says_which_page_is_out_of_date_and_writing_repairs_it(make, tmp_path, monkeypatch, capsys):
    from docs.make.__main__ import main

    monkeypatch.setattr(make, "DOCS", tmp_path)
    monkeypatch.setattr(make, "PAGES", {"page.md": lambda: "as the code says\n"})
    monkeypatch.setattr(make, "SHELVES", ())
    assert main(["--check"]) == 1
    assert "docs/page.md is out of date" in capsys.readouterr().out
    assert main([]) == 0
    assert (tmp_path / "page.md").read_text() == "as the code says\n"
    assert main(["--check"]) == 0
    assert "docs.make" in sys.modules


def test_experiments_are_shown_as_they_are_shipped(make):
    pages = make.experiments.pages()
    stale = [name for name, text in pages.items() if (ROOT / "docs" / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run make docs"


def test_every_claim_has_a_page_that_the_index_leads_to_and_every_rule_a_verdict(make):
    from crowdalpha.lab.claims import CLAIMS
    from crowdalpha.payouts import POLICIES

    pages = make.experiments.pages()
    for claim in CLAIMS.values():
        page = pages[f"lab/{claim.name}.md"]
        assert f"]({claim.name}.md)" in pages["lab/README.md"]
        assert f"]({claim.name}.svg)" in page
        assert f"crowdalpha lab claims {claim.name} --seed" in page
        assert all(f"[{source}](../" in page for source in claim.sources)
    assert [rule for rule in POLICIES if f"| {rule} |" not in pages["lab/verdicts.md"]] == []


def test_the_index_of_the_lab_leads_to_every_page_beside_it(make):
    index = make.experiments.pages()["lab/README.md"]
    beside = {path.name for path in (ROOT / "docs" / "lab").glob("*.md")} - {"README.md"}
    assert sorted(name for name in beside if f"]({name})" not in index) == []
