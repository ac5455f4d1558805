"""Bringing messages to where they go: claimed, tried outside of every transaction, and written down how it went.

    claim: tries + 1, next try in LEASE
    then:  delivered, or given up, or next try in min(FIRST 4^(tries - 1), LONGEST)

A claim that nobody comes back from runs out, and somebody tries again: so a message arrives at least once, and whoever
gets it twice knows it by its id.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

from crowdalpha.server.notices.mailing import mail
from crowdalpha.server.notices.posting import key_of, post
from crowdalpha.server.notices.words import subject, text
from crowdalpha.server.office import Office
from crowdalpha.tournament.notices import Notice, Wish

FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=6)
MOST = 10
"""Tries until a message is given up: over a little more than a day."""
LEASE = timedelta(minutes=2)
"""How long a try may take; longer than the longest that does not hang."""
AT_ONCE = 8
IN_A_ROW = 20
"""Messages that one receiver is sent before the others have their turn."""
GONE = 410


@dataclass(frozen=True)
class Sender:
    """Brings messages of an office's tournament."""

    office: Office

    def send(self, ended: Callable[[], bool] = lambda: False) -> list[str]:
        """Try every message that is due, each receiver's in order and several receivers at once; ids of those tried."""
        now = self.office.clock()
        with self.office.engine.store.reading() as work:
            due = [one for one in work.find(Notice, status="pending") if one.next_try <= now]
        due.sort(key=lambda one: (one.channel, one.target, one.created_at, one.id))
        rows = [list(same)[:IN_A_ROW] for _, same in groupby(due, lambda one: (one.channel, one.target))]
        if not rows:
            return []
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notices") as hands:
            return [id for tried in hands.map(lambda row: self._row(row, ended), rows) for id in tried]

    def _row(self, row: Sequence[Notice], ended: Callable[[], bool]) -> list[str]:
        """One receiver's messages, until one does not arrive: the others wait for the next time."""
        tried: list[str] = []
        for one in row:
            if ended() or (claimed := self._claim(one.id)) is None:
                break
            tried.append(one.id)
            if not self._done(claimed, *self._try(claimed)):
                break
        return tried

    def _claim(self, id: str) -> Notice | None:
        """The message, ours for a while; None if another has it, or it is too late for it."""
        now = self.office.clock()
        with self.office.engine.store.transaction() as work:
            one = work.get(Notice, id, lock=True)
            if one is None or one.status != "pending" or one.next_try > now:
                return None
            if (one.until is not None and now >= one.until) or one.tries >= MOST:
                work.update(replace(one, status="given_up", answer=one.answer or "too late to be told"))
                return None
            claimed = replace(one, tries=one.tries + 1, tried_at=now, next_try=now + LEASE)
            work.update(claimed)
            return claimed

    def _try(self, one: Notice) -> tuple[int, str]:
        settings = self.office.settings
        if one.channel == "mail":
            said = json.loads(one.content)["data"]
            code = confirmation(self.office.key, one.account, one.target) if one.kind == "confirm" else ""
            lines = text(one.kind, said, settings.server.url, code)
            return mail(settings.mail, one.target, subject(settings.name, one.kind, said), lines, one.id)
        with self.office.engine.store.reading() as work:
            number = (work.get(Wish, one.account) or Wish(one.account)).key_number
        key, seconds = key_of(self.office.key, one.account, number), int(self.office.clock().timestamp())
        private = settings.notices.private_addresses
        return post(one.target, one.content.encode(), one.id, key, seconds, private=private)

    def _done(self, claimed: Notice, status: int, answer: str) -> bool:
        """Write down how a try went; whether the message has arrived."""
        now = self.office.clock()
        if 200 <= status < 300:
            after = replace(claimed, status="delivered", answer=answer)
        elif status == GONE or claimed.tries >= MOST:
            after = replace(claimed, status="given_up", answer=answer)
        else:
            after = replace(claimed, next_try=now + pause(claimed.tries), answer=answer)
        with self.office.engine.store.transaction() as work:
            if work.get(Notice, claimed.id, lock=True) == claimed:
                work.update(after)
        return after.status == "delivered"


def pause(tries: int) -> timedelta:
    """How long is waited after so many tries.

    >>> [str(pause(n)) for n in (1, 2, 5, 9)]
    ['0:00:30', '0:02:00', '2:08:00', '6:00:00']
    """
    return min(FIRST * 4 ** (tries - 1), LONGEST)


def confirmation(key: bytes, account: str, address: str) -> str:
    """The code that shows that somebody reads mail at an address."""
    return hmac.digest(key, f"confirm\0{account}\0{address}".encode(), "sha256").hex()[:20]
