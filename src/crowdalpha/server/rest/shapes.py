"""What REST takes and gives, field by field: the description of the API is made of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from crowdalpha.server.rest.forms import (
    Amount,
    Asked,
    Coins,
    Moment,
    Number,
    Page,
    ProblemDocument,
    Scope,
    Shape,
    Stage,
    Text,
    Wrong,
)

__all__ = ["Page", "ProblemDocument", "Stage", "Wrong"]


class TournamentOut(Shape):
    """The tournament."""

    number: int
    name: str
    title: str
    ids: list[str] = Field(description="Names that the column of ids may have.")
    predictions: list[str] = Field(description="Names that the column of predictions may have.")


class RoundOut(Shape):
    """A round: its times, its rule, where it stands."""

    number: int
    stage: Stage
    open_time: Moment
    close_time: Moment
    resolve_time: Moment
    scoring_times: list[Moment]
    scored_days: list[int]
    rule: str
    metrics: list[str]
    commitment: str
    revealed: str | None
    universe: str
    features: str
    n_bags: int
    final_bags: int
    ties: str
    beacon: str


class RoundDetails(RoundOut):
    """A round with its sums. Amounts are in coins; `crowd` is what the metamodel itself scored."""

    on_time: int
    late: int
    at_risk: Amount
    paid: Amount
    burned: Amount
    crowd: dict[str, Number]


class UniverseOut(Shape):
    """The ids of a round, sorted by their bytes."""

    round: int
    sha256: str
    ids: list[str]


class DatasetOut(Shape):
    """A file to work with: a link to it that is good for an hour, and what it is known again by."""

    name: str
    filename: str
    url: str
    size: int
    sha256: str


class ModelOut(Shape):
    """A model as everybody sees it; `webhook` is null for all but its owner."""

    id: str
    name: str
    account: str
    account_name: str
    created_at: Moment
    benchmark: bool
    archived: bool
    bio: str
    link_text: str
    link_url: str
    webhook: str | None
    corr_multiplier: Number
    mmc_multiplier: Number
    stake: Amount


class NewModel(Asked):
    """A model that shall be made."""

    name: Text


class ChangedModel(Asked):
    """What shall be changed; what is left out stays."""

    name: Text | None = None
    bio: Text | None = None
    link_text: Text | None = None
    link_url: Text | None = None
    webhook: Text | None = None
    archived: bool | None = None


class AccountOut(Shape):
    """The account that asks. Amounts are in coins."""

    id: str
    name: str
    email: str
    created_at: Moment
    wallet: Amount
    staked: Amount
    models: list[str]


class TokenOut(Shape):
    """A token, without its secret."""

    public_id: str
    name: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None


class NewToken(Asked):
    """A token that shall be made; without `expires_at` it does not expire."""

    name: Text
    scopes: list[Scope]
    expires_at: Annotated[datetime | None, Field(strict=False)] = None


class MadeToken(TokenOut):
    """A token with its secret, which is shown this once: null when the answer is given again."""

    secret: str | None


class PostingOut(Shape):
    """What an entry moved in one account of the ledger."""

    account: str
    amount: Amount


class TransactionOut(Shape):
    """What an entry of the ledger moved: into the wallet, into the account's models, and one by one."""

    id: str
    kind: str
    at: Moment
    wallet: Amount
    models: Amount
    memo: str
    postings: list[PostingOut]


class PayoutOut(Shape):
    """What a round paid a model (below 0: burned of it), in coins."""

    round: int
    model: str
    model_name: str
    at_risk: Amount
    fraction: Number
    owed: Amount
    paid: Amount
    resolve_time: Moment


class SubmissionOut(Shape):
    """A submission that was accepted; `selected` if it is the one of its model that counts."""

    id: str
    model: str
    round: int
    filename: str
    status: Literal["on_time", "late"]
    selected: bool
    received_at: Moment
    n_ids: int
    sha256: str
    trigger_id: str | None


class VerdictOut(Shape):
    """What would become of a file."""

    accepted: bool
    n_ids: int
    n_unknown: int
    unknown: list[str] = Field(description="The first ids that are not in the universe; they are left out.")
    errors: list[Wrong]


class NewUpload(Asked):
    """A file that shall be put: what it is called, and for which model."""

    filename: Text = "predictions.csv"
    model: Text | None = None
    purpose: Literal["submission", "diagnostics"] = "submission"


class SlotOut(Shape):
    """Where to PUT the file, and what to call it from then on."""

    upload_id: str
    filename: str
    url: str
    expires: Moment


class UploadRef(Asked):
    """A file that was put and shall be handed in."""

    upload_id: Text
    trigger_id: Text = ""
    data_datestamp: int | None = Field(None, ge=0, le=99991231)


class DiagnosticOut(Shape):
    """Predictions of past eras that were handed in; `message` says what is wrong with them if anything is."""

    id: str
    model: str
    filename: str
    status: Literal["pending", "running", "done", "error", "deleted"]
    message: str | None
    created_at: Moment
    updated_at: Moment


class DiagnosticFound(DiagnosticOut):
    """The same with what was found, once it is done: scores of each era and figures over them, by metric."""

    eras: list[str]
    scores: dict[str, list[Number]]
    figures: dict[str, dict[str, Number]]
    both: dict[str, Number] | None = Field(description="The Sharpe of corr + mmc2, and how far it is above corr's.")


class ScoreOut(Shape):
    """A score of a day; `percentile` is the share of the day's models below it, 0 to 1."""

    round: int
    day: int
    date: Moment
    metric: str
    value: Number
    percentile: Number
    final: bool
    resolved: bool


class PerformanceOut(Shape):
    """A round of a model."""

    round: int
    stage: Stage
    open_time: Moment
    resolve_time: Moment
    at_risk: Amount | None
    corr_multiplier: Number
    mmc_multiplier: Number
    paid: Amount | None
    scores: list[ScoreOut]


class LineOut(Shape):
    """A line of the leaderboard; [`low`, `high`] is the interval of its value, null without two scores."""

    id: str
    name: str
    rank: int | None
    value: Number
    low: Number
    high: Number
    best_rank: int | None
    worst_rank: int | None
    scored: int
    missed: int
    stake: Amount
    benchmark: bool


class LeaderboardOut(Shape):
    """Who is ahead, by what, over which rounds; `equals` are pairs of the first ten that cannot be told apart."""

    metric: str
    method: str
    by: Literal["model", "account"]
    first_round: int | None
    last_round: int | None
    rounds: list[int]
    lines: list[LineOut]
    equals: list[tuple[str, str]]
    next_cursor: str | None = None


class ChangeOut(Shape):
    """A change of a stake."""

    id: str
    model: str
    type: Literal["increase", "decrease", "drain"]
    amount: Amount
    requested_at: Moment
    status: Literal["pending", "effective", "cancelled", "released"]
    effective_round: int
    release_round: int | None


class StakeOut(Shape):
    """A model's stake as its owner sees it, in coins; `version` is what If-Match takes."""

    model: str
    stake: Amount
    pending_increase: Amount
    release: Amount
    at_risk: Amount
    version: str
    changes: list[ChangeOut]


class NewStake(Asked):
    """What the stake shall be."""

    amount: Coins


class NewChange(Asked):
    """A change of a stake; `amount` may be left out of a drain."""

    type: Literal["increase", "decrease", "drain"]
    amount: Coins | None = None


class Choice(Asked):
    """The multipliers a model is paid by; both null for the rule's default."""

    corr_multiplier: float | None = Field(None, ge=0, le=10)
    mmc_multiplier: float | None = Field(None, ge=0, le=10)
