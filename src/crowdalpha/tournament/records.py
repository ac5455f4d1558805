"""What the tournament remembers, beside rounds, stakes, entries and events: who plays, and what they sent in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crowdalpha.tournament.leases import Lease
from crowdalpha.tournament.notices import Cursor, Notice, Refused, Wish
from crowdalpha.tournament.people import Answered, Delivery, Diagnostic, Login, Profile, Session, Token
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk, StakeChange

METAMODEL = "metamodel"
"""The name under which the metamodel's own scores are kept: no model may have it."""
SubmissionStatus = Literal["on_time", "late"]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who plays: owns models and a wallet."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Model:
    """A model of an account. Its multipliers are the payout it has chosen, frozen with its stake at each close.

    A benchmark is scored like all others and never staked: what everybody has, and what `bmc` measures against.
    """

    id: str
    account: str
    name: str
    created_at: datetime
    corr_multiplier: float | None = None
    mmc_multiplier: float | None = None
    benchmark: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that was accepted: its receipt. `predictions` is where its ranks are kept, by content."""

    id: str
    round: int
    model: str
    received_at: datetime
    status: SubmissionStatus
    content_hash: str
    predictions: str
    n_ids: int


@dataclass(frozen=True, slots=True)
class Score:
    """A metric of a model in a round on a scoring day, under a rule set; `final` on the day that pays."""

    round: int
    rule_set: str
    day: int
    metric: str
    model: str
    value: float
    final: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a round stands: its stage, the scoring days done, and its secret once that is revealed."""

    round: int
    stage: Stage
    scored_days: tuple[int, ...] = ()
    revealed: str = ""
    beacon: str = ""


KEYS: dict[type[Any], tuple[str, ...]] = {
    Account: ("id",),
    Model: ("id",),
    Round: ("number",),
    Progress: ("round",),
    Submission: ("id",),
    StakeChange: ("id",),
    AtRisk: ("round", "model"),
    Score: ("round", "rule_set", "day", "metric", "model"),
    Payout: ("round", "model"),
    Login: ("account",),
    Token: ("public_id",),
    Session: ("id_hash",),
    Profile: ("model",),
    Delivery: ("submission",),
    Answered: ("account", "key"),
    Diagnostic: ("id",),
    Wish: ("account",),
    Notice: ("id",),
    Cursor: ("name",),
    Refused: ("id",),
    Lease: ("name",),
}
"""Every kind of record a store keeps, and the fields that name one of it."""


def key_of(record: Any) -> tuple[Any, ...]:
    """The values of a record's key fields."""
    return tuple(getattr(record, name) for name in KEYS[type(record)])
