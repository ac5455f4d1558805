"""The undisturbed run, and whether a folder that was disturbed can be told from it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from play import NAMES, STEPS, State, database, files_of, opened, state_of

from crowdalpha.storage import audit
from crowdalpha.storage.sql import SqlStore


class DifferenceError(AssertionError):
    """Something was lost, torn or done twice."""


@dataclass(slots=True)
class Undisturbed:
    """What a play leaves: `states` after each commit, and after each step how many there were, the files, the answer.

    `before` holds a copy of the folder before each step.
    """

    folder: Path
    states: list[State] = field(default_factory=lambda: [State()])
    commits: list[int] = field(default_factory=lambda: [0])
    files: list[dict[str, bytes]] = field(default_factory=lambda: [{}])
    answers: dict[str, object] = field(default_factory=dict)

    def before(self, step: str) -> Path:
        """The folder as it was before a step."""
        return self.folder / step

    def play(self) -> Undisturbed:
        """Play everything."""
        folder = self.folder / "undisturbed"
        folder.mkdir()
        for step in NAMES:
            shutil.copytree(folder, self.before(step))
            with opened(folder, store_of=self._watched(folder)) as engine:
                self.answers[step] = STEPS[step](engine)
            self.commits.append(len(self.states) - 1)
            self.files.append(files_of(folder))
        return self

    def _watched(self, folder: Path) -> Any:
        states = self.states

        class Watched(SqlStore):
            """Takes a picture after each commit."""

            def create(self) -> None:
                super().create()
                states.append(state_of(folder))

            @contextmanager
            def transaction(self) -> Iterator[Any]:
                with super().transaction() as work:
                    yield work
                states.append(state_of(folder))

        return Watched


def compare(folder: Path, expected: Undisturbed, done: Sequence[str], *, until: str = NAMES[-1]) -> bool:
    """Hold what a restart finds against the undisturbed run, and play on; DifferenceError if there is one.

    `done` are the steps that were acknowledged. Nothing of them may be missing, and beyond them only whole
    transactions of the step that was under way may be there: returns whether any was. Then all is played once more up
    to a step, and must be as if nothing had happened. (What comes later depends on nothing but what is compared.)
    """
    _require_sound(folder)
    earliest, latest = expected.commits[len(done)], expected.commits[min(len(done) + 1, len(NAMES))]
    state = state_of(folder)
    _require(state in expected.states[earliest : latest + 1], "not the state after a whole transaction that was due")
    _require_files(files_of(folder), expected.files[len(done)], expected.files[-1])
    steps = max(NAMES.index(until) + 1, len(done))
    _play_again(folder, NAMES[:steps], expected)
    _require_sound(folder)
    _require(state_of(folder) == expected.states[expected.commits[steps]], "played again, it becomes another")
    _require(files_of(folder) == expected.files[steps], "played again, the files are others")
    return state != expected.states[earliest]


def _play_again(folder: Path, steps: Sequence[str], expected: Undisturbed) -> None:
    """All steps from the first: those that are done do nothing twice, and receipts are the same."""
    with opened(folder) as engine:
        for step in steps:
            answer = STEPS[step](engine)
            same = not step.startswith("submit") or answer == expected.answers[step]
            _require(same, f"{step} answers {answer}")


def _require_sound(folder: Path) -> None:
    with opened(folder) as engine:
        connection = sqlite3.connect(database(folder))
        checked = connection.execute("PRAGMA quick_check").fetchall()
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        connection.close()
        _require(checked == [("ok",)], f"the database is damaged: {checked}")
        if tables:
            with engine.store.reading() as work:
                wrong = audit.faults(work)
            _require(not wrong, f"the books are wrong: {wrong}")


def _require_files(found: dict[str, bytes], promised: dict[str, bytes], known: dict[str, bytes]) -> None:
    missing = promised.keys() - found.keys()
    _require(not missing, f"files are missing: {sorted(missing)}")
    torn = [name for name, content in found.items() if known.get(name) != content]
    _require(not torn, f"files are torn: {torn}")


def _require(right: bool, otherwise: str) -> None:
    if not right:
        raise DifferenceError(otherwise)
