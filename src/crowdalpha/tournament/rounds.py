"""Rounds: when they open, close, are scored and resolved, and what of that is due."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament.money import LARGEST

SCORING_DAYS = 20
"""Scoring days of a round unless it names others: the target arrives in as many parts [SPEC 2]."""
N_BAGS = 20
"""Bags of a scoring day [F84#6]."""
FINAL_BAGS = 100
"""Bags of the final score, "a lot of bags" [F84#6]."""
TIES = ("average", "first")
DAY = timedelta(days=1)
SHA256 = re.compile("[0-9a-f]{64}")


class Stage(StrEnum):
    """Where a round stands: what was done last."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    SCORING = "scoring"
    RESOLVED = "resolved"


class Action(StrEnum):
    """What can be due: each moves the round one step, a score many times."""

    OPEN = "open"
    CLOSE = "close"
    SCORE = "score"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round: its times, its rule set, and hashes of what it is about. It never changes once it is open.

    Times are aware and in UTC, each later than the one before: open < close < every scoring time < resolve. The
    round accepts submissions from `open_time` up to, not including, `close_time`. `rule` names the rule set,
    `universe` and `features` are SHA-256 of the ids asked for and of their features ("" while there are none),
    `commitment` is the SHA-256 of the secret that draws the bags, published before the round opens.
    Scoring days draw `n_bags` bags, the final score `final_bags`; scored are `metrics`, with `ties` "average" or
    "first" (of the ids in the order of their bytes, as in 2020). `beacon` names the public randomness that the seed
    mixes in, "" for none.
    """

    number: int
    open_time: datetime
    close_time: datetime
    scoring_times: tuple[datetime, ...]
    resolve_time: datetime
    rule: str
    commitment: str
    universe: str = ""
    features: str = ""
    n_bags: int = N_BAGS
    final_bags: int = FINAL_BAGS
    metrics: tuple[str, ...] = ("corr", "mmc2")
    ties: str = "average"
    beacon: str = ""

    def __post_init__(self) -> None:
        refuse_if_any(problem.at(f"round {self.number}") for problem in _problems(self))

    @property
    def rule_set(self) -> str:
        """What scores of this round are kept under: the rule, and how ties rank if not by their average."""
        return self.rule if self.ties == "average" else f"{self.rule}, ties {self.ties}"

    def accepts(self, now: datetime) -> bool:
        """Say whether a submission that arrives now is on time: open_time <= now < close_time."""
        return self.open_time <= now < self.close_time


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Something that must happen: at `time`, in round `round`, `action`; `day` counts from 1 for scores, else 0.

    Dues sort by time and then by round, so that of two that fall together the older round goes first: what it pays
    out when it resolves is in the stakes that the younger one freezes when it closes.
    """

    time: datetime
    round: int
    action: Action
    day: int = 0

    @property
    def key(self) -> str:
        """A name that no other due event of the tournament has: open:12, score:12:3, resolve:12."""
        return f"{self.action}:{self.round}" + (f":{self.day}" if self.day else "")


_STAGE_AFTER = {
    Action.OPEN: Stage.OPEN,
    Action.CLOSE: Stage.CLOSED,
    Action.SCORE: Stage.SCORING,
    Action.RESOLVE: Stage.RESOLVED,
}
_DONE_IN = {
    Stage.SCHEDULED: frozenset[Action](),
    Stage.OPEN: frozenset({Action.OPEN}),
    Stage.CLOSED: frozenset({Action.OPEN, Action.CLOSE}),
    Stage.SCORING: frozenset({Action.OPEN, Action.CLOSE}),
    Stage.RESOLVED: frozenset(Action),
}


def timetable(round: Round) -> tuple[Due, ...]:
    """Everything that happens in a round, in order: open, close, a score for each scoring day, resolve."""
    scores = (Due(time, round.number, Action.SCORE, day) for day, time in enumerate(round.scoring_times, 1))
    return (
        Due(round.open_time, round.number, Action.OPEN),
        Due(round.close_time, round.number, Action.CLOSE),
        *scores,
        Due(round.resolve_time, round.number, Action.RESOLVE),
    )


def due(round: Round, stage: Stage, done: Collection[int], now: datetime) -> tuple[Due, ...]:
    """What must happen by `now` and has not yet, in order.

        { event of the timetable : event.time <= now, not done }

    `stage` is where the round stands, `done` the scoring days already scored (1, 2, ...). It asks no clock and
    remembers nothing: the same arguments give the same answer, however often and however late it is asked, and
    a clock that jumps finds what it jumped over. An event is done once its effect is stored, with `advance`.

    >>> from datetime import UTC
    >>> start = datetime(2020, 5, 2, 18, tzinfo=UTC)
    >>> close = start + timedelta(days=2)
    >>> round = Round(number=210, open_time=start, close_time=close, scoring_times=daily(close, 2),
    ...               resolve_time=close + timedelta(days=3), rule="mmc2_2020", commitment="0" * 64)
    >>> [event.key for event in due(round, Stage.OPEN, [], close + timedelta(days=1))]
    ['close:210', 'score:210:1']
    """
    _require_utc(now)
    return tuple(event for event in pending(round, stage, done) if event.time <= now)


def pending(round: Round, stage: Stage, done: Collection[int]) -> tuple[Due, ...]:
    """What is still to happen in a round, in order, due or not. The first is what a waiting clock wakes up for."""
    scored = _scored(round, Stage(stage), done)
    passed = _DONE_IN[stage]
    return tuple(event for event in timetable(round) if event.action not in passed and event.day not in scored)


def due_of_all(rounds: Iterable[tuple[Round, Stage, Collection[int]]], now: datetime) -> tuple[Due, ...]:
    """What is due in several, possibly overlapping rounds: by time, the older round first where times are equal.

    `rounds` holds each round with its stage and scored days. Done in this order, a day of missed ticks has the
    effect the ticks would have had.
    """
    return tuple(sorted(event for round, stage, done in rounds for event in due(round, stage, done, now)))


def advance(round: Round, stage: Stage, done: Collection[int], event: Due) -> tuple[Stage, frozenset[int]]:
    """Stage and scored days once an event has happened. It must be the next of its round; all others are refused."""
    following = pending(round, stage, done)
    if event not in following[:1]:
        expected = f"{following[0].key} next" if following else "nothing more"
        raise InputError(
            Problem(
                "not_next",
                expected,
                event.key,
                "do what is due, in order and once",
                f"round {round.number}, which is {stage}",
            )
        )
    return _STAGE_AFTER[event.action], frozenset(done) | ({event.day} - {0})


def daily(start: datetime, n_days: int = SCORING_DAYS, *, lag: timedelta = DAY) -> tuple[datetime, ...]:
    """`n_days` times a day apart, the first `lag` after `start`: the scoring times of an everyday round."""
    return tuple(start + lag + i * DAY for i in range(n_days))


def _scored(round: Round, stage: Stage, done: Collection[int]) -> frozenset[int]:
    """The scored days, unless they contradict the round or its stage."""
    days, n_days = frozenset(done), len(round.scoring_times)
    allowed = range(1, n_days + 1) if stage in (Stage.SCORING, Stage.RESOLVED) else range(0)
    strange = sorted(days.difference(allowed))
    if strange:
        raise InputError(
            Problem(
                "bad_progress",
                f"scoring days from 1 to {n_days}" if allowed else "no day scored before the close",
                f"days {strange}",
                "store stage and scored days together, as advance gives them",
                f"round {round.number}, which is {stage}",
            )
        )
    return days


def _problems(round: Round) -> Iterator[Problem]:
    times = {"open_time": round.open_time, "close_time": round.close_time}
    times |= {f"scoring_times[{i}]": time for i, time in enumerate(round.scoring_times)}
    times |= {"resolve_time": round.resolve_time}
    astray = [name for name, time in times.items() if not _in_utc(time)]
    yield from (_not_utc(times[name], name) for name in astray)
    if not astray:
        yield from _out_of_order(times.items())
    yield from _bad_counts(round)
    for name in ("commitment", "universe", "features"):
        text = getattr(round, name)
        if not SHA256.fullmatch(text) and (text or name == "commitment"):
            yield Problem(f"bad_{name}", "64 lower-case hex digits", repr(text), "give the SHA-256 in hex", name)


def _out_of_order(times: Iterable[tuple[str, datetime]]) -> Iterator[Problem]:
    for (before, earlier), (name, time) in pairwise(times):
        if time <= earlier:
            expected = f"a time after {before}, {earlier.isoformat()}"
            yield Problem("bad_times", expected, time.isoformat(), "order the times", name)


def _bad_counts(round: Round) -> Iterator[Problem]:
    checks = {
        "number": (1 <= round.number <= LARGEST, "1 to 2^63 - 1", round.number),
        "rule": (bool(round.rule), "the name of a rule set", round.rule),
        "n_bags": (round.n_bags >= 1, "1 or more", round.n_bags),
        "final_bags": (round.final_bags >= round.n_bags, f"{round.n_bags} or more, as n_bags", round.final_bags),
        "metrics": (bool(round.metrics), "at least one metric", round.metrics),
        "ties": (round.ties in TIES, f"one of {', '.join(TIES)}", round.ties),
    }
    for name, (fits, expected, found) in checks.items():
        if not fits:
            yield Problem(f"bad_{name}", expected, repr(found), "choose one in that range", name)


def _in_utc(time: datetime) -> bool:
    return time.utcoffset() == timedelta(0)


def _not_utc(time: datetime, name: str) -> Problem:
    return Problem("not_utc", "an aware time in UTC", repr(time), "use time.astimezone(datetime.UTC)", name)


def _require_utc(now: datetime) -> None:
    if not _in_utc(now):
        raise InputError(_not_utc(now, "now"))
