"""The tournament at work: it takes submissions and stakes, and does what is due, when it is due.

It knows stores only by their Protocols, asks no clock, and draws no random number: `now` and the master secret come
from outside. Every verb of the command line is a method here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from crowdalpha.engine import accounts, boards, clock, proofs, rounds
from crowdalpha.engine.accounts import Holding, Member, Statement
from crowdalpha.engine.boards import Board
from crowdalpha.engine.desk import Desk, Judge
from crowdalpha.engine.proofs import Rescored
from crowdalpha.engine.rounds import Overview
from crowdalpha.payouts import require_fair
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import Problem
from crowdalpha.tournament import ledger, stakes
from crowdalpha.tournament.history import YEAR
from crowdalpha.tournament.ports import PredictionStore, TournamentStore
from crowdalpha.tournament.records import Account, Model, Submission
from crowdalpha.tournament.resampling import DEFAULT, Resampling
from crowdalpha.tournament.rounds import Action, Round
from crowdalpha.tournament.rulesets import NONE
from crowdalpha.tournament.stakes import StakeChange
from crowdalpha.tournament.submissions import CLASSIC, SubmissionRules

__all__ = ["Board", "Engine", "Holding", "Judge", "Member", "Overview", "Rescored", "Statement"]


class Engine:
    """A tournament over a store of records and a store of files.

    `judge` reads an upload and says whether it is accepted by `rules`; `master` (32 bytes) is what the secrets of all
    rounds are derived from. `policies` are payout policies of one's own, by name; a p / 1-p pair must not be able to
    milk one (PayoutError, code `unfair_policy`). `packs` is a folder of this machine where the ranks of large rounds
    are kept while they run; it may be emptied at any time.

    Ids are the caller's. A verb that is repeated with the same id does nothing twice and answers the same; with
    another content it is refused (InputError, code `id_taken`).
    """

    def __init__(
        self,
        store: TournamentStore,
        files: PredictionStore,
        *,
        judge: Judge,
        master: bytes,
        rules: SubmissionRules = CLASSIC,
        policies: Mapping[str, Policy] = NONE,
        packs: Path | None = None,
    ) -> None:
        for policy in policies.values():
            require_fair(policy)
        self.store, self.files = store, files
        self._desk = Desk(store, files, judge, master, rules, policies, packs)

    # who plays, and with what

    def open_account(self, id: str, name: str, now: datetime) -> Account:
        """A new account, with an empty wallet."""
        return accounts.open_account(self._desk, id, name, now)

    def add_model(
        self,
        id: str,
        account: str,
        name: str,
        now: datetime,
        *,
        choice: tuple[float, float] | None = None,
        benchmark: bool = False,
    ) -> Model:
        """A new model of an account; `choice` is its (CORR, MMC) multipliers, None the rule's default.

        A benchmark is scored and never staked.
        """
        corr, mmc = choice or (None, None)
        model = Model(id, account, name, now, corr, mmc, benchmark)
        return accounts.add_model(self._desk, model, now)

    def choose(self, model: str, choice: tuple[float, float] | None, now: datetime) -> Model:
        """Change the payout a model has chosen: it counts from the next close on."""
        return accounts.choose(self._desk, model, choice, now)

    def account(self, id: str) -> Statement:
        """An account as it stands: wallet, models, what waits, every entry."""
        return accounts.statement(self._desk, id)

    def account_list(self) -> list[Member]:
        """All accounts with their wallets and models, by their ids."""
        return accounts.members(self._desk)

    def names(self) -> dict[str, str]:
        """What every account and every model is called, by their ids."""
        return accounts.names(self._desk)

    def account_called(self, word: str) -> str:
        """The id of an account, by that or by its name; `name_shared` if several are called so."""
        return accounts.called(self._desk, Account, word)

    def model_called(self, word: str) -> str:
        """The id of a model, by that or by its name; `name_shared` if several are called so."""
        return accounts.called(self._desk, Model, word)

    def deposit(self, key: str, amount: int, now: datetime, *, into: str) -> bool:
        """Pay whole units into a wallet or the treasury; a key pays in once. False if it did so before."""
        return accounts.move(self._desk, ledger.deposit(key, amount, now, into=into), "money.deposited", key, now)

    def withdraw(self, key: str, amount: int, now: datetime, *, out_of: str) -> bool:
        """Pay whole units out of a wallet or the treasury; a key pays out once. False if it did so before."""
        entry = ledger.withdrawal(key, amount, now, out_of=out_of)
        return accounts.move(self._desk, entry, "money.withdrawn", key, now)

    # stakes

    def stake_increase(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Reserve an amount for a model, effective at the next close."""
        return accounts.change_stake(self._desk, stakes.increase, id, model, now, amount)

    def stake_decrease(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Ask for a part of a model's stake back."""
        return accounts.change_stake(self._desk, stakes.decrease, id, model, now, amount)

    def stake_drain(self, id: str, model: str, now: datetime) -> StakeChange:
        """Ask for all of a model's stake back."""
        return accounts.change_stake(self._desk, stakes.drain, id, model, now)

    def stake_cancel(self, id: str, now: datetime) -> StakeChange:
        """Take a pending change back."""
        return accounts.cancel_stake(self._desk, id, now)

    # rounds

    def schedule(
        self,
        round: Round,
        universe: Sequence[str],
        now: datetime,
        *,
        features: Mapping[str, Sequence[float]] | None = None,
    ) -> Round:
        """Announce a round, its ids and, in their order, its features; its commitment is published with it.

        The commitment and the hashes are filled in, and the scores that its rule pays on are among its metrics. A rule
        that has never been in force must pass the fairness gate (PayoutError, code `unfair_policy`).
        """
        return rounds.schedule(self._desk, round, universe, now, features)

    def set_target(self, round: int, day: int | None, target: Mapping[str, float]) -> None:
        """Hand in the target of a scoring day, or the final one (None): a number for every id of the universe."""
        rounds.set_target(self._desk, round, day, target)

    def set_beacon(self, round: int, number: int, value: bytes, now: datetime) -> None:
        """Hand in the public randomness that a round waits for: the first value after its close, and no other."""
        rounds.set_beacon(self._desk, round, number, value, now)

    def universe(self, round: Round) -> list[str]:
        """The ids of a round, sorted by their bytes."""
        return self._desk.universe(round)

    def round_list(self) -> list[Overview]:
        """All rounds as they stand, by number."""
        with self.store.reading() as work:
            return [rounds.overview(work, round) for round in work.find(Round)]

    def round_show(self, number: int) -> Overview:
        """A round as it stands."""
        round = self._desk.round(number)
        with self.store.reading() as work:
            return rounds.overview(work, round)

    def round_open(self, number: int, now: datetime) -> list[str]:
        """Open a round whose time has come; what was done, by the keys of the events."""
        return clock.do(self._desk, number, Action.OPEN, now)

    def round_close(self, number: int, now: datetime) -> list[str]:
        """Close a round whose time has come, after opening it if nobody has."""
        return clock.do(self._desk, number, Action.CLOSE, now)

    def round_score(self, number: int, now: datetime) -> list[str]:
        """Score all days of a round that are due."""
        return clock.do(self._desk, number, Action.SCORE, now)

    def round_resolve(self, number: int, now: datetime) -> list[str]:
        """Resolve a round whose time has come: score it for the last time, settle it, reveal its secret."""
        return clock.do(self._desk, number, Action.RESOLVE, now)

    def submit(self, id: str, model: str, content: bytes, now: datetime) -> Submission:
        """Take a submission for the round that is open, or late for the one that closed last; returns the receipt.

        Refused with all that is wrong with the file, or because no round is running. The last one before the close
        counts; a late one is scored with nothing at risk and counts for the next round, unless another comes. `now` is
        the server's time, taken once, and judged against the close under the round's lock.
        """
        return rounds.submit(self._desk, id, model, content, now)

    def tick(self, now: datetime) -> list[str]:
        """Do everything that is due by `now`, in order; what was done, by the keys of the events. Idempotent."""
        return clock.tick(self._desk, now)

    # what came of it

    def leaderboard(
        self,
        metric: str = "mmc2",
        *,
        now: datetime,
        method: str = "mean",
        window: timedelta | None = YEAR,
        rounds: tuple[int, int] | None = None,
        by_account: bool = False,
        example: str | None = None,
        resampling: Resampling = DEFAULT,
    ) -> Board:
        """Rank models, or accounts by their stakes, by a metric.

        Over the rounds resolved within `window` of `now` (None: ever), or those numbered from the first to the last of
        `rounds`. `method` is one of `crowdalpha.tournament.leaderboard.METHODS`.
        """
        return boards.board(
            self._desk,
            metric,
            now=now,
            method=method,
            window=window,
            rounds=rounds,
            by_account=by_account,
            example=example,
            resampling=resampling,
        )

    def bundle(self, round: int) -> bytes:
        """The proof of a resolved round as a file: `crowdalpha.tournament.bundles` reads it anywhere."""
        return proofs.bundle(self._desk, round)

    def bundle_for(self, round: int, model: str) -> bytes:
        """What a participant may have of a resolved round: enough to recompute the own score, nothing of others."""
        return proofs.bundle_for(self._desk, round, model)

    def verify(self, round: int) -> tuple[Problem, ...]:
        """Everything that differs when a resolved round is recomputed; nothing if it is proven."""
        return proofs.verify(self._desk, round)

    def rescore(self, round: int, rule: str, *, ties: str = "average", now: datetime) -> Rescored:
        """What a resolved round would have scored and paid under another rule; kept beside its own scores."""
        return proofs.rescore(self._desk, round, rule, ties, now)
