"""What the commands of a server share: the service on a tournament, if the server is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdalpha.cli.console import reports_refusals
from crowdalpha.cli.options import Command, as_json
from crowdalpha.cli.tournament.door import in_folder, opened

if TYPE_CHECKING:
    from crowdalpha.server.service import Service


def serves(function: Callable[..., None]) -> Command:
    """A command on the service of a tournament, which it gets as its first argument; with --tournament and --json."""

    @in_folder
    @as_json
    @reports_refusals
    @wraps(function)
    def wrapped(folder: Path, **parameters: Any) -> None:
        with _service(folder) as service:
            function(service, **parameters)

    return wrapped


def require_server() -> None:
    """Refuse, with `server_missing`, if the libraries of the server are not installed."""
    from crowdalpha.scoring.problems import InputError, Problem

    try:
        import crowdalpha.server.app  # noqa: F401
    except ModuleNotFoundError as error:
        found, fix = str(error), "pip install 'crowdalpha[server]'"
        raise InputError(Problem("server_missing", "the server's libraries", found, fix)) from None


@contextmanager
def _service(folder: Path) -> Iterator[Service]:
    from crowdalpha.scoring.problems import InputError, Problem

    require_server()
    from crowdalpha.server.catalogue import Refusal
    from crowdalpha.server.service import Service

    with opened(folder) as (engine, settings):
        try:
            yield Service(engine, settings)
        except Refusal as said:
            raise InputError(Problem(said.code, "what can be done", said.message, "correct it")) from None
