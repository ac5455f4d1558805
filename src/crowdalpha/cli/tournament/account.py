"""`crowdalpha account`: who plays, with which models, and with how much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, print_json
from crowdalpha.cli.layout import print_prose, print_table
from crowdalpha.cli.tournament.door import InOrder, amount, at, identifier, named, plays, whose
from crowdalpha.cli.tournament.words import answer, coins, facts, moment

if TYPE_CHECKING:
    from crowdalpha.engine import Engine, Holding, Member, Statement
    from crowdalpha.tournament.records import Model

payout = click.option("--payout", type=(float, float), metavar="CORR MMC", help="Its multipliers; else the rule's.")


@click.group(name="account", cls=InOrder)
def command() -> None:
    """Open accounts, add models, move money in and out."""


@command.command(name="open")
@click.argument("id", type=identifier)
@click.option("--name", help="What it is called; else as its id.")
@at
@plays
def open_account(engine: Engine, id: str, name: str | None, now: datetime, as_json: bool) -> None:
    """Open an account under ID, with an empty wallet."""
    account = engine.open_account(id, name or id, now)
    answer(account, f"account {account.id} ({account.name}), opened {moment(account.created_at)}", as_json)


@command.command(name="model")
@click.argument("account")
@click.argument("id", type=identifier)
@click.option("--name", help="What it is called; else as its id.")
@payout
@click.option("--benchmark", is_flag=True, help="Scored like all others, never staked.")
@at
@plays
def add_model(
    engine: Engine,
    account: str,
    id: str,
    name: str | None,
    payout: tuple[float, float] | None,
    benchmark: bool,
    now: datetime,
    as_json: bool,
) -> None:
    """Add a model to ACCOUNT under ID."""
    model = engine.add_model(id, engine.account_called(account), name or id, now, choice=payout, benchmark=benchmark)
    answer(model, f"model {model.id} of {account}, {_choice(model)}", as_json)


@command.command(name="choose")
@click.argument("model")
@payout
@at
@plays
def choose(engine: Engine, model: str, payout: tuple[float, float] | None, now: datetime, as_json: bool) -> None:
    """Change the payout of MODEL, from the next close on.

    Without --payout it is the rule's default again.
    """
    chosen = engine.choose(engine.model_called(model), payout, now)
    answer(chosen, f"model {model}, {_choice(chosen)} from the next close on where the rule offers it", as_json)


@command.command(name="deposit")
@click.argument("account")
@amount
@named("deposit")
@at
@plays
def deposit(engine: Engine, account: str, amount: int, id: str, now: datetime, as_json: bool) -> None:
    """Pay AMOUNT coins into a wallet.

    ACCOUNT is an account, or `treasury`, which payouts come from.
    """
    purse = _purse(engine, account)
    _moved(engine, "paid into", account, purse, amount, id, engine.deposit(id, amount, now, into=purse), as_json)


@command.command(name="withdraw")
@click.argument("account")
@amount
@named("withdrawal")
@at
@plays
def withdraw(engine: Engine, account: str, amount: int, id: str, now: datetime, as_json: bool) -> None:
    """Pay AMOUNT coins out of a wallet.

    ACCOUNT is an account, or `treasury`.
    """
    purse = _purse(engine, account)
    _moved(engine, "paid out of", account, purse, amount, id, engine.withdraw(id, amount, now, out_of=purse), as_json)


@command.command(name="list")
@plays
def list_accounts(engine: Engine, as_json: bool) -> None:
    """List all accounts with their wallets and models."""
    found = engine.account_list()
    if as_json:
        print_json(facts(found))
    elif found:
        columns = ("account", "name", "wallet", "model", "payout", "stake", "at risk")
        print_table(counted(len(found), "account"), columns, _lines(found), left=5, spare=("payout", "at risk"))
    else:
        print_prose("No account is open.")


def _lines(found: Sequence[Member]) -> list[tuple[str, ...]]:
    """A line a model; what belongs to the account stands in its first."""
    lines: list[tuple[str, ...]] = []
    for member in found:
        own = (member.account.id, member.account.name, coins(member.wallet))
        held = [(h.model.name, _choice(h.model), coins(h.stake), coins(h.at_risk)) for h in member.models]
        lines += [(*own, *first) for first in held[:1] or [("-", "-", "-", "-")]]
        lines += [("", "", "", *further) for further in held[1:]]
    return lines


@command.command(name="show")
@click.argument("id", required=False)
@plays
def show(engine: Engine, id: str | None, as_json: bool) -> None:
    """Show an account and its money.

    Its wallet, its models with their stakes, the changes that wait, and every entry of its own. On a server it is one's
    own.
    """
    statement = engine.account(engine.account_called(whose(id)))
    if as_json:
        print_json(facts(statement))
    else:
        print_holdings(statement)
        _print_entries(statement)


def print_holdings(statement: Statement) -> None:
    """The wallet and the models of an account, and the changes that wait."""
    account = statement.account
    title = f"{account.name} ({account.id}): {coins(statement.wallet)} in the wallet"
    columns = ("model", "id", "payout", "stake", "in release", "reserved", "at risk")
    rows, caption = [_row(holding) for holding in statement.models], _waiting(statement)
    print_table(title, columns, rows, left=3, spare=("id",), caption=caption)


def _print_entries(statement: Statement) -> None:
    own = {f"wallet:{statement.account.id}": "wallet"}
    for model in [held.model for held in statement.models]:
        own |= {f"{part}:{model.id}": f"{part} of {model.name}" for part in ("stake", "release", "reserve")}
    rows = [
        (moment(entry.at), entry.id, own[posting.account], coins(posting.amount))
        for entry in statement.entries
        for posting in entry.postings
        if posting.account in own
    ]
    if rows:
        print_table("Entries", ("time", "entry", "account", "coins"), rows, left=3, spare=("entry",))
    else:
        print_prose("No money has moved.")


def _row(holding: Holding) -> tuple[str, ...]:
    held = (holding.stake, holding.release, holding.reserve, holding.at_risk)
    return (holding.model.name, holding.model.id, _choice(holding.model), *map(coins, held))


def _waiting(statement: Statement) -> str:
    names = {holding.model.id: holding.model.name for holding in statement.models}
    return "\n".join(
        f"{change.id}: {change.kind} of {names[change.model]} by {coins(change.amount)} waits for the close of round "
        f"{change.effective_round}"
        for change in statement.pending
    )


def _choice(model: Model) -> str:
    if model.benchmark:
        return "a benchmark"
    if model.corr_multiplier is None:
        return "paid by default"
    return f"paid {model.corr_multiplier:g} x CORR + {model.mmc_multiplier:g} x MMC"


def _purse(engine: Engine, account: str) -> str:
    """The ledger's name for where money comes in and goes out: the treasury, or the wallet of a known account."""
    from crowdalpha.tournament.ledger import TREASURY, wallet

    return TREASURY if account == TREASURY else wallet(engine.account(engine.account_called(account)).account.id)


def _moved(engine: Engine, what: str, account: str, purse: str, amount: int, id: str, new: bool, as_json: bool) -> None:
    with engine.store.reading() as work:
        left = work.balance(purse)
    record = {"id": id, "account": account, "amount": amount, "new": new, "balance": coins(left)}
    again = "" if new else " before, and not again"
    answer(record, f"{coins(amount)} {what} {account}{again} (id {id}); it holds {coins(left)} now", as_json)
