"""Who does what is due, of several servers.

What stands here is what was once done: it never follows a change of `tables.py`, a further step does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "leases"
down_revision = "notices"

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "lease",
        sa.Column("name", _BY_CODE_POINT, nullable=False, comment="what is done by one at a time"),
        sa.Column("holder", _BY_CODE_POINT, nullable=False, comment="the server that does it"),
        sa.Column("until", _WHOLE, nullable=False, comment="when it is free; microseconds since 1970 UTC"),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
        sqlite_strict=True,
    )
