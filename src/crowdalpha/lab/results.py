"""What the lab found when it was last run: the figures of every claim and the verdicts on every rule, as shipped.

`make lab` runs all experiments anew and writes `results.json`; pages and charts are drawn from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from crowdalpha.execution import Executor
from crowdalpha.lab.claims import CLAIMS, SEASONS, Figure, Finding, run
from crowdalpha.lab.contests import Trial
from crowdalpha.lab.verdicts import Verdict, try_rules
from crowdalpha.payouts import POLICIES

FILE = "results.json"
SEED = "0"
HEADS = ("seed", "seasons", "judged", "rounds")
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Results:
    """What was found from a seed: claims by so many `seasons`, verdicts by so many seasons (`judged`) of `rounds`."""

    seed: str
    seasons: int
    judged: int
    rounds: int
    findings: tuple[Finding, ...]
    verdicts: Mapping[str, tuple[Verdict, ...]]

    def finding(self, name: str) -> Finding | None:
        """What was found of a claim; None if there is none of that name."""
        return next((found for found in self.findings if found.claim.name == name), None)

    def as_json(self) -> str:
        """The same as text, a figure and a verdict a line."""
        claims = {found.claim.name: _lines(map(asdict, found.figures)) for found in self.findings}
        rules = {rule: _lines(map(asdict, found)) for rule, found in self.verdicts.items()}
        said = {name: getattr(self, name) for name in HEADS}
        heads = [f' "{name}": {json.dumps(value)}' for name, value in said.items()]
        return "{\n" + ",\n".join([*heads, _section("claims", claims), _section("verdicts", rules)]) + "\n}\n"


def measure(*, executor: Executor | None = None, told: Told = lambda what, done, all: None) -> Results:
    """Run every experiment and try every attack on every rule; `told` hears how much of what is done.

    Results are the same on any executor.
    """
    trial, findings = Trial(seed=SEED), []
    for done, found in enumerate(run(seed=SEED, executor=executor), 1):
        findings.append(found)
        told("claims", done, len(CLAIMS))
    verdicts = try_rules(
        list(POLICIES), trial=trial, executor=executor, told=lambda done, all: told("seasons", done, all)
    )
    return Results(SEED, SEASONS, trial.seasons, trial.rounds, tuple(findings), verdicts)


def read(text: str) -> Results:
    """Results from their text.

    Claims are looked up by name: their words are those of the code, only figures are stored.
    """
    said: dict[str, Any] = json.loads(text)
    findings = tuple(
        Finding(CLAIMS[name], tuple(Figure(**row) for row in rows)) for name, rows in said["claims"].items()
    )
    verdicts = {rule: tuple(_verdict(row) for row in rows) for rule, rows in said["verdicts"].items()}
    return Results(**{name: said[name] for name in HEADS}, findings=findings, verdicts=verdicts)


@lru_cache(maxsize=1)
def shipped() -> Results:
    """The results that come with this version."""
    return read(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))


def _verdict(row: dict[str, Any]) -> Verdict:
    return Verdict(**row | {"choice": tuple(row["choice"])})


def _lines(rows: Any) -> str:
    return "[\n   " + ",\n   ".join(json.dumps(row) for row in rows) + "]"


def _section(name: str, parts: Mapping[str, str]) -> str:
    return f' "{name}": {{\n' + ",\n".join(f'  "{key}": {text}' for key, text in parts.items()) + "\n }"
