"""`crowdalpha verify`: a round recomputed; the first number that differs is named."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, print_json, printable, progress, reports_refusals
from crowdalpha.cli.options import as_json
from crowdalpha.cli.tournament.door import in_folder, opened, refusals

if TYPE_CHECKING:
    from crowdalpha.engine import Engine
    from crowdalpha.scoring.problems import Problem

DIFFERS = 1
"""Exit code for a number that is not what follows from the evidence."""
BOOKS = "the money and the log"
Findings = dict[str, "tuple[Problem, ...]"]


def subject(value: str) -> int | Path:
    """The number of a round, or the path of a file.

    >>> subject("12"), str(subject("round-12.zip"))
    (12, 'round-12.zip')
    """
    return int(value) if value.isdecimal() and len(value) < 10 else Path(value)


def _head(value: str) -> tuple[int, str]:
    """A published head: the number of an event, a colon, its hash.

    >>> _head("7:" + 64 * "0")[0]
    7
    """
    number, _, hash = value.partition(":")
    if not number.isdecimal() or len(number) > 15 or not re.fullmatch("[0-9a-f]{64}", hash):
        raise click.BadParameter("It is the number of an event, a colon, and 64 hex digits, as --all tells it.")
    return int(number), hash


published = click.option("--head", "heads", multiple=True, metavar="NUMBER:HASH",
                         callback=lambda ctx, param, values: tuple(map(_head, values)),
                         help="With --all: the last event as it was published once; may be repeated.")  # fmt: skip


@click.command(name="verify")
@click.argument("target", type=subject, required=False)
@click.option("--all", "everything", is_flag=True, help="Every resolved round, the money, and the whole log.")
@published
@in_folder
@as_json
@reports_refusals
def command(
    target: int | Path | None, everything: bool, heads: tuple[tuple[int, str], ...], folder: Path, as_json: bool
) -> None:
    """Recompute TARGET, the number of a resolved round or a file of `crowdalpha bundle`, to the last number.

    A file needs no tournament. With --all the last event of the log is told: whoever keeps it can tell later, with
    --head, whether the log was written anew since. Exit codes: 0 proven, 1 something differs, 3 refused.
    """
    if everything == (target is not None):
        raise click.UsageError("Name a round, a file, or --all.")
    if heads and not everything:
        raise click.UsageError("--head goes with --all.")
    with refusals():
        found = _of_file(target) if isinstance(target, Path) else _of_rounds(target, folder, heads)
    _tell(found, as_json)
    if any(found.values()):
        sys.exit(DIFFERS)


def _of_rounds(number: int | None, folder: Path, heads: tuple[tuple[int, str], ...]) -> Findings:
    """What differs in one round of a tournament, or in all of them."""
    with opened(folder) as (engine, _):
        return _of_all(engine, heads) if number is None else {f"round {number}": engine.verify(number)}


def _of_file(path: Path) -> Findings:
    """What differs in the proof of a round, or in a participant's share of one."""
    from crowdalpha.scoring.problems import InputError
    from crowdalpha.tournament import bundles, shares
    from crowdalpha.tournament.verification import verify

    content = path.read_bytes()
    try:
        share = shares.read(content)
    except InputError:
        try:
            evidence = bundles.read(content)
        except InputError as refusal:
            raise InputError(*(problem.at(str(path)) for problem in refusal.problems)) from None
        return {f"round {evidence.round.number}": verify(evidence)}
    where = f"the share of {share.submission.model} in round {share.round.number}"
    return {where: shares.verify_share(share)}


def _of_all(engine: Engine, heads: tuple[tuple[int, str], ...]) -> Findings:
    """What differs in any resolved round, and whether money and log are in order."""
    from crowdalpha.storage.audit import faults
    from crowdalpha.tournament.events import Head, head
    from crowdalpha.tournament.records import Progress
    from crowdalpha.tournament.rounds import Stage

    found: Findings = {}
    with progress("Verifying") as told:
        with engine.store.reading() as work:
            last = head(work.events())
            found[f"{BOOKS} up to {last.number}:{last.hash}"] = faults(work, [Head(*each) for each in heads])
            numbers = [each.round for each in work.find(Progress, stage=Stage.RESOLVED)]
        for done, number in enumerate(numbers, 1):
            found[f"round {number}"] = engine.verify(number)
            told(done, len(numbers), f"Verifying round {number}")
    return found


def _tell(found: Findings, as_json: bool) -> None:
    if as_json:
        print_json([_plain(where, problems) for where, problems in found.items()])
    else:
        click.echo("\n".join(printable(line) for where, problems in found.items() for line in _lines(where, problems)))


def _plain(where: str, problems: tuple[Problem, ...]) -> dict[str, Any]:
    return {"what": where, "proven": not problems, "problems": [asdict(problem) for problem in problems]}


def _lines(where: str, problems: tuple[Problem, ...]) -> Iterator[str]:
    """The verdict, and the first number that differs."""
    if not problems:
        yield f"{where}: in order" if where.startswith(BOOKS) else f"{where}: proven"
        return
    yield f"{where}: differs in {counted(len(problems), 'place')}, first"
    yield f"    {problems[0]}"
