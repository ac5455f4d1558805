"""The contract of a `TournamentStore`, as tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.audit import faults
from crowdalpha.testing.strategies import LARGEST, RECORDS, entries
from crowdalpha.tournament import ledger
from crowdalpha.tournament.events import check_chain
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.ports import SpoiledError, TakenError, TournamentStore, Transaction, UnknownError
from crowdalpha.tournament.records import KEYS, Account, Model, Progress, Score, key_of
from crowdalpha.tournament.rounds import Stage
from crowdalpha.tournament.stakes import AtRisk

NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
THREADS = 16
ADA = Account("ada", "Ada", NOON)
# Examples share a store and are told apart by FRESH; one class of laws is inherited by every store.
on_one_store = settings(
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
    ]
)
FRESH = count()

Deed = Callable[[Transaction], object]
FAILURES: dict[str, tuple[type[Exception], Deed]] = {
    "a key is taken": (TakenError, lambda work: work.insert(ADA)),
    "a key is taken by its neighbour": (TakenError, lambda work: work.insert(account("x"), account("x"))),
    "there is no such record": (UnknownError, lambda work: work.update(account("nobody"))),
    "another entry has the id": (TakenError, lambda work: work.post(deposit("first", 2))),
    "a balance would be overdrawn": (InputError, lambda work: work.post(spend("too much", 10**6))),
    "a balance would be too large": (InputError, lambda work: work.post(deposit("too much", LARGEST))),
    "a text has a NUL": (InputError, lambda work: work.insert(account("a\0b"))),
    "a text has half a character": (InputError, lambda work: work.insert(account("\ud800"))),
    "a number has 65 bits": (InputError, lambda work: work.insert(AtRisk(1, "m", 2**63, 0.0, 0.0))),
    "a choice is no number": (InputError, lambda work: work.insert(Model("m", "ada", "M", NOON, float("nan")))),
    "a time is of nowhere": (InputError, lambda work: work.insert(Account("x", "X", NOON.replace(tzinfo=None)))),
    "a memo has a NUL": (InputError, lambda work: work.post(replace(deposit("memo", 1), memo="\0"))),
    "an event holds a float": (InputError, lambda work: work.append("bad", {"x": 0.5}, NOON)),
    "a key has too many parts": (TypeError, lambda work: work.get(Account, "ada", "x")),
    "a field is unknown": (TypeError, lambda work: work.find(Account, colour="red")),
    "it is no record": (TypeError, lambda work: work.insert("ada")),
}


def account(id: str) -> Account:
    """An account with that id."""
    return Account(id, id.title(), NOON)


def deposit(key: str, amount: int, into: str = "wallet:ada") -> Entry:
    """Money from outside."""
    return ledger.deposit(key, amount, NOON, into=into)


def spend(key: str, amount: int, source: str = "wallet:ada", target: str = "burned") -> Entry:
    """Money from one account to another."""
    return ledger.transfer(key, "spend", NOON, amount, source=source, target=target)


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What deeds return, or raise, that are begun together, each in a thread of its own."""
    together = Barrier(len(deeds))

    def begin(deed: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return deed()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(begin, deeds))


def all_of(store: TournamentStore) -> tuple[Any, ...]:
    """Everything that a store holds."""
    with store.reading() as work:
        records = [work.find(kind) for kind in KEYS]
        return records, dict(work.balances()), list(work.entries()), list(work.events())


class TournamentStoreContract:
    """Inherit it and override `store` with an empty one."""

    @pytest.fixture
    def store(self) -> TournamentStore:
        """The store to be proven, empty."""
        raise TypeError("override this fixture with the store to be proven")

    @pytest.fixture
    def begun(self, store: TournamentStore) -> TournamentStore:
        """The store with an account, 100 units in its wallet, and an event."""
        with store.transaction() as work:
            work.insert(ADA)
            work.post(deposit("first", 100))
            work.append("account.opened", {"account": "ada"}, NOON)
        return store

    # all or nothing

    def test_nothing_of_a_transaction_that_raises_is_kept(self, begun: TournamentStore) -> None:
        before = all_of(begun)

        def fail() -> None:
            with begun.transaction() as work:
                work.insert(account("bob"))
                work.update(replace(ADA, name="Countess"))
                work.post(spend("gone", 40))
                work.append("money.spent", {}, NOON)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert all_of(begun) == before

    def test_a_transaction_sees_what_it_has_done_and_nobody_else_does_before_it_ends(
        self, begun: TournamentStore
    ) -> None:
        before = all_of(begun)
        with begun.transaction() as work:
            work.insert(account("bob"))
            work.post(spend("gone", 40))
            work.append("money.spent", {}, NOON)
            assert work.get(Account, "bob") in work.find(Account)
            assert (work.balance("wallet:ada"), len(work.entries()), len(work.events())) == (60, 2, 2)
            assert all_of(begun) == before
        with begun.reading() as look:
            assert look.get(Account, "bob") == account("bob")
            assert (look.balance("wallet:ada"), len(look.entries()), len(look.events())) == (60, 2, 2)

    @pytest.mark.parametrize("failure", FAILURES)
    def test_a_transaction_in_which_something_failed_keeps_nothing_even_if_that_is_caught(
        self, begun: TournamentStore, failure: str
    ) -> None:
        kind, deed = FAILURES[failure]
        before = all_of(begun)
        with pytest.raises(SpoiledError), begun.transaction() as work:  # noqa: PT012
            work.insert(account("bob"))
            work.post(spend("gone", 40))
            work.append("money.spent", {}, NOON)
            with pytest.raises(kind):
                deed(work)
        assert all_of(begun) == before

    def test_a_transaction_in_which_something_failed_does_nothing_more(self, begun: TournamentStore) -> None:
        with pytest.raises(SpoiledError), begun.transaction() as work:  # noqa: PT012
            with pytest.raises(TakenError):
                work.insert(ADA)
            for deed in (lambda: work.get(Account, "ada"), lambda: work.post(spend("more", 1)), work.events):
                with pytest.raises(SpoiledError):
                    deed()

    def test_a_transaction_inside_another_is_refused_and_the_outer_one_goes_on(self, begun: TournamentStore) -> None:
        with begun.transaction() as work:
            with pytest.raises(RuntimeError), begun.transaction():
                pass
            work.insert(account("bob"))
        with begun.transaction() as work:
            assert work.get(Account, "bob") == account("bob")

    # records

    @given(records=st.lists(st.one_of(*RECORDS.values()), max_size=8, unique_by=lambda r: (type(r), key_of(r))))
    @settings(on_one_store, max_examples=40)
    def test_every_record_comes_back_as_it_was_given(self, store: TournamentStore, records: list[Any]) -> None:
        with store.transaction() as work:
            for record in records:
                known = work.get(type(record), *key_of(record))
                (work.insert if known is None else work.update)(record)
        with store.reading() as look:
            for record in records:
                key = dict(zip(KEYS[type(record)], key_of(record), strict=True))
                assert repr(look.get(type(record), *key.values())) == repr(record)
                assert repr(look.find(type(record), **key)) == repr([record])

    def test_minus_zero_is_kept_as_zero(self, store: TournamentStore) -> None:
        with store.transaction() as work:
            work.insert(Score(1, "rule", 1, "corr", "m", -0.0, False))
            assert repr(work.find(Score)[0].value) == "0.0"

    def test_records_are_found_by_fields_and_ordered_by_key_whatever_the_alphabet(self, store: TournamentStore) -> None:
        ids = ["b", "B", "a b", "é", "e", "z", "ä", "_", "%", "😀", "ﬀ", "", "aa"]
        found = [Account(id, "even" if len(id) % 2 == 0 else "odd", NOON) for id in ids]
        with store.transaction() as work:
            work.insert(*found, *[AtRisk(n, m, 1, 0.5, 2.0) for n in (10, 9) for m in ("b", "a")])
            assert [record.id for record in work.find(Account)] == sorted(ids)
            assert work.find(Account, name="even", created_at=NOON) == sorted(
                (record for record in found if record.name == "even"), key=lambda record: record.id
            )
            assert work.find(Account, name="even", id="aaa") == []
            assert [key_of(r) for r in work.find(AtRisk)] == [(9, "a"), (9, "b"), (10, "a"), (10, "b")]

    def test_records_without_a_choice_are_found_by_none(self, store: TournamentStore) -> None:
        with store.transaction() as work:
            work.insert(Model("m", "ada", "M", NOON), Model("n", "ada", "N", NOON, 0.5, 2.0))
            assert [model.id for model in work.find(Model, corr_multiplier=None)] == ["m"]
            assert [model.id for model in work.find(Model, corr_multiplier=0.5, mmc_multiplier=2.0)] == ["n"]

    def test_an_update_changes_one_record_and_no_other(self, begun: TournamentStore) -> None:
        with begun.transaction() as work:
            work.insert(account("bob"))
            work.update(replace(ADA, name="Countess"))
            assert [record.name for record in work.find(Account)] == ["Countess", "Bob"]

    # money

    def test_the_very_same_entry_again_moves_nothing(self, begun: TournamentStore) -> None:
        with begun.transaction() as work:
            assert work.post(spend("once", 30)) is True
            assert work.post(spend("once", 30)) is False
        with begun.transaction() as work:
            assert work.post(spend("once", 30)) is False
            assert (work.balance("wallet:ada"), len(work.entries())) == (70, 2)

    @pytest.mark.parametrize(
        "other",
        [
            spend("once", 31),
            spend("once", 30, target="treasury"),
            replace(spend("once", 30), kind="theft"),
            replace(spend("once", 30), at=NOON + timedelta(microseconds=1)),
            replace(spend("once", 30), memo="again"),
        ],
        ids=["amount", "account", "kind", "time", "memo"],
    )
    def test_another_entry_under_a_known_id_is_refused(self, begun: TournamentStore, other: Entry) -> None:
        with begun.transaction() as work:
            work.post(spend("once", 30))
        before = all_of(begun)
        with pytest.raises(TakenError), begun.transaction() as work:
            work.post(other)
        assert all_of(begun) == before

    def test_only_what_is_there_can_be_spent_and_only_the_outside_owes(self, begun: TournamentStore) -> None:
        with pytest.raises(InputError) as refused, begun.transaction() as work:
            work.post(spend("all and one more", 101))
        assert refused.value.code == "overdrawn"
        with begun.transaction() as work:
            work.post(spend("all", 100))
            assert work.balances() == {"burned": 100, "external": -100, "wallet:ada": 0}
            assert work.balance("wallet:nobody") == 0

    @pytest.mark.parametrize("amount", [2**53 + 1, 2**62, LARGEST])
    def test_large_amounts_move_to_the_unit(self, store: TournamentStore, amount: int) -> None:
        with store.transaction() as work:
            work.post(deposit("much", amount))
        with store.transaction() as work:
            work.post(spend("all but one", amount - 1))
            assert work.balances() == {"burned": amount - 1, "external": -amount, "wallet:ada": 1}

    @given(
        moves=st.lists(
            st.tuples(*[st.sampled_from(["wallet:a", "wallet:b", "stake:c", "external"])] * 2, st.integers(1, 9))
        )
    )
    @settings(on_one_store, max_examples=20)
    def test_no_history_makes_or_loses_a_unit(self, store: TournamentStore, moves: list[tuple[str, str, int]]) -> None:
        with store.reading() as look:
            expected, posted = dict(look.balances()), list(look.entries())
        for source, target, amount in (move for move in moves if move[0] != move[1]):
            entry = spend(f"move {next(FRESH)}", amount, source, target)
            try:
                with store.transaction() as work:
                    work.post(entry)
            except InputError:
                assert source != "external"
                assert expected.get(source, 0) < amount
            else:
                expected, posted = ledger.apply(expected, entry), [*posted, entry]
        with store.reading() as look:
            assert look.balances() == expected
            assert look.entries() == posted
            assert sum(expected.values()) == 0
            assert faults(look) == ()

    @given(data=st.data())
    @settings(on_one_store, max_examples=20)
    def test_an_entry_comes_back_as_it_was_posted(self, store: TournamentStore, data: st.DataObject) -> None:
        entry = data.draw(entries(f"entry {next(FRESH)}"))
        with store.transaction() as work:
            work.post(entry)
        with store.reading() as look:
            assert repr(look.entries()[-1]) == repr(entry)
            for posting in entry.postings:
                assert look.entries(posting.account)[-1] == entry

    def test_entries_stand_in_the_order_they_were_posted(self, store: TournamentStore) -> None:
        posted = [deposit(key, 1, into=f"wallet:{key[0]}") for key in ("b2", "a1", "é", "b10", "a0")]
        for entry in posted:
            with store.transaction() as work:
                work.post(entry)
        with store.reading() as look:
            assert look.entries() == posted
            assert look.entries("wallet:b") == [posted[0], posted[3]]
            assert look.entries("external") == posted
            assert look.entries("wallet:nobody") == []

    def test_balances_are_chosen_by_exactly_the_beginning_of_their_names(self, store: TournamentStore) -> None:
        owners = ["a", "A", "a%", "a_b", "aXb", "é", "é%", "%", "ab"]
        with store.transaction() as work:
            for owner in owners:
                work.post(deposit(owner, 1, into=f"wallet:{owner}"))
        with store.reading() as look:
            for prefix in ("", "wallet:", "wallet:a", "wallet:A", "wallet:a_", "wallet:%", "wallet:é", "w", "x"):
                chosen = sorted(name for name in look.balances() if name.startswith(prefix))
                assert list(look.balances(prefix)) == chosen
            assert len(look.balances("wallet:")) == len(owners)

    def test_an_entry_of_thousands_of_postings_is_one_entry(self, store: TournamentStore) -> None:
        postings = [Posting(f"wallet:{n}", n + 1) for n in range(2000)]
        entry = Entry("big", "deposit", NOON, (*postings, Posting("external", -sum(p.amount for p in postings))))
        with store.transaction() as work:
            assert work.post(entry) is True
        with store.transaction() as work:
            assert work.post(entry) is False
            assert work.entries("wallet:7") == [entry]
            assert len(work.balances("wallet:")) == 2000

    # the log

    def test_events_form_one_chain_in_the_order_they_were_appended(self, store: TournamentStore) -> None:
        payload = {"amount": str(2**62), "of": ["é", "\0", None, True, 2**63 - 1], "in": {"b": {}, "a": []}}
        for n in range(3):
            with store.transaction() as work:
                work.append("thing.happened", {**payload, "n": n}, NOON - n * SECOND)
                work.append("thing.ended", {}, NOON.replace(microsecond=999999))
        with store.reading() as look:
            log = look.events()
            check_chain(log)
            assert [event.number for event in log] == [1, 2, 3, 4, 5, 6]
            assert [event.at for event in log[::2]] == [NOON - n * SECOND for n in range(3)]
            assert log[2].payload == {**payload, "n": 1}
            assert look.events(since=4) == log[4:]
            assert look.events(since=-1) == log
            assert look.events(since=6) == []

    # one moment

    def test_reading_sees_one_moment_whatever_others_do(self, begun: TournamentStore) -> None:
        with begun.reading() as look:
            before = (look.find(Account), look.balances(), look.entries(), look.events())
            with begun.transaction() as work:
                work.insert(account("bob"))
                work.post(spend("gone", 40))
                work.append("money.spent", {}, NOON)
            assert (look.find(Account), look.balances(), look.entries(), look.events()) == before
        with begun.reading() as look:
            assert look.balance("wallet:ada") == 60

    def test_reading_offers_nothing_that_changes(self, begun: TournamentStore) -> None:
        with begun.reading() as look:
            assert not {"insert", "update", "post", "append"} & set(dir(look))

    def test_reading_waits_for_nobody(self, begun: TournamentStore) -> None:
        with begun.transaction() as work:
            work.post(spend("gone", 40))
            (seen,) = at_once(lambda: all_of(begun))
        assert seen[1]["wallet:ada"] == 100

    # many hands

    def test_many_threads_spending_one_balance_spend_it_once(self, begun: TournamentStore) -> None:
        def spend_on(thread: int) -> int:
            spent = 0
            for n in range(3):
                try:
                    with begun.transaction() as work:
                        spent += work.post(spend(f"{thread}/{n}", 7)) * 7
                except InputError:
                    continue
            return spent

        assert sum(at_once(*[partial(spend_on, thread) for thread in range(THREADS)])) == 98
        with begun.reading() as look:
            assert look.balances() == {"burned": 98, "external": -100, "wallet:ada": 2}
            assert faults(look) == ()

    def test_of_many_who_post_the_same_entry_or_insert_the_same_record_one_does(self, begun: TournamentStore) -> None:
        def post() -> bool:
            with begun.transaction() as work:
                return work.post(spend("once", 30))

        def insert() -> None:
            with begun.transaction() as work:
                work.insert(account("bob"))

        assert sorted(at_once(*[post] * THREADS)) == [False] * (THREADS - 1) + [True]
        outcomes = at_once(*[insert] * THREADS)
        assert [type(outcome) for outcome in outcomes if outcome is not None] == [TakenError] * (THREADS - 1)
        with begun.reading() as look:
            assert look.balance("wallet:ada") == 70

    def test_those_who_change_the_same_record_wait_for_each_other(self, store: TournamentStore) -> None:
        with store.transaction() as work:
            work.insert(Progress(1, Stage.SCORING))

        def score(day: int, *, lock: bool) -> None:
            with store.transaction() as work:
                known = work.get(Progress, 1, lock=lock)
                assert known is not None
                work.update(replace(known, scored_days=(*known.scored_days, day)))

        assert at_once(*[partial(score, day, lock=day % 2 == 0) for day in range(THREADS)]) == [None] * THREADS
        with store.reading() as look:
            assert sorted(look.find(Progress)[0].scored_days) == list(range(THREADS))

    def test_those_who_touch_the_same_accounts_in_any_order_all_finish(self, begun: TournamentStore) -> None:
        def move(n: int) -> None:
            pair = ["wallet:ada", "treasury"]
            with begun.transaction() as work:
                for k in (0, 1) if n % 2 else (1, 0):
                    work.post(deposit(f"{n}/{k}", 1, into=pair[k]))

        assert at_once(*[partial(move, n) for n in range(THREADS)]) == [None] * THREADS
        with begun.reading() as look:
            assert (look.balance("wallet:ada"), look.balance("treasury")) == (100 + THREADS, THREADS)

    def test_events_appended_by_many_form_one_unbroken_chain(self, store: TournamentStore) -> None:
        def tell(thread: int) -> None:
            for n in range(5):
                with store.transaction() as work:
                    work.append("thing.happened", {"thread": thread, "n": n}, NOON)

        assert at_once(*[partial(tell, thread) for thread in range(THREADS)]) == [None] * THREADS
        with store.reading() as look:
            check_chain(look.events())
            told = [(event.payload["thread"], event.payload["n"]) for event in look.events()]
        assert sorted(told) == [(thread, n) for thread in range(THREADS) for n in range(5)]
        assert all([n for who, n in told if who == thread] == list(range(5)) for thread in range(THREADS))
