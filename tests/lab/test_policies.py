"""Policies of one's own: files of numbers and Python functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdalpha.lab.policies import asked, read_designs
from crowdalpha.scoring.problems import InputError

MINE = """
[gentle]
corr = 0.5
mmc = 2
clip = 0.05

[open]
choices = [[1, 0], [0, 2]]
hard_era = 1.3
floor = 0
"""
PAY = """
from crowdalpha.payouts.designs import Design

def pay(corr, mmc):
    return corr + 3 * mmc

steep = Design(choices=((0, 3),), clip=0.25)
number = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    (tmp_path / "mine.py").write_text(PAY, encoding="utf-8")
    return tmp_path


def codes(*words: str | Path) -> list[str]:
    with pytest.raises(InputError) as refused:
        asked(map(str, words))
    return [problem.code for problem in refused.value.problems]


def test_a_file_of_numbers_names_every_policy_in_it_and_a_colon_one_of_them(folder: Path) -> None:
    assert asked(["corr", f"{folder}/mine.toml"]).rules == ("corr", "gentle", "open")
    one = asked([f"{folder}/mine.toml:gentle"])
    assert one.rules == ("gentle",)
    assert one.custom["gentle"].payouts([100], [0.02], [0.01]).tolist() == [3.0]
    assert read_designs(folder / "mine.toml")["open"].choices == ((1, 0), (0, 2))


def test_a_python_function_is_a_policy_and_so_is_a_design_in_it(folder: Path) -> None:
    found = asked([f"{folder}/mine.py:pay", f"{folder}/mine.py:steep"])
    assert found.rules == ("pay", "steep")
    assert found.custom["pay"].payouts([100], [0.01], [0.02]).round(9).tolist() == [7.0]
    assert found.custom["steep"].payouts([100], [0.01], [0.02]).round(9).tolist() == [6.0]


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    assert codes("perpetual", folder / "none.toml", folder / "mine.py:perpetual", folder / "mine.toml:perpetual") == [
        "unknown_rule",
        "policy_unreadable",
        "unknown_policy",
        "unknown_policy",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("clip = 0.05", 1),
        ("[mine]\nclip = 0.05", 1),
        ("[mine]\ncorr = 1\nspeed = 3", 1),
        ("[mine]\ncorr = 1\nchoices = [[1, 0]]", 1),
        ("[mine]\ncorr = 1\nclip = 2\nfloor = 'low'", 2),
        ("[mine]\nchoices = [1, 0]", 1),
        ("[mine]\nchoices = [[1, 0, 0]]", 1),
        ("[mine]\ncorr = inf\n[other]\nmmc = 'two'", 2),
    ],
)
def test_a_table_that_is_no_policy_is_refused(tmp_path: Path, text: str, count: int) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    assert codes(path) == ["bad_policy"] * count


def test_python_that_fails_or_names_no_policy_is_refused(folder: Path) -> None:
    (folder / "broken.py").write_text("1 / 0", encoding="utf-8")
    assert codes(folder / "broken.py:pay") == ["policy_failed"]
    assert codes(folder / "mine.py:number") == ["bad_policy"]
    assert codes(folder / "mine.py") == ["unknown_policy"]
    assert codes(folder / "none.py:pay") == ["policy_unreadable"]


def test_a_policy_of_ones_own_takes_no_name_that_is_taken(folder: Path) -> None:
    (folder / "taken.toml").write_text("[corr]\nmmc = 1", encoding="utf-8")
    assert codes(folder / "taken.toml") == ["policy_name_taken"]


def test_a_policy_named_twice_is_one_and_two_of_a_name_are_refused(folder: Path) -> None:
    word, part = f"{folder}/mine.toml", f"{folder}/mine.toml:gentle"
    assert asked([word, part, part, f"{folder}/mine.py:pay", f"{folder}/mine.py:pay"]).rules == (
        "gentle",
        "open",
        "pay",
    )
    (folder / "other.toml").write_text("[gentle]\ncorr = 3\n", encoding="utf-8")
    assert codes(word, folder / "other.toml") == ["policy_name_taken"]


def test_a_function_that_fails_is_refused_with_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def pay(corr, mmc):\n    raise KeyError('ouch')\n", encoding="utf-8")
    pay = asked([f"{tmp_path}/mine.py:pay"]).custom["pay"]
    with pytest.raises(InputError, match=r"KeyError: 'ouch'.*policy_failed"):
        pay.payouts([100], [0.01], [0.02])
    (tmp_path / "ends.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    assert codes(tmp_path / "ends.py:pay") == ["policy_failed"]
