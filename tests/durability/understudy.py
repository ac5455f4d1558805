"""A small process that has loaded everything, and forks a player on a database for each request."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from stagehand import ALONE, rehearse


class Understudy:
    """The process, as seen from the tests: one play at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ALONE
        )

    def begin(self, url: str, folder: Path, steps: Sequence[str]) -> int:
        """Let a player begin; returns its process when it has opened the database."""
        assert self._process.stdin is not None
        pickle.dump((url, folder, tuple(steps)), self._process.stdin)
        self._process.stdin.flush()
        player = int(self._line())
        assert self._line() == "begun"
        return player

    def acknowledged(self) -> list[str]:
        """Wait for the player's end, of whatever kind: the steps it said it had done."""
        return list(iter(self._line, "ended"))

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()


def serve() -> None:
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        player = os.fork()
        if not player:
            say(str(os.getpid()))
            _play(*request)
            os._exit(0)
        os.waitpid(player, 0)
        say("ended")


def _play(url: str, folder: Path, steps: Sequence[str]) -> None:
    """What the player does. If its database goes, it goes without a word; all else that goes wrong is told."""
    import play

    from crowdalpha.storage.sql import SqlStore

    try:
        with play.opened(folder, store_of=lambda _: SqlStore(url)) as engine:
            say("begun")
            for step in steps:
                play.STEPS[step](engine)
                say(step)
    except DBAPIError:
        return
    except BaseException as error:
        say(f"failed: {error!r}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    import psycopg  # noqa: F401 - loaded before the first fork

    rehearse()
    serve()
