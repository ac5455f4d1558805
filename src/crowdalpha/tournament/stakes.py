"""Stakes: asked for at any time, effective when a round closes, paid back when the rounds they are at risk in are over.

    increase    wallet -> reserve when asked for, reserve -> stake at the next close
    decrease    stake -> release at the next close, release -> wallet once the last round that was open or scoring
                when it was asked for has resolved; if there was none, stake -> wallet at once
    drain       a decrease by all that is staked when it becomes effective

Increases are reserved in an account of their own, so that no wallet is spent twice: the ledger itself refuses it. A
change can be cancelled while it is pending. What is in release still burns; then the decrease that leaves first gets
less, so that what is at risk the longest stays covered. After every resolution a model's release is to the unit what
its effective decreases say. Rounds open and close in the order of their numbers; they resolve in any order, for one
whose target is late is settled late, and who was at risk in it waits for it.

Wherever rounds are asked for as `unresolved`, these are all rounds that have not been resolved yet, scheduled ones
included: a round that is late counts as running, so that nobody leaves between its time and its settlement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament import ledger
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.money import LARGEST, format_amount, positive_problems
from crowdalpha.tournament.rounds import Round

Kind = Literal["increase", "decrease", "drain"]
Status = Literal["pending", "effective", "cancelled", "released"]
Balances = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StakeChange:
    """A change of a model's stake.

    `amount` is what was asked for while the change is pending, and what there is of it once it is not: burns may come
    in between. It becomes effective when `effective_round` closes. A decrease is paid back when `release_round`
    resolves (None: it waits for no round).
    """

    id: str
    model: str
    kind: Kind
    amount: int
    requested_at: datetime
    effective_round: int
    status: Status = "pending"
    release_round: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A change as it is now, and the entry that moved its money (None if there was nothing to move)."""

    change: StakeChange
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """What a model stands to burn in a round, in whole units, and the payout it chose: frozen when the round closes."""

    round: int
    model: str
    amount: int
    corr_multiplier: float
    mmc_multiplier: float


def effective_round(unresolved: Iterable[Round], at: datetime) -> int:
    """The round that a change asked for at `at` becomes effective in: the first to close after it.

    If none of the rounds known so far does, it is the number after the last of them.
    """
    closes = {round.number: round.close_time for round in unresolved}
    return min((number for number, close in closes.items() if close > at), default=max(closes, default=0) + 1)


def release_round(unresolved: Iterable[Round], at: datetime) -> int | None:
    """The round whose resolution pays back a decrease asked for at `at`: the last one open or scoring then."""
    return max((round.number for round in unresolved if round.open_time <= at), default=None)


def increase(
    id: str, model: str, amount: int, at: datetime, *, account: str, unresolved: Iterable[Round], balances: Balances
) -> Step:
    """Reserve an amount of the account's wallet, to be staked on the model from the next close on.

    Refused with code `overdrawn` if the wallet holds less.
    """
    where, held = f"stake of {model}", balances.get(ledger.wallet(account), 0)
    refuse_if_any(positive_problems(amount, where))
    if held < amount:
        needed = f"at least {format_amount(amount)} in the wallet"
        raise InputError(Problem("overdrawn", needed, format_amount(held), "stake less, or pay in first", where))
    change = StakeChange(id, model, "increase", amount, at, effective_round(unresolved, at))
    return Step(change, _moved(change, "reserve", at, ledger.wallet(account), ledger.reserve(model)))


def decrease(
    id: str, model: str, amount: int, at: datetime, *, account: str, unresolved: Iterable[Round], balances: Balances
) -> Step:
    """Ask for a part of a model's stake back; more than is staked is a drain.

    Refused with code `nothing_staked` if the model has no stake.
    """
    staked, rounds = balances.get(ledger.stake(model), 0), tuple(unresolved)
    refuse_if_any([*positive_problems(amount, f"stake of {model}"), *_unstaked(model, staked)])
    kind: Kind = "drain" if amount > staked else "decrease"
    return _leave(StakeChange(id, model, kind, min(amount, staked), at, effective_round(rounds, at)), account, rounds)


def drain(id: str, model: str, at: datetime, *, account: str, unresolved: Iterable[Round], balances: Balances) -> Step:
    """Ask for all of a model's stake back. What earlier rounds pay out once it is effective stays staked."""
    staked, rounds = balances.get(ledger.stake(model), 0), tuple(unresolved)
    refuse_if_any(_unstaked(model, staked))
    return _leave(StakeChange(id, model, "drain", staked, at, effective_round(rounds, at)), account, rounds)


def cancel(change: StakeChange, at: datetime, *, account: str, unresolved: Iterable[Round] = ()) -> Step:
    """Take a pending change back.

    Refused with code `not_pending` once it is effective, or, if `unresolved` rounds are given, as soon as the close it
    waits for is due, however late that is done.
    """
    closed = [round.number for round in unresolved if change.requested_at < round.close_time <= at]
    if change.status != "pending" or closed:
        found = f"round {closed[0]} closed" if change.status == "pending" else change.status
        where, fix = f"stake change {change.id}", "ask for another change"
        raise InputError(Problem("not_pending", "a pending change", found, fix, where))
    cancelled = replace(change, status="cancelled")
    if change.kind != "increase":
        return Step(cancelled, None)
    return Step(cancelled, _moved(cancelled, "cancel", at, ledger.reserve(change.model), ledger.wallet(account)))


def at_close(round: int, changes: Iterable[StakeChange], at: datetime, *, balances: Balances) -> tuple[Step, ...]:
    """What a closing round does to stakes before they are frozen: pending changes become effective.

    They do so in the order they were asked for; a decrease moves no more than burns have left, a drain all that is
    staked. Changes that are not due, or were asked for only at `at` or later, are left out: a second call with what
    the first one made of them does nothing.
    """
    asked = [change for change in changes if change.status == "pending" and change.requested_at < at]
    due = [change for change in asked if change.effective_round <= round]
    return tuple(_into_effect(sorted(due, key=_asked), at, dict(balances)))


def resolved_up_to(unresolved: Iterable[Round]) -> int:
    """The number up to which all rounds have resolved."""
    return min((round.number for round in unresolved), default=LARGEST) - 1


def at_resolution(
    resolved: int, changes: Iterable[StakeChange], at: datetime, *, accounts: Mapping[str, str], balances: Balances
) -> tuple[Step, ...]:
    """What a resolved round does to stakes after it is settled: decreases that waited for it are paid back.

    `resolved` is the number up to which all rounds have resolved now: while an older one is late, nobody leaves who was
    at risk in it. `changes` are all that are pending or effective (others are left out), `accounts` names each model's
    account, `balances` are those after the settlement. First what the round burned of a release is taken off its
    decreases; then those still pending, because no round has closed since they were asked for, become effective.
    """
    known = {change.id: change for change in sorted(changes, key=_asked)}
    steps = list(_after_burns(known.values(), balances))
    known |= {step.change.id: step.change for step in steps}
    due = {id: change for id, change in known.items() if 0 < (change.release_round or 0) <= resolved}
    pending = [change for change in due.values() if change.status == "pending"]
    steps += (entered := list(_into_effect(pending, at, dict(balances))))
    due |= {step.change.id: step.change for step in entered}
    return (*steps, *(_paid_back(change, at, accounts) for change in due.values() if change.status == "effective"))


def freeze(
    round: int,
    choices: Mapping[str, tuple[float, float]],
    *,
    on_time: Collection[str],
    changes: Iterable[StakeChange],
    balances: Balances,
) -> tuple[AtRisk, ...]:
    """What every model has at risk in a round that closes, once `at_close` is done: a record a model, sorted.

        stake + what is in release until this round, or a later one, has resolved

    `choices` holds the (CORR multiplier, MMC multiplier) of every model of the tournament, `on_time` the models with
    a valid submission; the others have 0 at risk. A release in progress still burns in all rounds that were open or
    scoring when it was asked for. In later rounds it is not at risk: it will be gone when they burn, and a stake that
    can only earn is no stake.
    """
    amounts = Counter({model: balances.get(ledger.stake(model), 0) for model in choices})
    for change in changes:
        if change.status == "effective" and (change.release_round or 0) >= round:
            amounts[change.model] += change.amount
    return tuple(
        AtRisk(round, model, amounts[model] if model in on_time else 0, *choices[model]) for model in sorted(choices)
    )


def _leave(asked: StakeChange, account: str, rounds: tuple[Round, ...]) -> Step:
    """A decrease that waits for the running rounds, or one that is paid at once because there are none."""
    running = release_round(rounds, asked.requested_at)
    if running is not None:
        return Step(replace(asked, release_round=running), None)
    paid = replace(asked, status="released")
    return Step(paid, _moved(paid, "release", asked.requested_at, ledger.stake(asked.model), ledger.wallet(account)))


def _into_effect(pending: Iterable[StakeChange], at: datetime, now: dict[str, int]) -> Iterator[Step]:
    """Each change made effective, seeing what those before it have moved."""
    for change in pending:
        stake = ledger.stake(change.model)
        amount, source, target = change.amount, ledger.reserve(change.model), stake
        if change.kind != "increase":
            held = now.get(stake, 0)
            amount = held if change.kind == "drain" else min(amount, held)
            source, target = stake, ledger.release(change.model)
        effective = replace(change, status="effective", amount=amount)
        entry = _moved(effective, "stake", at, source, target)
        now.update(ledger.changed(now, entry) if entry else {})
        yield Step(effective, entry)


def _after_burns(changes: Iterable[StakeChange], balances: Balances) -> Iterator[Step]:
    """The decreases in release that have shrunk, so that together they are what their release still holds."""
    releases = [change for change in changes if change.status == "effective" and change.release_round]
    burned = Counter[str]()
    for change in releases:
        burned[change.model] += change.amount
    for model in burned:
        burned[model] -= balances.get(ledger.release(model), 0)
    for change in releases:
        lost = min(change.amount, burned[change.model])
        burned[change.model] -= lost
        if lost:
            yield Step(replace(change, amount=change.amount - lost), None)


def _paid_back(change: StakeChange, at: datetime, accounts: Mapping[str, str]) -> Step:
    source, target = ledger.release(change.model), ledger.wallet(accounts[change.model])
    return Step(replace(change, status="released"), _moved(change, "release", at, source, target))


def _asked(change: StakeChange) -> tuple[datetime, str]:
    return change.requested_at, change.id


def _moved(change: StakeChange, kind: str, at: datetime, source: str, target: str) -> Entry | None:
    """The entry `KIND:CHANGE` over the change's amount, or None if that is 0."""
    if not change.amount:
        return None
    return ledger.transfer(f"{kind}:{change.id}", kind, at, change.amount, source=source, target=target)


def _unstaked(model: str, staked: int) -> Iterator[Problem]:
    if not staked:
        fix = "cancel the increase if one is pending"
        yield Problem("nothing_staked", "a model with a stake", "0", fix, f"stake of {model}")
