"""Passwords that are among the first to be tried."""

from __future__ import annotations

import re

DIFFERENT = 5
"""Characters that a password has to have, at least, that are not the same."""
WORDS = """
password passwort motdepasse contrasena welcome welcometo qwerty qwertyuiop qwertz asdfgh asdfghjkl zxcvbnm iloveyou
letmein administrator admin changeme default secret trustno football baseball basketball superman batman princess
sunshine monkey dragon master shadow michael jennifer jordan hunter whatever starwars pokemon computer internet samsung
google facebook chocolate liverpool chelsea arsenal summer winter spring autumn crowdalpha tournament prediction
predictions leaderboard passwordpassword adminadmin testtest
"""
COMMON = frozenset(WORDS.split())
"""Words that passwords are made of, with digits and signs around them."""
LEET = str.maketrans("0134578@$!", "oieastbasi")
"""Signs that stand for letters within a word."""
ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
)
OTHER = re.compile("[^a-z]")


def is_guessable(password: str, *about: str) -> bool:
    """Whether others would try it first: a common word with some digits, a row of keys, a repetition, one's own name.

    `about` is what everybody knows of its owner.

    >>> [is_guessable(one) for one in ("P@ssword2024!", "1234567890", "abcabcabcabc", "three odd words")]
    [True, True, True, False]
    """
    plain = password.casefold()
    names = {OTHER.sub("", name.casefold().partition("@")[0]) for name in about} - {""}
    rows = any(plain in row or plain in row[::-1] for row in ROWS)
    again = any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, 6))
    return rows or again or len(set(plain)) < DIFFERENT or not {*_words(plain)}.isdisjoint(COMMON | names)


def _words(plain: str) -> tuple[str, str]:
    """The letters of a password; and those of its middle, from its first letter to its last, signs read as letters."""
    middle = re.sub("^[^a-z]+|[^a-z]+$", "", plain)
    return OTHER.sub("", plain), OTHER.sub("", middle.translate(LEET))
