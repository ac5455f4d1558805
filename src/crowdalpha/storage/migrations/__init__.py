"""The tables' history: every change of them is a step that Alembic takes, from the first commit on.

Steps lead forward only. The way back is a backup that was taken before.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from crowdalpha.scoring.problems import InputError, Problem

NEWEST = "leases"
"""The revision that `tables.py` describes. A database that stands there need not ask Alembic, which loads slowly."""


def upgrade(connection: sa.Connection, revision: str | None = None) -> None:
    """Bring a database to a revision, the newest if none is named, within the transaction that the connection is in.

    Refused with code `database_newer` if it stands at a revision that this version does not know.
    """
    found, wanted = revision_of(connection), revision or NEWEST
    if found == wanted:
        return
    if found is not None and found not in known():
        fix = "install the newer version, or restore a backup that this one made"
        raise InputError(Problem("database_newer", f"at most revision {NEWEST}", found, fix, "database"))
    from alembic import command

    command.upgrade(_settings(connection), wanted)


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database stands at, None where there are no tables yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def known() -> tuple[str, ...]:
    """All revisions that this version knows, newest first."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory.from_config(_settings(None)).walk_revisions()
    return tuple(step.revision for step in steps)


def draft(connection: sa.Connection, message: str) -> None:
    """Write a new step into `versions/`: what it takes from the newest revision to `tables.py`. To be read over."""
    from alembic import command

    command.revision(_settings(connection), message, autogenerate=True)


def _settings(connection: sa.Connection | None) -> Any:
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(files(__name__)).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
