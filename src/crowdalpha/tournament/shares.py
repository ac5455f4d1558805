"""A participant's proof: the own score recomputed from what may be known, and nothing of anybody else.

The metamodels of the bags together give submissions away; a slope and a covariance for each bag do not [SPEC 6]:

    mmc2 = mean_b (cov(u, t) - slope_b cov(m_b, t)) / 0.29^2,    slope_b = cov(u, m_b) / var(m_b)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.bags import draw_bags
from crowdalpha.scoring.contribution import UNIFORM_STD
from crowdalpha.scoring.correlation import corr, numerai_corr
from crowdalpha.scoring.metamodel import Pool
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, rank_models, uniform
from crowdalpha.tournament import settlement
from crowdalpha.tournament.bundles import pack, unpack, unreadable
from crowdalpha.tournament.digests import as_json, from_json
from crowdalpha.tournament.events import canonical
from crowdalpha.tournament.evidence import Evidence, numbers_of
from crowdalpha.tournament.money import format_amount, round_half_even
from crowdalpha.tournament.records import Score, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.rulesets import NONE, rule_set
from crowdalpha.tournament.scoringday import final_day, selected
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

Floats = NDArray[np.float64]
FORMAT = "crowdalpha share 1"
NEAR = 1e-12
"""How far a recomputed MMC2 may be off: the closed form rounds differently."""
FIX = "ask the operator for the proof of the whole round"


@dataclass(frozen=True, eq=False)
class Share:
    """What a participant may have of a resolved round.

    `ranks` and `target` (n_ids,) stand in the order of `universe`; `pairs` (n_bags, 2) are the slope on each bag's
    metamodel and its covariance with the target, empty where nobody had a stake. `scores` are the model's own final
    ones, `crowd` the metamodel's, `factor` is the payout factor. `at_risk` and `payout` are None for a benchmark.
    """

    round: Round
    universe: bytes
    submission: Submission
    ranks: Floats
    target: Floats
    pairs: Floats
    scores: tuple[Score, ...]
    crowd: Mapping[str, float]
    factor: float
    at_risk: AtRisk | None
    payout: Payout | None


def share_of(evidence: Evidence, model: str, custom: Mapping[str, Policy] = NONE) -> Share:
    """A model's share of a round; InputError (code `not_scored`) if it has none."""
    round, last = evidence.round, final_day(evidence.round)
    sent = selected(evidence.submissions, round.resolve_time)
    place = next((i for i, submission in enumerate(sent) if submission.model == model), None)
    if place is None:
        found, fix = "no submission", "choose a model that took part"
        raise InputError(Problem("not_scored", f"a model scored in round {round.number}", found, fix, f"model {model}"))
    risks = {risk.model: risk for risk in evidence.at_risk}
    payouts = {payout.model: payout for payout in evidence.payouts}
    finals = [score for score in evidence.scores if score.day == last]
    return Share(
        round,
        evidence.universe,
        sent[place],
        evidence.inputs.ranks[sent[place].predictions],
        numbers_of(evidence.targets[last]),
        _pairs(evidence, sent, place),
        tuple(score for score in finals if score.model == model),
        {score.metric: score.value for score in finals if score.model == "metamodel"},
        settlement.round_factor(evidence.at_risk, rule_set(round.rule, custom).threshold),
        risks.get(model),
        payouts.get(model),
    )


def verify_share(share: Share, custom: Mapping[str, Policy] = NONE) -> tuple[Problem, ...]:
    """All that differs between a share's numbers and what follows from it: CORR, numerai_corr, MMC2 and the payout.

    Other metrics need the predictions of others, and only the proof of the whole round can show them. A policy that
    looks back on earlier rounds is not checked either.
    """
    scores = {score.metric: score.value for score in share.scores}
    return (*_files(share), *_score_problems(share, scores), *_payout_problems(share, scores, custom))


def write(share: Share) -> bytes:
    """A share as a file."""
    about = {
        "format": FORMAT,
        "round": as_json(share.round),
        "submission": as_json(share.submission),
        "scores": [as_json(score) for score in share.scores],
        "crowd": {name: value.hex() for name, value in share.crowd.items()},
        "factor": share.factor.hex(),
        "at_risk": share.at_risk and as_json(share.at_risk),
        "payout": share.payout and as_json(share.payout),
    }
    arrays = {f"{name}.bin": getattr(share, name).astype("<f8").tobytes() for name in ("ranks", "target", "pairs")}
    return pack({"about.json": canonical(about), "universe.json": share.universe, **arrays})


def read(content: bytes) -> Share:
    """The share in a file; InputError (code `bundle_unreadable`) if there is none."""
    parts = unpack(content)
    try:
        about = json.loads(parts["about.json"])
        if about["format"] != FORMAT:
            raise ValueError
        return Share(
            from_json(Round, about["round"]),
            parts["universe.json"],
            from_json(Submission, about["submission"]),
            numbers_of(parts["ranks.bin"]),
            numbers_of(parts["target.bin"]),
            numbers_of(parts["pairs.bin"]).reshape(-1, 2),
            tuple(from_json(Score, score) for score in about["scores"]),
            {name: float.fromhex(value) for name, value in about["crowd"].items()},
            float.fromhex(about["factor"]),
            about["at_risk"] and from_json(AtRisk, about["at_risk"]),
            about["payout"] and from_json(Payout, about["payout"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(unreadable("share", f"a share of the format {FORMAT}")) from None


def _pairs(evidence: Evidence, sent: list[Submission], place: int) -> Floats:
    """(n_bags, 2): slope of the model on each bag's metamodel, and that metamodel's covariance with the target."""
    amounts = {risk.model: risk.amount for risk in evidence.at_risk}
    units = np.array([amounts.get(s.model, 0) if s.status == "on_time" else 0 for s in sent], np.int64)
    if not units.any():
        return np.zeros((0, 2))
    inputs, target = evidence.inputs, numbers_of(evidence.targets[final_day(evidence.round)])
    ranks = rank_models(np.column_stack([inputs.ranks[s.predictions] for s in sent]), ties=evidence.round.ties)
    bags = draw_bags(units, n_bags=evidence.round.final_bags, seed=inputs.seed)
    own, crowd = _centred(ranks.one(place)), _centred(Pool.of(ranks, units, bags).metamodels())
    squares = (crowd * crowd).sum(axis=1)
    slopes = np.divide(crowd @ own[0], squares, out=np.zeros(len(crowd)), where=squares > 0)
    return np.column_stack([slopes, crowd @ (target - target.mean()) / (len(target) - 1)])


def _centred(ranks: Ranks) -> Floats:
    """Rows of uniforms less their mean, (n_models, n_ids)."""
    return ranks.doubled / (2.0 * ranks.n_ids)


def _files(share: Share) -> Iterator[Problem]:
    if sha256(share.universe).hexdigest() != share.round.universe:
        yield Problem("universe_changed", "the ids that were announced", "others", FIX, "universe")


def _score_problems(share: Share, scores: Mapping[str, float]) -> Iterator[Problem]:
    ties = share.round.ties
    computed = {
        "corr": float(corr(share.ranks, share.target, ties=ties)),
        "numerai_corr": float(numerai_corr(share.ranks, share.target)),
    }
    if len(share.pairs):
        own = uniform(share.ranks, ties=ties)
        covariance = float((own - own.mean()) @ (share.target - share.target.mean())) / (len(own) - 1)
        slopes, of_bags = share.pairs.T
        computed["mmc2"] = float(np.mean(covariance - slopes * of_bags)) / UNIFORM_STD**2
    for name, value in computed.items():
        if name in scores and not abs(scores[name] - value) <= NEAR:
            where = f"{name} of {share.submission.model}"
            yield Problem("number_differs", repr(value), repr(scores[name]), FIX, where)


def _payout_problems(share: Share, scores: Mapping[str, float], custom: Mapping[str, Policy]) -> Iterator[Problem]:
    rules = rule_set(share.round.rule, custom)
    if share.at_risk is None or share.payout is None or rules.policy.window > 1:
        return
    paid = settlement.fractions(
        rules.policy,
        [share.at_risk],
        [scores.get(rules.corr, 0.0)],
        [scores.get(rules.mmc, 0.0)],
        payout_factor=share.factor,
        metamodel_corr=share.crowd.get(rules.corr, float("nan")),
    )
    owed = round_half_even(Fraction(paid[share.at_risk.model]) * share.at_risk.amount)
    if share.payout.at_risk != share.at_risk.amount or share.payout.owed != owed:
        where = f"payout of {share.at_risk.model}"
        yield Problem("number_differs", format_amount(owed), format_amount(share.payout.owed), FIX, where)
