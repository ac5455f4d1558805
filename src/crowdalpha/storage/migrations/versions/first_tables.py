"""The first tables.

What stands here is what was once done: it never follows a change of `tables.py`, a further step does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "first"
down_revision = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REAL: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")
_UNITS = "whole units, 10^-9 coin"


def _text(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    return sa.Column(name, _BY_CODE_POINT, nullable=False, comment=comment, **settings)


def _list(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, comment=comment)


def _whole(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    return sa.Column(name, _WHOLE, nullable=settings.pop("nullable", False), comment=comment, **settings)


def _real(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _REAL, nullable=True, comment=comment)


def _moment(name: str, comment: str) -> sa.Column[Any]:
    return _whole(name, f"{comment}; microseconds since 1970 UTC")


def _table(name: str, *columns: Any, key: str) -> None:
    keys = [word.strip() for word in key.split(",")]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"), sqlite_strict=True)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])


def upgrade() -> None:
    """Make the records, the ledger and the log."""
    _players()
    _rounds()
    _stakes()
    _results()
    _ledger()
    _log()
    for name in ("entry", "posting", "event"):
        _let_it_only_grow(name)


def _players() -> None:
    _table(
        "account",
        _text("id", "chosen at creation"),
        _text("name", "what people call it"),
        _moment("created_at", "when it was made"),
        key="id",
    )
    _table(
        "model",
        _text("id", "chosen at creation"),
        _text("account", "its owner's id"),
        _text("name", "what people call it"),
        _moment("created_at", "when it was made"),
        _real("corr_multiplier", "chosen share of CORR; null for the rule's default"),
        _real("mmc_multiplier", "chosen share of MMC; null for the rule's default"),
        sa.Column("benchmark", _FLAG, nullable=False, comment="whether it is scored but never staked"),
        key="id",
    )
    _index("model", "account")


def _rounds() -> None:
    _table(
        "round",
        _whole("number", "counts from 1", autoincrement=False),
        _moment("open_time", "submissions from"),
        _moment("close_time", "submissions until, not including"),
        _list("scoring_times", "JSON list of microseconds since 1970 UTC"),
        _moment("resolve_time", "paid at"),
        _text("rule", "name of its rule set"),
        _text("commitment", "SHA-256 of the secret, hex"),
        _text("universe", "SHA-256 of the ids, hex"),
        _text("features", "SHA-256 of the features, hex"),
        _whole("n_bags", "bags of a scoring day"),
        _whole("final_bags", "bags of the final score"),
        _list("metrics", "JSON list of the metrics that are scored"),
        _text("ties", "average or first"),
        _text("beacon", "the public randomness in the seed, empty for none"),
        key="number",
    )
    _table(
        "progress",
        _whole("round", "its number", autoincrement=False),
        _list("stage", "scheduled, open, closed, scoring or resolved"),
        _list("scored_days", "JSON list of scoring days done"),
        _text("revealed", "the secret in hex once it is revealed"),
        _text("beacon", "public randomness in hex"),
        key="round",
    )
    _table(
        "submission",
        _text("id", "the receipt's number"),
        _whole("round", "the round's number"),
        _text("model", "the model's id"),
        _moment("received_at", "taken from the server's clock once"),
        _text("status", "on_time or late"),
        _text("content_hash", "SHA-256 of the file, hex"),
        _text("predictions", "name in the prediction store"),
        _whole("n_ids", "ids of the universe that it covers"),
        key="id",
    )
    _index("submission", "model", "round")


def _stakes() -> None:
    _table(
        "stake_change",
        _text("id", "chosen by the caller"),
        _text("model", "the model's id"),
        _text("kind", "increase, decrease or drain"),
        _whole("amount", _UNITS),
        _moment("requested_at", "when it was asked for"),
        _whole("effective_round", "effective when this round closes"),
        _text("status", "pending, effective, cancelled, released"),
        _whole("release_round", "paid back when this round resolves", nullable=True),
        key="id",
    )
    _index("stake_change", "model", "status")
    _table(
        "at_risk",
        _whole("round", "the round's number", autoincrement=False),
        _text("model", "the model's id"),
        _whole("amount", _UNITS),
        _real("corr_multiplier", "share of CORR paid on"),
        _real("mmc_multiplier", "share of MMC paid on"),
        key="round, model",
    )


def _results() -> None:
    _table(
        "score",
        _whole("round", "the round's number", autoincrement=False),
        _text("rule_set", "the rules it was scored by"),
        _whole("day", "scoring day, from 1", autoincrement=False),
        _text("metric", "a name of METRICS"),
        _text("model", "the model's id"),
        _real("value", "in the metric's own unit; null where there is none"),
        sa.Column("final", _FLAG, nullable=False, comment="whether this is the score that pays"),
        key="round, rule_set, day, metric, model",
    )
    _index("score", "model")
    _table(
        "payout",
        _whole("round", "the round's number", autoincrement=False),
        _text("model", "the model's id"),
        _whole("at_risk", _UNITS),
        _real("fraction", "of the stake at risk, -1 to 1"),
        _whole("owed", _UNITS),
        _whole("paid", _UNITS),
        key="round, model",
    )
    _index("payout", "model")


def _ledger() -> None:
    _table(
        "entry",
        _whole("number", "in the order they were posted", autoincrement=True),
        _text("id", "derived from what the entry is for"),
        _text("kind", "what moved the money"),
        _moment("at", "when it moved"),
        _text("memo", "for people"),
        sa.UniqueConstraint("id", name="uq_entry_id"),
        key="number",
    )
    _table(
        "posting",
        _text("entry", "the entry's id"),
        _text("account", "a name of the ledger"),
        _whole("amount", f"{_UNITS}; below 0 it gives"),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_moves_something")),
        sa.ForeignKeyConstraint(["entry"], ["entry.id"], name="fk_posting_entry"),
        key="entry, account",
    )
    _index("posting", "account")
    _table(
        "balance",
        _text("account", "a name of the ledger"),
        _whole("amount", _UNITS),
        sa.CheckConstraint("amount >= 0 OR account = 'external'", name=op.f("ck_balance_not_below_zero")),
        key="account",
    )


def _log() -> None:
    _table(
        "event",
        _whole("number", "counts from 1", autoincrement=False),
        _moment("at", "when it happened"),
        _text("kind", "what happened"),
        _text("payload", "canonical JSON"),
        _text("previous", "hash of the event before, hex"),
        _text("hash", "SHA-256 of this one, hex"),
        key="number",
    )


def _let_it_only_grow(name: str) -> None:
    said = f"{name}: what happened is never edited"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {name}_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        f"EXECUTE FUNCTION {name}_only_grows()"
    )
