"""Proofs: the evidence of a round put together from the stores, checked, handed out, and scored by other rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from crowdalpha.engine import desk as names
from crowdalpha.engine.clock import inputs_of, looked_back, score
from crowdalpha.engine.desk import Desk, known
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament import bundles, ledger, shares
from crowdalpha.tournament.digests import digest
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.evidence import Evidence, settle, touched
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import rule_set
from crowdalpha.tournament.scoringday import final_day, score_records
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk
from crowdalpha.tournament.verification import verify as verify_evidence


@dataclass(frozen=True, slots=True)
class Rescored:
    """What a round would have scored and paid under another rule, beside what it did."""

    rule_set: str
    scores: tuple[Score, ...]
    payouts: tuple[Payout, ...]
    paid: tuple[Payout, ...]


def evidence(desk: Desk, number: int) -> Evidence:
    """All that a resolved round was made of; InputError (code `not_resolved`) for one that still runs."""
    round = desk.round(number)
    with desk.store.reading() as work:
        progress = known(work.get(Progress, number), "round", number)
        if progress.stage is not Stage.RESOLVED:
            found, fix = f"it is {progress.stage}", f"wait until {round.resolve_time.isoformat()}"
            raise InputError(Problem("not_resolved", "a round that is resolved", found, fix, f"round {number}"))
        sent = tuple(work.find(Submission, round=number))
        risks = tuple(work.find(AtRisk, round=number))
        rules = rule_set(round.rule, desk.policies)
        events = _of_round(work.events(), number)
        return Evidence(
            round=round,
            universe=desk.files.read(names.universe_name(round)),
            features=desk.files.read(names.features_name(round)) if round.features else b"",
            submissions=sent,
            benchmarks=_benchmarks(work, sent),
            ranks={submission.predictions: desk.files.read(submission.predictions) for submission in sent},
            at_risk=risks,
            targets=_targets(desk, round),
            scores=_in_order(work, round, events),
            past=tuple(looked_back(work, round, rules.policy.window, (rules.corr, rules.mmc))),
            balances=touched(_balances_before(work, f"settle:{number}"), risks),
            payouts=tuple(work.find(Payout, round=number)),
            secret=bytes.fromhex(progress.revealed),
            beacon=bytes.fromhex(progress.beacon),
            events=events,
            version=version("crowdalpha"),
        )


def bundle(desk: Desk, number: int) -> bytes:
    """The proof of a round as a file."""
    return bundles.write(evidence(desk, number))


def bundle_for(desk: Desk, number: int, model: str) -> bytes:
    """A participant's share of a round as a file."""
    return shares.write(shares.share_of(evidence(desk, number), model, desk.policies))


def verify(desk: Desk, number: int) -> tuple[Problem, ...]:
    """All that differs when a round is recomputed from what is kept."""
    return verify_evidence(evidence(desk, number), desk.policies)


def rescore(desk: Desk, number: int, rule: str, ties: str, now: datetime) -> Rescored:
    """Score the final day of a round by another rule and keep the scores beside its own; no money moves."""
    found = evidence(desk, number)
    rules = rule_set(rule, desk.policies)
    other = replace(
        found.round,
        rule=rule,
        ties=ties,
        metrics=tuple(dict.fromkeys([*found.round.metrics, rules.corr, rules.mmc])),
    )
    day = final_day(other)
    with desk.store.reading() as work:
        inputs = replace(inputs_of(desk, work, found.round), round=other)
        past = looked_back(work, found.round, rules.policy.window, (rules.corr, rules.mmc))
    scored = score(desk, inputs, day, found.targets[day])
    scores = score_records(other, day, scored)
    risks = [_chosen(risk, rules.policy.choices) for risk in found.at_risk]
    settled = settle(other, risks, scored, past, other.resolve_time, balances=found.balances, custom=desk.policies)
    with desk.store.transaction() as work:
        kept = work.find(Score, round=number, rule_set=other.rule_set, day=day)
        if not kept:
            work.insert(*scores)
            said = {"round": number, "rule_set": other.rule_set, "scores": digest(scores)}
            work.append("round.rescored", said, now)
    return Rescored(other.rule_set, scores, settled.payouts, found.payouts)


def _chosen(risk: AtRisk, offered: tuple[tuple[float, float], ...]) -> AtRisk:
    """What was at risk, with the rule's default choice if it does not offer the one that was made."""
    if not offered or (risk.corr_multiplier, risk.mmc_multiplier) in offered:
        return risk
    return replace(risk, corr_multiplier=offered[0][0], mmc_multiplier=offered[0][1])


def _of_round(events: Sequence[Event], number: int) -> tuple[Event, ...]:
    """The piece of the log from the announcement of a round to the reveal of its secret."""
    log = list(events)
    first, last = (
        next(i for i, event in enumerate(log) if event.kind == kind and event.payload["round"] == number)
        for kind in ("round.scheduled", "secret.revealed")
    )
    return tuple(log[first : last + 1])


def _benchmarks(work: Reading, sent: Iterable[Submission]) -> tuple[str, ...]:
    """The benchmarks that took part."""
    present = {submission.model for submission in sent}
    return tuple(model.id for model in work.find(Model, benchmark=True) if model.id in present)


def _targets(desk: Desk, round: Round) -> dict[int, bytes]:
    """The targets that were scored against, by day."""
    last = final_day(round)
    found = {day: desk.target(round.number, None if day == last else day) for day in range(1, last + 1)}
    return {day: target for day, target in found.items() if target is not None}


def _in_order(work: Reading, round: Round, events: tuple[Event, ...]) -> tuple[Score, ...]:
    """The scores of a round in the order in which they were written down: by day, metric of the round, model."""
    order = {name: i for i, name in enumerate(round.metrics)}
    days = {
        event.payload["day"]
        for event in events
        if event.kind == "round.scored" and (event.payload["round"] == round.number)
    }
    kept = work.find(Score, round=round.number, rule_set=round.rule_set)
    return tuple(
        sorted(
            (score for score in kept if score.day in days),
            key=lambda s: (s.day, s.model == METAMODEL, order.get(s.metric, len(order)), s.model.encode()),
        )
    )


def _balances_before(work: Reading, entry: str) -> dict[str, int]:
    """What every account held before an entry was posted; what it holds now if it never was."""
    before: list[Entry] = []
    for posted in work.entries():
        if posted.id == entry:
            return ledger.balances(before)
        before.append(posted)
    return dict(work.balances())
