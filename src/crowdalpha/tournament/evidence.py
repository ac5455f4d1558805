"""All that a round was made of and all that came out of it, in one value: what a proof is a proof of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crowdalpha.payouts.policy import Policy
from crowdalpha.tournament import ledger, seeds, settlement
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.records import Score, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.rulesets import NONE, RuleSet, rule_set
from crowdalpha.tournament.scoringday import Inputs, Scored
from crowdalpha.tournament.settlement import Payout, Settlement
from crowdalpha.tournament.stakes import AtRisk, Balances

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evidence:
    """A round that is over, as it was kept.

    `universe` and `features` are the bytes of those files, `ranks` and `targets` those of the others: by the name that
    submissions give them, and by scoring day. `past` are final scores of earlier rounds, for policies that look back;
    `balances` what the accounts that settle touches held before it. `events` is the log from the announcement of the
    round to the reveal of its secret. `version` is the code that scored.
    """

    round: Round
    universe: bytes
    features: bytes
    submissions: tuple[Submission, ...]
    benchmarks: tuple[str, ...]
    ranks: Mapping[str, bytes]
    at_risk: tuple[AtRisk, ...]
    targets: Mapping[int, bytes]
    scores: tuple[Score, ...]
    past: tuple[Score, ...]
    balances: Mapping[str, int]
    payouts: tuple[Payout, ...]
    secret: bytes
    beacon: bytes
    events: tuple[Event, ...]
    version: str

    @cached_property
    def inputs(self) -> Inputs:
        """What the scores are made of."""
        ids = ids_of(self.universe)
        return Inputs(
            self.round,
            self.submissions,
            {name: numbers_of(content) for name, content in self.ranks.items()},
            self.at_risk,
            seeds.round_seed(self.round.number, self.secret, self.beacon),
            self.benchmarks,
            features_of(self.features, len(ids)),
        )


def ids_of(universe: bytes) -> list[str]:
    """The ids of a universe, sorted by their bytes."""
    ids: list[str] = json.loads(universe)
    return ids


def universe_of(ids: Collection[str]) -> bytes:
    """A universe as bytes: its ids, sorted by their bytes, in JSON."""
    return json.dumps(sorted(ids, key=str.encode)).encode()


def features_bytes(features: Mapping[str, Sequence[float]]) -> bytes:
    """Features as bytes: their names in JSON, a line feed, and an array (n_ids, n_features) of float64."""
    matrix = np.column_stack([np.asarray(features[name], "<f8") for name in features])
    return json.dumps(list(features)).encode() + b"\n" + matrix.tobytes()


def features_of(content: bytes, n_ids: int) -> Floats | None:
    """The features, (n_ids, n_features); None if there are none."""
    if not content:
        return None
    return np.frombuffer(content.partition(b"\n")[2], "<f8").reshape(n_ids, -1)


def feature_names(content: bytes) -> tuple[str, ...]:
    """What the features are called, in the order of their columns.

    >>> feature_names(features_bytes({"size": [0.5], "age": [1.0]}))
    ('size', 'age')
    """
    return tuple(json.loads(content.partition(b"\n")[0])) if content else ()


def numbers_of(content: bytes) -> Floats:
    """A column of numbers, as it is kept."""
    return np.frombuffer(content, "<f8")


def settle(
    round: Round,
    at_risk: Sequence[AtRisk],
    scored: Scored,
    past: Sequence[Score],
    at: datetime,
    *,
    balances: Balances,
    custom: Mapping[str, Policy] = NONE,
) -> Settlement:
    """What a round pays, from its final scores and those of the rounds before it that its policy looks back on."""
    rules = rule_set(round.rule, custom)
    factor = settlement.round_factor(at_risk, rules.threshold)
    paid = settlement.fractions(
        rules.policy,
        at_risk,
        _window(rules, rules.corr, at_risk, scored, past),
        _window(rules, rules.mmc, at_risk, scored, past),
        payout_factor=factor,
        metamodel_corr=scored.crowd.get(rules.corr, float("nan")),
    )
    return settlement.settle(round.number, at_risk, paid, at, balances=balances)


def touched(balances: Balances, at_risk: Sequence[AtRisk]) -> dict[str, int]:
    """The balances that a settlement looks at, by account."""
    names = [ledger.TREASURY, ledger.ROUNDING]
    names += [name for risk in at_risk for name in (ledger.stake(risk.model), ledger.release(risk.model))]
    return {name: balances[name] for name in sorted(names) if name in balances}


def _window(rules: RuleSet, metric: str, at_risk: Sequence[AtRisk], scored: Scored, past: Sequence[Score]) -> Floats:
    """The scores that a policy looks at, (n_models,) or (window, n_models); NaN where there was none."""
    models = [risk.model for risk in at_risk]
    now = np.array(scored.of(metric, models))
    if rules.policy.window == 1:
        return now
    before = {(score.round, score.model): score.value for score in past if score.metric == metric}
    rounds = sorted({round for round, _ in before})[1 - rules.policy.window :]
    rows = np.full((rules.policy.window, len(models)), np.nan)
    for row, round in enumerate(rounds, rules.policy.window - 1 - len(rounds)):
        rows[row] = [before.get((round, model), np.nan) for model in models]
    rows[-1] = now
    return rows
