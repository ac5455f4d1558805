"""The names of files: words that are safe on every disk and in every bucket."""

from __future__ import annotations

import re

from crowdalpha.scoring.problems import InputError, Problem

SUFFIX = ".bin"
"""What a name ends in where it is a file's: so no file stands where another name has a folder."""
LONGEST = 400
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")


def checked(name: str) -> str:
    """The name, if it is one; InputError with code `bad_name` for anything else.

    >>> checked("ranks/12/ada-5f.v2")
    'ranks/12/ada-5f.v2'
    >>> checked("../secrets")
    Traceback (most recent call last):
    ...
    crowdalpha.scoring.problems.InputError: file: expected words of a-z, 0-9, ...
    """
    words = name.split("/") if isinstance(name, str) and len(name) <= LONGEST else [""]
    if not all(_WORD.fullmatch(word) and not word.endswith(SUFFIX) for word in words):
        fix = "derive the name from a hash or a number"
        found = ascii(name)[:60]
        raise InputError(Problem("bad_name", "words of a-z, 0-9, -, _ and . with / between", found, fix, "file"))
    return name


def to_path(name: str) -> str:
    """Where the file of a name stands, below the root."""
    return checked(name) + SUFFIX


def from_path(path: str) -> str | None:
    """The name of the file that stands there; None if it is none of ours."""
    name = path.removesuffix(SUFFIX)
    try:
        return checked(name) if name != path else None
    except InputError:
        return None
