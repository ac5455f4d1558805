"""Notices: what people wish to hear, and how it went; and the server's own part, which tells and sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.server.auth import same
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.models import profile_problems
from crowdalpha.server.notices.posting import key_of, shown
from crowdalpha.server.notices.sending import Sender, confirmation
from crowdalpha.server.notices.telling import Teller, due, mailbox, notice, tell_all
from crowdalpha.server.office import Office, found, new_id, own_model
from crowdalpha.tournament.notices import KINDS, Notice, NoticeStatus, Wish
from crowdalpha.tournament.people import Login, Profile
from crowdalpha.tournament.ports import Transaction
from crowdalpha.tournament.records import Account

HOUR = timedelta(hours=1)
TRIES = 20
"""Messages that an account may ask for by itself in an hour: tries and calls of its models' webhooks."""
ASKED = ("trigger", "test")


class Notices:
    """Verbs about what people are told: all are for their owners, but `tell` and `send`, which are the server's own."""

    def __init__(self, office: Office, woken: Callable[[], None] = lambda: None) -> None:
        self._office, self._sender, self.wake = office, Sender(office), woken

    # wishes

    def wish(self, who: Caller) -> Wish:
        """What the caller wishes to hear, and where."""
        who.require("read_user_info")
        with self._office.engine.store.reading() as work:
            return work.get(Wish, who.account) or Wish(who.account)

    def address(self, who: Caller) -> str:
        """The address that the caller's mail goes to; "" while none is confirmed."""
        with self._office.engine.store.reading() as work:
            return mailbox(work, work.get(Wish, who.account) or Wish(who.account))

    def choose(
        self,
        who: Caller,
        *,
        mail: Sequence[str] | None = None,
        hook: Sequence[str] | None = None,
        webhook: str | None = None,
    ) -> Wish:
        """Change what the caller is told by mail and by the webhook, and where that is; None leaves it as it is.

        Who wishes for mail at an address that is not confirmed is sent a code there, once an hour at most.
        """
        who.require("upload_submission")
        given: dict[str, Any] = {"mail": mail, "hook": hook, "webhook": webhook}
        said = {name: value for name, value in given.items() if value is not None}
        refuse_if_any(problem for name, value in said.items() for problem in _problems(name, value))
        if mail and not self._office.settings.mail.host:
            raise refusal("not_supported", what="Mail")
        said |= {name: tuple(kind for kind in KINDS if kind in said[name]) for name in ("mail", "hook") if name in said}
        with self._office.engine.store.transaction() as work:
            found(work.get(Account, who.account), "account", who.account)
            wish = replace(work.get(Wish, who.account, lock=True) or Wish(who.account), **said)
            _keep(work, wish)
            if wish.mail and not mailbox(work, wish):
                self._ask_to_confirm(work, who)
        self.wake()
        return wish

    def confirm(self, who: Caller, code: str) -> Wish:
        """Take the code that was mailed to the caller's address; `bad_code` if it is another."""
        who.require("upload_submission")
        with self._office.engine.store.transaction() as work:
            login = work.get(Login, who.account)
            if login is None or not same(confirmation(self._office.key, who.account, login.email), code.strip()):
                raise refusal("bad_code")
            wish = replace(work.get(Wish, who.account, lock=True) or Wish(who.account), confirmed=login.email)
            _keep(work, wish)
        return wish

    def key(self, who: Caller) -> str:
        """The key that what is sent to the caller's webhooks is signed with."""
        who.require("upload_submission")
        return shown(key_of(self._office.key, who.account, self.wish_of(who.account).key_number))

    def new_key(self, who: Caller) -> str:
        """Sign with another key from now on."""
        who.require("upload_submission")
        with self._office.engine.store.transaction() as work:
            wish = work.get(Wish, who.account, lock=True) or Wish(who.account)
            _keep(work, replace(wish, key_number=wish.key_number + 1))
        return self.key(who)

    def wish_of(self, account: str) -> Wish:
        """What an account wishes to hear."""
        with self._office.engine.store.reading() as work:
            return work.get(Wish, account) or Wish(account)

    # asked for

    def test(self, who: Caller) -> list[Notice]:
        """Send the caller a message to try it out, wherever messages go."""
        who.require("upload_submission")
        with self._office.engine.store.transaction() as work:
            _require_few(work, who)
            wish = work.get(Wish, who.account) or Wish(who.account)
            everything = replace(wish, mail=("test",) if wish.mail else (), hook=("test",))
            teller = Teller(work, self._office.settings, who.now)
            made = teller.tell(everything, "test", new_id(), {})
        if not made:
            raise refusal("nowhere")
        self.wake()
        return made

    def trigger(self, who: Caller, model: str) -> Notice:
        """Have the webhook of a model of the caller's called: the id of the message is that of the trigger."""
        who.require("upload_submission")
        with self._office.engine.store.transaction() as work:
            own_model(work, who, model)
            _require_few(work, who)
            profile = work.get(Profile, model) or Profile(model)
            if not profile.webhook:
                raise refusal("nowhere")
            made = Teller(work, self._office.settings, who.now).trigger(profile, new_id())
        self.wake()
        return found(made, "model", model)

    # what became of them

    def log(self, who: Caller) -> list[Notice]:
        """Every message to the caller, newest first, and what became of it."""
        who.require("read_user_info")
        return self.sent(account=who.account)

    def sent(self, *, account: str | None = None, status: NoticeStatus | None = None) -> list[Notice]:
        """Every message, of one account or of one status if they are named, newest first: for the operator."""
        equal = {name: value for name, value in (("account", account), ("status", status)) if value is not None}
        with self._office.engine.store.reading() as work:
            return sorted(work.find(Notice, **equal), key=lambda one: (one.created_at, one.id), reverse=True)

    # the server's own

    def tell(self, now: datetime) -> bool:
        """Write down everything that is to be told by now; whether there was anything new to look at."""
        store, settings = self._office.engine.store, self._office.settings
        with store.reading() as work:
            if not due(work, settings, now):
                return False
        with store.transaction() as writing:
            tell_all(writing, settings, now)
        return True

    def send(self, ended: Callable[[], bool] = lambda: False) -> list[str]:
        """Try to bring what is due to where it goes; the ids of what was tried."""
        return self._sender.send(ended)

    def _ask_to_confirm(self, work: Transaction, who: Caller) -> None:
        login = work.get(Login, who.account)
        if login is None:
            raise refusal("no_address")
        key = f"{login.email} {who.now:%Y-%m-%d %H}"
        teller = Teller(work, self._office.settings, who.now)
        content = '{"type": "confirm", "data": {}}'
        teller.add(notice(who.account, "confirm", key, "mail", login.email, content, who.now, None))


def _keep(work: Transaction, wish: Wish) -> None:
    if work.get(Wish, wish.account) is None:
        work.insert(wish)
    else:
        work.update(wish)


def _require_few(work: Transaction, who: Caller) -> None:
    """Refuse who has asked for a lot of messages within the hour."""
    asked = [one for one in work.find(Notice, account=who.account) if one.kind in ASKED]
    if sum(one.created_at > who.now - HOUR for one in asked) >= TRIES:
        raise refusal("rate_limited", seconds=3600, more={"retry_after": 3600})


def _problems(name: str, value: Any) -> Sequence[Problem]:
    if name == "webhook":
        return profile_problems("webhook", value)
    unknown = [kind for kind in value if kind not in KINDS]
    found, fix = ascii(", ".join(unknown))[:80], "choose among them"
    return [Problem("bad_wish", f"some of {', '.join(KINDS)}", found, fix, name)] if unknown else []
