"""The people behind accounts: logins, tokens, sessions, profiles, deliveries, and what was answered.

What stands here is what was once done: it never follows a change of `tables.py`, a further step does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "people"
down_revision = "first"

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def _text(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _BY_CODE_POINT, nullable=False, comment=comment)


def _whole(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _WHOLE, nullable=nullable, comment=comment)


def _moment(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return _whole(name, f"{comment}; microseconds since 1970 UTC", nullable=nullable)


def _table(name: str, *columns: Any, key: str) -> None:
    keys = [word.strip() for word in key.split(",")]
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"), sqlite_strict=True)


def upgrade() -> None:
    """Make the tables of people."""
    _coming_in()
    _table(
        "profile",
        _text("model", "the model's id"),
        _text("bio", "about it, by its owner"),
        _text("link_text", "words of the link"),
        _text("link_url", "where the link leads"),
        _text("webhook", "called when it shall submit; empty for none"),
        sa.Column("archived", _FLAG, nullable=False, comment="whether its owner has put it away"),
        key="model",
    )
    _table(
        "delivery",
        _text("submission", "the receipt's number"),
        _text("filename", "a bare name"),
        _text("trigger_id", "the call that it answers; empty for none"),
        _text("source", "the program that sent it; empty for unknown"),
        _whole("data_datestamp", "the day of the data it was made from", nullable=True),
        key="submission",
    )
    _table(
        "answered",
        _text("account", "who asked"),
        _text("key", "chosen by who asked"),
        _text("body_hash", "SHA-256 of what was asked, hex"),
        _whole("status", "the HTTP status; 0 while it is at work"),
        _text("content", "the answer"),
        _moment("at", "when it was asked for"),
        key="account, key",
    )


def _coming_in() -> None:
    _table(
        "login",
        _text("account", "the account's id"),
        _text("email", "in lower case"),
        _text("password_hash", "argon2id, with its parameters"),
        _moment("changed_at", "when the password was set"),
        key="account",
    )
    op.create_index("ix_login_email", "login", ["email"])
    _table(
        "token",
        _text("public_id", "its name, no secret"),
        _text("account", "the account's id"),
        _text("secret_hash", "SHA-256 of the secret, hex"),
        _text("name", "what its owner calls it"),
        sa.Column("scopes", sa.Text, nullable=False, comment="JSON list of what it may be used for"),
        _moment("created_at", "when it was made"),
        _moment("expires_at", "null for never", nullable=True),
        _moment("revoked_at", "null while it counts", nullable=True),
        _moment("last_used_at", "true to the hour; null for never", nullable=True),
        key="public_id",
    )
    op.create_index("ix_token_account", "token", ["account"])
    _table(
        "session",
        _text("id_hash", "SHA-256 of the cookie, hex"),
        _text("account", "the account's id"),
        _text("csrf", "what its forms send along"),
        _moment("created_at", "when somebody logged in"),
        _moment("expires_at", "when it ends by itself"),
        _moment("ended_at", "null while it counts", nullable=True),
        key="id_hash",
    )
    op.create_index("ix_session_account", "session", ["account"])
