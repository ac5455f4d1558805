"""Hypothesis strategies: records of every kind, with every value that a store has to keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from crowdalpha.tournament.leases import Lease
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.notices import Cursor, Notice, Refused, Wish
from crowdalpha.tournament.people import Answered, Delivery, Diagnostic, Login, Profile, Session, Token
from crowdalpha.tournament.records import Account, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk, StakeChange

LARGEST = 2**63 - 1
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
wholes = st.integers(-LARGEST, LARGEST) | st.sampled_from([0, 2**31, 2**53 + 1, 2**62, LARGEST, -LARGEST])
counts = st.integers(1, LARGEST)
numbers = st.floats().map(lambda number: number + 0.0)  # stores keep minus zero as zero
times = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(fold=0))  # UTC has no second pass
maybe = st.none() | times
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
lists = st.lists(texts, max_size=6).map(tuple)
multipliers = st.none() | st.floats(allow_nan=False).map(lambda number: number + 0.0)


@st.composite
def rounds(draw: st.DrawFn) -> Round:
    """A round with any times that are in order."""
    opens, closes, *scored, resolves = sorted(draw(st.lists(times, min_size=3, max_size=8, unique=True)))
    n_bags, final_bags = sorted([draw(counts), draw(counts)])
    return Round(
        number=draw(counts),
        open_time=opens,
        close_time=closes,
        scoring_times=tuple(scored),
        resolve_time=resolves,
        rule=draw(names),
        commitment=draw(hashes),
        universe=draw(hashes | st.just("")),
        features=draw(hashes | st.just("")),
        n_bags=n_bags,
        final_bags=final_bags,
        metrics=tuple(draw(st.lists(names, min_size=1, max_size=3))),
        ties=draw(st.sampled_from(["average", "first"])),
        beacon=draw(texts),
    )


@st.composite
def entries(draw: st.DrawFn, id: str) -> Entry:
    """An entry that pays in to up to five accounts with any names and amounts."""
    owned = st.sampled_from(["wallet", "stake", "reserve", "release"])
    accounts = draw(st.lists(st.builds("{}:{}".format, owned, names), min_size=1, max_size=5, unique=True))
    postings = [Posting(account, draw(st.integers(1, 2**40))) for account in accounts]
    into = Posting("external", -sum(posting.amount for posting in postings))
    return Entry(id, draw(names), draw(times), (*postings, into), draw(texts))


RECORDS: Mapping[type[Any], st.SearchStrategy[Any]] = {
    Account: st.builds(Account, texts, texts, times),
    Model: st.builds(Model, texts, texts, texts, times, multipliers, multipliers, st.booleans()),
    Round: rounds(),
    Progress: st.builds(
        Progress, wholes, st.sampled_from(Stage), st.lists(wholes, max_size=25).map(tuple), texts, texts
    ),
    Submission: st.builds(
        Submission, texts, wholes, texts, times, st.sampled_from(["on_time", "late"]), hashes, texts, wholes
    ),
    StakeChange: st.builds(
        StakeChange,
        texts,
        texts,
        st.sampled_from(["increase", "decrease", "drain"]),
        wholes,
        times,
        wholes,
        st.sampled_from(["pending", "effective", "cancelled", "released"]),
        st.none() | wholes,
    ),
    AtRisk: st.builds(AtRisk, wholes, texts, wholes, numbers, numbers),
    Score: st.builds(Score, wholes, texts, wholes, texts, texts, numbers, st.booleans()),
    Payout: st.builds(Payout, wholes, texts, wholes, numbers, wholes, wholes),
    Login: st.builds(Login, texts, texts, texts, times),
    Token: st.builds(Token, texts, texts, hashes, texts, lists, times, maybe, maybe, maybe),
    Session: st.builds(Session, hashes, texts, hashes, times, times, maybe),
    Profile: st.builds(Profile, texts, texts, texts, texts, texts, st.booleans()),
    Delivery: st.builds(Delivery, texts, texts, texts, texts, st.none() | wholes),
    Answered: st.builds(Answered, texts, texts, hashes, wholes, texts, times),
    Diagnostic: st.builds(
        Diagnostic,
        texts,
        texts,
        texts,
        st.sampled_from(["pending", "running", "done", "error", "deleted"]),
        texts,
        texts,
        times,
        times,
    ),
    Wish: st.builds(Wish, texts, lists, lists, texts, texts, wholes),
    Notice: st.builds(
        Notice,
        texts,
        texts,
        texts,
        st.sampled_from(["round_open", "closing_soon", "refused", "scored", "settled", "trigger", "confirm", "test"]),
        st.sampled_from(["mail", "webhook"]),
        texts,
        texts,
        times,
        times,
        maybe,
        st.sampled_from(["pending", "delivered", "given_up"]),
        wholes,
        maybe,
        texts,
    ),
    Cursor: st.builds(Cursor, texts, wholes),
    Refused: st.builds(Refused, texts, texts, texts, wholes, times, texts, wholes, hashes, texts, texts, texts),
    Lease: st.builds(Lease, texts, texts, times),
}
"""A strategy for every kind of record."""
