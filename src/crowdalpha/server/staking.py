"""Stakes: what a model's owner puts on it, changes, and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from crowdalpha.engine import Holding
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.office import Office, found, new_id, own_model
from crowdalpha.tournament.ledger import stake
from crowdalpha.tournament.money import format_amount, parse_amount
from crowdalpha.tournament.records import Model
from crowdalpha.tournament.stakes import StakeChange

KINDS = ("increase", "decrease", "drain")


@dataclass(frozen=True, slots=True)
class Stake:
    """A model's stake as its owner sees it: the money, and every change that was ever asked for, newest first."""

    holding: Holding
    changes: tuple[StakeChange, ...]

    @property
    def version(self) -> str:
        """What changes when anything of it does."""
        last = "".join(f"{change.id}{change.status}{change.amount}" for change in self.changes[:10])
        held = self.holding
        return f"{held.stake}.{held.release}.{held.reserve}.{len(self.changes)}.{last}"


class Staking:
    """Verbs about stakes."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def public(self, model: str) -> int:
        """What is staked on a model, in whole units: everybody may know."""
        with self._office.engine.store.reading() as work:
            found(work.get(Model, model), "model", model)
            return work.balance(stake(model))

    def of(self, who: Caller, model: str) -> Stake:
        """The stake of a model of the caller's."""
        who.require("read_user_info")
        return self._stake(who, model)

    def of_own(self, who: Caller, model: str) -> Stake:
        """The same for who may stake, as the answer to a change."""
        who.require("stake")
        return self._stake(who, model)

    def ask(self, who: Caller, model: str, kind: str, amount: str | None = None, *, id: str = "") -> StakeChange:
        """Ask for a change: increase or decrease by an amount in coins, or drain. The same id asks once."""
        who.require("stake")
        engine, id = self._office.engine, id or new_id()
        with engine.store.reading() as work:
            own_model(work, who, model)
            before = work.get(StakeChange, id)
        if before is not None and before.model != model:
            raise refusal("id_taken", what="stake change", id=id)
        if kind not in KINDS:
            raise InputError(Problem("bad_type", f"one of {', '.join(KINDS)}", repr(kind)[:60], "choose one", "type"))
        if kind == "drain":
            return engine.stake_drain(id, model, who.now)
        ask = engine.stake_increase if kind == "increase" else engine.stake_decrease
        return ask(id, model, parse_amount(amount or ""), who.now)

    def set(
        self, who: Caller, model: str, amount: str, *, version: str | None = None, id: str = ""
    ) -> StakeChange | None:
        """Ask for the change that makes the stake an amount in coins; None if it is that already.

        Counted from what it will be when all that is pending is effective. With `version`, only if nothing of the
        stake has changed since.
        """
        who.require("stake")
        now, wanted = self._stake(who, model), parse_amount(amount)
        if version is not None and version != now.version:
            raise refusal("changed_meanwhile")
        pending = [change for change in now.changes if change.status == "pending"]
        coming = now.holding.stake + sum(c.amount if c.kind == "increase" else -c.amount for c in pending)
        if wanted == coming:
            return None
        kind = "drain" if not wanted else "increase" if wanted > coming else "decrease"
        same = id or str(uuid5(NAMESPACE_URL, f"{model} {now.version}"))  # two that set at once: one is refused
        return self.ask(who, model, kind, format_amount(abs(wanted - coming)), id=same)

    def cancel(self, who: Caller, id: str, *, model: str | None = None) -> StakeChange:
        """Take back a change of the caller's that is pending; of that model only, if one is named."""
        who.require("stake")
        with self._office.engine.store.reading() as work:
            change = found(work.get(StakeChange, id), "stake change", id)
            owner = found(work.get(Model, change.model), "model", change.model).account
        if owner != who.account or model not in (None, change.model):
            raise refusal("unknown", what="stake change", id=id[:80])
        return self._office.engine.stake_cancel(id, who.now)

    def _stake(self, who: Caller, model: str) -> Stake:
        with self._office.engine.store.reading() as work:
            own_model(work, who, model)
            changes = work.find(StakeChange, model=model)
        held = self._office.engine.account(who.account).models
        holding = next(one for one in held if one.model.id == model)
        newest = sorted(changes, key=lambda change: (change.requested_at, change.id), reverse=True)
        return Stake(holding, tuple(newest))
