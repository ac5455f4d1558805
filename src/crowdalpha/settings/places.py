"""Where records and files are kept, as people write it down and as stores take it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MEMORY = "memory://"
DRIVER = "postgresql+psycopg"
POSTGRES = ("postgres", "postgresql", DRIVER)
PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


def is_database(value: Any) -> bool:
    """Whether a value names a database that a tournament can be kept in."""
    if value == MEMORY:
        return True
    url = _url(value)
    if url is None:
        return False
    if url.drivername == "sqlite":
        return url.database not in (None, "", ":memory:") and not url.host
    return url.drivername in POSTGRES and bool(url.database)


def is_place(value: Any) -> bool:
    """Whether a value can name a folder or a bucket."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def database_url(value: str, folder: Path) -> str:
    """The URL of a database as SQLAlchemy takes it; a file is looked for from the folder."""
    url = _url(value)
    if value == MEMORY or url is None:
        return value
    if url.drivername == "sqlite":
        return url.set(database=str(folder / str(url.database))).render_as_string()
    return url.set(drivername=DRIVER).render_as_string(hide_password=False)


def files_place(value: str, folder: Path) -> str:
    """A URL as it is; a path from the folder."""
    return value if "://" in value else str(folder / value)


def without_password(value: Any) -> str:
    """A value that may be a URL, fit to be shown."""
    return PASSWORD.sub("***", repr(value))


def _url(value: Any) -> Any:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(value) if isinstance(value, str) else None
    except (ArgumentError, ValueError):
        return None
