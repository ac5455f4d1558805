"""The tables of a tournament: one for every kind of record, and those of the ledger and the log.

Times are whole microseconds since 1970 in UTC, money is whole units (10^-9 coin), hashes are hex: every database keeps
them alike, and a unit stands under every column. Texts sort by code point. On SQLite tables are strict: a value of
another type is refused, not converted. The ledger and the log only grow; the database itself refuses an edit.

A change here needs a migration in `migrations/`; a test compares the two.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import TypeDecorator

from crowdalpha.tournament import people, records
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk, StakeChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNITS = "whole units, 10^-9 coin"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(constraint_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970."""

    impl = WHOLE
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """To the database."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + value * MICROSECOND


class Numbers(TypeDecorator[tuple[int, ...]]):
    """A tuple of whole numbers as a JSON list."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Any) -> str:
        """To the database."""
        return json.dumps(list(value or ()))

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[int, ...]:
        """From the database."""
        return tuple(json.loads(value or "[]"))


class Texts(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts as a JSON list."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Any) -> str:
        """To the database."""
        return json.dumps(list(value or ()))

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...]:
        """From the database."""
        return tuple(json.loads(value or "[]"))


class Moments(Numbers):
    """A tuple of datetimes as a JSON list of whole microseconds since 1970."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        """To the database."""
        return super().process_bind_param(tuple((moment - EPOCH) // MICROSECOND for moment in value), dialect)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """From the database."""
        return tuple(EPOCH + number * MICROSECOND for number in super().process_result_value(value, dialect))


class StageName(TypeDecorator[Stage]):
    """A stage as its name."""

    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Any) -> Stage:
        """From the database."""
        return Stage(value or "")


class Flag(TypeDecorator[bool]):
    """True or false; a whole number where the database has no such type."""

    impl = sa.Boolean().with_variant(sa.Integer(), "sqlite")
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> bool:
        """From the database."""
        return bool(value)


def text(name: str, comment: str, *more: Any, **settings: Any) -> sa.Column[Any]:
    """A column of text that is always there."""
    return sa.Column(name, BY_CODE_POINT, *more, nullable=False, comment=comment, **settings)


def whole(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    """A column of 64-bit whole numbers."""
    return sa.Column(name, WHOLE, nullable=settings.pop("nullable", False), comment=comment, **settings)


def real(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    """A column of float64. NaN is kept as null, for SQLite has no other way."""
    return sa.Column(name, REAL, nullable=True, comment=comment, **settings)


def moment(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A column of times."""
    return sa.Column(name, Moment, nullable=nullable, comment=f"{comment}; microseconds since 1970 UTC")


def table(name: str, *columns: Any) -> sa.Table:
    """A table whose columns hold what their types say."""
    return sa.Table(name, metadata, *columns, sqlite_strict=True)


account = table(
    "account", text("id", "chosen at creation", primary_key=True), text("name", "what people call it"),
    moment("created_at", "when it was made"),
)  # fmt: skip
model = table(
    "model", text("id", "chosen at creation", primary_key=True),
    text("account", "its owner's id", index=True),
    text("name", "what people call it"), moment("created_at", "when it was made"),
    real("corr_multiplier", "chosen share of CORR; null for the rule's default"),
    real("mmc_multiplier", "chosen share of MMC; null for the rule's default"),
    sa.Column("benchmark", Flag, nullable=False, comment="whether it is scored but never staked"),
)  # fmt: skip
round = table(
    "round", whole("number", "counts from 1", primary_key=True, autoincrement=False),
    moment("open_time", "submissions from"), moment("close_time", "submissions until, not including"),
    sa.Column("scoring_times", Moments, nullable=False, comment="JSON list of microseconds since 1970 UTC"),
    moment("resolve_time", "paid at"), text("rule", "name of its rule set"),
    text("commitment", "SHA-256 of the secret, hex"), text("universe", "SHA-256 of the ids, hex"),
    text("features", "SHA-256 of the features, hex"), whole("n_bags", "bags of a scoring day"),
    whole("final_bags", "bags of the final score"),
    sa.Column("metrics", Texts, nullable=False, comment="JSON list of the metrics that are scored"),
    text("ties", "average or first"), text("beacon", "the public randomness in the seed, empty for none"),
)  # fmt: skip
progress = table(
    "progress", whole("round", "its number", primary_key=True, autoincrement=False),
    sa.Column("stage", StageName, nullable=False, comment="scheduled, open, closed, scoring or resolved"),
    sa.Column("scored_days", Numbers, nullable=False, comment="JSON list of scoring days done"),
    text("revealed", "the secret in hex once it is revealed"), text("beacon", "public randomness in hex"),
)  # fmt: skip
submission = table(
    "submission", text("id", "the receipt's number", primary_key=True),
    whole("round", "the round's number", index=True), text("model", "the model's id", index=True),
    moment("received_at", "taken from the server's clock once"), text("status", "on_time or late"),
    text("content_hash", "SHA-256 of the file, hex"), text("predictions", "name in the prediction store"),
    whole("n_ids", "ids of the universe that it covers"),
)  # fmt: skip
stake_change = table(
    "stake_change", text("id", "chosen by the caller", primary_key=True),
    text("model", "the model's id", index=True), text("kind", "increase, decrease or drain"),
    whole("amount", UNITS), moment("requested_at", "when it was asked for"),
    whole("effective_round", "effective when this round closes"),
    text("status", "pending, effective, cancelled, released", index=True),
    whole("release_round", "paid back when this round resolves", nullable=True),
)  # fmt: skip
at_risk = table(
    "at_risk", whole("round", "the round's number", primary_key=True, autoincrement=False),
    text("model", "the model's id", primary_key=True), whole("amount", UNITS),
    real("corr_multiplier", "share of CORR paid on"), real("mmc_multiplier", "share of MMC paid on"),
)  # fmt: skip
score = table(
    "score", whole("round", "the round's number", primary_key=True, autoincrement=False),
    text("rule_set", "the rules it was scored by", primary_key=True),
    whole("day", "scoring day, from 1", primary_key=True, autoincrement=False),
    text("metric", "a name of METRICS", primary_key=True),
    text("model", "the model's id", primary_key=True, index=True),
    real("value", "in the metric's own unit; null where there is none"),
    sa.Column("final", Flag, nullable=False, comment="whether this is the score that pays"),
)  # fmt: skip
payout = table(
    "payout", whole("round", "the round's number", primary_key=True, autoincrement=False),
    text("model", "the model's id", primary_key=True, index=True), whole("at_risk", UNITS),
    real("fraction", "of the stake at risk, -1 to 1"), whole("owed", UNITS), whole("paid", UNITS),
)  # fmt: skip

login = table(
    "login", text("account", "the account's id", primary_key=True),
    text("email", "in lower case", index=True), text("password_hash", "argon2id, with its parameters"),
    moment("changed_at", "when the password was set"),
)  # fmt: skip
token = table(
    "token", text("public_id", "its name, no secret", primary_key=True),
    text("account", "the account's id", index=True), text("secret_hash", "SHA-256 of the secret, hex"),
    text("name", "what its owner calls it"),
    sa.Column("scopes", Texts, nullable=False, comment="JSON list of what it may be used for"),
    moment("created_at", "when it was made"), moment("expires_at", "null for never", nullable=True),
    moment("revoked_at", "null while it counts", nullable=True),
    moment("last_used_at", "true to the hour; null for never", nullable=True),
)  # fmt: skip
session = table(
    "session", text("id_hash", "SHA-256 of the cookie, hex", primary_key=True),
    text("account", "the account's id", index=True), text("csrf", "what its forms send along"),
    moment("created_at", "when somebody logged in"), moment("expires_at", "when it ends by itself"),
    moment("ended_at", "null while it counts", nullable=True),
)  # fmt: skip
profile = table(
    "profile", text("model", "the model's id", primary_key=True), text("bio", "about it, by its owner"),
    text("link_text", "words of the link"), text("link_url", "where the link leads"),
    text("webhook", "called when it shall submit; empty for none"),
    sa.Column("archived", Flag, nullable=False, comment="whether its owner has put it away"),
)  # fmt: skip
delivery = table(
    "delivery", text("submission", "the receipt's number", primary_key=True),
    text("filename", "a bare name"), text("trigger_id", "the call that it answers; empty for none"),
    text("source", "the program that sent it; empty for unknown"),
    whole("data_datestamp", "the day of the data it was made from", nullable=True),
)  # fmt: skip
answered = table(
    "answered", text("account", "who asked", primary_key=True),
    text("key", "chosen by who asked", primary_key=True), text("body_hash", "SHA-256 of what was asked, hex"),
    whole("status", "the HTTP status; 0 while it is at work"), text("content", "the answer"),
    moment("at", "when it was asked for"),
)  # fmt: skip

entry = table(
    "entry",
    whole("number", "in the order they were posted", primary_key=True, autoincrement=True),
    text("id", "derived from what the entry is for", unique=True), text("kind", "what moved the money"),
    moment("at", "when it moved"), text("memo", "for people"),
)  # fmt: skip
posting = table(
    "posting", text("entry", "the entry's id", sa.ForeignKey("entry.id"), primary_key=True),
    text("account", "a name of the ledger", primary_key=True, index=True),
    whole("amount", f"{UNITS}; below 0 it gives"),
    sa.CheckConstraint("amount <> 0", "posting_moves_something"),
)  # fmt: skip
balance = table(
    "balance", text("account", "a name of the ledger", primary_key=True), whole("amount", UNITS),
    sa.CheckConstraint("amount >= 0 OR account = 'external'", "balance_not_below_zero"),
)  # fmt: skip
event = table(
    "event", whole("number", "counts from 1", primary_key=True, autoincrement=False),
    moment("at", "when it happened"), text("kind", "what happened"), text("payload", "canonical JSON"),
    text("previous", "hash of the event before, hex"), text("hash", "SHA-256 of this one, hex"),
)  # fmt: skip

OF: dict[type[Any], sa.Table] = {
    records.Account: account,
    records.Model: model,
    Round: round,
    records.Progress: progress,
    records.Submission: submission,
    StakeChange: stake_change,
    AtRisk: at_risk,
    records.Score: score,
    Payout: payout,
    people.Login: login,
    people.Token: token,
    people.Session: session,
    people.Profile: profile,
    people.Delivery: delivery,
    people.Answered: answered,
}
"""The table of every kind of record; its columns are the record's fields."""


GROWING = (entry, posting, event)
"""Tables of what happened: nobody edits or takes away a row."""


def _let_it_only_grow(name: str) -> list[tuple[str, str]]:
    """For each dialect the statements that make the database refuse an edit of what happened."""
    said = f"{name}: what happened is never edited"
    return [
        *[
            (
                "sqlite",
                f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END",
            )
            for verb in ("UPDATE", "DELETE")
        ],
        (
            "postgresql",
            f"CREATE FUNCTION {name}_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$",
        ),
        (
            "postgresql",
            f"CREATE TRIGGER {name}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            f"EXECUTE FUNCTION {name}_only_grows()",
        ),
    ]


for grows in GROWING:
    for dialect, statement in _let_it_only_grow(grows.name):
        ddl = sa.DDL(statement)  # type: ignore[no-untyped-call]
        sa.event.listen(grows, "after_create", ddl.execute_if(dialect=dialect))


def row_of(record: Any) -> dict[str, Any]:
    """A storable record as a row: NaN becomes null."""
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}


def record_of(kind: Any, row: Any) -> Any:
    """A row as a record: null becomes NaN where there has to be a number."""
    values = dict(row._mapping)
    for name in _always_numbers(kind):
        if values[name] is None:
            values[name] = math.nan
    return kind(**values)


@cache
def _always_numbers(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.type in (float, "float"))
