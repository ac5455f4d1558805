"""A small tournament in steps, each of which may be the one that dies, and what it leaves on the disk."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from crowdalpha.engine import Engine, Judge
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import seeds, submissions
from crowdalpha.tournament.rounds import Round, daily

START = datetime(2026, 1, 3, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
COIN = 10**9
IDS = [f"i{k:02d}" for k in range(12)]
TARGET = [(7 * k % 5) / 4 for k in range(len(IDS))]
MODELS = {"ada": 0.3, "bob": 0.0, "cy": 0.3}
"""How much each model knows of the target, beside chance: in the end some are paid and some burn."""

State = dict[str, list[Any]]
Step = Callable[[Engine], object]


def judge(content: bytes, ids: Sequence[str], rules: submissions.SubmissionRules) -> submissions.Verdict:
    """Reads a CSV in this process, without a thread or a file."""
    _, *rows = csv.reader(io.StringIO(content.decode()))
    names, values = zip(*rows, strict=True)
    return submissions.check(pa.table({"id": names, "prediction": [float(value) for value in values]}), ids, rules)


def upload(model: str, salt: int = 0) -> bytes:
    random = Random(f"{model} {salt}")
    values = [0.5 + 0.4 * MODELS[model] * (t - 0.5) + 0.4 * (random.random() - 0.5) for t in TARGET]
    return ("id,prediction\n" + "\n".join(f"{i},{v!r}" for i, v in zip(IDS, values, strict=True))).encode()


def announced(number: int) -> Round:
    """The first round opens after a day; the second when the first has closed."""
    opens = START + (2 * number - 1) * DAY
    closes = opens + DAY
    return Round(
        number=number,
        open_time=opens,
        close_time=closes,
        scoring_times=daily(closes, 2),
        resolve_time=closes + 4 * DAY,
        rule="corr-or-twice-mmc",
        commitment="0" * 64,
        n_bags=3,
        final_bags=5,
    )


FIRST, SECOND = announced(1), announced(2)


def found(engine: Engine) -> None:
    """Tables, people, money, stakes, rounds and targets."""
    engine.store.create()  # type: ignore[attr-defined]
    engine.deposit("treasury", 10**4 * COIN + 1, START, into="treasury")
    for name in MODELS:
        engine.open_account(name, name.title(), START)
        engine.add_model(name, name, f"{name}'s model", START)
        engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
        engine.stake_increase(f"stake-{name}", name, 123_456_789_123, START)
    for round in (FIRST, SECOND):
        engine.schedule(round, IDS, START)
        for day in (None, 1, 2):
            engine.set_target(round.number, day, dict(zip(IDS, TARGET, strict=True)))


def change(engine: Engine) -> list[object]:
    """Money in, a stake up, a stake down, one up and cancelled."""
    now = FIRST.close_time + 2 * HOUR
    return [
        engine.deposit("more", 5 * COIN, now, into="wallet:ada"),
        engine.stake_increase("up", "ada", 5 * COIN + 7, now),
        engine.stake_decrease("down", "bob", 3 * COIN, now),
        engine.stake_increase("wrong", "cy", COIN, now),
        engine.stake_cancel("wrong", now),
    ]


def unless_done(verb: Callable[[int, datetime], list[str]], round: int, now: datetime) -> list[str]:
    """What was done in a round; nothing if all of it had been done before."""
    try:
        return verb(round, now)
    except InputError as refused:
        if refused.code != "not_due":
            raise
        return []


STEPS: dict[str, Step] = {
    "found": found,
    "open": lambda engine: engine.tick(FIRST.open_time),
    "submit-ada": lambda engine: engine.submit("1-ada", "ada", upload("ada"), FIRST.open_time + HOUR),
    "submit-bob": lambda engine: engine.submit("1-bob", "bob", upload("bob"), FIRST.open_time + HOUR),
    "submit-ada-again": lambda engine: engine.submit("2-ada", "ada", upload("ada", 1), FIRST.open_time + 2 * HOUR),
    "close": lambda engine: unless_done(engine.round_close, 1, FIRST.close_time),
    "submit-late": lambda engine: engine.submit("1-cy", "cy", upload("cy"), FIRST.close_time + HOUR),
    "change": change,
    "score": lambda engine: unless_done(engine.round_score, 1, FIRST.scoring_times[0]),
    "tick": lambda engine: engine.tick(SECOND.scoring_times[0]),
    "settle": lambda engine: unless_done(engine.round_resolve, 1, FIRST.resolve_time),
    "end": lambda engine: engine.tick(SECOND.resolve_time),
}
"""What happens, in this order. A step that is repeated does nothing twice."""
NAMES = tuple(STEPS)


def database(folder: Path) -> Path:
    return folder / "tournament.db"


@contextmanager
def opened(folder: Path, judged_by: Judge = judge, store_of: Callable[[str], SqlStore] = SqlStore) -> Iterator[Engine]:
    """The engine over a folder; the database is closed in the end."""
    store = store_of(f"sqlite:///{database(folder)}")
    try:
        yield Engine(store, FolderFiles(folder / "files"), judge=judged_by, master=b"m" * seeds.SECRET_BYTES)
    finally:
        store.close()


def state_of(folder: Path) -> State:
    """Every row of every table, in the order of all their columns."""
    with sqlite3.connect(database(folder)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        state = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for (name,) in tables}
    connection.close()
    return state


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file that has a name."""
    files = FolderFiles(folder / "files")
    return {name: files.read(name) for name in files.names()}
