"""What an era is scored by, and the address that follows from it and from the era's content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from crowdalpha.scoring.arrays import tie_rule
from crowdalpha.scoring.bags import N_BAGS
from crowdalpha.scoring.metrics import metric
from crowdalpha.scoring.options import is_whole, said, seed_bytes
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

GENERATION = 1
"""Raised whenever a release changes a bit of any score, so that no older score is taken for one of its own."""
KEPT = ("target", "features")
"""What a packed era has, beside ranks and stakes."""
POOLED = frozenset({"stakes", "bags", "metamodel"})
"""Arguments of metrics that need somebody with stake."""


@dataclass(frozen=True)
class Rule:
    """Metrics by name, how many bags (0 pools every staker once), what they are drawn from, and how ties are ranked.

    Seeds and bags are those of `crowdalpha.score`: an era has the same scores there. Refused with `not_from_ranks` if
    a metric asks for what ranks, stakes, target and features do not tell.
    """

    metrics: tuple[str, ...] = ("corr", "mmc2")
    bags: int = N_BAGS
    seed: int | str | bytes = 0
    ties: str = "average"

    def __post_init__(self) -> None:
        if not is_whole(self.bags, 0):
            raise InputError(Problem("bad_bags", "bags of 0 or more", said(self.bags), "the rule of 2020 is 20"))
        seed_bytes(self.seed)
        tie_rule(self.ties)
        refuse_if_any(_not_from_ranks(name) for name in self.metrics if metric(name).raw or _lacks(name))
        if not self.metrics:
            raise InputError(Problem("no_metrics", "at least one metric", "none", "name one of METRICS", "metrics"))

    @property
    def pools(self) -> bool:
        """Whether any metric asks for the metamodel."""
        return any(POOLED & set(metric(name).parameters) for name in self.metrics)

    @cached_property
    def needs_features(self) -> bool:
        """Whether any metric asks for features."""
        return any("features" in metric(name).needs for name in self.metrics)

    @cached_property
    def _said(self) -> str:
        return json.dumps([GENERATION, self.metrics, self.bags, seed_bytes(self.seed).hex(), self.ties])

    def address(self, label: int | str, core: str, features: str) -> str:
        """Where the scores of an era are kept: the SHA-256 of all that they depend on, its files by their own.

        >>> Rule().address(1, "ab", "cd") == Rule(seed="0").address("1", "ab", "none")
        True
        """
        used = features if self.needs_features else ""
        return sha256(f"{self._said} {core} {used} {label}".encode()).hexdigest()


def _lacks(name: str) -> bool:
    return not set(metric(name).needs) <= set(KEPT)


def _not_from_ranks(name: str) -> Problem:
    fix = "score the predictions themselves: crowdalpha score"
    return Problem("not_from_ranks", "metrics of ranks, stakes, target and features", name, fix, "metrics")
