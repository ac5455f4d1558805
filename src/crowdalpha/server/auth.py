"""Secrets: how they are drawn, what is kept of them, and how one that comes in is held against that."""

from __future__ import annotations

import base64
import hmac
import re
from functools import cache
from hashlib import sha256
from secrets import token_bytes, token_hex
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.passwords import is_guessable

SECRET_BYTES = 32
LEAST, MOST = 10, 256
"""Characters of a password; more than most would only keep the hash busy."""
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
TOKEN = re.compile(r"(?:Token ([0-9a-zA-Z_-]{1,64})\$|Bearer ([0-9a-zA-Z_-]{1,64})\.)([0-9a-zA-Z_-]{1,128})")


def draw_secret() -> str:
    """256 bits from the system's generator, in 43 characters that pass through every header and shell."""
    return base64.urlsafe_b64encode(token_bytes(SECRET_BYTES)).decode().rstrip("=")


def draw_name() -> str:
    """A name for something that is nobody's secret: 16 hex digits."""
    return token_hex(8)


def hash_of(secret: str) -> str:
    """What is kept of a secret of 256 bits: nobody can guess it, so no slow hash is needed."""
    return sha256(secret.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are alike, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def parse_token(header: str) -> tuple[str, str] | None:
    """The name and the secret in an Authorization header; None if it holds no token.

    >>> parse_token("Token ada$secret"), parse_token("Bearer ada.secret"), parse_token("Basic YWRh")
    (('ada', 'secret'), ('ada', 'secret'), None)
    """
    found = TOKEN.fullmatch(header)
    return None if found is None else (found[1] or found[2], found[3])


def hash_password(password: str, *about: str) -> str:
    """argon2id with a salt of its own, for a password that is long enough and not what others try first.

    Else `bad_password`. `about` is what everybody knows of its owner: the address, the name.
    """
    fix = "take a few words that you remember together"
    if not LEAST <= len(password) <= MOST:
        raise InputError(Problem("bad_password", f"{LEAST} to {MOST} characters", str(len(password)), fix, "password"))
    if is_guessable(password, *about):
        expected, found = "something that nobody tries first", "a common word, a row of keys, or your name"
        raise InputError(Problem("bad_password", expected, found, fix, "password"))
    return str(_argon2().hash(password))


def check_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is kept. It takes as long if there is none."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > MOST:
        return False
    try:
        return bool(_argon2().verify(_stand_in() if kept is None else kept, password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def check_email(email: str) -> str:
    """An address as it is kept, in lower case; `bad_email` if it cannot be one."""
    if len(email) > 254 or not email.isprintable() or not EMAIL.fullmatch(email.strip()):
        raise InputError(Problem("bad_email", "an e-mail address", repr(email)[:60], "correct it", "email"))
    return email.strip().lower()


@cache
def _argon2() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's least for argon2id, of 2024


@cache
def _stand_in() -> str:
    return str(_argon2().hash(draw_secret()))
