"""The benchmarks run and write their page; how fast anything is, no test asserts."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_quick_run_writes_a_table_a_section(tmp_path):
    page = tmp_path / "benchmarks.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(page)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    text = page.read_text(encoding="utf-8")
    assert text.count("| What | Target | Measured | Met | Times |") == text.count("\n## ") == 9
    assert "the same bits: two threads | yes | yes | yes" in text
    assert str(ROOT) not in text


def test_rescoring_is_measured_on_one_changed_era(tmp_path):
    from benchmarks.scale import rescoring

    found = rescoring(tmp_path, n_eras=6, n_models=5, n_ids=20, tries=2)
    assert found.era > 0
    assert found.ratio > 0


def test_a_season_is_measured_by_an_old_rule_and_by_a_new_one():
    from benchmarks.lab import RULES, seasons

    _, text, rows = seasons(3, 4, 20)
    assert "3 rounds of 4 models x 20 ids" in text
    assert [row.what for row in rows] == [f"a season paid by {rule}" for rule in RULES]
