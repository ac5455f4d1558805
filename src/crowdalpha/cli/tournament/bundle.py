"""`crowdalpha bundle`: the proof of a round as a file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.options import Destination
from crowdalpha.cli.outputs import write_all
from crowdalpha.cli.tournament.door import plays, whole
from crowdalpha.cli.tournament.words import answer

if TYPE_CHECKING:
    from crowdalpha.engine import Engine


@click.command(name="bundle")
@click.argument("number", type=whole)
@click.option("--model", help="Only what the owner of this model may have: enough to recompute its own score.")
@click.option("-o", "--output", type=Destination((".zip",)), required=True, help="The file to write (.zip).")
@plays
def command(engine: Engine, number: int, model: str | None, output: Path, as_json: bool) -> None:
    """Write the proof of round NUMBER, resolved, for `crowdalpha verify` to check anywhere."""
    content = engine.bundle(number) if model is None else engine.bundle_for(number, engine.model_called(model))
    write_all({output: lambda path: _write(path, content)})
    found = {"round": number, "model": model, "file": str(output), "bytes": len(content)}
    found["sha256"] = sha256(content).hexdigest()
    whose = f"the share of {model} in" if model else "the proof of"
    answer(found, f"{whose} round {number} is in {output}: {len(content):,} bytes, SHA-256 {found['sha256']}", as_json)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
