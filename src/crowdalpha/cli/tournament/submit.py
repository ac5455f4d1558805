"""`crowdalpha submit`: a file of predictions for the round that is open."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from crowdalpha.cli.console import REFUSED, counted, print_json
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import existing
from crowdalpha.cli.tournament.door import at, named, plays
from crowdalpha.cli.tournament.words import answer, moment

if TYPE_CHECKING:
    from crowdalpha.engine import Engine
    from crowdalpha.scoring.problems import InputError
    from crowdalpha.tournament.records import Submission

LATE = "late: nothing is at risk, and it counts for the next round unless another comes"


@click.command(name="submit")
@click.argument("file", type=existing)
@click.option("--model", required=True, help="Whose predictions they are.")
@named("submission")
@at
@plays
def command(engine: Engine, file: Path, model: str, id: str, now: datetime, as_json: bool) -> None:
    """Hand in FILE, CSV or Parquet with an id and a prediction a row, and print the receipt."""
    from crowdalpha.scoring.problems import InputError

    try:
        receipt = engine.submit(id, engine.model_called(model), _content(file), now)
    except InputError as refusal:
        _refuse(file, refusal, as_json)
    answer(receipt, _told(receipt, model), as_json)


def _content(file: Path) -> bytes:
    """The bytes of a file, or as many as show that it is too large."""
    from crowdalpha.storage.intake import LIVE

    with file.open("rb") as opened:
        return opened.read(LIVE.bytes + 1)


def _told(receipt: Submission, model: str) -> str:
    return (
        f"{model}, round {receipt.round}: received {moment(receipt.received_at)}, "
        f"{LATE if receipt.status == 'late' else 'on time'}\n"
        f"{counted(receipt.n_ids, 'id')}, SHA-256 {receipt.content_hash} (id {receipt.id})"
    )


def _refuse(file: Path, refusal: InputError, as_json: bool) -> NoReturn:
    """Say all that is wrong, and leave."""
    if as_json:
        print_json({"problems": [asdict(problem) for problem in refusal.problems]})
    else:
        rows = [(p.where, p.code, f"expected {p.expected}, found {p.found}", p.fix) for p in refusal.problems]
        title = f"{file.name} is refused: {counted(len(rows), 'problem')}"
        with redirect_stdout(sys.stderr):
            print_table(title, ("where", "code", "problem", "what to do"), rows, left=4)
    sys.exit(REFUSED)
