"""What people are told: what they wish to hear, every message and its fate; and what was refused.

What stands here is what was once done: it never follows a change of `tables.py`, a further step does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "notices"
down_revision = "diagnostics"

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def _text(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _BY_CODE_POINT, nullable=False, comment=comment)


def _texts(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, comment=comment)


def _whole(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _WHOLE, nullable=nullable, comment=comment)


def _moment(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return _whole(name, f"{comment}; microseconds since 1970 UTC", nullable=nullable)


def _table(name: str, *columns: Any, key: str, indexed: tuple[str, ...] = ()) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(key, name=f"pk_{name}"), sqlite_strict=True)
    for column in indexed:
        op.create_index(f"ix_{name}_{column}", name, [column])


def upgrade() -> None:
    """Make their tables."""
    _table(
        "wish",
        _text("account", "the account's id"),
        _texts("mail", "JSON list of what is told by mail"),
        _texts("hook", "JSON list of what is told by the webhook"),
        _text("webhook", "called with what is told; empty for none"),
        _text("confirmed", "the address that mail goes to; empty for none"),
        _whole("key_number", "which of the account's keys signs, from 1"),
        key="account",
    )
    _notice()
    _table(
        "cursor",
        _text("name", "what is done"),
        _whole("event", "up to this event of the log"),
        key="name",
    )
    _refused()


def _notice() -> None:
    _table(
        "notice",
        _text("id", "derived from what it tells, and to whom"),
        _text("account", "who is told"),
        _text("model", "the model's id; empty for all of the account"),
        _text("kind", "what it tells"),
        _text("channel", "mail or webhook"),
        _text("target", "an address"),
        _text("content", "what it says, in JSON"),
        _moment("created_at", "when it was written"),
        _moment("next_try", "when it is tried next, while it is pending"),
        _moment("until", "tried no longer than that; null for any time", nullable=True),
        _text("status", "pending, delivered or given_up"),
        _whole("tries", "how often it was tried"),
        _moment("tried_at", "the last try; null for none", nullable=True),
        _text("answer", "what came of the last try"),
        key="id",
        indexed=("account", "status"),
    )


def _refused() -> None:
    _table(
        "refused",
        _text("id", "chosen when it was refused"),
        _text("model", "the model's id"),
        _text("account", "its owner's id"),
        _whole("round", "the round it was sent for; 0 for none"),
        _moment("received_at", "when it came"),
        _text("filename", "a bare name"),
        _whole("size", "in bytes"),
        _text("content_hash", "SHA-256 of the file, hex"),
        _text("code", "of the first problem"),
        _text("message", "what its sender was told"),
        _text("problems", "JSON list of what was wrong"),
        key="id",
        indexed=("model",),
    )
