"""Rounds and what is handed in for them: announcements, targets, beacons, submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

import numpy as np

from crowdalpha.engine import desk as names
from crowdalpha.engine.desk import Desk, begun, known, require_id, same
from crowdalpha.payouts import require_fair
from crowdalpha.payouts import rules as dated_rules
from crowdalpha.scoring.arrays import Floats
from crowdalpha.scoring.metrics import Era, evaluate, metric
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament import seeds
from crowdalpha.tournament.digests import digest
from crowdalpha.tournament.evidence import features_bytes, universe_of
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import rule_set
from crowdalpha.tournament.scoringday import final_day, possible
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

DATED = frozenset(rule.name for rule in dated_rules())
"""The rules that have been in force: the fairness gate is for all others."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A round as it stands: what is at risk, who sent something in, what the crowd scored and what was paid.

    Amounts are whole units; `paid` and `burned` are sums over models, both 0 or more. `crowd` is the metamodel's own
    final score in each metric that it has.
    """

    round: Round
    stage: Stage
    scored_days: tuple[int, ...]
    on_time: int
    late: int
    at_risk: int
    paid: int
    burned: int
    crowd: Mapping[str, float]


def schedule(
    desk: Desk, round: Round, universe: Sequence[str], now: datetime, features: Mapping[str, Sequence[float]] | None
) -> Round:
    """Announce a round, its ids and features; its commitment is published with it, before it opens."""
    refuse_if_any(_problems(desk, round, universe))
    rules = rule_set(round.rule, desk.policies)
    if round.rule not in DATED:
        require_fair(rules.policy)
    announced = replace(
        round,
        universe=_kept(desk, "universe", universe_of(universe)),
        features=_kept(desk, "features", _in_order(universe, features)) if features else "",
        commitment=seeds.commitment(desk.secret(round.number)),
        metrics=tuple(dict.fromkeys([*round.metrics, rules.corr, rules.mmc])),
    )
    with desk.store.transaction() as work:
        before = work.get(Round, round.number)
        if before is not None:
            return same(before, announced)
        refuse_if_any([*_too_late(announced, now), *_out_of_order(announced, desk.unresolved(work))])
        work.insert(announced, Progress(round.number, Stage.SCHEDULED))
        said = {"round": round.number, "commitment": announced.commitment, "universe": announced.universe}
        work.append("round.scheduled", said | {"record": digest([announced])}, now)
    return announced


def set_target(desk: Desk, number: int, day: int | None, target: Mapping[str, float]) -> None:
    """Hand in the target of a scoring day, or the final one (None): a number for every id of the universe."""
    round = desk.round(number)
    if day is not None and not 1 <= day <= len(round.scoring_times):
        fix = "name one of its scoring days, or none for the final target"
        n_days = str(len(round.scoring_times))
        raise InputError(Problem("unknown_day", f"one of {n_days} scoring days", str(day), fix, f"round {number}"))
    ids = desk.universe(round)
    missing = [id for id in ids if id not in target or not np.isfinite(target[id])]
    if missing:
        found = f"none for {len(missing)} ids, first {missing[0]!r}"
        raise InputError(Problem("target_incomplete", "a number for every id of the round", found, "complete it"))
    column = np.array([target[id] for id in ids], "<f8")
    values = column.tobytes()
    kept = desk.target(number, day)
    if kept is not None and kept != values:
        where, fix = f"round {number}", "what was handed in stays; score another round"
        raise InputError(Problem("target_changed", "the target that was handed in", "another", fix, where))
    _require_scorable(round, column)
    desk.files.write(names.target_name(number, day), values)


def _require_scorable(round: Round, target: Floats) -> None:
    """Refuse a target that no model can be scored against, while another can still be handed in in its place."""
    alone = np.arange(len(target), dtype=float)[:, np.newaxis]
    era = Era(alone, target, np.ones(1, np.int64), features=alone, benchmarks=alone[::-1], ties=round.ties)
    evaluate([name for name in round.metrics if possible(name, True, alone, alone)], era)


def set_beacon(desk: Desk, number: int, value_number: int, value: bytes, now: datetime) -> None:
    """Hand in the public randomness that a round waits for: the first value after its close, and no other."""
    with desk.store.transaction() as work:
        round = known(work.get(Round, number), "round", number)
        progress = known(work.get(Progress, number, lock=True), "round", number)
        if not round.beacon:
            fix = "name one when the round is scheduled"
            raise InputError(Problem("no_beacon", "a round that waits for a beacon", f"round {number}", fix))
        seeds.BEACONS[round.beacon].check(value_number, round.close_time)
        if len(value) != seeds.BEACON_BYTES:
            expected, found = f"{seeds.BEACON_BYTES} bytes", f"{len(value)} bytes"
            raise InputError(Problem("bad_beacon", expected, found, "hand in the whole value", f"round {number}"))
        if progress.beacon and progress.beacon != value.hex():
            raise InputError(Problem("beacon_changed", "the value that was handed in", "another", "keep the first"))
        if not progress.beacon:
            work.update(replace(progress, beacon=value.hex()))
            work.append("beacon.seen", {"round": number, "number": value_number, "value": value.hex()}, now)


def submit(desk: Desk, id: str, model: str, content: bytes, now: datetime) -> Submission:
    """Take a submission for the round that is open, or late for the one that closed last; returns the receipt."""
    require_id("submission", id)
    file = sha256(content).hexdigest()
    with desk.store.reading() as work:
        before = work.get(Submission, id)
    if before is not None:  # whoever asks again may do so long after the round is over
        return same(before, replace(before, model=model, content_hash=file))
    round = _current(desk, now)
    n_ids = _accepted(desk, round, content)
    with desk.store.transaction() as work:
        known(work.get(Model, model), "model", model)
        stage = known(work.get(Progress, round.number, lock=True), "round", round.number).stage
        if stage is Stage.RESOLVED:
            raise InputError(_no_round())
        on_time = stage in (Stage.SCHEDULED, Stage.OPEN) and round.accepts(now)
        kept = names.ranks_name(round, file)
        sent = Submission(id, round.number, model, now, "on_time" if on_time else "late", file, kept, n_ids)
        before = work.get(Submission, id)
        if before is not None:
            return same(before, sent, "round", "received_at", "status", "predictions", "n_ids")
        record(work, sent, desk)
    return sent


def queued(desk: Desk, round: Round) -> list[Submission]:
    """What came too late for the round before and counts for this one: the last of each model, if it fits its ids."""
    with desk.store.reading() as work:
        earlier = [other for other in work.find(Round) if other.open_time < round.open_time]
        before = max(earlier, key=lambda other: other.open_time, default=round)
        late = work.find(Submission, round=before.number, status="late")
    in_order = sorted(late, key=lambda s: (s.received_at, s.id))
    waiting = {s.model: s for s in in_order if s.received_at <= round.open_time}
    found = []
    for submission in waiting.values():
        try:
            n_ids = _accepted(desk, round, desk.files.read(names.upload_name(submission.content_hash)))
        except InputError:
            continue  # it was for other ids; its owner has the receipt of the round that it was late for
        id, kept = f"{submission.id}:{round.number}", names.ranks_name(round, submission.content_hash)
        found.append(
            replace(
                submission,
                id=id,
                round=round.number,
                received_at=round.open_time,
                status="on_time",
                predictions=kept,
                n_ids=n_ids,
            )
        )
    return found


def record(work: Transaction, submission: Submission, desk: Desk) -> None:
    """Keep a submission and say so in the log."""
    work.insert(submission)
    ranks = sha256(desk.files.read(submission.predictions)).hexdigest()
    said = {"submission": submission.id, "round": submission.round, "model": submission.model}
    said |= {"file": submission.content_hash, "ranks": ranks}
    work.append(f"submission.{submission.status}", said, submission.received_at)


def overview(work: Reading, round: Round) -> Overview:
    """A round as it stands."""
    progress = known(work.get(Progress, round.number), "round", round.number)
    sent = work.find(Submission, round=round.number)
    on_time = {s.model for s in sent if s.status == "on_time"}
    paid = [payout.paid for payout in work.find(Payout, round=round.number)]
    final = work.find(Score, round=round.number, rule_set=round.rule_set, day=final_day(round), model=METAMODEL)
    return Overview(
        round,
        progress.stage,
        progress.scored_days,
        len(on_time),
        len({s.model for s in sent} - on_time),
        sum(risk.amount for risk in work.find(AtRisk, round=round.number)),
        sum(amount for amount in paid if amount > 0),
        -sum(amount for amount in paid if amount < 0),
        {score.metric: score.value for score in final},
    )


def _current(desk: Desk, now: datetime) -> Round:
    """The round that a submission is for: the one that accepts it, or the last one that has opened."""
    with desk.store.reading() as work:
        started = begun([round for round, _ in desk.running(work)], now)
    accepting = [round for round in started if round.accepts(now)]
    if not started:
        raise InputError(_no_round())
    return max(accepting or started, key=lambda round: round.number)


def _no_round() -> Problem:
    return Problem("invalid_submission_round", "a round that is open", "none", "wait for a round to open")


def _accepted(desk: Desk, round: Round, content: bytes) -> int:
    """Keep an upload and its ranks among the ids of a round; how many ids it has. Refused with all that is wrong."""
    verdict = desk.judge(content, desk.universe(round), desk.rules)
    refuse_if_any(verdict.faults)
    file = desk.files.write(names.upload_name(sha256(content).hexdigest()), content)
    desk.files.write(names.ranks_name(round, file), verdict.ranks().astype("<f8").tobytes())
    return verdict.n_ids


def _kept(desk: Desk, folder: str, content: bytes) -> str:
    """The hash under which a file is kept."""
    return desk.files.write(f"{folder}/{sha256(content).hexdigest()}", content)


def _in_order(universe: Sequence[str], features: Mapping[str, Sequence[float]]) -> bytes:
    """Features whose rows stand in the order of the given ids, as bytes in the order that ids are kept in."""
    order = np.argsort(np.array([id.encode() for id in universe], object), kind="stable")
    return features_bytes({name: np.asarray(column)[order].tolist() for name, column in features.items()})


def _out_of_order(round: Round, others: Sequence[Round]) -> list[Problem]:
    """Rounds open and close in the order of their numbers: so it is plain which one a stake waits for."""
    rows = sorted([*others, round], key=lambda row: row.number)
    found = []
    for before, after in pairwise(rows):
        if round in (before, after) and (before.open_time > after.open_time or before.close_time > after.close_time):
            expected = f"round {before.number} to open and close no later than round {after.number}"
            fix = "number rounds in the order of their times"
            found.append(Problem("rounds_out_of_order", expected, "the opposite", fix, f"round {round.number}"))
    return found


def _too_late(round: Round, now: datetime) -> list[Problem]:
    """A round is announced before it opens: its commitment binds nobody who has seen what was handed in."""
    if now <= round.open_time:
        return []
    expected, found = f"an announcement by {round.open_time.isoformat()}, when it opens", f"one at {now.isoformat()}"
    return [Problem("announced_late", expected, found, "let it open later", f"round {round.number}")]


def _problems(desk: Desk, round: Round, universe: Sequence[str]) -> list[Problem]:
    found = [Problem("id_twice", "each id once", "one twice", "drop it", "universe")] * (
        len(set(universe)) < len(universe)
    )
    if len(universe) < 2:
        found.append(Problem("too_few_ids", "2 ids or more", str(len(universe)), "name the ids asked for", "universe"))
    if round.beacon and round.beacon not in seeds.BEACONS:
        expected = f"one of {', '.join(seeds.BEACONS)}, or none"
        found.append(Problem("unknown_beacon", expected, repr(round.beacon), "choose one of them", "beacon"))
    for name in round.metrics:
        metric(name)
    return found
