"""A tournament at a server, asked as an engine is: with the verbs that participants have, and the same records."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import NAMESPACE_URL, uuid5

from crowdalpha.cli.tournament.door import needs_folder
from crowdalpha.engine import Board, Holding, Overview, Statement
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament.leaderboard import Difference, Standing
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.money import format_amount, parse_amount
from crowdalpha.tournament.records import Account, Model, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.stakes import StakeChange

if TYPE_CHECKING:
    from crowdalpha.client import shapes
    from crowdalpha.client.api import Client

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry of the ledger as one account sees it: without the postings of others."""

    id: str
    kind: str
    at: datetime
    postings: tuple[Posting, ...]
    memo: str


class Distant:
    """The engine of a tournament that somebody else has; a verb that it lacks is refused with `needs_folder`.

    A command repeated with its id does nothing twice.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: dict[str, str] = {}

    def __getattr__(self, verb: str) -> Any:
        raise needs_folder(f"`{verb}`, which its operator does")

    def names(self) -> dict[str, str]:
        """What those are called that were told of."""
        return self._names

    # who plays, and with what

    def account(self, id: str) -> Statement:
        """The account of the token; another is refused."""
        me = self._own(id)
        models = self._client.models()
        stakes = [self._client.stake(model.id) for model in models]
        entries = tuple(map(_seen, reversed(self._client.transactions())))
        return Statement(
            Account(me.id, me.name, me.created_at),
            _units(me.wallet),
            tuple(map(_holding, models, stakes)),
            tuple(_change(change) for stake in stakes for change in stake.changes if change.status == "pending"),
            cast(tuple[Entry, ...], entries),
        )

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
        """A new model of one's own; the server chooses its id."""
        if benchmark:
            raise needs_folder("--benchmark, which its operator does")
        self._own(account)
        made = self._client.make_model(name, key=_key("model", id))
        return _model(self._client.choose(made.id, *choice) if choice else made)

    def choose(self, model: str, choice: tuple[float, float] | None, now: datetime) -> Model:
        """Change the payout a model has chosen."""
        return _model(self._client.choose(model, *(choice or ())))

    # stakes

    def stake_increase(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Stake more."""
        return _change(self._client.stake_increase(model, format_amount(amount), key=_key("stake", id)))

    def stake_decrease(self, id: str, model: str, amount: int, now: datetime) -> StakeChange:
        """Ask for a part of a stake back."""
        return _change(self._client.stake_decrease(model, format_amount(amount), key=_key("stake", id)))

    def stake_drain(self, id: str, model: str, now: datetime) -> StakeChange:
        """Ask for all of a stake back."""
        return _change(self._client.stake_drain(model, key=_key("stake", id)))

    def stake_cancel(self, id: str, now: datetime) -> StakeChange:
        """Take a pending change of a model of one's own back."""
        for model in self._client.models():
            if any(change.id == id for change in self._client.stake(model.id).changes):
                return _change(self._client.stake_cancel(model.id, id))
        raise InputError(Problem("unknown", "a change of a stake of yours", id, "see `stake show`", "change"))

    # rounds, and what comes of them

    def submit(self, id: str, model: str, content: bytes, now: datetime) -> Submission:
        """Hand in predictions."""
        sent = self._client.submit(model, content, key=_key("submit", id))
        status = cast(Any, sent.status)
        return Submission(sent.id, sent.round, sent.model, sent.received_at, status, sent.sha256, "", sent.n_ids)

    def round_list(self) -> list[Overview]:
        """All rounds, by number."""
        return [_overview(round) for round in reversed(self._client.rounds())]

    def round_show(self, number: int) -> Overview:
        """A round as it stands."""
        return _overview(self._client.round(number))

    def leaderboard(
        self,
        metric: str,
        *,
        now: datetime,
        method: str = "mean",
        window: timedelta | None = None,
        rounds: tuple[int, int] | None = None,
        by_account: bool = False,
        example: str | None = None,
    ) -> Board:
        """Models, or accounts, ranked."""
        if rounds is not None or example is not None:
            raise needs_folder("a window of rounds, or --example")
        by, days = ("account" if by_account else "model"), (window.days if window else 0)
        found = self._client.leaderboard(metric, by=cast(Any, by), method=method, days=days)
        self._names |= {line.id: line.name for line in found.lines}
        equals = tuple(Difference(one, other, 0, NAN, NAN, NAN) for one, other in found.equals)
        benchmarks = frozenset(line.id for line in found.lines if line.benchmark)
        lines = tuple(map(_line, found.lines))
        return Board(found.metric, found.method, found.rounds, lines, equals, benchmarks)

    def account_called(self, word: str) -> str:
        """The account of the token, by its id, its name or no word at all; another is refused."""
        return self._own(word).id

    def model_called(self, word: str) -> str:
        """The id of a model of one's own, by that or by its name."""
        mine = self._client.models()
        named = [each.id for each in mine if word == each.id]
        named += [each.id for each in mine if word.casefold() == each.name.casefold()]
        if not named:
            found, fix = ", ".join(each.name for each in mine) or "none", "name one of these, or make it first"
            raise InputError(Problem("unknown", f"a model of yours, {word}", found, fix, "model"))
        return named[0]

    def _own(self, account: str) -> shapes.Account:
        me = self._client.account()
        if account.casefold() not in ("", me.id.casefold(), me.name.casefold()):
            fix = "leave it out, or use a token of that account"
            raise InputError(Problem("not_yours", f"{me.name} ({me.id})", account, fix, "account"))
        return me


def _key(what: str, id: str) -> str:
    """What a command is known again by, of any id."""
    return uuid5(NAMESPACE_URL, f"{what}\0{id}").hex


def _units(amount: Decimal) -> int:
    """Coins in whole units; below zero too."""
    units = parse_amount(f"{abs(amount):f}")
    return -units if amount < 0 else units


def _model(model: shapes.Model) -> Model:
    choice = (model.corr_multiplier, model.mmc_multiplier)
    return Model(model.id, model.account, model.name, model.created_at, *choice, model.benchmark)


def _holding(model: shapes.Model, stake: shapes.Stake) -> Holding:
    held = (stake.stake, stake.release, stake.pending_increase, stake.at_risk)
    return Holding(_model(model), *map(_units, held))


def _change(change: shapes.Change) -> StakeChange:
    return StakeChange(
        change.id,
        change.model,
        cast(Any, change.type),
        _units(change.amount),
        change.requested_at,
        change.effective_round,
        cast(Any, change.status),
        change.release_round,
    )


def _seen(entry: shapes.Transaction) -> Seen:
    postings = tuple(Posting(posting.account, _units(posting.amount)) for posting in entry.postings)
    return Seen(entry.id, entry.kind, entry.at, postings, entry.memo)


def _overview(said: shapes.RoundDetails) -> Overview:
    sums = (said.on_time, said.late, _units(said.at_risk), _units(said.paid), _units(said.burned))
    round = Round(**{field.name: getattr(said, field.name) for field in fields(Round)})
    crowd = {name: NAN if value is None else value for name, value in said.crowd.items()}
    return Overview(round, Stage(said.stage), said.scored_days, *sums, crowd)


def _line(line: shapes.Line) -> Standing:
    value, low, high = (NAN if each is None else each for each in (line.value, line.low, line.high))
    return Standing(line.id, line.rank, value, low, high, line.best_rank, line.worst_rank, line.scored, line.missed)
