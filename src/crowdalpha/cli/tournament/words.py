"""How records, amounts and moments are said: to people in a line, to scripts as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import click

from crowdalpha.cli.console import print_json, printable

AMOUNTS = {"amount", "at_risk", "owed", "paid", "burned", "stake", "release", "reserve", "wallet"}
"""Fields that hold whole units: they are said in coins, as text that is exact."""
DONE = {"open": "opened", "close": "closed", "score": "scored", "resolve": "resolved and settled"}
AHEAD = {"open": "opens", "close": "closes", "score": "is scored", "resolve": "resolves"}


def answer(record: Any, sentence: str, as_json: bool) -> None:
    """What a command has done: the record as JSON, or a sentence or several, a line each."""
    if as_json:
        print_json(facts(record))
    else:
        click.echo("\n".join(map(printable, sentence.splitlines())))


def coins(units: int) -> str:
    """An amount for people and scripts alike, in coins and exact."""
    from crowdalpha.tournament.money import format_amount

    return format_amount(units)


def moment(time: datetime) -> str:
    """A time for people, to the second, in UTC.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 3, 18, 0, tzinfo=UTC))
    '2026-01-03 18:00:00Z'
    """
    return f"{time:%Y-%m-%d %H:%M:%S}Z"


def facts(value: Any, name: str = "") -> Any:
    """A record as plain values: amounts as exact text in coins, times in ISO 8601.

    >>> from crowdalpha.tournament.ledger import Posting
    >>> facts([Posting("wallet:ada", 1_500_000_000)])
    [{'account': 'wallet:ada', 'amount': '1.5'}]
    """
    if is_dataclass(value):
        return {field.name: facts(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): facts(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [facts(item, name) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, datetime):
        return value.isoformat()
    return coins(value) if name in AMOUNTS and type(value) is int else value


def done(key: str) -> str:
    """What an event's key says was done.

    >>> done("score:12:3"), done("open:4")
    ('round 12: day 3 scored', 'round 4: opened')
    """
    action, number, *day = key.split(":")
    return f"round {number}: day {day[0]} scored" if day else f"round {number}: {DONE[action]}"


def ahead(key: str) -> str:
    """What an event's key says will be done.

    >>> ahead("score:12:3"), ahead("open:4")
    ('round 12 is scored for day 3', 'round 4 opens')
    """
    action, number, *day = key.split(":")
    return f"round {number} {AHEAD[action]}" + (f" for day {day[0]}" if day else "")


def lacks(key: str) -> str:
    """What an event that is due and not done waits for.

    >>> lacks("score:12:3"), lacks("resolve:12")
    ('round 12 waits for the target of day 3, or its beacon', 'round 12 waits for the final target, or its beacon')
    """
    _, number, *day = key.split(":")
    return f"round {number} waits for the {f'target of day {day[0]}' if day else 'final target'}, or its beacon"
