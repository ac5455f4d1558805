"""A round of a real tournament on SQLite: what its close, its scoring and its settlement take."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Row, at_most, duration
from crowdalpha.engine import Engine
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import ledger, stakes
from crowdalpha.tournament.ports import Transaction
from crowdalpha.tournament.records import Account, Model, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.submissions import Verdict

START = datetime(2026, 1, 3, tzinfo=UTC)
CLOSES, SCORED, RESOLVES = (START + timedelta(days=day) for day in (2, 3, 4))
COIN = 10**9


class Timed(SqlStore):
    """A store that adds up how long its transactions take: settlement is one."""

    seconds = 0.0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        started = time.perf_counter()
        with super().transaction() as work:
            yield work
        self.seconds = time.perf_counter() - started


def tournament(n_models: int, n_ids: int) -> tuple[str, str, list[Row]]:
    """Close, score and settle one round in which everybody has a stake that becomes effective at the close."""
    with tempfile.TemporaryDirectory() as folder, _opened(Path(folder)) as (store, engine):
        _enter(store, engine, n_models, n_ids)
        took = {name: _took(lambda now=now: engine.tick(now)) for name, now in _STEPS.items()}
        settled, total = store.seconds, sum(took.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    times = ", ".join(f"{name} {duration(seconds)}" for name, seconds in took.items())
    rows = [
        at_most("closed, scored and settled, wall time", total, 10.0, unit="s", times=times),
        at_most("of which the settlement's transaction", settled, 2.0, unit="s"),
        at_most("memory of the process at its peak, earlier races included", peak, 2.0, unit="GB"),
    ]
    text = (
        f"One round of {n_models:,} models x {n_ids:,} ids through the engine on SQLite and a folder of files: every "
        "model's stake becomes effective at the close, one scoring day with 20 bags, the final score with 100."
    )
    return "A tournament's round", text, rows


_STEPS = {"close": CLOSES, "scoring day": SCORED, "resolution": RESOLVES}


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Timed, Engine]]:
    store = Timed(f"sqlite:///{folder}/tournament.db")
    store.create()
    yield (
        store,
        Engine(
            store, FolderFiles(folder / "files", lasting=False), judge=_none, master=b"b" * 32, packs=folder / "packs"
        ),
    )
    store.close()


def _enter(store: Timed, engine: Engine, n_models: int, n_ids: int) -> None:
    """Everybody and everything in one transaction: entering is not what is timed."""
    rng, names = np.random.default_rng(0), [f"m{k:06d}" for k in range(n_models)]
    ids = [f"i{k:06d}" for k in range(n_ids)]
    round = engine.schedule(
        Round(
            number=1,
            open_time=START,
            close_time=CLOSES,
            scoring_times=(SCORED,),
            resolve_time=RESOLVES,
            rule="corr-or-twice-mmc",
            commitment="0" * 64,
        ),
        ids,
        START - timedelta(days=1),
    )
    target = dict(zip(ids, (rng.integers(0, 5, n_ids) / 4).tolist(), strict=True))
    engine.set_target(1, 1, target)
    engine.set_target(1, None, target)
    engine.tick(START)
    with store.transaction() as work:
        work.insert(Account("all", "Everybody", START))
        work.insert(*(Model(name, "all", name, START) for name in names))
        for into in (ledger.TREASURY, ledger.wallet("all")):
            work.post(ledger.deposit(into, 10**9 * COIN, START, into=into))
        for k, name in enumerate(names):
            _play(work, engine, round, name, (1 + k % 100) * COIN, (rng.permutation(n_ids) + 0.5) / n_ids)


def _play(work: Transaction, engine: Engine, round: Round, name: str, amount: int, ranks: Any) -> None:
    """A stake and a submission of one model."""
    wallet = ledger.wallet("all")
    step = stakes.increase(
        name, name, amount, START, account="all", unresolved=[round], balances={wallet: work.balance(wallet)}
    )
    assert step.entry is not None
    work.insert(step.change)
    work.post(step.entry)
    digest = sha256(ranks.tobytes()).hexdigest()
    engine.files.write(f"ranks/{digest}", ranks.astype("<f8").tobytes())
    work.insert(Submission(name, 1, name, START, "on_time", digest, f"ranks/{digest}", len(ranks)))


def _took(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _none(content: bytes, ids: Any, rules: Any) -> Verdict:
    """Nothing is uploaded here."""
    return Verdict()
