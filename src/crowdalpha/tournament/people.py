"""What a server remembers of the people behind accounts: how they come in, what they sent, what they were answered.

No password, no token and no cookie is kept, only what each can be checked against. Rows are never taken away: what has
ended says when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DiagnosticStatus = Literal["pending", "running", "done", "error", "deleted"]


@dataclass(frozen=True, slots=True)
class Login:
    """How a person comes in to an account: an address, in lower case, and the argon2id hash of a password."""

    account: str
    email: str
    password_hash: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A key for programs: `public_id` names it, the SHA-256 (hex) of its secret checks it, `scopes` say what it may.

    It counts from `created_at` until it expires or is revoked. `last_used_at` is true to the hour.
    """

    public_id: str
    account: str
    secret_hash: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in with a browser: the SHA-256 (hex) of the cookie, and what its forms must send along."""

    id_hash: str
    account: str
    csrf: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What the owner of a model says about it, and the address that is called when it shall submit."""

    model: str
    bio: str = ""
    link_text: str = ""
    link_url: str = ""
    webhook: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a submission came: the name of its file and what its sender said about it ("" for nothing)."""

    submission: str
    filename: str
    trigger_id: str = ""
    source: str = ""
    data_datestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What an account was answered when it asked for something under a key of its own; status 0 while it is at work."""

    account: str
    key: str
    body_hash: str
    status: int
    content: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Predictions of past eras that were handed in for a model, and what was found in them.

    `content` is the findings in JSON once the status is done; `message` says what was wrong where it is error.
    """

    id: str
    model: str
    filename: str
    status: DiagnosticStatus
    message: str
    content: str
    created_at: datetime
    updated_at: datetime
