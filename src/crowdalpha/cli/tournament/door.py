"""What every command of a tournament shares: the folder it is in, the time, ids, amounts, and its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import click
from click.core import ParameterSource

from crowdalpha.cli.console import reports_refusals
from crowdalpha.cli.options import Command, Place, as_json

if TYPE_CHECKING:
    from crowdalpha.engine import Engine
    from crowdalpha.scoring.problems import InputError
    from crowdalpha.settings import Settings

VARIABLE = "CROWDALPHA_TOURNAMENT"
"""The environment's word for --tournament."""


def time(value: Any) -> datetime:
    """A moment in ISO 8601, or what TOML takes for one, in UTC; without an offset it is taken for UTC."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"'{value}' is no time such as 2026-01-03T18:00Z.") from None


def coins(value: Any) -> int:
    """An amount in coins, as text with up to nine decimals, in whole units, exactly."""
    from crowdalpha.scoring.problems import InputError
    from crowdalpha.tournament.money import parse_amount

    try:
        return parse_amount(value)
    except InputError as refusal:
        raise click.BadParameter(str(refusal)) from None


def identifier(value: str) -> str:
    """A name under which something is made: a word that can be seen."""
    if not value.strip() or not value.isprintable():
        raise click.BadParameter(f"{value!r} is no id; use letters and digits.")
    return value


def now() -> datetime:
    """The machine's clock, asked once a command."""
    return datetime.now(UTC)


in_folder = click.option(
    "--tournament",
    "folder",
    envvar=VARIABLE,
    default=".",
    type=click.Path(path_type=Path),
    help=f"The tournament's folder; else ${VARIABLE}, else the current one.",
)
at = click.option("--now", type=time, metavar="TIME", default=now, help="The time, in ISO 8601; else the clock's.")
whole = click.IntRange(1, 10**9)
"""Numbers of rounds, days and bags."""
amount = click.argument("amount", type=coins)


class InOrder(click.Group):
    """A group that lists its commands in the order they were written in."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, first things first."""
        return list(self.commands)


def named(what: str) -> Callable[[Command], Command]:
    """The option --id, for what a command makes: the same command with the same id does nothing twice."""
    return click.option(
        "--id",
        type=identifier,
        metavar="ID",
        default=lambda: uuid4().hex,
        help=f"An id for the {what}: to repeat it does no harm.",
    )


def plays(function: Callable[..., None]) -> Command:
    """A command on the engine of a tournament, which it gets as its first argument; with --tournament and --json.

    If a server is named it gets what asks that server, and knows the verbs of an engine that a participant has.
    """

    @in_folder
    @as_json
    @reports_refusals
    @wraps(function)
    def wrapped(folder: Path, **parameters: Any) -> None:
        place = server()
        if place is None:
            with opened(folder) as (engine, _):
                function(engine, **parameters)
            return
        _require_no_time()
        from crowdalpha.cli.tournament.distant import Distant
        from crowdalpha.client.api import Client

        with refusals(), Client(place.url, place.token or None) as client:
            function(cast("Engine", Distant(client)), **parameters)

    return wrapped


def server() -> Place | None:
    """The server that a command is to ask: that of --server, or of the environment if no folder is named."""
    context = click.get_current_context()
    place = context.find_root().obj
    if not isinstance(place, Place) or not place.url:
        return None
    folder = context.get_parameter_source("folder")
    named = folder in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    if place.said and folder is ParameterSource.COMMANDLINE:
        raise click.UsageError("Name a server or a folder, not both.")
    return place if place.said or not named else None


def needs_folder(what: str) -> InputError:
    """That something cannot be asked of a server."""
    from crowdalpha.scoring.problems import InputError, Problem

    expected, fix = "what a participant may ask a server", "leave --server out, and name the --tournament's folder"
    return InputError(Problem("needs_folder", expected, what, fix))


def whose(account: str | None) -> str:
    """The account that is meant: on a server, unless it is named, that of the token."""
    if account is None and server() is None:
        raise click.UsageError("Missing argument: name the account.")
    return account or ""


def _require_none_said() -> None:
    """Refuse --server where a folder is worked on; that of the environment does not matter there."""
    place = click.get_current_context().find_root().obj
    if isinstance(place, Place) and place.said:
        raise needs_folder(f"`{click.get_current_context().command_path}`")


def _require_no_time() -> None:
    if click.get_current_context().get_parameter_source("now") is ParameterSource.COMMANDLINE:
        raise needs_folder("--now: a server has its own clock")


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Engine, Settings]]:
    """The engine and the settings of the tournament in a folder; what the engine cannot do becomes a refusal."""
    from crowdalpha.settings import open_engine, read

    _require_none_said()
    with refusals():
        settings = read(folder)
        with open_engine(settings) as engine:
            yield engine, settings


@contextmanager
def refusals() -> Iterator[None]:
    """Make what stores, payouts and the reader of uploads raise into refusals that a command knows how to tell."""
    from crowdalpha.payouts import PayoutError
    from crowdalpha.scoring.problems import InputError, Problem
    from crowdalpha.storage.intake import IntakeError
    from crowdalpha.tournament.ports import BusyError, TakenError

    try:
        yield
    except PayoutError as error:
        fix = "change the rule"
        raise InputError(*(Problem(code, "a fair rule", said, fix, "rule") for code, said in error.problems)) from None
    except TakenError as error:
        raise InputError(
            Problem("id_taken", "a free id", "one of something else", "choose another", str(error))
        ) from None
    except BusyError as error:
        raise InputError(Problem("busy", "a turn", str(error), "try again in a moment", "database")) from None
    except IntakeError as error:
        found, fix = str(error).partition("\n")[0], "see to the machine; nothing is wrong with the file"
        raise InputError(Problem("reader_stopped", "a reader of uploads", found, fix)) from None
