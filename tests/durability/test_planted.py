"""Mistakes that are planted on purpose: each is caught, by a kill, a pulled plug, an oracle, a race or the books."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from crashes import held, killed, played, points_of
from hypothesis import find, given
from hypothesis import strategies as st
from planted import MISTAKES
from play import COIN, START, opened
from sqlalchemy.exc import OperationalError
from stagehand import Stagehand
from undisturbed import DifferenceError, Undisturbed

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import ledger, settlement
from crowdalpha.tournament.ledger import Posting
from crowdalpha.tournament.stakes import AtRisk

# The seven: no_transaction, commit_between, random_ids, float_payout, deferred, no_sync_at_commit, burn_not_credited.


@pytest.mark.parametrize("mistake", ["no_transaction", "commit_between"])
@pytest.mark.parametrize("step", ["change", "settle"])
def test_a_planted_hole_in_a_transaction_is_caught_by_a_kill(
    mistake: str, step: str, stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    with pytest.raises(DifferenceError, match="killed at point"):
        kill_after_each_sync(stagehand, undisturbed, step, tmp_path / "folder", mistake)


def test_a_planted_random_id_is_caught_by_a_kill_that_pays_twice(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the planted kind are both: who is killed, and who comes after."""
    folder = tmp_path / "folder"
    last = len(points_of(stagehand, undisturbed, "change", folder, planted="random_ids")) - 1
    MISTAKES["random_ids"](monkeypatch.setattr)
    with pytest.raises(DifferenceError, match="not the state"):
        killed(stagehand, undisturbed, "change", last, folder, planted="random_ids")
    with opened(folder) as engine:
        engine.deposit("more", 5 * COIN, START, into="wallet:ada")
        with engine.store.reading() as work:
            paid = [entry for entry in work.entries("wallet:ada") if entry.id.startswith("deposit:more-")]
    assert len(paid) == 2


def test_a_planted_sync_that_is_left_out_is_caught_by_a_pulled_plug_and_by_no_kill(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    last = len(points_of(stagehand, undisturbed, "close", tmp_path / "folder", planted="no_sync_at_commit")) - 1
    killed(stagehand, undisturbed, "close", last, tmp_path / "folder", planted="no_sync_at_commit")
    ops = played(stagehand, tmp_path / "played", "no_sync_at_commit")
    with pytest.raises(DifferenceError, match="not the state"):
        held(ops, "nothing", len(ops), undisturbed, tmp_path / "image")


def test_a_planted_journal_whose_deletion_is_not_synced_is_caught_by_a_pulled_plug(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    ops = played(stagehand, tmp_path / "played", "journal_unsynced")
    with pytest.raises(DifferenceError, match="not the state"):
        held(ops, "nothing", len(ops), undisturbed, tmp_path / "image")


@pytest.mark.parametrize(
    ("mistake", "said"), [("names_unsynced", "files are missing"), ("file_unsynced", "files are torn")]
)
def test_a_planted_upload_that_is_not_synced_is_caught_by_a_pulled_plug(
    mistake: str, said: str, stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    ops = played(stagehand, tmp_path / "played", mistake)
    with pytest.raises(DifferenceError, match=said):
        held(ops, "nothing", len(ops), undisturbed, tmp_path / "image")


def test_a_planted_burn_that_is_not_credited_is_caught_by_the_books(
    stagehand: Stagehand, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    last = len(points_of(stagehand, undisturbed, "settle", tmp_path / "folder", planted="burn_not_credited")) - 1
    with pytest.raises(DifferenceError, match=r"the books are wrong: .*balance_astray.*where='burned'"):
        killed(stagehand, undisturbed, "settle", last, tmp_path / "folder", planted="burn_not_credited")


def test_a_planted_burn_without_its_other_half_is_refused_as_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = settlement._moves
    monkeypatch.setattr(settlement, "_moves", lambda *asked: without_burned(moves(*asked)))
    with pytest.raises(InputError) as refused:
        paid((COIN, -0.1))
    assert refused.value.code == "too_few_postings"


amounts_and_fractions = st.tuples(st.integers(1, 10**17), st.floats(-1, 1))


@given(amounts_and_fractions)
def test_a_payout_is_the_exact_product_rounded_half_to_even(case: tuple[int, float]) -> None:
    assert paid(case) == exact(case)


def test_a_planted_payout_in_floats_is_caught_by_the_exact_product(monkeypatch: pytest.MonkeyPatch) -> None:
    MISTAKES["float_payout"](monkeypatch.setattr)
    amount, fraction = find(amounts_and_fractions, lambda case: paid(case) != exact(case))
    assert amount > 2**50
    assert fraction


def test_two_who_spend_at_once_take_turns(tmp_path: Path) -> None:
    assert spend_at_once(tmp_path, patience=0.5) == 100 * COIN - 2


def test_a_planted_transaction_that_locks_late_is_caught_by_two_who_spend_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MISTAKES["deferred"](monkeypatch.setattr)
    with pytest.raises(OperationalError, match="database is locked"):
        spend_at_once(tmp_path, patience=30)


def kill_after_each_sync(hand: Stagehand, run: Undisturbed, step: str, folder: Path, mistake: str) -> None:
    points = points_of(hand, run, step, folder, planted=mistake)
    for at in range(1, len(points)):
        if points[at - 1].startswith("fdatasync"):
            killed(hand, run, step, at, folder, planted=mistake)


def paid(case: tuple[int, float]) -> int:
    """What a settlement pays or burns of one stake, by a treasury that has enough."""
    amount, fraction = case
    balances = {ledger.TREASURY: 10**18, "stake:ada": amount}
    settled = settlement.settle(1, [AtRisk(1, "ada", amount, 1.0, 0.0)], {"ada": fraction}, START, balances=balances)
    return settled.payouts[0].paid


def exact(case: tuple[int, float]) -> int:
    """The product in whole numbers: a float is a whole number over a power of two."""
    over, under = case[1].as_integer_ratio()
    whole, rest = divmod(over * case[0], under)
    return whole + (2 * rest > under or (2 * rest == under and whole % 2 == 1))


def without_burned(moves: tuple[Posting, ...]) -> tuple[Posting, ...]:
    return tuple(posting for posting in moves if posting.account != ledger.BURNED)


def spend_at_once(folder: Path, patience: float) -> int:
    """One looks at a wallet; before he spends, another does both, if let. What is left of 100 coins."""
    store = SqlStore(f"sqlite:///{folder}/tournament.db")
    try:
        store.create()
        with store.transaction() as work:
            work.post(ledger.deposit("first", 100 * COIN, START, into="wallet:ada"))
        looked = Event()

        def let_the_other() -> None:
            looked.set()
            other.join(patience)

        other = Thread(target=lambda: looked.wait() and spend(store, "b"))
        other.start()
        try:
            spend(store, "a", let_the_other)
        finally:
            other.join()
        with store.reading() as reading:
            return reading.balance("wallet:ada")
    finally:
        store.close()


def spend(store: SqlStore, id: str, between: Callable[[], object] = lambda: None) -> bool:
    """Look, then take a unit out."""
    with store.transaction() as work:
        assert work.balance("wallet:ada")
        between()
        return work.post(ledger.transfer(id, "stake", START, 1, source="wallet:ada", target="stake:ada"))
