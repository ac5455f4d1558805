"""docs/commands.md: every command with its arguments and options, in the words of its own help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from docs.make.markdown import GENERATED, prose, table

LEAD = """Every command, in the words of its `--help`. All print JSON with `--json`; those of a tournament take
its folder from `--tournament`, else from `CROWDALPHA_TOURNAMENT`, else it is the current one. Exit codes: 0
done, 2 wrong use, 3 the input was refused, with [codes](problems.md) for each problem; of `verify` also 1,
something differs. How they play together stands in the [README](../README.md) for scores and on [a page of its
own](tournament.md) for tournaments."""
EVERYWHERE = {"--json", "--tournament"}
"""Options that are not repeated."""


def page() -> str:
    """The page as text."""
    from crowdalpha.cli import CHAPTERS, main

    context = click.Context(main, info_name="crowdalpha")
    parts = ["# Commands", GENERATED, LEAD]
    for chapter, verbs in CHAPTERS.items():
        parts += [f"## {chapter}", *(part for name in verbs for part in _entries(context, main, name))]
    return "\n\n".join(parts) + "\n"


def _entries(above: click.Context, group: click.Group, name: str) -> Iterator[str]:
    """A command's entry, and those of the commands under it."""
    command = group.get_command(above, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=above)
    yield f"### `{' '.join([context.command_path, *_arguments(command)])}`"
    yield from map(prose, inspect.cleandoc(command.help or "").split("\n\n"))
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _entries(context, command, each)
        return
    options = [each for each in command.params if isinstance(each, click.Option) and not _repeated(each)]
    if options:
        yield table(("option", "says"), [_row(option, context) for option in options])


def _repeated(option: click.Option) -> bool:
    """Whether an option means what it means everywhere; a tournament that is made is not one that is named."""
    return not EVERYWHERE.isdisjoint(option.opts) and (option.envvar is not None or "--json" in option.opts)


def _arguments(command: click.Command) -> list[str]:
    return [str(each.human_readable_name) for each in command.params if isinstance(each, click.Argument)]


def _row(option: click.Option, context: click.Context) -> tuple[str, str]:
    """How an option is written and what its help says, its default included."""
    written, said = option.get_help_record(context) or ("", "")
    return f"`{written}`", prose(said.replace("  [", " ["))
