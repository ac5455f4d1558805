"""A tournament lives in a folder; here it is made, opened, backed up and restored. Only here concrete stores are named.

    crowdalpha.toml    what it is called, where its records and files are kept, what it asks of submissions
    master.secret      32 bytes that the secrets of all rounds are derived from; for the operator alone
    tournament.db      the records, unless they are in PostgreSQL
    files/             the files, unless they are in a bucket

The environment goes before the file: CROWDALPHA_DATABASE, CROWDALPHA_FILES, CROWDALPHA_SECRET_FILE.
"""

from crowdalpha.settings.executing import open_executor
from crowdalpha.settings.file import (
    FILE,
    SECRET,
    MailSettings,
    NoticeSettings,
    RoundDefaults,
    ServerSettings,
    Settings,
    read,
)
from crowdalpha.settings.keeping import back_up, initialise, restore
from crowdalpha.settings.opening import open_engine

__all__ = [
    "FILE",
    "SECRET",
    "MailSettings",
    "NoticeSettings",
    "RoundDefaults",
    "ServerSettings",
    "Settings",
    "back_up",
    "initialise",
    "open_engine",
    "open_executor",
    "read",
    "restore",
]
