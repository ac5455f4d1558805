"""Whether a store still holds what was put into it: the money adds up, and the log is unbroken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crowdalpha.scoring.problems import Problem
from crowdalpha.tournament import ledger
from crowdalpha.tournament.events import Head, first_break
from crowdalpha.tournament.money import format_amount
from crowdalpha.tournament.ports import Reading

FIX = "restore a backup, and find out who wrote to the store"


def faults(work: Reading, heads: Iterable[Head] = ()) -> tuple[Problem, ...]:
    """All that is wrong in one moment of a store; `heads` are those of the log that were published.

    Every balance is the sum of its postings (code `balance_astray`), all balances together are 0 (because every entry
    is), and the hash chain has the codes of `check_chain`.
    """
    broken = first_break(work.events(), heads)
    return (*_astray(work), *([broken] if broken else []))


def _astray(work: Reading) -> Iterator[Problem]:
    kept, moved = dict(work.balances()), ledger.balances(work.entries())
    for account in sorted(kept.keys() | moved.keys()):
        held, expected = kept.get(account), moved.get(account)
        if held != expected:
            found = "nothing" if held is None else format_amount(held)
            needed = "nothing" if expected is None else f"{format_amount(expected)}, the sum of its postings"
            yield Problem("balance_astray", needed, found, FIX, account)
