"""What people may call things, and how files are named that they send."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.auth import draw_name

LONGEST = 60
SAFE = re.compile(r"[^0-9A-Za-z._-]+")


def check_name(name: str) -> str:
    """A name that can be seen and told from others: 1 to 60 printable characters, no space around them."""
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= LONGEST or not plain.isprintable():
        expected = f"1 to {LONGEST} characters that can be printed"
        raise InputError(Problem("bad_name", expected, ascii(name)[:60], "choose another", "name"))
    return plain


def bare_name(filename: str) -> str:
    """The name of a file without folders, and without anything that a shell or a browser would make more of.

    >>> bare_name("../../etc/my file.csv"), bare_name("")
    ('my-file.csv', 'predictions')
    """
    name = PurePosixPath(filename.replace("\\", "/")).name
    return SAFE.sub("-", name).strip(".-")[-100:] or "predictions"


def own_name(filename: str) -> str:
    """A bare name that nobody else's file has: the stem, 12 random digits, the suffix."""
    path = PurePosixPath(bare_name(filename))
    return f"{path.stem[:60]}-{draw_name()[:12]}{path.suffix[:10]}"
