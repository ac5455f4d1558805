"""What happens when its time has come: rounds open, close, are scored and resolved.

Scoring is done before a transaction begins; the transaction looks again whether it is still wanted. So two engines on
one store do the same work twice at worst, and never post it twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from crowdalpha.engine import desk as names
from crowdalpha.engine.accounts import keep
from crowdalpha.engine.desk import Desk, known
from crowdalpha.engine.packs import drop, packed
from crowdalpha.engine.rounds import queued, record
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament import seeds, stakes
from crowdalpha.tournament.digests import digest, digest_of
from crowdalpha.tournament.evidence import features_of, numbers_of, settle, touched
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Action, Due, Round, advance, due_of_all, pending
from crowdalpha.tournament.rulesets import rule_set
from crowdalpha.tournament.scoringday import (
    Inputs,
    Scored,
    final_day,
    score_day,
    score_records,
    selected,
    time_of,
)
from crowdalpha.tournament.stakes import AtRisk, StakeChange
from crowdalpha.tournament.streaming import score_streamed, streams

DONE, WAITS = True, False
TURNS = (Action.OPEN, Action.CLOSE)
"""What rounds do in the order of their numbers."""


def tick(desk: Desk, now: datetime) -> list[str]:
    """Do everything that is due by `now`, in order; what was done, by the keys of the events.

    A round whose target or beacon has not arrived waits, and holds up no other. Nor does one that cannot be scored,
    say for a file that is lost: what is wrong with it is raised once all others have had their turn.
    """
    done: list[str] = []
    waiting: set[int] = set()
    broken: list[Exception] = []
    while event := _next_due(desk, now, waiting):
        try:
            performed = perform(desk, event)
        except (InputError, ValueError, KeyError) as error:  # its own evidence; what is wrong with a store stops us all
            if event.action in TURNS:
                raise
            broken.append(error)
            performed = WAITS
        if performed:
            done.append(event.key)
        else:
            waiting.add(event.round)
    if broken:
        raise broken[0]
    return done


def do(desk: Desk, number: int, action: Action, now: datetime) -> list[str]:
    """Do what is due in one round up to the next such action; what was done.

    Refused with codes `not_due` and `waits` if it cannot be done yet, and with `not_next` while an older round has yet
    to open or close: what was asked for after its close would be at risk in it.
    """
    round = desk.round(number)
    done: list[str] = []
    while True:
        with desk.store.reading() as work:
            progress = known(work.get(Progress, number), "round", number)
        event = next(iter(pending(round, progress.stage, progress.scored_days)), None)
        if event is None or event.time > now or (done and event.action is not action):
            break
        refuse_if_any(_before(desk, event))
        if not perform(desk, event):
            raise InputError(_waits(event))
        done.append(event.key)
        if event.action is action and action is not Action.SCORE:
            return done
    if not any(key.startswith(f"{action}:") for key in done):
        raise InputError(_not_due(round, action, event))
    return done


def perform(desk: Desk, event: Due) -> bool:
    """Do one event. WAITS if what it needs has not arrived."""
    round = desk.round(event.round)
    if event.action is Action.OPEN:
        return _open(desk, round, event)
    if event.action is Action.CLOSE:
        return _close(desk, round, event)
    return _score(desk, round, event)


def inputs_of(desk: Desk, work: Reading, round: Round) -> Inputs:
    """What the scores of a round are made of, as it is kept now."""
    progress = known(work.get(Progress, round.number), "round", round.number)
    secret = bytes.fromhex(progress.revealed) or desk.secret(round.number)
    seeds.check_reveal(round.commitment, secret)
    sent = work.find(Submission, round=round.number)
    features = (
        features_of(desk.files.read(names.features_name(round)), len(desk.universe(round)))
        if (round.features)
        else None
    )
    return Inputs(
        round,
        sent,
        {},
        work.find(AtRisk, round=round.number),
        seeds.round_seed(round.number, secret, bytes.fromhex(progress.beacon)),
        [model.id for model in work.find(Model, benchmark=True)],
        features,
    )


def score(desk: Desk, inputs: Inputs, day: int, target: bytes) -> Scored:
    """Score a day from the files of the round, or, if there are many, from their ranks in one."""
    chosen = selected(inputs.submissions, time_of(inputs.round, day))
    if desk.packs is not None and streams(inputs, chosen, len(desk.universe(inputs.round))):
        crowd = packed(desk, desk.packs, inputs.round, chosen)
        return score_streamed(inputs, chosen, day, numbers_of(target), crowd)
    ranks = {s.predictions: numbers_of(desk.files.read(s.predictions)) for s in chosen}
    return score_day(replace(inputs, ranks=ranks), day, numbers_of(target))


def looked_back(work: Reading, round: Round, window: int, metrics: Sequence[str]) -> list[Score]:
    """The final scores of the rounds that resolved before, as far back as a policy looks."""
    if window == 1:
        return []
    before = [other for other in work.find(Round) if other.resolve_time < round.resolve_time]
    newest = sorted(before, key=lambda other: other.resolve_time)[1 - window :]
    return [
        found
        for other in sorted(newest, key=lambda other: other.number)
        for name in dict.fromkeys(metrics)
        for found in finals_on_time(work, other, name)
    ]


def finals_on_time(work: Reading, round: Round, metric: str) -> list[Score]:
    """The final scores of who was on time, and of the metamodel: who was late may have known what came of the ids."""
    on_time = {s.model for s in work.find(Submission, round=round.number, status="on_time")} | {METAMODEL}
    found = work.find(Score, round=round.number, rule_set=round.rule_set, day=final_day(round), metric=metric)
    return [score for score in found if score.model in on_time]


def _next_due(desk: Desk, now: datetime, waiting: set[int]) -> Due | None:
    with desk.store.reading() as work:
        states = [(round, p.stage, p.scored_days) for round, p in desk.running(work) if round.number not in waiting]
    return next(iter(due_of_all(states, now)), None)


def _open(desk: Desk, round: Round, event: Due) -> bool:
    waited = queued(desk, round)
    with desk.store.transaction() as work:
        if _advance(work, round, event):
            for submission in waited:
                record(work, replace(submission, id=_free(work, submission.id)), desk)
    return DONE


def _free(work: Transaction, id: str) -> str:
    """An id for a submission that nobody has chosen for another: ids of participants may look like ours."""
    while work.get(Submission, id) is not None:
        id += "+"
    return id


def _close(desk: Desk, round: Round, event: Due) -> bool:
    with desk.store.transaction() as work:
        if _advance(work, round, event):
            _freeze(desk, work, round, event.time)
    return DONE


def _score(desk: Desk, round: Round, event: Due) -> bool:
    final = event.action is Action.RESOLVE
    day = final_day(round) if final else event.day
    target = desk.target(round.number, None if final else day)
    if target is None or _lacks_beacon(desk, round):
        return WAITS
    with desk.store.reading() as work:
        inputs = inputs_of(desk, work, round)
    scored = score(desk, inputs, day, target)
    with desk.store.transaction() as work:
        if _advance(work, round, event):
            records = score_records(round, day, scored)
            work.insert(*records)
            said: dict[str, Any] = {"target": sha256(target).hexdigest(), "scores": digest(records)}
            said |= {"benchmarks": sorted(set(inputs.benchmarks) & set(scored.models))}
            work.append("round.scored", {"round": round.number, "day": day} | said, event.time)
            if final:
                _resolve(desk, work, round, scored, event.time)
    if final and desk.packs is not None:
        drop(desk.packs, round)
    return DONE


def _lacks_beacon(desk: Desk, round: Round) -> bool:
    with desk.store.reading() as work:
        return bool(round.beacon) and not known(work.get(Progress, round.number), "round", round.number).beacon


def _advance(work: Transaction, round: Round, event: Due) -> bool:
    """Move the round on under its lock; False if somebody else has done so already."""
    now = known(work.get(Progress, round.number, lock=True), "round", round.number)
    try:
        stage, days = advance(round, now.stage, now.scored_days, event)
    except InputError:
        return False
    work.update(replace(now, stage=stage, scored_days=tuple(sorted(days))))
    work.append(f"round.{event.action}", {"round": round.number, "day": event.day}, event.time)
    return True


def _freeze(desk: Desk, work: Transaction, round: Round, at: datetime) -> None:
    """Pending stakes become effective, and what every model has at risk is written down."""
    for step in stakes.at_close(round.number, work.find(StakeChange, status="pending"), at, balances=work.balances()):
        work.update(step.change)
        keep(work, step, "stake.effective", at)
    offered = rule_set(round.rule, desk.policies).policy.choices
    choices = {model.id: _choice(model, offered) for model in work.find(Model) if not model.benchmark}
    on_time = {s.model for s in work.find(Submission, round=round.number, status="on_time")} & choices.keys()
    changes = work.find(StakeChange, status="effective")
    frozen = stakes.freeze(round.number, choices, on_time=on_time, changes=changes, balances=work.balances())
    work.insert(*frozen)
    work.append("stakes.frozen", {"round": round.number, "at_risk": digest(frozen)}, at)


def _choice(model: Model, offered: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The multipliers a model has chosen, or the rule's default if it chose none or none that the rule offers."""
    if model.corr_multiplier is not None and model.mmc_multiplier is not None:
        chosen = (model.corr_multiplier, model.mmc_multiplier)
        if chosen in offered or not offered:
            return chosen
    return offered[0] if offered else (1.0, 0.0)


def _resolve(desk: Desk, work: Transaction, round: Round, scored: Scored, at: datetime) -> None:
    """Settle the round, pay back what waited for it, and reveal its secret."""
    risks = work.find(AtRisk, round=round.number)
    rules = rule_set(round.rule, desk.policies)
    past = looked_back(work, round, rules.policy.window, (rules.corr, rules.mmc))
    before = touched(work.balances(), risks)
    settled = settle(round, risks, scored, past, at, balances=before, custom=desk.policies)
    if settled.entry is not None:
        work.post(settled.entry)
    work.insert(*settled.payouts)
    said = {"round": round.number, "payouts": digest(settled.payouts), "past": digest(past)}
    work.append("round.settled", said | {"balances": digest_of(before)}, at)
    _release(desk, work, at)
    secret = desk.secret(round.number)
    progress = known(work.get(Progress, round.number), "round", round.number)
    work.update(replace(progress, revealed=secret.hex()))
    work.append("secret.revealed", {"round": round.number, "secret": secret.hex()}, at)


def _release(desk: Desk, work: Transaction, at: datetime) -> None:
    resolved = stakes.resolved_up_to(desk.unresolved(work))
    changes = [change for status in ("pending", "effective") for change in work.find(StakeChange, status=status)]
    owners = {model.id: model.account for model in work.find(Model)}
    for step in stakes.at_resolution(resolved, changes, at, accounts=owners, balances=work.balances()):
        work.update(step.change)
        keep(work, step, "stake.released", at)


def _before(desk: Desk, event: Due) -> Iterator[Problem]:
    """The first thing that older rounds have yet to do before this one opens or closes."""
    with desk.store.reading() as work:
        older = [(r, p.stage, p.scored_days) for r, p in desk.running(work) if r.number < event.round]
    turns = [due.key for due in due_of_all(older, event.time) if due.action in TURNS]
    if event.action in TURNS and turns:
        fix = "do what is due in the order of the rounds, as `crowdalpha tick` does"
        yield Problem("not_next", f"{turns[0]} first", event.key, fix, f"round {event.round}")


def _waits(event: Due) -> Problem:
    fix = "hand in the target, and the beacon if the round names one"
    return Problem("waits", "what the scores need", "a target or a beacon that has not arrived", fix, event.key)


def _not_due(round: Round, action: Action, event: Due | None) -> Problem:
    found = "the round is over" if event is None else f"next is {event.key} at {event.time.isoformat()}"
    where, fix = f"round {round.number}", "wait for it; times are fixed when a round is announced"
    return Problem("not_due", f"a time to {action}", found, fix, where)
