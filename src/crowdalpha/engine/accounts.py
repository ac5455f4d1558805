"""Who plays, with what: accounts, models, wallets and stakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from crowdalpha.engine.desk import Desk, known, require_id, same, taken
from crowdalpha.payouts import POLICIES
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament import ledger, stakes
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.money import format_amount
from crowdalpha.tournament.ports import Reading, TakenError, Transaction
from crowdalpha.tournament.records import METAMODEL, Account, Model
from crowdalpha.tournament.stakes import AtRisk, StakeChange, Step


@dataclass(frozen=True, slots=True)
class Holding:
    """A model and its money, in whole units: staked, in release, reserved for pending increases, at risk now."""

    model: Model
    stake: int
    release: int
    reserve: int
    at_risk: int


@dataclass(frozen=True, slots=True)
class Statement:
    """An account as it stands: its wallet, its models, the changes of stakes that wait, and every entry of its own."""

    account: Account
    wallet: int
    models: tuple[Holding, ...]
    pending: tuple[StakeChange, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a list: its wallet, in whole units, and its models, by their ids."""

    account: Account
    wallet: int
    models: tuple[Holding, ...]


MOST = 100.0
"""The largest multiplier, either sign, where a policy leaves the choice free."""


def open_account(desk: Desk, id: str, name: str, now: datetime) -> Account:
    """A new account, with an empty wallet."""
    require_id("account", id)
    account = Account(id, name, now)
    with desk.store.transaction() as work:
        before = work.get(Account, id)
        if before is not None:
            return same(before, account, "created_at")
        work.insert(account)
        work.append("account.opened", {"account": id, "name": name}, now)
    return account


def add_model(desk: Desk, model: Model, now: datetime) -> Model:
    """A new model of an account."""
    require_id("model", model.id)
    if model.id == METAMODEL:
        found, fix = repr(model.id), "choose another"
        raise InputError(Problem("reserved_id", "an id that is not the metamodel's own", found, fix, "model"))
    _require_offered(desk, (model.corr_multiplier, model.mmc_multiplier))
    with desk.store.transaction() as work:
        known(work.get(Account, model.account), "account", model.account)
        before = work.get(Model, model.id)
        if before is not None:
            return same(before, model, "created_at", "corr_multiplier", "mmc_multiplier")
        work.insert(model)
        said = {"model": model.id, "account": model.account, "name": model.name, "benchmark": model.benchmark}
        work.append("model.added", said, now)
    return model


def choose(desk: Desk, model: str, choice: tuple[float, float] | None, now: datetime) -> Model:
    """Change the payout a model has chosen, from the next close on."""
    _require_offered(desk, choice or (None, None))
    with desk.store.transaction() as work:
        chosen = replace(
            known(work.get(Model, model, lock=True), "model", model),
            corr_multiplier=choice and choice[0],
            mmc_multiplier=choice and choice[1],
        )
        work.update(chosen)
        said = {"model": model, "choice": "default" if choice is None else f"{choice[0]:g} {choice[1]:g}"}
        work.append("model.chose", said, now)
    return chosen


def _require_offered(desk: Desk, choice: tuple[float | None, float | None]) -> None:
    """Refuse multipliers that no rule offers: rounds would pay the default instead, and nobody would be told."""
    policies = [*desk.policies.values(), *(each.policy for each in POLICIES.values() if each.policy.choices)]
    free = any(not policy.choices for policy in policies) and max(abs(part or 0) for part in choice) <= MOST
    if choice == (None, None) or free or any(choice in policy.choices for policy in policies):
        return
    offered = sorted({pair for policy in policies for pair in policy.choices})
    expected, found = ", ".join(map(_said, offered)), _said(choice)
    raise InputError(Problem("choice_not_offered", f"one of {expected}", found, "see `crowdalpha rules`", "payout"))


def _said(choice: tuple[float | None, float | None]) -> str:
    return " ".join("none" if part is None else f"{part:g}" for part in choice)


def move(desk: Desk, entry: Entry, what: str, key: str, now: datetime) -> bool:
    """Post a deposit or a withdrawal; False if it was posted before."""
    require_id("key", key)
    try:
        with desk.store.transaction() as work:
            done = work.post(entry)
            refuse_if_any(_too_much(-work.balance(ledger.EXTERNAL)))
            if done:
                said = {"key": key, "entry": entry.id, "postings": {p.account: str(p.amount) for p in entry.postings}}
                work.append(what, said, now)
            return done
    except TakenError:
        with desk.store.reading() as look:
            kept = next(e for p in entry.postings for e in look.entries(p.account) if e.id == entry.id)
        if kept.postings == entry.postings:  # asked again later: it is done
            return False
        raise InputError(taken(entry.kind, key, "one that moved something else")) from None


def _too_much(paid_in: int) -> list[Problem]:
    """More money in play than stakes can be scored with."""
    if paid_in <= ledger.ALL_MONEY:
        return []
    expected, found = f"at most {format_amount(ledger.ALL_MONEY)} in all", format_amount(paid_in)
    return [Problem("balance_too_large", expected, found, "pay in less", "all that was paid in")]


def change_stake(desk: Desk, ask: Callable[..., Step], id: str, model: str, now: datetime, *amount: int) -> StakeChange:
    """Ask for a change of a model's stake; the same id again is the same change."""
    require_id("stake change", id)
    with desk.store.transaction() as work:
        owner = known(work.get(Model, model), "model", model)
        before = work.get(StakeChange, id)
        if before is not None:
            return _repeated(before, model, ask.__name__, *amount)
        if owner.benchmark:
            found, fix = "a benchmark", "stake on a model that plays"
            raise InputError(Problem("benchmark_staked", "a model that is no benchmark", found, fix, f"model {model}"))
        rounds, balances = desk.unresolved(work), _balances_of(work, owner)
        asked = max([now, *desk.opened(work)])  # a clock that was put back does not lead out of a round
        step = ask(id, model, *amount, asked, account=owner.account, unresolved=rounds, balances=balances)
        work.insert(step.change)
        return keep(work, step, f"stake.{step.change.kind}", now)


def cancel_stake(desk: Desk, id: str, now: datetime) -> StakeChange:
    """Take a pending change back; again is the same as once."""
    with desk.store.transaction() as work:
        change = known(work.get(StakeChange, id, lock=True), "stake change", id)
        if change.status == "cancelled":
            return change
        owner = known(work.get(Model, change.model), "model", change.model).account
        step = stakes.cancel(change, now, account=owner, unresolved=desk.unresolved(work))
        work.update(step.change)
        return keep(work, step, "stake.cancelled", now)


def keep(work: Transaction, step: Step, what: str, at: datetime) -> StakeChange:
    """Move the money of a step and write down that it happened. The change itself is the caller's to keep."""
    if step.entry is not None:
        work.post(step.entry)
    change = step.change
    said = {"change": change.id, "model": change.model, "kind": change.kind, "amount": str(change.amount)}
    work.append(what, said, at)
    return change


def statement(desk: Desk, id: str) -> Statement:
    """An account as it stands at this moment."""
    with desk.store.reading() as work:
        account = known(work.get(Account, id), "account", id)
        models = work.find(Model, account=id)
        own = [ledger.wallet(id), *(of(model.id) for model in models for of in OWN)]
        entries = {entry.id: entry for name in own for entry in work.entries(name)}
        pending = [c for model in models for c in work.find(StakeChange, model=model.id) if c.status == "pending"]
        return Statement(
            account,
            work.balance(ledger.wallet(id)),
            tuple(_holding(desk, work, model) for model in models),
            tuple(sorted(pending, key=lambda change: (change.requested_at, change.id))),
            tuple(sorted(entries.values(), key=lambda entry: (entry.at, entry.id))),
        )


def members(desk: Desk) -> list[Member]:
    """All accounts as they stand, by their ids."""
    with desk.store.reading() as work:
        models: dict[str, list[Model]] = {}
        for model in work.find(Model):
            models.setdefault(model.account, []).append(model)
        return [
            Member(
                account,
                work.balance(ledger.wallet(account.id)),
                tuple(_holding(desk, work, model) for model in models.get(account.id, ())),
            )
            for account in work.find(Account)
        ]


def called(desk: Desk, kind: type[Account] | type[Model], word: str) -> str:
    """The id of the account or the model with that id or, if none has it, that name in any case.

    What nobody has comes back as it is, for others to refuse; what several are called is refused (`name_shared`).
    """
    with desk.store.reading() as work:
        if work.get(kind, word) is not None:
            return word
        found = [one.id for one in work.find(kind) if one.name.casefold() == word.casefold()]
    if len(found) > 1:
        what, fix = kind.__name__.lower(), f"name it by its id: {', '.join(found[:3])}"
        raise InputError(Problem("name_shared", f"an {what} of that name, and no other", str(len(found)), fix, word))
    return found[0] if found else word


def names(desk: Desk) -> dict[str, str]:
    """What every account and every model is called, by their ids."""
    with desk.store.reading() as work:
        everybody: list[Account | Model] = [*work.find(Account), *work.find(Model)]
        return {each.id: each.name for each in everybody}


OWN = (ledger.stake, ledger.release, ledger.reserve)


def _holding(desk: Desk, work: Reading, model: Model) -> Holding:
    stake, release, reserve = (work.balance(of(model.id)) for of in OWN)
    risks = [work.get(AtRisk, round.number, model.id) for round in desk.unresolved(work)]
    return Holding(model, stake, release, reserve, max((risk.amount for risk in risks if risk), default=0))


def _balances_of(work: Reading, model: Model) -> dict[str, int]:
    """What a change of this model's stake can look at."""
    names = [ledger.wallet(model.account), *(of(model.id) for of in OWN)]
    return {name: work.balance(name) for name in names}


def _repeated(before: StakeChange, model: str, kind: str, amount: int = 0) -> StakeChange:
    """The change that was asked for under this id before, if it is the one that is asked for now.

    Of a decrease only the model is compared: more than is staked has become a drain, and burns may have shrunk it.
    """
    other = before.model != model or (before.kind == "increase") != (kind == "increase")
    if other or (kind == "increase" and before.amount != amount):
        raise InputError(taken("stake change", before.id, f"a {before.kind} of {before.model}"))
    return before
