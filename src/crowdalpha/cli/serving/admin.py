"""`crowdalpha admin`: people and keys, by the operator, who has the tournament's folder and needs no login."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import existing
from crowdalpha.cli.serving.door import serves
from crowdalpha.cli.tournament.door import InOrder, at, time
from crowdalpha.cli.tournament.words import answer, moment

if TYPE_CHECKING:
    from crowdalpha.server.service import Service
    from crowdalpha.tournament.notices import NoticeStatus
    from crowdalpha.tournament.people import Token

SCOPES = ("upload_submission", "download_submission", "read_submission_info", "read_user_info", "stake", "admin")
STATUSES = ("pending", "delivered", "given_up")
ONCE = "The secret is shown this once."
stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group(name="admin", cls=InOrder)
def command() -> None:
    """Open accounts with a login, set passwords, give and end tokens; publish past eras; look at what was sent."""


@command.command(name="create-user")
@click.argument("email")
@click.option("--name", required=True, help="What people call the account.")
@stdin
@at
@serves
def create_user(service: Service, email: str, name: str, password_stdin: bool, now: datetime, as_json: bool) -> None:
    """Open an account whose owner logs in with EMAIL and a password."""
    account = service.people.create(email, _password(password_stdin), name, now)
    answer(account, f"account {account.id} ({account.name}) for {email}", as_json)


@command.command(name="password")
@click.argument("user")
@click.option("--email", help="The address to log in with, for an account that has none.")
@stdin
@at
@serves
def set_password(
    service: Service, user: str, email: str | None, password_stdin: bool, now: datetime, as_json: bool
) -> None:
    """Set the password of USER: an id, a name or an address. All sessions of the account end."""
    login = service.people.set_login(user, email, _password(password_stdin), now)
    said = {"account": login.account, "email": login.email}
    answer(said, f"account {login.account} logs in as {login.email} with the new password", as_json)


@command.command(name="token")
@click.argument("user")
@click.option("--name", default="token", show_default=True, help="What it is called.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True,
              help="What it may be used for, once for each; else all but admin.")  # fmt: skip
@click.option("--expires", type=time, metavar="TIME", help="When it ends, in ISO 8601; else never.")
@at
@serves
def make_token(
    service: Service,
    user: str,
    name: str,
    scopes: tuple[str, ...],
    expires: datetime | None,
    now: datetime,
    as_json: bool,
) -> None:
    """Make a token for programs of USER: an id, a name or an address."""
    account = service.people.find(user)
    token, secret = service.people.issue(account.id, name, scopes or SCOPES[:-1], now, expires)
    record = _record(token) | {"secret": secret}
    lines = [f"token {token.public_id} of {account.name}, for {', '.join(token.scopes)}. {ONCE}"]
    lines += ["", f"NUMERAI_PUBLIC_ID={token.public_id}", f"NUMERAI_SECRET_KEY={secret}"]
    lines += [f"CROWDALPHA_TOKEN={token.public_id}.{secret}"]
    answer(record, "\n".join(lines), as_json)


@command.command(name="tokens")
@click.argument("user")
@serves
def list_tokens(service: Service, user: str, as_json: bool) -> None:
    """List the tokens of USER, newest first, those that are over included."""
    tokens = service.people.tokens_of(service.people.find(user).id)
    if as_json:
        answer([_record(token) for token in tokens], "", as_json)
        return
    rows = [(t.public_id, t.name, " ".join(t.scopes), _until(t)) for t in tokens]
    print_table(f"Tokens of {user}", ("token", "name", "scopes", "ends"), rows, left=4, spare=("scopes",))


@command.command(name="revoke")
@click.argument("public_id")
@at
@serves
def revoke(service: Service, public_id: str, now: datetime, as_json: bool) -> None:
    """End the token PUBLIC_ID at once."""
    token = service.people.revoke(public_id, now)
    answer(_record(token), f"token {token.public_id} is revoked", as_json)


@command.command(name="validation")
@click.argument("file", type=existing)
@serves
def publish_validation(service: Service, file: Path, as_json: bool) -> None:
    """Publish FILE as the past eras that participants try their predictions on: era, id, target and what else is known.

    Further columns are metamodel, benchmark (example predictions) and features. It is one of the tournament's datasets.
    """
    from crowdalpha.server.past import publish

    eras = publish(service.settings, file)
    said = {"eras": len(eras.universe), "ids": sum(map(len, eras.universe.values())), "columns": list(eras.columns)}
    answer(said, f"{said['eras']} eras with {said['ids']} ids; used: {', '.join(eras.columns)}", as_json)


@command.command(name="deliveries")
@click.option("--status", type=click.Choice(STATUSES), help="Only those that are in that state.")
@click.option("--user", help="Only those to USER: an id, a name or an address.")
@serves
def list_deliveries(service: Service, status: NoticeStatus | None, user: str | None, as_json: bool) -> None:
    """List the messages to participants, newest first, and what became of each."""
    account = service.people.find(user).id if user else None
    sent = service.notices.sent(account=account, status=status)
    if as_json:
        from dataclasses import asdict

        answer([asdict(one) for one in sent], "", as_json)
        return
    rows = [(moment(o.created_at), o.kind, o.channel, o.target, o.status, str(o.tries), o.answer) for o in sent]
    columns = ("written", "tells", "by", "to", "status", "tries", "answer")
    print_table("Deliveries", columns, rows, left=7, spare=("to", "answer"))


@command.command(name="deliver")
@at
@serves
def deliver(service: Service, now: datetime, as_json: bool) -> None:
    """Tell what is to be told and send what is due, once: for a timer, where no server has a clock."""
    service.notices.tell(now)
    tried = service.notices.send()
    answer(tried, f"{len(tried)} tried", as_json)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    found: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return found


def _record(token: Token) -> dict[str, object]:
    from dataclasses import asdict

    return {name: value for name, value in asdict(token).items() if name != "secret_hash"}


def _until(token: Token) -> str:
    if token.revoked_at is not None:
        return f"revoked {moment(token.revoked_at)}"
    return "never" if token.expires_at is None else moment(token.expires_at)
