"""Who asks, what they may, and when they asked: the first argument of every verb of the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crowdalpha.server.catalogue import refusal

SCOPES = (
    "upload_submission",
    "download_submission",
    "read_submission_info",
    "read_user_info",
    "stake",
    "admin",
)
"""What a token may be used for. `admin` runs the tournament and is only given by the operator's command."""
PARTICIPANT = frozenset(SCOPES) - {"admin"}
"""What a person who is logged in may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An account (its id, "" for anybody), the scopes it came with, and the time of the request, taken once."""

    account: str
    scopes: frozenset[str]
    now: datetime

    def require(self, scope: str) -> None:
        """Refuse whoever is nobody (`session_not_found`) or may not do that (`forbidden`)."""
        if not self.account:
            raise refusal("session_not_found")
        if scope not in self.scopes:
            raise refusal("forbidden", scope=scope)


def anybody(now: datetime) -> Caller:
    """Somebody of whom nothing is known."""
    return Caller("", frozenset(), now)
