"""A small process that has loaded everything: forks a player for each request, and follows it.

It stays one thread, so that a fork of it is a whole process; a test process is not, and would have to load the engine
for every kill. Requests and answers are pickles.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tracer import RefusedError, Traced, trace

ALONE = {"CROWDALPHA_KERNEL": "numpy", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Request:
    """Play steps in a folder, with a mistake planted, by name, or none; kill at a point, or record what is done.

    With `instead`, play that function of a folder, and nothing of the tournament.
    """

    folder: Path
    steps: tuple[str, ...]
    planted: str = ""
    kill_at: int | None = None
    record: bool = False
    real_judge: bool = False
    instead: Callable[[Path], None] | None = None


class Stagehand:
    """The process, as seen from the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ALONE
        )

    def play(self, folder: Path, *steps: str, **how: object) -> Traced:
        """Play steps; see `Request`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(Request(folder, steps, **how), self._process.stdin)  # type: ignore[arg-type]
        self._process.stdin.flush()
        answer = pickle.load(self._process.stdout)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while True:
        try:
            request: Request = pickle.load(requests)
        except EOFError:
            return
        try:
            answer: object = trace(
                lambda speak, asked=request: _perform(asked, speak),  # type: ignore[misc]
                str(request.folder),
                kill_at=request.kill_at,
                record=request.record,
            )
        except (RefusedError, Exception) as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def _perform(request: Request, speak: int) -> None:
    """What a player does: every step is acknowledged once it is done."""
    import planted
    import play

    from crowdalpha.storage import intake

    if request.instead is not None:
        request.instead(request.folder)
        return
    if request.planted:
        planted.MISTAKES[request.planted](setattr)
    with play.opened(request.folder, intake.judge if request.real_judge else play.judge) as engine:
        for step in request.steps:
            play.STEPS[step](engine)
            os.write(speak, f"{step}\n".encode())


def steps_said(said: bytes) -> Sequence[str]:
    """The steps that were acknowledged."""
    return said.decode().split()


def rehearse() -> None:
    """Play it all once, so that whoever is forked has loaded everything; a fork of several threads would lack them."""
    import play

    with tempfile.TemporaryDirectory() as folder, play.opened(Path(folder)) as engine:
        for step in play.STEPS.values():
            step(engine)
    assert threading.active_count() == 1


if __name__ == "__main__":
    sys.modules["stagehand"] = sys.modules["__main__"]
    rehearse()
    serve(sys.stdin.buffer, sys.stdout.buffer)
