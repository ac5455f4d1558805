"""What people are told while they do not look: what each wishes to hear, every message with its fate, and refusals.

A message is kept before it is sent and until it has arrived or was given up, so it arrives at least once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

NoticeKind = Literal["round_open", "closing_soon", "refused", "scored", "settled", "trigger", "confirm", "test"]
Channel = Literal["mail", "webhook"]
NoticeStatus = Literal["pending", "delivered", "given_up"]
KINDS: tuple[NoticeKind, ...] = ("round_open", "closing_soon", "refused", "scored", "settled")
"""What can be wished for; the other kinds are sent because they were asked for."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an account wishes to hear by mail and by its webhook ("" for none).

    Mail goes to `confirmed` alone: an address whose owner has sent the code back that was mailed there. What is sent to
    webhooks is signed with the account's key of that number.
    """

    account: str
    mail: tuple[str, ...] = ()
    hook: tuple[str, ...] = ()
    webhook: str = ""
    confirmed: str = ""
    key_number: int = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to an account about a model of its own or, with "", about all of them; where it goes and how it went.

    `content` is JSON. It is tried again at `next_try`, unless it has arrived, was given up, or `until` has passed.
    `answer` is what came of the last try.
    """

    id: str
    account: str
    model: str
    kind: NoticeKind
    channel: Channel
    target: str
    content: str
    created_at: datetime
    next_try: datetime
    until: datetime | None = None
    status: NoticeStatus = "pending"
    tries: int = 0
    tried_at: datetime | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which event of the log something has been done."""

    name: str
    event: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken: whose, what it was called, what was wrong with it in JSON; not what was in it.

    `round` is the round it was sent for, 0 if there was none.
    """

    id: str
    model: str
    account: str
    round: int
    received_at: datetime
    filename: str
    size: int
    content_hash: str
    code: str
    message: str
    problems: str
