"""The ledger: an entry balances or does not exist; a balance below zero is never reached."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament import ledger
from crowdalpha.tournament.ledger import Entry, Posting, apply, balances, changed, deposit, transfer, withdrawal
from crowdalpha.tournament.money import LARGEST

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA, BOB = ledger.wallet("ada"), ledger.wallet("bob")
ACCOUNTS = [ledger.TREASURY, ledger.BURNED, ledger.ROUNDING, ADA, BOB, ledger.stake("m"), ledger.release("m")]


@st.composite
def balanced(draw):
    """Postings that sum to 0, one an account, none of them 0."""
    accounts = draw(st.lists(st.sampled_from([ledger.EXTERNAL, *ACCOUNTS]), min_size=2, max_size=6, unique=True))
    amounts = [draw(st.integers(-(2**62), 2**62).filter(bool)) for _ in accounts[1:]]
    rest = -sum(amounts)
    if rest == 0 or abs(rest) > LARGEST:
        accounts, amounts, rest = accounts[:2], amounts[:1], -amounts[0]
    return tuple(Posting(account, amount) for account, amount in zip(accounts, [rest, *amounts], strict=True))


def codes(refused):
    return [problem.code for problem in refused.value.problems]


def moved(*pairs, id="x", kind="test", at=NOON):
    return Entry(id, kind, at, tuple(Posting(*pair) for pair in pairs))


@given(balanced(), st.randoms())
def test_an_entry_is_the_same_in_whatever_order_its_postings_come(postings, random):
    shuffled = random.sample(postings, len(postings))
    assert Entry("x", "test", NOON, tuple(shuffled)) == Entry("x", "test", NOON, postings)
    assert hash(Entry("x", "test", NOON, tuple(shuffled))) == hash(Entry("x", "test", NOON, postings))


@given(balanced(), st.data())
def test_one_unit_more_or_less_anywhere_is_refused(postings, data):
    place = data.draw(st.integers(0, len(postings) - 1))
    by = data.draw(st.integers(-5, 5).filter(bool))
    bent = [Posting(each.account, each.amount + by * (i == place)) for i, each in enumerate(postings)]
    with pytest.raises(InputError) as refused:
        Entry("x", "test", NOON, tuple(bent))
    assert set(codes(refused)) <= {"unbalanced", "empty_posting", "amount_too_large"}
    assert codes(refused) != ["empty_posting"]


@given(st.lists(balanced(), max_size=12))
def test_whatever_is_posted_or_refused_the_sum_is_zero_and_nothing_is_below_zero(histories):
    held = {}
    for i, postings in enumerate(histories):
        entry = Entry(f"e{i}", "test", NOON, postings)
        before = dict(held)
        naive = {**held}
        for posting in postings:
            naive[posting.account] = naive.get(posting.account, 0) + posting.amount
        short = [account for account, amount in naive.items() if amount < 0 and account != "external"]
        large = [account for account, amount in naive.items() if abs(amount) > LARGEST]
        if short or large:
            with pytest.raises(InputError) as refused:
                apply(held, entry)
            assert set(codes(refused)) <= {"overdrawn", "balance_too_large"}
            assert len(codes(refused)) == len({*short, *large})
            assert held == before
        else:
            held = apply(held, entry)
            assert held == naive
        assert sum(held.values()) == 0
        assert all(amount >= 0 for account, amount in held.items() if account != "external")


def test_applying_an_entry_leaves_the_balances_before_it_alone():
    before = {ADA: 5, "external": -5}
    after = apply(before, moved((ADA, -2), (BOB, 2)))
    assert after == {ADA: 3, BOB: 2, "external": -5}
    assert before == {ADA: 5, "external": -5}


def test_changed_names_only_the_accounts_that_are_touched():
    assert changed({ADA: 5, BOB: 7, "external": -12}, moved((ADA, -2), ("burned", 2))) == {ADA: 3, "burned": 2}


def test_money_comes_in_and_goes_out_through_external():
    entries = [deposit("1", 10, NOON, into=ADA), withdrawal("2", 4, NOON, out_of=ADA, memo="home")]
    assert balances(entries) == {"external": -6, ADA: 6}
    assert [(entry.id, entry.kind, entry.memo) for entry in entries] == [
        ("deposit:1", "deposit", ""),
        ("withdrawal:2", "withdrawal", "home"),
    ]


def test_the_treasury_is_paid_in_like_a_wallet():
    assert balances([deposit("1", 10, NOON, into="treasury")])["treasury"] == 10


@pytest.mark.parametrize("account", ["stake:m", "release:m", "reserve:m", "burned", "rounding", "external", "nobody"])
def test_nothing_but_wallets_and_the_treasury_has_a_door_to_the_outside(account):
    for through in (lambda: deposit("1", 1, NOON, into=account), lambda: withdrawal("1", 1, NOON, out_of=account)):
        with pytest.raises(InputError) as refused:
            through()
        assert codes(refused) == ["no_door"]


def test_what_a_wallet_does_not_hold_cannot_leave_it():
    with pytest.raises(InputError, match=r"at least 0\.000000005 in wallet:ada, found 0\.000000003") as refused:
        balances([deposit("1", 3, NOON, into=ADA), withdrawal("2", 5, NOON, out_of=ADA)])
    assert codes(refused) == ["overdrawn"]
    assert refused.value.problems[0].where == "entry withdrawal:2"


def test_every_overdrawn_account_is_named():
    with pytest.raises(InputError) as refused:
        apply({}, moved((ADA, -1), (BOB, -1), ("burned", 2)))
    assert codes(refused) == ["overdrawn", "overdrawn"]


def test_an_account_that_was_never_used_holds_nothing():
    with pytest.raises(InputError) as refused:
        apply({}, moved((ADA, -1), (BOB, 1)))
    assert codes(refused) == ["overdrawn"]


def test_no_account_outgrows_what_a_database_keeps():
    full = balances([deposit("1", LARGEST, NOON, into=ADA)])
    with pytest.raises(InputError) as refused:
        apply(full, deposit("2", 1, NOON, into=BOB))
    assert codes(refused) == ["balance_too_large"]


def test_the_same_entry_id_twice_is_refused():
    entry = deposit("1", 1, NOON, into=ADA)
    with pytest.raises(InputError) as refused:
        balances([entry, entry])
    assert codes(refused) == ["entry_twice"]


@pytest.mark.parametrize(
    ("code", "pairs"),
    [
        ("unbalanced", [(ADA, 1), (BOB, 1)]),
        ("too_few_postings", [(ADA, 0)]),
        ("too_few_postings", []),
        ("empty_posting", [(ADA, 0), (BOB, 0)]),
        ("account_twice", [(ADA, 1), (ADA, -1)]),
        ("unknown_account", [("nobody", 1), (ADA, -1)]),
        ("unknown_account", [("wallet:", 1), (ADA, -1)]),
        ("unknown_account", [("purse:ada", 1), (ADA, -1)]),
        ("unknown_account", [("treasury:ada", 1), (ADA, -1)]),
        ("unknown_account", [("", 1), (ADA, -1)]),
        ("unknown_account", [("stake", 1), (ADA, -1)]),
        ("not_whole_units", [(ADA, 1.0), (BOB, -1.0)]),
        ("not_whole_units", [(ADA, True), (BOB, -1)]),
        ("amount_too_large", [(ADA, 2**63), (BOB, -(2**63))]),
    ],
)
def test_postings_that_make_no_entry_are_refused_by_name(code, pairs):
    with pytest.raises(InputError) as refused:
        moved(*pairs)
    assert code in codes(refused)
    assert all(problem.where.startswith("entry x") for problem in refused.value.problems)


@pytest.mark.parametrize(("id", "kind"), [("", "test"), ("x", "")])
def test_an_entry_has_an_id_and_a_kind(id, kind):
    with pytest.raises(InputError) as refused:
        moved((ADA, 1), (BOB, -1), id=id, kind=kind)
    assert codes(refused) == ["unnamed_entry"]


@pytest.mark.parametrize("at", [NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=1)))])
def test_a_time_that_is_not_in_utc_is_refused(at):
    with pytest.raises(InputError) as refused:
        moved((ADA, 1), (BOB, -1), at=at)
    assert codes(refused) == ["not_utc"]


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError) as refused:
        Entry("", "", NOON.replace(tzinfo=None), (Posting("nobody", 5),))
    assert codes(refused) == ["unnamed_entry", "not_utc", "too_few_postings", "unknown_account", "unbalanced"]


@pytest.mark.parametrize("amount", [0, -1, 1.5, 2**63])
def test_a_transfer_moves_an_amount_above_zero(amount):
    with pytest.raises(InputError):
        transfer("x", "test", NOON, amount, source=ADA, target=BOB)


def test_an_account_id_may_hold_a_colon():
    assert moved((ledger.wallet("a:b"), 1), (BOB, -1)).postings[0] == Posting("wallet:a:b", 1)
