"""Predictions of past eras, handed in to be looked at.

What stands here is what was once done: it never follows a change of `tables.py`, a further step does.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "diagnostics"
down_revision = "people"

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def _text(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _BY_CODE_POINT, nullable=False, comment=comment)


def _moment(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, _WHOLE, nullable=False, comment=f"{comment}; microseconds since 1970 UTC")


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "diagnostic",
        _text("id", "chosen when it was handed in"),
        _text("model", "the model's id"),
        _text("filename", "a bare name"),
        _text("status", "pending, running, done, error or deleted"),
        _text("message", "what is wrong; empty for nothing"),
        _text("content", "what was found, in JSON; empty for nothing"),
        _moment("created_at", "when it was handed in"),
        _moment("updated_at", "when its status was set"),
        sa.PrimaryKeyConstraint("id", name="pk_diagnostic"),
        sqlite_strict=True,
    )
    op.create_index("ix_diagnostic_model", "diagnostic", ["model"])
    op.create_index("ix_diagnostic_status", "diagnostic", ["status"])
