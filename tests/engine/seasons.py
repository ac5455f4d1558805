"""A season of overlapping rounds to be played through an engine by a simulated clock."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from crowdalpha.engine import Engine
from crowdalpha.storage.memory import MemoryFiles
from crowdalpha.tournament import seeds, submissions
from crowdalpha.tournament.ports import TournamentStore
from crowdalpha.tournament.records import Model
from crowdalpha.tournament.rounds import Round, daily

START = datetime(2026, 1, 3, 12, tzinfo=UTC)
COIN = 10**9
IDS = [f"i{k:02d}" for k in range(40)]
MODELS = ("ada", "bob", "cy")
MARKET = "market"
ROUNDS = 6
WEEK, HALF_DAY = timedelta(days=7), timedelta(hours=12)


def judge(content: bytes, ids: Sequence[str], rules: submissions.SubmissionRules) -> submissions.Verdict:
    """Reads a CSV in this process: what the limited one does is tested elsewhere."""
    as_text = pa.csv.ConvertOptions(column_types={"id": pa.string()})
    return submissions.check(pa.csv.read_csv(io.BytesIO(content), convert_options=as_text), ids, rules)


def new(store: TournamentStore, rounds: int = ROUNDS, **rules: Any) -> Engine:
    return prepare(Engine(store, MemoryFiles(), judge=judge, master=b"m" * seeds.SECRET_BYTES), rounds, **rules)


def prepare(engine: Engine, rounds: int = ROUNDS, **rules: Any) -> Engine:
    """Let money, players and rounds be known."""
    engine.deposit("treasury", 10**6 * COIN, START, into="treasury")
    for name in MODELS:
        engine.open_account(name, name.title(), START)
        engine.add_model(name, name, f"{name}'s model", START)
        engine.deposit(name, 1000 * COIN, START, into=f"wallet:{name}")
        engine.stake_increase(f"stake-{name}", name, 100 * COIN, START)
    for n in range(1, rounds + 1):
        engine.schedule(weekly(n, **rules), IDS, START)
    return engine


def weekly(n: int, **rules: Any) -> Round:
    opens = START + n * WEEK
    closes = opens + timedelta(days=2)
    settings: dict[str, Any] = {
        "number": n,
        "open_time": opens,
        "close_time": closes,
        "scoring_times": daily(closes, 20),
        "resolve_time": closes + timedelta(days=26),
        "rule": "corr-or-twice-mmc",
        "commitment": "0" * 64,
        "n_bags": 3,
        "final_bags": 5,
    }
    return Round(**settings | rules)


def target(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 5, len(IDS)) / 4


def upload(n: int, model: str) -> bytes:
    rng = np.random.default_rng([n, MODELS.index(model)])
    values = 0.1 + 0.2 * target(n) + 0.6 * rng.random(len(IDS))
    return ("id,prediction\n" + "\n".join(f"{i},{v!r}" for i, v in zip(IDS, values.tolist(), strict=True))).encode()


def play(
    engine: Engine, *, step: timedelta = HALF_DAY, until: timedelta = 12 * WEEK, rounds: int = ROUNDS
) -> list[str]:
    """Tick through a season; each round gets its submissions and targets half a day after it opens.

    The market, if there is such a model, takes part from the second round on.
    """
    done: list[str] = []
    handed_in = set()
    now = START
    while now < START + until:
        now += step
        done += engine.tick(now)
        for n in range(1, rounds + 1):
            if n not in handed_in and weekly(n).open_time + HALF_DAY <= now < weekly(n).close_time:
                handed_in.add(n)
                for day in (None, *range(1, 21)):
                    engine.set_target(n, day, dict(zip(IDS, target(n), strict=True)))
                for model in MODELS:
                    engine.submit(f"{n}-{model}", model, upload(n, model), now)
                with engine.store.reading() as work:
                    market = work.get(Model, MARKET)
                if market is not None and n > 1:
                    engine.submit(f"{n}-{MARKET}", MARKET, upload(n + 50, "ada"), now)
    return done
