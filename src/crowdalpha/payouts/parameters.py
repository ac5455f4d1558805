"""The dated rules as data: read from `rules.toml`, sorted by date, frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal, TypeVar

from crowdalpha.payouts.refusal import PayoutError, refuse_if_any

Order = Literal["none", "clip then factor", "factor then clip"]
Choice = tuple[float, float]
"""(CORR multiplier, MMC multiplier)"""

RULES: tuple[Rule, ...]
"""Every payout rule, oldest first. Read when first asked for."""

STATUSES = {
    "P": "the operator's own documentation, code or staff",
    "S": "a third party, cross-checked",
    "V": "verified numerically",
    "D": "our decision between readings",
}
ORDERS = ("none", "clip then factor", "factor then clip")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReputationRule:
    """From `start` on, models are ranked by `formula`; `meaning` says it in a sentence, `sources` where from."""

    start: date
    name: str
    formula: str
    meaning: str
    sources: tuple[str, ...]
    status: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ReputationRule):
    """From `start` on, a round pays by `formula`, with these parameters.

    `clip` is the most a round pays or burns as a fraction of the stake, a score counts as
    (score - `offset`) / `band`, `order` says where the payout factor acts, `threshold` is the total at risk
    above which it falls below 1 (None: there is no factor), `choices` are the multiplier pairs
    (CORR, MMC) open to a model, the first being the default.
    """

    clip: float
    choices: tuple[Choice, ...]
    order: Order
    offset: float = 0.0
    band: float = 1.0
    threshold: int | None = None


R = TypeVar("R", bound=ReputationRule)


@cache
def rules() -> tuple[Rule, ...]:
    """Every payout rule, oldest first.

    >>> [str(rule.start) for rule in rules()][:3]
    ['2019-07-01', '2020-04-01', '2020-05-21']
    """
    return parse_rules(_text())


@cache
def reputation_rules() -> tuple[ReputationRule, ...]:
    """Every reputation rule, oldest first.

    >>> [rule.name for rule in reputation_rules()]
    ['weighted-twenty-rounds', 'one-year-mean']
    """
    entries = tomllib.loads(_text())["reputation"]
    return _dated(ReputationRule(**entry | {"sources": tuple(entry["sources"])}) for entry in entries)


def rule_on(day: date) -> Rule:
    """The payout rule in force on a day: the newest that had started.

    >>> rule_on(date(2020, 6, 1)).name
    'corr-or-twice-mmc'
    """
    if not isinstance(day, date) or isinstance(day, datetime):
        raise PayoutError(("not_a_date", f"the day is {day!r:.80}, expected a datetime.date: a rule starts with a day"))
    started = [rule for rule in rules() if rule.start <= day]
    if not started:
        first = rules()[0].start
        raise PayoutError(("no_rule_yet", f"no rule was in force on {day}; the first starts on {first}"))
    return started[-1]


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The payout rules in a TOML text, refused with everything that is wrong with them."""
    entries = tomllib.loads(text)["payout"]
    refuse_if_any([problem for entry in entries for problem in _problems(entry)])
    return _dated(_rule(entry) for entry in entries)


def _rule(entry: dict[str, Any]) -> Rule:
    choices = tuple((float(corr), float(mmc)) for corr, mmc in entry["choices"])
    return Rule(**entry | {"choices": choices, "sources": tuple(entry["sources"])})


def _problems(entry: dict[str, Any]) -> list[tuple[str, str]]:
    name = entry.get("name", "a rule without a name")
    checks = {
        "rule_order": (entry.get("order") in ORDERS, f"order must be one of {', '.join(ORDERS)}"),
        "rule_status": (entry.get("status") in STATUSES, f"status must be one of {', '.join(STATUSES)}"),
        "rule_clip": (0 < entry.get("clip", 0) <= 1, "clip must lie in (0, 1]: a burn never exceeds the stake"),
        "rule_band": (entry.get("band", 1.0) > 0, "band must be above 0"),
        "rule_choices": (bool(entry.get("choices")), "choices must list at least one pair of multipliers"),
        "rule_sources": (bool(entry.get("sources")), "sources must name where the rule is written"),
        "rule_threshold": (
            ("threshold" in entry) == (entry.get("order") != "none"),
            "threshold belongs to rules with a payout factor, and to those only",
        ),
    }
    return [(code, f"{name}: {sentence}") for code, (holds, sentence) in checks.items() if not holds]


def _dated(found: Iterable[R]) -> tuple[R, ...]:
    ordered = tuple(sorted(found, key=lambda rule: rule.start))
    twice = [newer for older, newer in pairwise(ordered) if older.start == newer.start]
    sentence = "has a rule already; a change needs its own date"
    refuse_if_any([("rule_date", f"{rule.name}: {rule.start} {sentence}") for rule in twice])
    return ordered


def _text() -> str:
    return files("crowdalpha.payouts").joinpath("rules.toml").read_text(encoding="utf-8")


def __getattr__(name: str) -> tuple[Rule, ...]:
    if name == "RULES":
        return rules()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
