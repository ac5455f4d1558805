"""The dated rules: all of them, each held to its value for ever, sourced, and refused when wrongly written."""

from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.payouts import PayoutError, Rule, parameters, reputation_rules, rule_on, rules

HALVES = ((1, 0), (1, 0.5), (1, 1), (1, 2))
PUBLISHED = [
    (date(2019, 7, 1), "corr-over-band", 1.0, 0.002, 0.04, "none", None, ((1, 0),)),
    (date(2020, 4, 1), "corr", 0.25, 0, 1, "none", None, ((1, 0),)),
    (date(2020, 5, 21), "corr-or-twice-mmc", 0.25, 0, 1, "none", None, ((1, 0), (0, 2))),
    (date(2020, 7, 27), "corr-plus-mmc", 0.25, 0, 1, "none", None, ((1, 0), (1, 1))),
    (date(2020, 12, 14), "mmc-multiplier", 0.25, 0, 1, "none", None, HALVES),
    (date(2021, 2, 20), "payout-factor", 0.25, 0, 1, "clip then factor", 300_000, HALVES),
    (date(2022, 6, 16), "factor-inside-the-clip", 0.25, 0, 1, "factor then clip", 300_000, HALVES),
    (date(2023, 5, 1), "five-percent", 0.05, 0, 1, "factor then clip", 72_000, HALVES),
    (date(2024, 1, 2), "half-corr-twice-mmc", 0.05, 0, 1, "factor then clip", 72_000, ((0.5, 2),)),
    (date(2026, 1, 1), "heavier-mmc", 0.05, 0, 1, "factor then clip", 72_000, ((0.75, 2.25),)),
]
GOOD = """
[[payout]]
start = 2030-01-01
name = "new"
formula = "S clip(corr, -0.1, 0.1)"
meaning = "A new rule."
clip = 0.1
order = "none"
choices = [[1.0, 0.0]]
sources = ["ours"]
status = "D"
"""


def values(rule):
    return (rule.start, rule.name, rule.clip, rule.offset, rule.band, rule.order, rule.threshold, rule.choices)


def test_a_published_rule_is_never_edited_only_followed_by_a_newer_one():
    assert [values(rule) for rule in rules()][: len(PUBLISHED)] == PUBLISHED


def test_every_rule_says_where_it_is_from_and_what_it_means_in_one_sentence():
    for rule in [*rules(), *reputation_rules()]:
        assert rule.sources
        assert rule.status in parameters.STATUSES
        assert rule.formula
        assert rule.meaning.endswith(".")


def test_rules_are_read_once_and_cannot_be_changed():
    assert parameters.RULES is rules()
    with pytest.raises(AttributeError):
        rules()[0].clip = 0.5


def test_a_name_the_module_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="RULEZ"):
        parameters.RULEZ  # noqa: B018


def test_a_rule_holds_from_its_first_day_until_the_day_before_the_next():
    for older, newer in zip(rules(), rules()[1:], strict=False):
        assert rule_on(newer.start) is newer
        assert rule_on(newer.start - timedelta(days=1)) is older
    assert rule_on(date(2100, 1, 1)) is rules()[-1]


@given(st.dates(date(2019, 7, 1), date(2040, 1, 1)))
def test_the_rule_in_force_is_the_newest_that_had_started(day):
    assert rule_on(day).start == max(rule.start for rule in rules() if rule.start <= day)


def test_before_the_first_rule_none_is_in_force():
    with pytest.raises(PayoutError, match="first starts on 2019-07-01") as refused:
        rule_on(date(2019, 6, 30))
    assert refused.value.code == "no_rule_yet"


def test_reputation_rules_are_dated_too():
    assert [(str(rule.start), rule.name) for rule in reputation_rules()] == [
        ("2020-04-01", "weighted-twenty-rounds"),
        ("2023-03-03", "one-year-mean"),
    ]


def test_a_new_rule_is_one_more_entry_in_the_file():
    text = files("crowdalpha.payouts").joinpath("rules.toml").read_text(encoding="utf-8")
    assert [rule.name for rule in parameters.parse_rules(GOOD + text)] == [rule.name for rule in rules()] + ["new"]
    assert isinstance(parameters.parse_rules(GOOD)[0], Rule)


@pytest.mark.parametrize(
    ("code", "written", "wrong"),
    [
        ("rule_order", 'order = "none"', 'order = "sometimes"'),
        ("rule_status", 'status = "D"', 'status = "X"'),
        ("rule_clip", "clip = 0.1", "clip = 1.5"),
        ("rule_clip", "clip = 0.1", "clip = 0.0"),
        ("rule_band", "clip = 0.1", "clip = 0.1\nband = 0.0"),
        ("rule_choices", "choices = [[1.0, 0.0]]", "choices = []"),
        ("rule_sources", 'sources = ["ours"]', "sources = []"),
        ("rule_threshold", 'order = "none"', 'order = "factor then clip"'),
        ("rule_threshold", "clip = 0.1", "clip = 0.1\nthreshold = 5"),
    ],
)
def test_a_wrongly_written_rule_is_refused_by_name(code, written, wrong):
    with pytest.raises(PayoutError, match=r"^new: ") as refused:
        parameters.parse_rules(GOOD.replace(written, wrong))
    assert code in dict(refused.value.problems)


def test_everything_wrong_with_the_file_is_said_at_once():
    with pytest.raises(PayoutError) as refused:
        parameters.parse_rules(GOOD.replace("clip = 0.1", "clip = 7").replace('status = "D"', 'status = "?"'))
    assert {code for code, _ in refused.value.problems} == {"rule_clip", "rule_status"}
    assert refused.value.code == "rule_status"


def test_two_rules_cannot_start_on_the_same_day():
    with pytest.raises(PayoutError, match="2030-01-01 has a rule already") as refused:
        parameters.parse_rules(GOOD + GOOD.replace('"new"', '"newer"'))
    assert refused.value.code == "rule_date"
