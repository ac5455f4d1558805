"""What a server answers, as records: amounts are Decimals in coins, times are aware, scores numbers or None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Tournament:
    """A tournament, and the names that the columns of a submission may have."""

    number: int
    name: str
    title: str
    ids: tuple[str, ...]
    predictions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A round: its times, its rule, where it stands."""

    number: int
    stage: str
    open_time: datetime
    close_time: datetime
    resolve_time: datetime
    scoring_times: tuple[datetime, ...]
    scored_days: tuple[int, ...]
    rule: str
    metrics: tuple[str, ...]
    commitment: str
    revealed: str | None
    universe: str
    features: str
    n_bags: int
    final_bags: int
    ties: str
    beacon: str


@dataclass(frozen=True, slots=True)
class RoundDetails(Round):
    """A round with its sums; `crowd` is what the metamodel itself scored."""

    on_time: int
    late: int
    at_risk: Decimal
    paid: Decimal
    burned: Decimal
    crowd: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file to work with; `url` is good for an hour."""

    name: str
    filename: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model as everybody sees it; `webhook` is None for all but its owner."""

    id: str
    name: str
    account: str
    account_name: str
    created_at: datetime
    benchmark: bool
    archived: bool
    bio: str
    link_text: str
    link_url: str
    webhook: str | None
    corr_multiplier: float | None
    mmc_multiplier: float | None
    stake: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """The account that asks."""

    id: str
    name: str
    email: str
    created_at: datetime
    wallet: Decimal
    staked: Decimal
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    public_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class MadeToken(Token):
    """A token with its secret, which is shown this once."""

    secret: str | None


@dataclass(frozen=True, slots=True)
class Posting:
    """What an entry moved in one account of the ledger."""

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Transaction:
    """An entry of the ledger: what it moved into the wallet, into all models together, and one by one."""

    id: str
    kind: str
    at: datetime
    wallet: Decimal
    models: Decimal
    memo: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Payout:
    """What a round paid a model; below 0: burned of it."""

    round: int
    model: str
    model_name: str
    at_risk: Decimal
    fraction: float | None
    owed: Decimal
    paid: Decimal
    resolve_time: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission that was accepted; `selected` if it is the one of its model that counts."""

    id: str
    model: str
    round: int
    filename: str
    status: str
    selected: bool
    received_at: datetime
    n_ids: int
    sha256: str
    trigger_id: str | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong."""

    code: str
    pointer: str
    message: str
    expected: str
    found: str
    fix: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of a file."""

    accepted: bool
    n_ids: int
    n_unknown: int
    unknown: tuple[str, ...]
    errors: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where to put a file."""

    upload_id: str
    filename: str
    url: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Predictions of past eras that were handed in."""

    id: str
    model: str
    filename: str
    status: str
    message: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Diagnosis(Diagnostic):
    """The same with what was found: scores of each era and figures over them, by metric."""

    eras: tuple[str, ...]
    scores: Mapping[str, tuple[float | None, ...]]
    figures: Mapping[str, Mapping[str, float | None]]
    both: Mapping[str, float | None] | None


@dataclass(frozen=True, slots=True)
class Score:
    """A score of a day; `percentile` is the share of the day's models below it, 0 to 1."""

    round: int
    day: int
    date: datetime
    metric: str
    value: float | None
    percentile: float | None
    final: bool
    resolved: bool


@dataclass(frozen=True, slots=True)
class Performance:
    """A round of a model."""

    round: int
    stage: str
    open_time: datetime
    resolve_time: datetime
    at_risk: Decimal | None
    corr_multiplier: float | None
    mmc_multiplier: float | None
    paid: Decimal | None
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a leaderboard; [`low`, `high`] is the interval of its value."""

    id: str
    name: str
    rank: int | None
    value: float | None
    low: float | None
    high: float | None
    best_rank: int | None
    worst_rank: int | None
    scored: int
    missed: int
    stake: Decimal
    benchmark: bool


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Who is ahead, by what, over which rounds; `equals` are pairs of the first ten that cannot be told apart."""

    metric: str
    method: str
    by: str
    first_round: int | None
    last_round: int | None
    rounds: tuple[int, ...]
    lines: tuple[Line, ...]
    equals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a stake."""

    id: str
    model: str
    type: str
    amount: Decimal
    requested_at: datetime
    status: str
    effective_round: int
    release_round: int | None


@dataclass(frozen=True, slots=True)
class Stake:
    """A model's stake as its owner sees it; `version` changes whenever anything of it does."""

    model: str
    stake: Decimal
    pending_increase: Decimal
    release: Decimal
    at_risk: Decimal
    version: str
    changes: tuple[Change, ...]


def read(kind: Any, value: Any) -> Any:
    """What JSON holds, as that kind; fields that it does not know are left out.

    >>> read(Posting, {"account": "wallet:ada", "amount": "1.5", "new": 1})
    Posting(account='wallet:ada', amount=Decimal('1.5'))
    """
    origin, parts = get_origin(kind), get_args(kind)
    if value is None:
        return None
    if origin is UnionType:
        return read(next(part for part in parts if part is not type(None)), value)
    if origin is tuple:
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(map(read, kinds, value))
    if origin is Mapping:
        return {name: read(parts[1], item) for name, item in value.items()}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind) if field.name in value]
        return kind(**{name: read(hints[name], value[name]) for name in names})  # type: ignore[operator]
    if kind is datetime:
        return datetime.fromisoformat(value)
    return Decimal(value) if kind is Decimal else value
