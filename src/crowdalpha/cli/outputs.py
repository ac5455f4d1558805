"""Files are written whole or not at all, and all of a command's or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path


def write_all(files: Mapping[Path | None, Callable[[Path], None]]) -> None:
    """Write each file under another name beside its own, then rename them all; a None among the paths is passed over.

    Whatever goes wrong while writing leaves what was there before as it was, and nothing else behind.
    """
    staged = {path: _beside(path, k) for k, path in enumerate(files) if path is not None}
    try:
        for path, place in staged.items():
            _write(files[path], place, path)
        for path, place in staged.items():
            place.replace(path.resolve())
    finally:
        for place in staged.values():
            place.unlink(missing_ok=True)


def _beside(path: Path, k: int) -> Path:
    return path.resolve().parent / f".{os.getpid()}-{k}{path.suffix}"


def _write(write: Callable[[Path], None], place: Path, path: Path) -> None:
    """Write to a place and name the path in what is refused."""
    from crowdalpha.scoring.problems import InputError

    try:
        write(place)
    except InputError as refusal:
        raise InputError(*(replace(problem, where=str(path)) for problem in refusal.problems)) from None
    except OSError as error:
        error.filename = str(path)
        raise
