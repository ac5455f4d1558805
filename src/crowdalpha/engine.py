"""The tournament at work: it takes submissions and stakes, and does what is due, when it is due.

It knows stores only by their Protocols, asks no clock, and draws no random number: `now` and the master secret come
from outside. What takes long (reading an upload, scoring a crowd) is done before a transaction begins; a transaction
looks again whether it is still wanted, so that two engines on one store do the same work twice at worst, and never
post it twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdalpha.payouts import POLICIES, rules
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament import ledger, seeds, settlement, stakes
from crowdalpha.tournament.digests import digest
from crowdalpha.tournament.ports import PredictionStore, TournamentStore, Transaction
from crowdalpha.tournament.records import Account, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Action, Due, Round, Stage, advance, due_of_all
from crowdalpha.tournament.scoringday import Scored, score_crowd
from crowdalpha.tournament.stakes import AtRisk, StakeChange, Step
from crowdalpha.tournament.submissions import CLASSIC, SubmissionRules, Verdict

Floats = NDArray[np.float64]
Judge = Callable[[bytes, Sequence[str], SubmissionRules], Verdict]
METRICS = ("corr", "mmc2")
Record = TypeVar("Record")


class Engine:
    """A tournament over a store of records and a store of files.

    `judge` reads an upload and says whether it is accepted; `master` (32 bytes) is what the secrets of all rounds are
    derived from; `metrics` are scored every scoring day; `rules` are what submissions are checked by.
    """

    def __init__(
        self,
        store: TournamentStore,
        files: PredictionStore,
        *,
        judge: Judge,
        master: bytes,
        metrics: Sequence[str] = METRICS,
        rules: SubmissionRules = CLASSIC,
    ) -> None:
        self.store, self.files = store, files
        self._judge, self._master, self._metrics, self._rules = judge, master, tuple(metrics), rules

    # who plays, and with what

    def open_account(self, id: str, name: str, now: datetime) -> Account:
        """A new account, with an empty wallet."""
        account = Account(id, name, now)
        with self.store.transaction() as work:
            work.insert(account)
            work.append("account.opened", {"account": id, "name": name}, now)
        return account

    def add_model(
        self, id: str, account: str, name: str, now: datetime, *, choice: tuple[float, float] | None = None
    ) -> Model:
        """A new model of an account; `choice` is its (CORR, MMC) multipliers, None the rule's default."""
        model = Model(id, account, name, now, *(choice or (None, None)))
        with self.store.transaction() as work:
            _known(work.get(Account, account), f"account {account}")
            work.insert(model)
            work.append("model.added", {"model": id, "account": account, "name": name}, now)
        return model

    def deposit(self, key: str, amount: int, now: datetime, *, into: str) -> bool:
        """Pay whole units into a wallet or the treasury; a key pays in once."""
        with self.store.transaction() as work:
            done = work.post(ledger.deposit(key, amount, now, into=into))
            if done:
                work.append("money.deposited", {"key": key, "amount": str(amount), "into": into}, now)
            return done

    # stakes

    def stake_increase(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Reserve an amount for a model, effective at the next close."""
        return self._change(stakes.increase, id, model, now, amount)

    def stake_decrease(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Ask for a part of a model's stake back."""
        return self._change(stakes.decrease, id, model, now, amount)

    def stake_drain(self, id: str, model: str, now: datetime) -> StakeChange:
        """Ask for all of a model's stake back."""
        return self._change(stakes.drain, id, model, now)

    def stake_cancel(self, id: str, now: datetime) -> StakeChange:
        """Take a pending change back."""
        with self.store.transaction() as work:
            change = _known(work.get(StakeChange, id, lock=True), f"stake change {id}")
            owner = _known(work.get(Model, change.model), f"model {change.model}").account
            step = stakes.cancel(change, now, account=owner, unresolved=_unresolved(work))
            return self._keep(work, step, "stake.cancelled", now)

    # rounds

    def schedule(self, round: Round, universe: Sequence[str], now: datetime) -> Round:
        """Announce a round and its ids; its commitment is published with it, before it opens."""
        content = json.dumps(sorted(universe, key=str.encode)).encode()
        announced = replace(
            round,
            universe=self.files.write(f"universe/{sha256(content).hexdigest()}", content),
            commitment=seeds.commitment(self._secret(round.number)),
        )
        with self.store.transaction() as work:
            work.insert(announced, Progress(round.number, Stage.SCHEDULED))
            said = {"round": round.number, "commitment": announced.commitment, "universe": announced.universe}
            work.append("round.scheduled", said, now)
        return announced

    def set_target(self, round: int, day: int | None, target: Mapping[str, float]) -> None:
        """Hand in the target of a scoring day, or the final one (None): a number for every id of the universe."""
        ids = self.universe(self._round(round))
        missing = [id for id in ids if id not in target or not np.isfinite(target[id])]
        if missing:
            found = f"none for {len(missing)} ids, first {missing[0]!r}"
            raise InputError(Problem("target_incomplete", "a number for every id of the round", found, "complete it"))
        self.files.write(_target_name(round, day), np.array([target[id] for id in ids], "<f8").tobytes())

    def submit(self, id: str, model: str, content: bytes, now: datetime) -> Submission:
        """Take a submission for the round that is open, or late for the one that closed last; returns the receipt.

        Refused with all that is wrong with the file, or because no round has opened yet. The last one before the close
        counts. `now` is the server's time, taken once, and judged against the close under the round's lock.
        """
        round = self._current(now)
        ids = self.universe(round)
        verdict = self._judge(content, ids, self._rules)
        refuse_if_any(verdict.faults)
        digest = sha256(content).hexdigest()
        self.files.write(f"upload/{digest}", content)
        kept = self.files.write(f"ranks/{round.universe[:16]}-{digest}", verdict.ranks().astype("<f8").tobytes())
        with self.store.transaction() as work:
            _known(work.get(Model, model), f"model {model}")
            stage = _known(work.get(Progress, round.number, lock=True), "progress").stage
            on_time = stage == Stage.OPEN and round.accepts(now)
            name = f"ranks/{round.universe[:16]}-{digest}"
            submission = Submission(
                id, round.number, model, now, "on_time" if on_time else "late", digest, name, verdict.n_ids
            )
            known = work.get(Submission, id)
            if known is not None and known.content_hash == digest and known.model == model:
                return known
            work.insert(submission)
            said = {"submission": id, "round": round.number, "model": model, "file": digest, "ranks": kept}
            work.append(f"submission.{submission.status}", said, now)
        return submission

    def tick(self, now: datetime) -> list[str]:
        """Do everything that is due by `now`, in order; what was done, by the keys of the events. Idempotent."""
        done: list[str] = []
        while event := self._next_due(now, skip=done):
            if self._perform(event):
                done.append(event.key)
            else:
                done.append(f"waiting {event.key}")
        return [key for key in done if not key.startswith("waiting ")]

    def universe(self, round: Round) -> list[str]:
        """The ids of a round, sorted by their bytes."""
        ids: list[str] = json.loads(self.files.read(f"universe/{round.universe}"))
        return ids

    # what is due

    def _next_due(self, now: datetime, skip: Sequence[str]) -> Due | None:
        with self.store.reading() as work:
            rounds = {round.number: round for round in work.find(Round)}
            states = [(rounds[p.round], p.stage, p.scored_days) for p in work.find(Progress)]
        waiting = {key.removeprefix("waiting ").split(":")[1] for key in skip if key.startswith("waiting ")}
        return next((event for event in due_of_all(states, now) if str(event.round) not in waiting), None)

    def _perform(self, event: Due) -> bool:
        """Do one event; False if it has to wait for its target."""
        round = self._round(event.round)
        if event.action in (Action.OPEN, Action.CLOSE):
            with self.store.transaction() as work:
                if self._advance(work, round, event) and event.action is Action.CLOSE:
                    self._freeze(work, round, event.time)
            return True
        day = event.day if event.action is Action.SCORE else None
        target = self._target(round.number, day)
        if target is None:
            return False
        scored = self._score(round, target, event)
        with self.store.transaction() as work:
            if self._advance(work, round, event):
                records = self._records(round, scored, event)
                work.insert(*records)
                said = {"target": sha256(target.tobytes()).hexdigest(), "scores": digest(records)}
                work.append("round.scored", {"round": round.number, "day": event.day} | said, event.time)
                if day is None:
                    self._resolve(work, round, scored, event.time)
        return True

    def _advance(self, work: Transaction, round: Round, event: Due) -> bool:
        """Move the round on under its lock; False if somebody else has done so already."""
        now = _known(work.get(Progress, round.number, lock=True), "progress")
        try:
            stage, days = advance(round, now.stage, now.scored_days, event)
        except InputError:
            return False
        work.update(replace(now, stage=stage, scored_days=tuple(sorted(days))))
        work.append(f"round.{event.action}", {"round": round.number, "day": event.day}, event.time)
        return True

    def _freeze(self, work: Transaction, round: Round, at: datetime) -> None:
        """Pending stakes become effective, and what every model has at risk is written down."""
        for step in stakes.at_close(round.number, work.find(StakeChange), at, balances=work.balances()):
            self._keep(work, step, "stake.effective", at)
        default = POLICIES[round.rule].policy.choices[0]
        choices = {
            model.id: default
            if model.corr_multiplier is None or model.mmc_multiplier is None
            else (model.corr_multiplier, model.mmc_multiplier)
            for model in work.find(Model)
        }
        on_time = {s.model for s in work.find(Submission, round=round.number, status="on_time")}
        frozen = stakes.freeze(
            round.number, choices, on_time=on_time, changes=work.find(StakeChange), balances=work.balances()
        )
        work.insert(*frozen)
        work.append("stakes.frozen", {"round": round.number, "at_risk": digest(frozen)}, at)

    def _score(self, round: Round, target: Floats, event: Due) -> Scored:
        """Score what had arrived by the time of the event, however late it is done."""
        with self.store.reading() as work:
            sent = [s for s in work.find(Submission, round=round.number) if s.received_at <= event.time]
            at_risk = {risk.model: risk.amount for risk in work.find(AtRisk, round=round.number)}
        chosen = _selected(sent)
        predictions = [np.frombuffer(self.files.read(s.predictions), "<f8") for s in chosen]
        return score_crowd(
            [s.model for s in chosen],
            predictions,
            target,
            stakes=[at_risk.get(s.model, 0) if s.status == "on_time" else 0 for s in chosen],
            metrics=self._metrics,
            n_bags=round.final_bags if event.action is Action.RESOLVE else round.n_bags,
            seed=seeds.round_seed(round.number, self._secret(round.number)),
        )

    def _records(self, round: Round, scored: Scored, event: Due) -> list[Score]:
        day, final = event.day or len(round.scoring_times) + 1, event.action is Action.RESOLVE
        return [
            Score(round.number, round.rule, day, metric, model, value, final)
            for metric, values in scored.scores.items()
            for model, value in zip(scored.models, values, strict=True)
        ]

    def _resolve(self, work: Transaction, round: Round, scored: Scored, at: datetime) -> None:
        """Settle the round, pay back what waited for it, and reveal its secret."""
        risks = work.find(AtRisk, round=round.number)
        policy = POLICIES[round.rule].policy
        place = {model: i for i, model in enumerate(scored.models)}
        corr, mmc = (
            [scored.scores[name][place[risk.model]] if risk.model in place else 0.0 for risk in risks]
            for name in ("corr", "mmc2")
        )
        threshold = next((rule.threshold for rule in rules() if rule.name == round.rule), None)
        factor = settlement.round_factor(risks, threshold)
        fractions = settlement.fractions(
            policy, risks, corr, mmc, payout_factor=factor, metamodel_corr=scored.metamodel_corr
        )
        settled = settlement.settle(round.number, risks, fractions, at, balances=work.balances())
        if settled.entry is not None:
            work.post(settled.entry)
        work.insert(*settled.payouts)
        work.append("round.settled", {"round": round.number, "payouts": digest(settled.payouts)}, at)
        owners = {model.id: model.account for model in work.find(Model)}
        changes = work.find(StakeChange)
        for step in stakes.at_resolution(round.number, changes, at, accounts=owners, balances=work.balances()):
            self._keep(work, step, "stake.released", at)
        secret = self._secret(round.number)
        progress = _known(work.get(Progress, round.number), "progress")
        work.update(replace(progress, revealed=secret.hex()))
        work.append("secret.revealed", {"round": round.number, "secret": secret.hex()}, at)

    # small things

    def _change(self, ask: Any, id: str, model: str, now: datetime, *amount: int) -> StakeChange:
        with self.store.transaction() as work:
            owner = _known(work.get(Model, model), f"model {model}").account
            unresolved, balances = _unresolved(work), work.balances()
            step = ask(id, model, *amount, now, account=owner, unresolved=unresolved, balances=balances)
            work.insert(step.change)
            return self._keep(work, step, f"stake.{step.change.kind}", now)

    def _keep(self, work: Transaction, step: Step, what: str, at: datetime) -> StakeChange:
        if work.get(StakeChange, step.change.id) is not None:
            work.update(step.change)
        if step.entry is not None:
            work.post(step.entry)
        said = {"change": step.change.id, "model": step.change.model, "amount": str(step.change.amount)}
        work.append(what, said, at)
        return step.change

    def _round(self, number: int) -> Round:
        with self.store.reading() as work:
            return _known(work.get(Round, number), f"round {number}")

    def _current(self, now: datetime) -> Round:
        with self.store.reading() as work:
            begun = [round for round in work.find(Round) if round.open_time <= now]
        accepting = [round for round in begun if round.accepts(now)]
        if not begun:
            fix = "wait for a round to open"
            raise InputError(Problem("invalid_submission_round", "a round that is open", "none so far", fix))
        return max(accepting or begun, key=lambda round: round.number)

    def _target(self, round: int, day: int | None) -> Floats | None:
        try:
            return np.frombuffer(self.files.read(_target_name(round, day)), "<f8")
        except KeyError:
            return None

    def _secret(self, round: int) -> bytes:
        return seeds.round_secret(self._master, round)


def _selected(sent: Sequence[Submission]) -> list[Submission]:
    """The submission that counts for each model, by model: the last one on time, else the last late one."""
    best: dict[str, Submission] = {}
    for submission in sorted(sent, key=lambda s: (s.status == "on_time", s.received_at, s.id)):
        best[submission.model] = submission
    return [best[model] for model in sorted(best, key=str.encode)]


def _unresolved(work: Transaction) -> list[Round]:
    over = {progress.round for progress in work.find(Progress, stage=Stage.RESOLVED)}
    return [round for round in work.find(Round) if round.number not in over]


def _target_name(round: int, day: int | None) -> str:
    return f"target/{round}/{'final' if day is None else format(day, '03d')}"


def _known(record: Record | None, what: str) -> Record:
    if record is None:
        raise InputError(Problem("unknown", f"a known {what.split()[0]}", what, "make it first, or correct its name"))
    return record
