"""The log of what happened: each event holds the hash of the one before, so that the past cannot be edited unseen."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

GENESIS = "0" * 64
"""What the first event holds in the place of the hash of the one before."""
LARGEST = 2**63 - 1
"""Whole numbers up to this size, either sign, fit every reader and every store."""
DEEPEST = 16
"""How deep lists and dictionaries may nest in a payload."""
RESTORE = "restore the log from a copy"
SURROGATE = re.compile("[\ud800-\udfff]")
KIND = re.compile("[a-z][a-z0-9_.]*")
FIELDS = ("number", "at", "kind", "payload", "previous", "hash")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `number` counts from 1, `at` is in UTC, `payload` is JSON without floats.

    `previous` is the hash of the event before, GENESIS for the first; `hash` is SHA-256 of the canonical JSON of the
    other five. Nothing is checked here: an event may come from a store that was tampered with, and `check_chain` tells.
    """

    number: int
    at: datetime
    kind: str
    payload: dict[str, Any] = field(hash=False)
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of the log at some moment, as it was published: an outside witness of all up to it."""

    number: int
    hash: str


BEGINNING = Head(0, GENESIS)
"""The head of a log before its first event."""


def append(last: Event | None, at: datetime, kind: str, payload: Mapping[str, Any]) -> Event:
    """The event that follows `last` (None: the first), refused with everything that is wrong with its payload.

    `at` is an aware time in UTC, `kind` lower-case words. A payload holds text, whole numbers within +-(2^63 - 1),
    true, false, null, lists and dictionaries with text keys; amounts and scores are written as text. It is copied.

    >>> from datetime import UTC
    >>> event = append(None, datetime(2020, 5, 2, 18, tzinfo=UTC), "round.opened", {"round": 210})
    >>> event.number, event.hash[:16]
    (1, '6060bfa84fa719ca')
    """
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    refuse_if_any(problem.at(_name(number)) for problem in _problems(at, kind, payload))
    copied = json.loads(canonical(dict(payload)))
    return Event(number, at, kind, copied, previous, _hash(number, at, kind, copied, previous))


def head(events: Sequence[Event]) -> Head:
    """What to publish of a log, often and in many places: without it, nobody can see that a log has lost its end."""
    return Head(events[-1].number, events[-1].hash) if events else BEGINNING


def check_chain(events: Iterable[Event], heads: Iterable[Head] = ()) -> None:
    """Refuse a log that is not what was written, naming the first event that was changed, removed or moved.

    It sees every edit short of writing the whole rest of the log anew or cutting it off; with published `heads`, it
    sees that too, up to the last of them. Raises InputError with one problem: `event_changed`, `event_missing`,
    `event_moved` or `event_twice`.
    """
    found = first_break(events, heads)
    if found:
        raise InputError(found)


def first_break(events: Iterable[Event], heads: Iterable[Head] = ()) -> Problem | None:
    """What is wrong with the first bad event of a log, or None."""
    log, published = tuple(events), sorted(heads, key=lambda head: head.number)
    return next(_breaks(log), None) or next(_contradictions(log, published), None)


def first_break_after(before: Head, events: Iterable[Event]) -> Problem | None:
    """What is wrong with the first bad event of a piece of a log that follows a head, or None."""
    return next(_breaks(tuple(events), before), None)


def dump(events: Iterable[Event]) -> bytes:
    """A log as bytes: an event a line, each in canonical JSON."""
    return b"".join(to_line(event) + b"\n" for event in events)


def load(log: bytes) -> tuple[Event, ...]:
    """The events of a log in bytes, refused at the first line that is not exactly one event as `dump` writes it."""
    *lines, rest = log.split(b"\n")
    if rest:
        raise InputError(_unreadable(len(lines) + 1, "a line that does not end"))
    return tuple(from_line(line, number) for number, line in enumerate(lines, 1))


def to_line(event: Event) -> bytes:
    """An event in canonical JSON, its hash included."""
    return canonical(_body(event.number, event.at, event.kind, event.payload, event.previous) | {"hash": event.hash})


def from_line(line: bytes, number: int) -> Event:
    """The event in a line of canonical JSON; `number` names it if it cannot be read."""
    try:
        event = _event(json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(_unreadable(number, "bytes that are no event")) from None
    if to_line(event) != line:
        raise InputError(_unreadable(number, "an event in another spelling"))
    return event


def canonical(value: Any) -> bytes:
    """JSON in the one spelling that is hashed: ASCII, keys sorted, no spaces.

    >>> canonical({"b": [1, None], "a": "é"})
    b'{"a":"\\\\u00e9","b":[1,null]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _body(number: int, at: datetime, kind: str, payload: dict[str, Any], previous: str) -> dict[str, Any]:
    time = at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return {"number": number, "at": time, "kind": kind, "payload": payload, "previous": previous}


def _hash(number: int, at: datetime, kind: str, payload: dict[str, Any], previous: str) -> str:
    return hashlib.sha256(canonical(_body(number, at, kind, payload, previous))).hexdigest()


def _event(found: dict[str, Any]) -> Event:
    """An event from its JSON; KeyError, TypeError or ValueError if it has not exactly the right fields."""
    number, at, kind, payload, previous, own = (found[name] for name in FIELDS)
    time = datetime.fromisoformat(at)
    typed = type(number) is int and isinstance(previous, str) and isinstance(own, str)
    if not typed or len(found) != len(FIELDS) or any(_problems(time, kind, payload)):
        raise ValueError
    return Event(number, time.astimezone(UTC), kind, payload, previous, own)


def _is_itself(event: Event) -> bool:
    """Whether what an event says has the hash it carries, and could have been appended at all."""
    fields = (event.number, event.at, event.kind, event.payload, event.previous)
    return not any(_problems(*fields[1:4])) and event.hash == _hash(*fields)


def _breaks(log: Sequence[Event], before: Head = BEGINNING) -> Iterator[Problem]:
    """Every place where the log contradicts itself, the first one first."""
    last, written = before.hash, {event.number for event in log}
    for number, (event, following) in enumerate(zip_longest(log, log[1:]), before.number + 1):
        if not _is_itself(event):
            yield _changed(number, "what it says does not have the hash it carries")
        elif event.number != number:
            yield _misplaced(number, event.number, written)
        elif event.previous != last:
            # Either this event was written anew or the one before, and whoever follows knows this one's hash.
            known = following is None or following.previous == event.hash
            yield _changed(
                max(number - known, before.number + 1), "the hash in the next event, or in itself, is another"
            )
        last = event.hash


def _contradictions(log: Sequence[Event], heads: Sequence[Head]) -> Iterator[Problem]:
    """Every published head that a log in itself consistent does not have, the earliest first."""
    good = 0
    for published in heads:
        if published.number > len(log):
            number, found = len(log) + 1, f"a log of {len(log)}"
            yield Problem("event_missing", f"{published.number} events", found, RESTORE, _name(number))
        elif published.number and log[published.number - 1].hash != published.hash:
            place = _name(published.number) + (f", or one since {good + 1}" if good + 1 < published.number else "")
            expected = f"the published hash {published.hash}"
            yield Problem("event_changed", expected, log[published.number - 1].hash, RESTORE, place)
        good = published.number


def _changed(number: int, found: str) -> Problem:
    return Problem("event_changed", "the event that was written", found, RESTORE, _name(number))


def _misplaced(number: int, found: int, written: Collection[int]) -> Problem:
    """The event in a place is sound but another: its own was moved, or is gone, or this one is there twice."""
    if 0 < found < number:
        return Problem("event_twice", "each event once", f"it again in place {number}", RESTORE, _name(found))
    code = "event_moved" if number in written else "event_missing"
    return Problem(code, f"event {number} in place {number}", f"event {found}", RESTORE, _name(number))


def _unreadable(number: int, found: str) -> Problem:
    return Problem("event_changed", "an event in canonical JSON", found, RESTORE, _name(number))


def _name(number: int) -> str:
    return f"event {number}"


def _problems(at: datetime, kind: str, payload: Any) -> Iterator[Problem]:
    if at.utcoffset() != timedelta(0):
        yield Problem("not_utc", "an aware time in UTC", repr(at), "use time.astimezone(datetime.UTC)", "at")
    if not isinstance(kind, str) or not KIND.fullmatch(kind):
        yield Problem("bad_kind", "lower-case words like round.opened", repr(kind), "name the kind so", "kind")
    if isinstance(payload, Mapping):
        yield from _strange(dict(payload), "payload", DEEPEST)
    else:
        yield Problem("bad_payload", "a dictionary", type(payload).__name__, "wrap it", "payload")


def _strange(value: Any, place: str, depth: int) -> Iterator[Problem]:
    """Whatever in a payload has more than one spelling in JSON, or none."""
    fix = "write amounts and scores as text"
    if isinstance(value, dict | list | tuple) and not depth:
        yield Problem("bad_payload", f"at most {DEEPEST} levels", "more", "write it flatter", place)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not _is_text(key):
                yield Problem("bad_payload", "text as key", repr(key), "write the key as text", place)
            yield from _strange(inner, f"{place}.{key}", depth - 1)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _strange(inner, f"{place}[{i}]", depth - 1)
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            yield Problem(
                "bad_payload", "whole numbers within +-(2^63 - 1)", f"one of {value.bit_length()} bits", fix, place
            )
    elif value is not None and not _is_text(value):
        expected = "text, whole numbers, true, false, null, lists and dictionaries"
        yield Problem("bad_payload", expected, f"{type(value).__name__} {value!r}"[:60], fix, place)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not SURROGATE.search(value)
