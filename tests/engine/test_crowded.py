"""Many hands at once, on both databases: what is due is done once, and no unit is made or lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest
import seasons
from seasons import COIN, IDS, MODELS, START, judge, prepare, target, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import audit
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import ledger, seeds
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.ports import PredictionStore, TournamentStore
from crowdalpha.tournament.records import KEYS, Account, Model, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.stakes import AtRisk

THREADS = 16
MINUTE = timedelta(minutes=1)


def engine_of(store: TournamentStore, files: PredictionStore) -> Engine:
    return Engine(store, files, judge=judge, master=b"m" * seeds.SECRET_BYTES)


@contextmanager
def engines(url: str, files: PredictionStore, how_many: int) -> Iterator[list[Engine]]:
    """So many engines, each with connections of its own."""
    stores = [SqlStore(url) for _ in range(how_many)]
    yield [engine_of(store, files) for store in stores]
    for store in stores:
        store.close()


def short(number: int) -> Round:
    round = weekly(number)
    return replace(round, scoring_times=round.scoring_times[:2])


def everything(engine: Engine) -> tuple[Any, ...]:
    with engine.store.reading() as work:
        assert audit.faults(work) == ()
        return (*(work.find(kind) for kind in KEYS), work.balances(), work.entries(), work.events())


def until_closed(engine: Engine, rounds: int) -> Engine:
    """Rounds with submissions, the last of them closed, none scored: their targets come at the end."""
    prepare(engine, rounds=0)
    for n in range(1, rounds + 1):
        engine.schedule(short(n), IDS, START)
    for n in range(1, rounds + 1):
        engine.tick(short(n).open_time)
        for model in MODELS:
            engine.submit(f"{n}-{model}", model, upload(n, model), short(n).open_time)
    engine.tick(short(rounds).close_time)
    for n in range(1, rounds + 1):
        for day in (None, 1, 2):
            engine.set_target(n, day, dict(zip(IDS, target(n), strict=True)))
    return engine


def undisturbed(rounds: int, now: datetime) -> tuple[Any, ...]:
    engine = until_closed(engine_of(MemoryStore(), MemoryFiles()), rounds)
    engine.tick(now)
    return everything(engine)


def at_once(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """Everything done in threads that start together."""
    barrier = Barrier(len(work))

    def begun(one: Callable[[], Any]) -> Any:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as threads:
        return [each.result() for each in [threads.submit(begun, one) for one in work]]


# settlers


@pytest.mark.parametrize("settlers", [2, 4])
def test_settlers_in_threads_that_tick_at_once_settle_every_round_once(url: str, settlers: int, tmp_path: Path) -> None:
    with engines(url, FolderFiles(tmp_path / "files"), settlers) as crowd:
        until_closed(crowd[0], 2)
        at_once([lambda engine=engine: engine.tick(short(2).resolve_time) for engine in crowd])
        assert everything(crowd[0]) == undisturbed(2, short(2).resolve_time)


def test_settlers_in_processes_that_tick_at_once_settle_every_round_once(url: str, tmp_path: Path) -> None:
    now, files = short(2).resolve_time, tmp_path / "files"
    command = [sys.executable, str(Path(seasons.__file__).with_name("settler.py")), url, str(files), now.isoformat()]
    with engines(url, FolderFiles(files), 1) as (engine,):
        until_closed(engine, 2)
        settlers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
            for _ in range(2)
        ]
        ready = [settler.stdout.readline() for settler in settlers if settler.stdout]
        for settler in settlers:
            settler.communicate("now\n", timeout=60)
        assert (ready, [settler.returncode for settler in settlers]) == (["ready\n"] * 2, [0, 0])
        assert everything(engine) == undisturbed(2, now)


def test_tickers_whose_clocks_jump_back_and_forth_do_what_one_with_a_good_clock_does(url: str, tmp_path: Path) -> None:
    last = short(2).resolve_time
    with engines(url, FolderFiles(tmp_path / "files"), 2) as crowd:
        until_closed(crowd[0], 2)

        def jump(engine: Engine, seed: int) -> None:
            random = Random(seed)
            for _ in range(12):
                engine.tick(START + random.random() * (last - START))
            engine.tick(last)

        at_once([lambda engine=engine, seed=seed: jump(engine, seed) for seed, engine in enumerate(crowd)])
        assert everything(crowd[0]) == undisturbed(2, last)


# money


def succeeded(verb: Callable[[], Any]) -> bool:
    """Whether it was done; if not, for want of money."""
    try:
        verb()
    except InputError as refused:
        if refused.code not in {"overdrawn", "nothing_staked", "not_pending"}:
            raise
        return False
    return True


def test_sixteen_threads_that_spend_one_wallet_spend_to_the_unit_what_it_holds(store: SqlStore) -> None:
    engine, each, affordable = engine_of(store, MemoryFiles()), 8, 50
    engine.open_account("eve", "Eve", START)
    engine.add_model("eve", "eve", "Eve's", START)
    engine.deposit("eve", affordable * 7 + 6, START, into="wallet:eve")

    def spend(thread: int) -> int:
        ids = [f"{thread}-{k}" for k in range(each)]
        return sum(succeeded(lambda id=id: engine.stake_increase(id, "eve", 7, START)) for id in ids)

    assert sum(at_once([lambda thread=thread: spend(thread) for thread in range(THREADS)])) == affordable
    with store.reading() as work:
        assert audit.faults(work) == ()
        assert (work.balance("wallet:eve"), work.balance("reserve:eve")) == (6, affordable * 7)


def test_sixteen_threads_that_change_stakes_while_two_engines_tick_make_and_lose_nothing(
    url: str, tmp_path: Path
) -> None:
    with engines(url, FolderFiles(tmp_path / "files"), 2) as crowd:
        until_closed(crowd[0], 2)
        moved = [change(crowd, thread) for thread in range(THREADS)]
        tickers = [lambda engine=engine: engine.tick(short(2).resolve_time) for engine in crowd]
        done = at_once([*moved, *tickers])[:THREADS]
        with crowd[0].store.reading() as work:
            assert audit.faults(work) == ()
            held = work.balances()
        in_and_out = sum(paid for paid, _ in done)
        assert -held["external"] == 10**6 * COIN + 3 * 1000 * COIN + in_and_out
        assert sum(held.values()) == 0
        assert min(units for account, units in held.items() if account != "external") >= 0
        assert sum(asked for _, asked in done) > THREADS


def change(crowd: Sequence[Engine], thread: int) -> Callable[[], tuple[int, int]]:
    """Random changes of stakes, deposits and withdrawals; what came in, and how many changes there were."""
    random, engine, model = Random(thread), crowd[thread % 2], MODELS[thread % len(MODELS)]

    def go() -> tuple[int, int]:
        paid, asked, now = 0, 0, short(2).close_time
        for k in range(5):
            id, units = f"{thread}-{k}", random.randrange(1, 60 * COIN)
            verbs: list[Callable[[], object]] = [
                lambda id=id, units=units: engine.stake_increase(id, model, units, now),
                lambda id=id, units=units: engine.stake_decrease(id, model, units, now),
                lambda id=id: engine.stake_drain(id, model, now),
            ]
            wanted = succeeded(random.choice(verbs))
            asked += wanted
            if wanted and random.random() < 0.4:
                succeeded(lambda id=id: engine.stake_cancel(id, now))
            paid += engine.deposit(f"in-{id}", units, now, into=f"wallet:{model}") * units
            if succeeded(lambda id=id, units=units: engine.withdraw(f"out-{id}", units, now, out_of=f"wallet:{model}")):
                paid -= units
        return paid, asked

    return go


# the close


def two_hundred(engine: Engine) -> list[str]:
    """Models with a stake each, and a round that is open."""
    models = [f"m{k:03d}" for k in range(200)]
    with engine.store.transaction() as work:
        work.insert(Account("all", "All", START), *(Model(model, "all", model, START) for model in models))
        work.post(ledger.deposit("all", 200 * COIN, START, into="wallet:all"))
        stakes = [Posting(ledger.stake(model), COIN) for model in models]
        work.post(Entry("stakes", "stake", START, (Posting("wallet:all", -200 * COIN), *stakes)))
    engine.schedule(short(1), IDS, START)
    engine.tick(short(1).open_time)
    return models


def test_of_two_hundred_uploads_around_a_close_each_is_on_time_or_late_and_at_risk_are_those_on_time(url: str) -> None:
    close, ticket = short(1).close_time, count(-60)
    with engines(url, MemoryFiles(), 3) as crowd:
        waiting = iter(two_hundred(crowd[0]))

        def send(engine: Engine) -> list[Submission]:
            return [
                engine.submit(f"by-{model}", model, upload(1, "ada"), close + next(ticket) * MINUTE)
                for model in waiting_for(waiting)
            ]

        def tick(engine: Engine) -> list[Submission]:
            while (now := close + next(ticket) * MINUTE) < close + 60 * MINUTE:
                engine.tick(now)
            return []

        work = [*(lambda engine=engine: send(engine) for engine in [*crowd, *crowd]), lambda: tick(crowd[-1])]
        receipts = [receipt for received in at_once(work) for receipt in received]
        crowd[0].tick(close)
        with crowd[0].store.reading() as work_:
            assert sorted(receipts, key=lambda receipt: receipt.id) == work_.find(Submission)
            at_risk = {risk.model for risk in work_.find(AtRisk, round=1) if risk.amount}
            assert audit.faults(work_) == ()
    on_time = {receipt.model for receipt in receipts if receipt.status == "on_time"}
    assert Counter(receipt.model for receipt in receipts).most_common(1)[0][1] == 1
    assert at_risk == on_time
    assert 0 < len(on_time) < len(receipts) == 200
    assert all(receipt.received_at < close for receipt in receipts if receipt.status == "on_time")


def waiting_for(models: Iterator[str]) -> Iterator[str]:
    """The next model that nobody else has taken; a shared iterator gives each once, as it is written in C."""
    while (model := next(models, None)) is not None:
        yield model
