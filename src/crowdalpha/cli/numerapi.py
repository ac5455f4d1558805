"""`crowdalpha numerapi`: the command line of numerapi, for a server of one's choice."""

from __future__ import annotations

import click

from crowdalpha.cli.console import reports_refusals


@click.command(name="numerapi", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--server", metavar="URL", envvar="CROWDALPHA_SERVER", required=True, show_envvar=True,
              help="Where the tournament is served.")  # fmt: skip
@click.argument("words", nargs=-1, type=click.UNPROCESSED, required=True)
@reports_refusals
def command(server: str, words: tuple[str, ...]) -> None:
    """Have numerapi (pip install numerapi) do WORDS on the server: `crowdalpha numerapi --server URL submit FILE`.

    WORDS are a command of numerapi's own and its options; --help is one of them. Its keys are NUMERAI_PUBLIC_ID and
    NUMERAI_SECRET_KEY in the environment.
    """
    from crowdalpha.scoring.problems import InputError, Problem

    try:
        from numerapi import base_api, cli
    except ModuleNotFoundError as error:
        raise InputError(Problem("numerapi_missing", "numerapi", str(error), "pip install numerapi")) from None
    base_api.API_TOURNAMENT_URL = server.rstrip("/")
    try:
        cli.cli.main(list(words), prog_name="crowdalpha numerapi", standalone_mode=False)
    except ValueError as error:
        fix = "do what it says, or see the rules of the tournament"
        raise InputError(Problem("refused", "what the server takes", str(error), fix, server)) from None
