"""docs/problems.md: every code a refusal can carry, read from the source without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from crowdalpha.tournament.faults import RULES
from docs.make.markdown import GENERATED, table
from docs.make.source import Scope, alternatives, arguments, calls, functions, scopes, text

CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
"""What a code of the payouts looks like."""

LEAD = """Bad input is refused, never repaired. A refusal carries every problem of the input at once, each with a code
that stays the same from version to version: scripts may match on it. Words in angle brackets stand for what is known
only when it happens: a name, a number, a shape.

Scoring, reading and drawing raise `InputError`, whose `problems` hold code, expected, found, fix and where. Payouts
raise `PayoutError`, whose `problems` hold a code and a sentence."""


@dataclass(frozen=True, order=True)
class Sighting:
    """A code, what it expects and advises, and one function that raises it."""

    code: str
    expected: str
    fix: str
    place: str


def page() -> str:
    """The page as text."""
    inputs = [(f"`{s.code}`", _cell(s.expected), _cell(s.fix), places) for s, places in _gathered(input_problems())]
    payouts = [(f"`{s.code}`", _cell(s.expected), places) for s, places in _gathered(payout_problems())]
    parts = ["# Problem codes", GENERATED, LEAD]
    parts += ["## InputError", table(("code", "expected", "what to do", "raised in"), inputs)]
    parts += ["## PayoutError", table(("code", "what it says", "raised in"), payouts)]
    return "\n\n".join(parts) + "\n"


@cache
def input_problems() -> list[Sighting]:
    """Every `Problem(code, expected, found, fix)` of the source."""
    found = set()
    for place, function in functions():
        for call in calls(function, "Problem"):
            given = arguments(call, ("code", "expected", "found", "fix"))
            told = [given[part] for part in ("expected", "fix") if isinstance(given[part], ast.Name)]
            for scope in scopes(call, function, ast.Tuple([given["code"], *told])):
                expected, fix = text(given["expected"], scope), text(given["fix"], scope)
                found |= {Sighting(code, expected, fix, place) for code in alternatives(given["code"], scope)}
    return sorted(found | set(submission_faults()))


def submission_faults() -> Iterator[Sighting]:
    """Every rule that a submission can break."""
    for name, rule in RULES.items():
        expected = re.sub(r"{(.*?)}", r"<\1>", rule.expected)
        yield Sighting(rule.code, expected, rule.fix, f"tournament.faults: {name}")


def payout_problems() -> list[Sighting]:
    """Every (code, sentence) pair of the payouts."""
    found = set()
    for place, function in functions("payouts"):
        for code, sentence in _pairs(function):
            says = text(sentence, Scope(function, sentence.lineno))
            if isinstance(code, ast.Constant) and CODE.fullmatch(str(code.value)) and " " in says:
                found.add(Sighting(str(code.value), says, "", place))
    return sorted(found)


def _pairs(function: ast.FunctionDef) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Tuples of two, and the checks of a dictionary: {code: (holds, sentence)}."""
    for node in ast.walk(function):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            yield node.elts[0], node.elts[1]
        elif isinstance(node, ast.Dict):
            checks = zip(node.keys, node.values, strict=True)
            yield from ((key, value.elts[1]) for key, value in checks if key and isinstance(value, ast.Tuple))


def _gathered(sightings: list[Sighting]) -> Iterator[tuple[Sighting, str]]:
    """One sighting for each code and expectation, with every place that raises it."""
    for _, group in groupby(sightings, key=lambda s: (s.code, s.expected, s.fix)):
        seen = list(group)
        yield seen[0], ", ".join(f"`{sighting.place}`" for sighting in seen)


def _cell(words: str) -> str:
    return re.sub(r"([*<>])", r"\\\1", words)
