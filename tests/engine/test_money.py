"""Random histories of a real tournament in a real database, beside a second bookkeeper who agrees to the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from books import LARGEST, Books, Bout, steep
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from seasons import COIN, START, judge

from crowdalpha.engine import Engine
from crowdalpha.payouts import policy_of
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import audit
from crowdalpha.storage.memory import MemoryFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament.records import Score
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk
from servers import Postgres, quick_folder

IDS = [f"i{k}" for k in range(8)]
OWNERS = {"a1": "ada", "a2": "ada", "b1": "bob", "c1": "cy"}
PLACES = ("treasury", "wallet:ada", "wallet:bob")
STEPS = 50
AMOUNTS = st.one_of(
    st.integers(1, 3), st.integers(1, 10**4 * COIN), st.sampled_from([COIN, 10**6 * COIN, LARGEST // 8, LARGEST])
)
TENTHS = st.integers(1, 11)
FORTUNES = st.one_of(st.integers(100, 10**6), st.integers(10**15, 10**17))
POLICIES = st.sampled_from(["steep", "corr-or-twice-mmc", "payout-factor"])
SKILLS = st.sampled_from([-1, 0, 1])
BACK = st.sampled_from([0, 0, 0, 0, 1, 5])
"""By how many hours a clock is behind."""
MODEL = st.sampled_from(["a1", "b1", "a2", "a1", "b1", "c1"])


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


class Histories(RuleBasedStateMachine):
    """Two engines on one database take turns; the books are kept beside them."""

    steps = 0

    def __init__(self, url: str) -> None:
        super().__init__()
        files = MemoryFiles()
        self.engines = [
            Engine(SqlStore(url), files, judge=judge, master=b"m" * 32, policies={"steep": policy_of(steep, clip=1.0)})
            for _ in range(2)
        ]
        self.books, self.now, self.number, self.turns = Books(), 0, count(1), count()
        self.audited = 0
        self.said: list[Callable[[Engine], object]] = []

    def teardown(self) -> None:
        for engine in self.engines:
            engine.store.close()

    @property
    def engine(self) -> Engine:
        return self.engines[next(self.turns) % 2]

    def do(self, verb: Callable[[Engine], Any], refused: str | None = None) -> Any:
        """Ask the engine whose turn it is; True if it did, and it did unless the books know why not."""
        if refused:
            with pytest.raises(InputError) as error:
                verb(self.engine)
            assert refused in {problem.code for problem in error.value.problems}
            return None
        self.said.append(verb)
        return verb(self.engine)

    def key(self) -> str:
        return f"{next(self.number):04d}"

    # who plays, with what

    @initialize(
        treasury=st.one_of(TENTHS, FORTUNES, FORTUNES, AMOUNTS),
        staked=st.lists(FORTUNES, min_size=3, max_size=3),
        policy=POLICIES,
        skills=st.lists(SKILLS, min_size=2, max_size=2),
        leaving=st.lists(st.integers(0, 11), min_size=2, max_size=2),
    )
    def begin(self, treasury: int, staked: list[int], policy: str, skills: list[int], leaving: list[int]) -> None:
        """Three models with stakes, at risk in the first of two rounds and sent in for the second; one may leave."""
        self.pay("treasury", treasury, True, 0)
        for model, amount in zip(("a1", "a2", "b1"), staked, strict=True):
            self.choose(model, None)
            self.pay(f"wallet:{OWNERS[model]}", amount, True, 0)
            self.ask(model, "stake_increase", 7, 0)
        for skill, tenths in zip(skills, leaving, strict=True):
            self.announce(0, 2, (1, 2), 1, policy, True)
            self.submit({"a1", "a2", "b1"}, skill, 0)
            self.tick(1, 0)
            if tenths:
                self.ask("a1", "stake_decrease", tenths, 0)

    @rule(model=MODEL, choice=st.sampled_from([None, (1.0, 0.0), (0.0, 2.0), (1.0, 0.5)]))
    def choose(self, model: str, choice: tuple[float, float] | None) -> None:
        """A model, if it is new, and its choice."""
        owner = OWNERS[model]
        self.do(lambda engine: engine.open_account(owner, owner.title(), at(0)))
        self.do(lambda engine: engine.add_model(model, owner, f"{owner}'s {model}", at(0)))
        self.engine.choose(model, choice, at(self.now))
        self.books.owner[model], self.books.choice[model] = owner, choice

    @rule(place=st.sampled_from(PLACES), amount=AMOUNTS, into=st.booleans(), back=BACK)
    def pay(self, place: str, amount: int, into: bool, back: int) -> None:
        key, now = self.key(), at(self.now - back)
        if into:
            refused = self.books.cannot_pay_in(place, amount)
            self.do(lambda engine: engine.deposit(key, amount, now, into=place), refused)
        else:
            refused = self.books.cannot_pay_out(place, amount)
            self.do(lambda engine: engine.withdraw(key, amount, now, out_of=place), refused)
        if not refused:
            self.books.move(amount, *(("external", place) if into else (place, "external")))

    # stakes

    @rule(
        model=MODEL,
        verb=st.sampled_from(["stake_decrease", "stake_increase", "stake_drain", "stake_decrease"]),
        amount=st.one_of(TENTHS, TENTHS, AMOUNTS),
        back=BACK,
    )
    def ask(self, model: str, verb: str, amount: int, back: int) -> None:
        """Of an amount up to 11, so many tenths of what there is."""
        id, now, more = self.key(), self.now - back, verb == "stake_increase"
        held = self.books.purse[f"wallet:{OWNERS[model]}" if more else f"stake:{model}"]
        units = min(max(1, held * amount // 10), LARGEST) if amount < 12 else amount
        wanted = () if verb == "stake_drain" else (units,)
        refused = self.books.cannot_ask(model, more, *wanted)
        self.do(lambda engine: getattr(engine, verb)(id, model, *wanted, at(now)), refused)
        if not refused:
            self.books.ask(id, model, more, *(wanted or (None,)), now)

    @precondition(lambda self: self.books.asks)
    @rule(data=st.data(), back=BACK)
    def change_ones_mind(self, data: st.DataObject, back: int) -> None:
        id, now = data.draw(st.sampled_from(sorted(self.books.asks, reverse=True)[:3])), self.now - back
        refused = self.books.cannot_cancel(id, now)
        self.do(lambda engine: engine.stake_cancel(id, at(now)), refused)
        if not refused:
            self.books.cancel(id)

    # rounds

    @precondition(lambda self: len(self.books.running) < 4)
    @rule(
        wait=st.integers(0, 4),
        open=st.integers(1, 4),
        gaps=st.lists(st.integers(1, 3), min_size=1, max_size=3),
        bags=st.integers(1, 2),
        policy=POLICIES,
        ready=st.sampled_from([True, True, True, False]),
    )
    def announce(self, wait: int, open: int, gaps: Sequence[int], bags: int, policy: str, ready: bool) -> None:
        """A round that opens and closes no earlier than the one before; it may be over sooner."""
        last = self.books.rounds.get(len(self.books.rounds))
        opens = max(self.now + wait, last.opens if last else 0)
        closes = max(opens + open, last.closes if last else 0)
        *days, resolves = np.cumsum([closes, *gaps]).tolist()[1:]
        bout = Bout(len(self.books.rounds) + 1, opens, closes, tuple(days), resolves, policy)
        self.do(lambda engine: engine.schedule(announced(bout, bags), IDS, at(self.now)))
        self.said.pop()  # the same bout may not be announced at another time
        self.books.rounds[bout.number] = bout
        if ready:
            self.hand_in_all(bout)

    @precondition(lambda self: any(round.waits for round in self.books.running))
    @rule()
    def hand_in(self) -> None:
        """What somebody waits for."""
        self.hand_in_all(next(round for round in self.books.running if round.waits))

    def hand_in_all(self, bout: Bout) -> None:
        final = len(bout.scored) + 1
        for day in range(1, final + 1):
            values = np.random.default_rng([bout.number, day]).permutation(len(IDS)).tolist()
            target = dict(zip(IDS, map(float, values), strict=True))
            self.do(
                lambda engine, day=day, target=target: engine.set_target(
                    bout.number, None if day == final else day, target
                )
            )
            bout.targets.add(day)

    @precondition(lambda self: self.books.round_for(self.now))
    @rule(models=st.sets(MODEL, min_size=1, max_size=2), skill=SKILLS, back=BACK)
    def submit(self, models: set[str], skill: int, back: int) -> None:
        for model in sorted(models):
            self.send(model, skill if model < "b" else -skill, self.now - back)

    def send(self, model: str, skill: int, now: int) -> None:
        id, bout = self.key(), self.books.round_for(now)
        refused = "invalid_submission_round" if bout is None else self.books.unknown(model)
        content = upload(bout, id, skill)
        receipt = self.do(lambda engine: engine.submit(id, model, content, at(now)), refused)
        if receipt:
            assert (receipt.round, receipt.status) == (bout.number, self.books.submit(id, model, bout, now))

    # time

    @rule(back=BACK, hours=st.integers(0, 4))
    def tick(self, hours: int, back: int) -> None:
        self.now += hours
        done = self.engine.tick(at(self.now - back))
        assert done == self.books.tick(self.now - back, self.scores)

    @precondition(lambda self: self.books.running)
    @rule(events=st.integers(1, 3))
    def let_things_happen(self, events: int) -> None:
        """So much time passes that something is due."""
        due = sorted(hour for round in self.books.running for hour, _ in round.agenda[round.done :])
        self.tick(max(0, due[:events][-1] - self.now), 0)

    @precondition(lambda self: self.said)
    @rule(data=st.data(), both=st.booleans())
    def say_again(self, data: st.DataObject, both: bool) -> None:
        """What was done once is not done again; the invariants would see it."""
        verb = data.draw(st.sampled_from(self.said[-20:]))
        for _ in range(1 + both):
            verb(self.engine)

    def scores(self, number: int, model: str) -> tuple[float, float]:
        final = self.books.rounds[number].scored
        with self.engine.store.reading() as work:
            found = {s.metric: s.value for s in work.find(Score, round=number, model=model, day=len(final) + 1)}
        return found["corr"], found["mmc2"]

    @invariant()
    def all_is_well(self) -> None:
        type(self).steps += 1
        with self.engine.store.reading() as work:
            held = work.balances()
            risks, payouts = work.find(AtRisk), work.find(Payout)
            if work.events(since=self.audited):
                assert audit.faults(work) == ()
                self.audited = len(work.events())
        assert sum(held.values()) == 0
        assert min((held[name] for name in held if name != "external"), default=0) >= 0
        assert {name: units for name, units in held.items() if units} == {
            name: units for name, units in self.books.purse.items() if units
        }
        self.at_risk_and_paid(risks, payouts)

    def at_risk_and_paid(self, risks: list[AtRisk], payouts: list[Payout]) -> None:
        frozen = {(risk.round, risk.model): risk.amount for risk in risks}
        assert frozen == {(n, m): units for n, bout in self.books.rounds.items() for m, units in bout.at_risk.items()}
        paid = {(p.round, p.model): (p.at_risk, p.fraction, p.owed, p.paid) for p in payouts}
        assert paid == self.books.paid
        for payout in payouts:
            assert abs(payout.paid) <= abs(payout.owed) <= frozen[payout.round, payout.model]
        assert list(self.books.uncovered()) == []


def announced(bout: Bout, bags: int) -> Round:
    return Round(
        number=bout.number,
        open_time=at(bout.opens),
        close_time=at(bout.closes),
        scoring_times=tuple(at(hour) for hour in bout.scored),
        resolve_time=at(bout.resolves),
        rule=bout.rule,
        commitment="0" * 64,
        n_bags=bags,
        final_bags=bags,
    )


def upload(bout: Bout | None, id: str, skill: int) -> bytes:
    """Guesses that are right, wrong or neither on the last day."""
    number, last = (bout.number, len(bout.scored) + 1) if bout else (1, 1)
    truth = np.random.default_rng([number, last]).permutation(len(IDS)) / len(IDS)
    noise = np.random.default_rng(int(id)).random(len(IDS))
    values = 0.5 + 0.2 * skill * (truth - 0.5) + 0.2 * (noise - 0.5)
    return ("id,prediction\n" + "\n".join(f"{i},{v!r}" for i, v in zip(IDS, values.tolist(), strict=True))).encode()


Databases = Callable[[], str]
"""Gives the URL of a new database each time, in the place of the one before."""


@contextmanager
def sqlite(template: bytes) -> Iterator[Databases]:
    with TemporaryDirectory(prefix="crowdalpha-", dir=quick_folder()) as folder:

        def fresh() -> str:
            for old in Path(folder).glob("tournament.db*"):
                old.unlink()
            Path(folder, "tournament.db").write_bytes(template)
            return f"sqlite:///{folder}/tournament.db"

        yield fresh


@contextmanager
def postgresql(server: Postgres) -> Iterator[Databases]:
    with ExitStack() as last:

        def fresh() -> str:
            last.close()
            return last.enter_context(server.database())

        yield fresh


def played(fresh: Databases, steps: int) -> int:
    """Play histories until so many steps are done; how many were."""

    class Counted(Histories):
        steps = 0

    while (missing := steps - Counted.steps) > 0:
        how = settings(max_examples=ceil(missing / STEPS), stateful_step_count=STEPS)
        run_state_machine_as_test(lambda: Counted(fresh()), settings=how)
    return Counted.steps


def test_any_history_on_sqlite_is_what_a_second_bookkeeper_says(sqlite_template: bytes) -> None:
    with sqlite(sqlite_template) as fresh:
        assert played(fresh, 1000) >= 1000


def test_any_history_on_postgresql_is_what_a_second_bookkeeper_says(postgres: Postgres) -> None:
    with postgresql(postgres) as fresh:
        assert played(fresh, 200) >= 200


@pytest.mark.slow
def test_ten_thousand_steps_of_any_history_on_sqlite(sqlite_template: bytes) -> None:
    with sqlite(sqlite_template) as fresh:
        assert played(fresh, 10_000) >= 10_000


@pytest.mark.slow
def test_ten_thousand_steps_of_any_history_on_postgresql(postgres: Postgres) -> None:
    with postgresql(postgres) as fresh:
        assert played(fresh, 10_000) >= 10_000
