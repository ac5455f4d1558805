"""The tables' history: every change of them is a step that Alembic takes, from the first commit on."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import sqlalchemy as sa


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Bring a database to a revision, within the transaction that the connection is in."""
    from alembic import command

    command.upgrade(_settings(connection), revision)


def draft(connection: sa.Connection, message: str) -> None:
    """Write a new step into `versions/`: what it takes from the newest revision to `tables.py`. To be read over."""
    from alembic import command

    command.revision(_settings(connection), message, autogenerate=True)


def _settings(connection: sa.Connection) -> Any:
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(files(__name__)).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
