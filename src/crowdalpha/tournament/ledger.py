"""The ledger: entries that balance, or do not exist; and what every account holds after them.

The accounts are

    external            all that was ever paid in, less what was paid out, negated: the only one below zero
    wallet:ACCOUNT      what an account can stake or withdraw
    reserve:MODEL       stake increases that are not effective yet: out of the wallet, not yet at risk
    stake:MODEL         what a model has staked
    release:MODEL       stake on its way back to the wallet, which the rounds it is at risk in can still burn
    treasury            what payouts are paid from
    burned              what was destroyed
    rounding            what is left over when payouts are rounded to whole units

Stake at risk is no account: rounds overlap, and the same stake is at risk in several of them (`stakes.AtRisk`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament.money import LARGEST, amount_problems, format_amount, positive_problems

EXTERNAL = "external"
TREASURY = "treasury"
BURNED = "burned"
ROUNDING = "rounding"
ALL_MONEY = 2**62 - 1
"""The most units that may be in play together, about 4.6 billion coins: no stake can be larger, or it has no weight."""
_SHARED = (EXTERNAL, TREASURY, BURNED, ROUNDING)
_OWNED = ("wallet", "reserve", "stake", "release")


def wallet(account: str) -> str:
    """The ledger's name for what an account can stake or withdraw."""
    return f"wallet:{account}"


def reserve(model: str) -> str:
    """The ledger's name for a model's increases that are not effective yet."""
    return f"reserve:{model}"


def stake(model: str) -> str:
    """The ledger's name for what a model has staked."""
    return f"stake:{model}"


def release(model: str) -> str:
    """The ledger's name for a model's stake on its way back to the wallet."""
    return f"release:{model}"


@dataclass(frozen=True, slots=True)
class Posting:
    """One account's part in an entry: above 0 it receives, below 0 it gives, in whole units."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Money that moves, once: postings whose sum is zero, under an id that its caller derived.

    `id` says what the entry is for (`deposit:KEY`, `settle:12`), so that the same thing is never posted twice. `at`
    is a time in UTC. Postings are kept in the order of their accounts, so that equal entries are equal however they
    were put together. Whatever does not balance is refused, all its problems at once: codes `unnamed_entry`,
    `not_utc`, `unknown_account`, `account_twice`, `too_few_postings`, `empty_posting`, `unbalanced`, and those of
    amounts.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> Entry("deposit:1", "deposit", noon, (Posting("external", -5), Posting("wallet:ada", 4)))
    Traceback (most recent call last):
    ...
    crowdalpha.scoring.problems.InputError: entry deposit:1: expected postings whose sum is 0, found -0.000000001; ...
    """

    id: str
    kind: str
    at: datetime
    postings: tuple[Posting, ...]
    memo: str = ""

    def __post_init__(self) -> None:
        """Refuse an entry that does not balance, and put its postings in order."""
        object.__setattr__(self, "postings", tuple(sorted(self.postings, key=lambda posting: posting.account)))
        refuse_if_any(problem.at(f"entry {self.id}") for problem in _entry_problems(self))


def transfer(id: str, kind: str, at: datetime, amount: int, *, source: str, target: str, memo: str = "") -> Entry:
    """The entry that moves an amount above 0 from one account to another."""
    refuse_if_any(positive_problems(amount, f"entry {id}"))
    return Entry(id, kind, at, (Posting(source, -amount), Posting(target, amount)), memo)


def deposit(key: str, amount: int, at: datetime, *, into: str, memo: str = "") -> Entry:
    """Money comes in from outside, into a wallet or the treasury. `key` is the caller's: a key pays in once.

    >>> from datetime import UTC
    >>> entry = deposit("7", 5, datetime(2026, 1, 1, tzinfo=UTC), into=wallet("ada"))
    >>> entry.id, balances([entry])
    ('deposit:7', {'external': -5, 'wallet:ada': 5})
    """
    refuse_if_any(_door_problems(into))
    return transfer(f"deposit:{key}", "deposit", at, amount, source=EXTERNAL, target=into, memo=memo)


def withdrawal(key: str, amount: int, at: datetime, *, out_of: str, memo: str = "") -> Entry:
    """Money goes out, of a wallet or the treasury: a stake has to be released first."""
    refuse_if_any(_door_problems(out_of))
    return transfer(f"withdrawal:{key}", "withdrawal", at, amount, source=out_of, target=EXTERNAL, memo=memo)


def changed(balances: Mapping[str, int], entry: Entry) -> dict[str, int]:
    """The new balances of the accounts that an entry touches.

    Refused with code `overdrawn` if an account other than `external` would fall below zero, and with
    `balance_too_large` if one would outgrow what a database can keep; all such accounts are named.
    """
    after = {posting.account: balances.get(posting.account, 0) + posting.amount for posting in entry.postings}
    refuse_if_any(problem.at(f"entry {entry.id}") for problem in _balance_problems(balances, after))
    return after


def apply(balances: Mapping[str, int], entry: Entry) -> dict[str, int]:
    """All balances after an entry; those before it are left as they are. Refusals as in `changed`."""
    return {**balances, **changed(balances, entry)}


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    """What every account holds after all entries, in their order. Their sum is 0.

    Refused as in `changed`, and with code `entry_twice` if two entries have the same id.
    """
    held: dict[str, int] = {}
    posted: set[str] = set()
    for entry in entries:
        if entry.id in posted:
            fix = "an id stands for one thing that happened; leave the second one out"
            raise InputError(Problem("entry_twice", "every entry id once", entry.id, fix))
        posted.add(entry.id)
        held.update(changed(held, entry))
    return held


def _entry_problems(entry: Entry) -> Iterator[Problem]:
    if not entry.id or not entry.kind:
        found = f"id {entry.id!r}, kind {entry.kind!r}"
        yield Problem("unnamed_entry", "an id and a kind", found, "derive the id from what the entry is for")
    if entry.at.utcoffset() != timedelta(0):
        yield Problem("not_utc", "a time in UTC", entry.at.isoformat(), "pass an aware datetime in UTC")
    if len(entry.postings) < 2:
        fix = "say where the money comes from and where it goes"
        yield Problem("too_few_postings", "two postings or more", str(len(entry.postings)), fix)
    yield from _account_problems(posting.account for posting in entry.postings)
    wrong = [problem for posting in entry.postings for problem in amount_problems(posting.amount, posting.account)]
    yield from wrong or _sum_problems(entry.postings)


def _account_problems(accounts: Iterable[str]) -> Iterator[Problem]:
    for account, count in Counter(accounts).items():
        if count > 1:
            yield Problem("account_twice", "one posting an account", f"{count} of {account}", "add them up")
        if not _is_account(account):
            known = f"{', '.join(_SHARED)}, or one of {', '.join(_OWNED)} with a colon and an id"
            yield Problem("unknown_account", known, repr(account), "correct the name")


def _sum_problems(postings: tuple[Posting, ...]) -> Iterator[Problem]:
    for posting in postings:
        if posting.amount == 0:
            yield Problem("empty_posting", "amounts other than 0", "0", "leave the posting out", posting.account)
    total = sum(posting.amount for posting in postings)
    if total:
        fix = "money moves from one account to another, it does not come or go"
        yield Problem("unbalanced", "postings whose sum is 0", format_amount(total), fix)


def _balance_problems(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Problem]:
    for account, held in after.items():
        if held < 0 and account != EXTERNAL:
            had = format_amount(before.get(account, 0))
            needs = f"at least {format_amount(before.get(account, 0) - held)} in {account}"
            yield Problem("overdrawn", needs, had, "move less, or pay in first")
        elif abs(held) > LARGEST:
            most = f"at most {format_amount(LARGEST)} in {account}"
            yield Problem("balance_too_large", most, format_amount(held), "pay in less")


def _door_problems(account: str) -> Iterator[Problem]:
    if account != TREASURY and not account.startswith("wallet:"):
        fix = "a stake is reached through its account's wallet"
        yield Problem("no_door", "a wallet or the treasury", repr(account), fix)


def _is_account(account: str) -> bool:
    owner, colon, owned = account.partition(":")
    return owner in _OWNED and bool(owned) if colon else account in _SHARED
