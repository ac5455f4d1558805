"""The tables of a tournament: one for every kind of record, and those of the ledger and the log.

Times are whole microseconds since 1970 in UTC, money is whole units (10^-9 coin), hashes are hex: every database keeps
them alike, and a unit stands under every column. Texts sort by code point. On SQLite tables are strict: a value of
another type is refused, not converted. The ledger and the log only grow; the database itself refuses an edit.

A change here needs a migration in `migrations/`; a test compares the two.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from typing import Any

import sqlalchemy as sa

from crowdalpha.storage.kinds import (
    UNITS,
    Flag,
    Moments,
    Numbers,
    StageName,
    Texts,
    metadata,
    moment,
    real,
    table,
    text,
    whole,
)
from crowdalpha.tournament import leases, notices, people, records
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk, StakeChange

__all__ = ["GROWING", "OF", "UNITS", "Flag", "metadata", "record_of", "row_of"]

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
diagnostic = table(
    "diagnostic", text("id", "chosen when it was handed in", primary_key=True),
    text("model", "the model's id", index=True), text("filename", "a bare name"),
    text("status", "pending, running, done, error or deleted", index=True),
    text("message", "what is wrong; empty for nothing"), text("content", "what was found, in JSON; empty for nothing"),
    moment("created_at", "when it was handed in"), moment("updated_at", "when its status was set"),
)  # fmt: skip
wish = table(
    "wish", text("account", "the account's id", primary_key=True),
    sa.Column("mail", Texts, nullable=False, comment="JSON list of what is told by mail"),
    sa.Column("hook", Texts, nullable=False, comment="JSON list of what is told by the webhook"),
    text("webhook", "called with what is told; empty for none"),
    text("confirmed", "the address that mail goes to; empty for none"),
    whole("key_number", "which of the account's keys signs, from 1"),
)  # fmt: skip
notice = table(
    "notice", text("id", "derived from what it tells, and to whom", primary_key=True),
    text("account", "who is told", index=True), text("model", "the model's id; empty for all of the account"),
    text("kind", "what it tells"), text("channel", "mail or webhook"), text("target", "an address"),
    text("content", "what it says, in JSON"), moment("created_at", "when it was written"),
    moment("next_try", "when it is tried next, while it is pending"),
    moment("until", "tried no longer than that; null for any time", nullable=True),
    text("status", "pending, delivered or given_up", index=True), whole("tries", "how often it was tried"),
    moment("tried_at", "the last try; null for none", nullable=True), text("answer", "what came of the last try"),
)  # fmt: skip
cursor = table(
    "cursor", text("name", "what is done", primary_key=True), whole("event", "up to this event of the log"),
)  # fmt: skip
refused = table(
    "refused", text("id", "chosen when it was refused", primary_key=True),
    text("model", "the model's id", index=True), text("account", "its owner's id"),
    whole("round", "the round it was sent for; 0 for none"), moment("received_at", "when it came"),
    text("filename", "a bare name"), whole("size", "in bytes"), text("content_hash", "SHA-256 of the file, hex"),
    text("code", "of the first problem"), text("message", "what its sender was told"),
    text("problems", "JSON list of what was wrong"),
)  # fmt: skip
lease = table(
    "lease", text("name", "what is done by one at a time", primary_key=True),
    text("holder", "the server that does it"), moment("until", "when it is free"),
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
    people.Diagnostic: diagnostic,
    notices.Wish: wish,
    notices.Notice: notice,
    notices.Cursor: cursor,
    notices.Refused: refused,
    leases.Lease: lease,
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
