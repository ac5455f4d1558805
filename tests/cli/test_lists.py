"""`crowdalpha metrics` and `crowdalpha rules`: all there is, readable at any width."""

import re

import pytest

from crowdalpha.payouts import reputation_rules, rules
from crowdalpha.payouts.parameters import STATUSES
from crowdalpha.scoring.metrics import METRICS


@pytest.fixture(params=[80, 120])
def shown(request, run, monkeypatch):
    """What a command prints on a terminal of some width, as one line, once no line of it was found too long."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setattr("crowdalpha.cli.layout._on_a_terminal", lambda: True)

    def text(*arguments):
        lines = run(*arguments).stdout.splitlines()
        assert max(map(len, lines)) <= request.param
        return " ".join(" ".join(lines).split())

    return text


def test_every_metric_is_listed_with_what_it_says_and_needs(shown):
    text = shown("metrics")
    for row in METRICS.values():
        assert f"{row.name} {row.title}, {row.bounds} [{row.source}] {row.says}" in text
    assert re.search(r"fnc FNC.*?Needs --features\.", text)
    assert "Needs --neutralizers, --sample-weights." in text


def test_every_rule_is_listed_with_its_day_formula_meaning_note_and_source(shown):
    text = shown("rules")
    for rule in (*rules(), *reputation_rules()):
        assert f"{rule.start} {rule.name} [{', '.join(rule.sources)}] ({rule.status})" in text
        assert " ".join(f"{rule.formula} {rule.meaning} {rule.note}".split()) in text
    assert text.index("Payout rules") < text.index("Reputation rules")


def test_the_legend_explains_every_status_and_symbol(shown):
    text = shown("rules").replace("cross- checked", "cross-checked")
    assert all(f"({letter}) {meaning}" in text for letter, meaning in STATUSES.items())
    assert all(f"{symbol}:" in text for symbol in ("S", "corr, mmc", "cm, mm", "F"))


@pytest.mark.parametrize("command", ["metrics", "rules"])
def test_the_keys_in_brackets_are_told_where_to_look_up(shown, command):
    assert shown(command).count("docs/bibliography.md") == 1


def test_the_rules_of_a_day_are_those_in_force(document):
    of_2020 = document("rules", "--on", "2020-06-01")
    assert [rule["name"] for rule in of_2020["payout"]] == ["corr-or-twice-mmc"]
    assert [rule["name"] for rule in of_2020["reputation"]] == ["weighted-twenty-rounds"]
    assert document("rules", "--on", "2019-08-01")["reputation"] == []
    assert [rule["name"] for rule in document("rules", "--on", "2024-01-01")["reputation"]] == ["one-year-mean"]


def test_the_json_of_the_rules_is_complete(document):
    shown = document("rules")
    assert [rule["start"] for rule in shown["payout"]] == [str(rule.start) for rule in rules()]
    assert [rule["name"] for rule in shown["reputation"]] == [rule.name for rule in reputation_rules()]
    assert shown["payout"][-1]["choices"] == [[0.75, 2.25]]
    assert shown["statuses"] == STATUSES


def test_the_json_of_the_metrics_is_complete(document):
    shown = document("metrics")
    assert [row["name"] for row in shown] == list(METRICS)
    assert all(row["needs"] == list(METRICS[row["name"]].needs) for row in shown)
    assert all(set(row) == {"name", "title", "says", "bounds", "better", "needs", "source"} for row in shown)
