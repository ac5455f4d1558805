"""People: how they come in, with a password and a cookie or with a token; what their accounts hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crowdalpha.engine import Statement
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server import auth
from crowdalpha.server.callers import PARTICIPANT, SCOPES, Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.limits import LOGIN, Limits
from crowdalpha.server.names import check_name
from crowdalpha.server.office import Office, found, new_id
from crowdalpha.tournament.people import Login, Session, Token
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import Account, Model
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.settlement import Payout

SESSION = timedelta(days=14)
"""How long somebody stays logged in."""
HOUR = timedelta(hours=1)
TOKENS = 50
"""Tokens of one account that count at once."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account as its owner sees it: its money and models, and the address they log in with ("" for none)."""

    statement: Statement
    email: str

    @property
    def account(self) -> Account:
        """The account itself."""
        return self.statement.account


@dataclass(frozen=True, slots=True)
class Paid:
    """What a round paid a model of the account."""

    round: Round
    model: Model
    payout: Payout


class People:
    """Verbs about people and their accounts."""

    def __init__(self, office: Office) -> None:
        self._office, self._tries = office, Limits()

    # coming in

    def sign_up(self, email: str, password: str, name: str, now: datetime) -> Account:
        """Open an account by oneself, if the operator lets people do so."""
        if not self._office.settings.server.sign_up:
            raise refusal("sign_up_closed")
        return self.create(email, password, name, now)

    def create(self, email: str, password: str, name: str, now: datetime) -> Account:
        """Open an account with a login. Names and addresses are taken once, whatever their case."""
        email, name, kept = auth.check_email(email), check_name(name), auth.hash_password(password, email, name)
        account = Account(new_id(), name, now)
        with self._office.engine.store.transaction() as work:
            if work.find(Login, email=email):
                raise refusal("id_taken", what="the address", id=email)
            if any(other.name.casefold() == name.casefold() for other in work.find(Account)):
                raise refusal("id_taken", what="the name", id=name)
            work.insert(account, Login(account.id, email, kept, now))
            work.append("account.opened", {"account": account.id, "name": name}, now)
        return account

    def log_in(self, email: str, password: str, now: datetime) -> tuple[str, Session]:
        """Begin a session: the value of its cookie, which is shown this once, and its record.

        Whoever fails several times in a row for one address has to wait (`rate_limited`).
        """
        self._tries.take(email.strip().lower()[:254], LOGIN)
        with self._office.engine.store.reading() as work:
            known = work.find(Login, email=email.strip().lower()[:254]) if _plain(email) else []
        login = next(iter(known), None)
        if not auth.check_password(None if login is None else login.password_hash, password) or login is None:
            raise refusal("bad_login")
        self._tries.forget(email.strip().lower()[:254], LOGIN)
        return self.begin(login.account, now)

    def begin(self, account: str, now: datetime) -> tuple[str, Session]:
        """Begin a session of an account whose owner has been recognised."""
        cookie = auth.draw_secret()
        session = Session(auth.hash_of(cookie), account, auth.draw_secret(), now, now + SESSION)
        with self._office.engine.store.transaction() as work:
            work.insert(session)
        return cookie, session

    def by_cookie(self, cookie: str, now: datetime) -> tuple[Caller, Session] | None:
        """Who has that cookie, with their session; None if it is no session that counts."""
        with self._office.engine.store.reading() as work:
            session = work.get(Session, auth.hash_of(cookie)) if _plain(cookie) else None
        if session is None or session.ended_at is not None or now >= session.expires_at:
            return None
        return Caller(session.account, PARTICIPANT, now), session

    def log_out(self, cookie: str, now: datetime) -> None:
        """End a session."""
        with self._office.engine.store.transaction() as work:
            session = work.get(Session, auth.hash_of(cookie), lock=True)
            if session is not None and session.ended_at is None:
                work.update(replace(session, ended_at=now))

    def change_password(self, who: Caller, old: str, new: str) -> None:
        """Set another password, by whoever knows the old one; all sessions end."""
        kept = auth.hash_password(new)
        with self._office.engine.store.reading() as work:
            before = work.get(Login, who.account)
        if before is None or not auth.check_password(before.password_hash, old):
            raise refusal("bad_login")
        with self._office.engine.store.transaction() as work:
            if work.get(Login, who.account, lock=True) != before:
                raise refusal("changed_meanwhile")
            work.update(replace(before, password_hash=kept, changed_at=who.now))
            _end_sessions(work, who.account, who.now)

    def by_token(self, header: str, now: datetime) -> Caller:
        """Who sends that Authorization header, `Token id$secret` or `Bearer id.secret`; else `session_not_found`."""
        named = auth.parse_token(header)
        with self._office.engine.store.reading() as work:
            token = work.get(Token, named[0]) if named else None
        known = token is not None and named is not None and auth.same(auth.hash_of(named[1]), token.secret_hash)
        if token is None or not known or not counts(token, now):
            raise refusal("session_not_found")
        if token.last_used_at is None or token.last_used_at + HOUR <= now:
            self._used(token.public_id, now)
        return Caller(token.account, frozenset(token.scopes), now)

    def _used(self, public_id: str, now: datetime) -> None:
        with self._office.engine.store.transaction() as work:
            token = work.get(Token, public_id, lock=True)
            if token is not None:
                work.update(replace(token, last_used_at=now))

    # tokens

    def tokens(self, who: Caller) -> list[Token]:
        """The caller's tokens, those that are over included, newest first."""
        who.require("read_user_info")
        return self.tokens_of(who.account)

    def add_token(
        self, who: Caller, name: str, scopes: Sequence[str], expires_at: datetime | None = None
    ) -> tuple[Token, str]:
        """A new token of the caller's, and its secret, which is shown this once. It may no more than the caller."""
        who.require("read_user_info")
        for scope in scopes:
            who.require(scope)
        return self.issue(who.account, name, scopes, who.now, expires_at)

    def issue(
        self, account: str, name: str, scopes: Sequence[str], now: datetime, expires_at: datetime | None = None
    ) -> tuple[Token, str]:
        """A token of any account: what the operator's command does."""
        if not scopes or set(scopes) - set(SCOPES):
            expected, given = f"some of {', '.join(SCOPES)}", ", ".join(scopes)[:80] or "none"
            raise InputError(Problem("bad_scopes", expected, given, "choose among them", "scopes"))
        if expires_at is not None and expires_at <= now:
            raise InputError(
                Problem("bad_expiry", "a time to come", expires_at.isoformat(), "correct it", "expires_at")
            )
        secret, kept = auth.draw_secret(), tuple(name for name in SCOPES if name in scopes)
        token = Token(auth.draw_name(), account, auth.hash_of(secret), check_name(name), kept, now, expires_at)
        with self._office.engine.store.transaction() as work:
            found(work.get(Account, account), "account", account)
            if sum(counts(other, now) for other in work.find(Token, account=account)) >= TOKENS:
                fix = "revoke one that is not used"
                raise InputError(Problem("too_many_tokens", f"at most {TOKENS} tokens", "one more", fix))
            work.insert(token)
        return token, secret

    def revoke_token(self, who: Caller, public_id: str) -> Token:
        """End a token of the caller's; again is the same as once."""
        who.require("read_user_info")
        return self.revoke(public_id, who.now, of=who.account)

    # what only the operator does, by commands

    def revoke(self, public_id: str, now: datetime, *, of: str | None = None) -> Token:
        """End a token, of one account if it is named."""
        with self._office.engine.store.transaction() as work:
            token = work.get(Token, public_id, lock=True)
            if token is None or of not in (None, token.account):
                raise refusal("unknown", what="token", id=public_id[:80])
            if token.revoked_at is None:
                token = replace(token, revoked_at=now)
                work.update(token)
        return token

    def tokens_of(self, account: str) -> list[Token]:
        """The tokens of an account, newest first."""
        with self._office.engine.store.reading() as work:
            return sorted(work.find(Token, account=account), key=lambda token: token.created_at, reverse=True)

    def find(self, user: str) -> Account:
        """An account by its id, its name or its owner's address."""
        with self._office.engine.store.reading() as work:
            login = next(iter(work.find(Login, email=user.lower())), None)
            named = work.get(Account, login.account if login else user) or _by_name(work, user)
        return found(named, "account", user)

    def set_login(self, user: str, email: str | None, password: str, now: datetime) -> Login:
        """Give an account a password, and an address if it has none or another is named; all its sessions end."""
        account, kept = self.find(user), auth.hash_password(password)
        with self._office.engine.store.transaction() as work:
            before = work.get(Login, account.id, lock=True)
            address = auth.check_email(email or (before.email if before else ""))
            if any(other.account != account.id for other in work.find(Login, email=address)):
                raise refusal("id_taken", what="the address", id=address)
            login = Login(account.id, address, kept, now)
            if before is None:
                work.insert(login)
            else:
                work.update(login)
            _end_sessions(work, account.id, now)
        return login

    # accounts

    def me(self, who: Caller) -> Person:
        """The caller's account as it stands."""
        who.require("read_user_info")
        with self._office.engine.store.reading() as work:
            login = work.get(Login, who.account)
        return Person(self._office.engine.account(who.account), login.email if login else "")

    def payouts(self, who: Caller) -> list[Paid]:
        """What all resolved rounds paid the caller's models, newest first."""
        who.require("read_user_info")
        with self._office.engine.store.reading() as work:
            paid = [
                Paid(found(work.get(Round, payout.round), "round", payout.round), model, payout)
                for model in work.find(Model, account=who.account)
                for payout in work.find(Payout, model=model.id)
            ]
        return sorted(paid, key=lambda one: (one.round.number, one.model.name), reverse=True)

    def named(self, name: str) -> tuple[Account, list[Model]]:
        """A public account by its name, with its models."""
        with self._office.engine.store.reading() as work:
            account = found(_by_name(work, name), "account", name)
            return account, work.find(Model, account=account.id)


def counts(token: Token, now: datetime) -> bool:
    """Whether a token is neither revoked nor expired."""
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def _end_sessions(work: Transaction, account: str, now: datetime) -> None:
    for session in work.find(Session, account=account):
        if session.ended_at is None:
            work.update(replace(session, ended_at=now))


def _by_name(work: Reading | Transaction, name: str) -> Account | None:
    return next((one for one in work.find(Account) if one.name.casefold() == name.casefold()), None)


def _plain(text: str) -> bool:
    """Whether a store can be asked for a text."""
    return text.isprintable()
