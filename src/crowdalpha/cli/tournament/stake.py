"""`crowdalpha stake`: what models stand to burn, and asking for more or less of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import print_json
from crowdalpha.cli.tournament.account import print_holdings
from crowdalpha.cli.tournament.door import InOrder, amount, at, named, plays, whose
from crowdalpha.cli.tournament.words import answer, coins, facts

if TYPE_CHECKING:
    from crowdalpha.engine import Engine
    from crowdalpha.tournament.stakes import StakeChange


@click.group(name="stake", cls=InOrder)
def command() -> None:
    """Stake on models. Changes become effective when the next round closes."""


@command.command(name="increase")
@click.argument("model")
@amount
@named("change")
@at
@plays
def increase(engine: Engine, model: str, amount: int, id: str, now: datetime, as_json: bool) -> None:
    """Stake AMOUNT coins more on MODEL.

    They are reserved in the wallet's name at once, and staked when the next round closes.
    """
    _say(engine.stake_increase(id, engine.model_called(model), amount, now), model, as_json)


@command.command(name="decrease")
@click.argument("model")
@amount
@named("change")
@at
@plays
def decrease(engine: Engine, model: str, amount: int, id: str, now: datetime, as_json: bool) -> None:
    """Ask for AMOUNT coins of a stake back.

    They leave the stake of MODEL when the next round closes, and come back once the rounds that run now are resolved.
    More than is staked is all of it.
    """
    _say(engine.stake_decrease(id, engine.model_called(model), amount, now), model, as_json)


@command.command(name="drain")
@click.argument("model")
@named("change")
@at
@plays
def drain(engine: Engine, model: str, id: str, now: datetime, as_json: bool) -> None:
    """Ask for all of the stake of MODEL back."""
    _say(engine.stake_drain(id, engine.model_called(model), now), model, as_json)


@command.command(name="cancel")
@click.argument("id")
@at
@plays
def cancel(engine: Engine, id: str, now: datetime, as_json: bool) -> None:
    """Take the pending change ID back."""
    change = engine.stake_cancel(id, now)
    _say(change, change.model, as_json)


@command.command(name="show")
@click.argument("account", required=False)
@plays
def show(engine: Engine, account: str | None, as_json: bool) -> None:
    """Show the stakes of ACCOUNT, on a server of one's own, and what waits."""
    statement = engine.account(engine.account_called(whose(account)))
    if as_json:
        print_json(facts({"models": statement.models, "pending": statement.pending}))
    else:
        print_holdings(statement)


def _say(change: StakeChange, model: str, as_json: bool) -> None:
    whence = f"{change.kind} of {model} by {coins(change.amount)}"
    when = f", effective when round {change.effective_round} closes" if change.status == "pending" else ""
    paid = f", paid back when round {change.release_round} resolves" if change.release_round and when else ""
    answer(change, f"{whence}: {change.status}{when}{paid} (id {change.id})", as_json)
