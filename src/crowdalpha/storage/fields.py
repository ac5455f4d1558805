"""What a record may hold: what every store gives back as it was given, so that stores differ in nothing.

PostgreSQL keeps no NUL in a text, SQLite no NaN and no sign of a zero, neither a lone surrogate or 65 bits; drivers
write a NumPy integer as raw bytes. So values are made plain here, and what cannot be kept is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import index
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.money import LARGEST
from crowdalpha.tournament.records import KEYS
from crowdalpha.tournament.rounds import Stage

Record = TypeVar("Record")
Plain = Callable[[Any], Any]
FIX = "correct the value before it is kept"


def storable(record: Record) -> Record:
    """The record in plain values; InputError (code `unstorable`) with all that no database would keep.

    >>> from crowdalpha.tournament.records import Score
    >>> storable(Score(1, "mmc2-2020", 1, "corr", "ada", -0.0, False)).value
    0.0
    """
    kind: Any = type(record)
    if kind not in KEYS:
        raise TypeError(f"{kind.__name__} is no kind of record")
    values: dict[str, Any] = {}
    problems = []
    for name, expected, plain in _fields(kind):
        try:
            values[name] = plain(getattr(record, name))
        except (TypeError, ValueError):
            found = f"{getattr(record, name)!r}"[:60]
            problems.append(Problem("unstorable", expected, ascii(found), FIX, f"{kind.__name__}.{name}"))
    refuse_if_any(problems)
    made: Record = kind(**values)
    return made


def check_entry(entry: Entry) -> None:
    """Refuse an entry with a text that no database would keep; the rest its own type has checked."""
    refuse_if_any(_bad_texts(entry))


def check_key(kind: type[Any], key: tuple[Any, ...]) -> None:
    """Refuse a key with more or fewer parts than the kind has key fields."""
    if len(key) != len(KEYS[kind]):
        raise TypeError(f"{kind.__name__} is named by {', '.join(KEYS[kind])}: {key!r}")


def check_names(kind: type[Any], names: Any) -> None:
    """Refuse names that are no fields of the kind."""
    known = {field.name for field in fields(kind)}
    if unknown := set(names) - known:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")


def _bad_texts(entry: Entry) -> Iterator[Problem]:
    texts = [("id", entry.id), ("kind", entry.kind), ("memo", entry.memo)]
    for name, text in texts + [("account", posting.account) for posting in entry.postings]:
        try:
            _text(text)
        except (TypeError, ValueError):
            yield Problem("unstorable", TEXT, ascii(text)[:60], FIX, f"entry {entry.id!a}, {name}")


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, Plain], ...]:
    """The fields of a kind of record: name, what is expected, and what makes a value plain or raises."""
    return tuple((name, *_PLAIN[_shape(hint)]) for name, hint in get_type_hints(kind).items())


def _shape(hint: Any) -> Any:
    """A type hint as a key of `_PLAIN`: all literals are texts."""
    return str if get_origin(hint) is Literal else frozenset(get_args(hint)) if NoneType in get_args(hint) else hint


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # a lone surrogate has no bytes
    return str(value)


def _whole(value: Any) -> int:
    number = int(index(value))
    if isinstance(value, bool) or abs(number) > LARGEST:
        raise ValueError
    return number


def _real(value: Any) -> float:
    if isinstance(value, bool | str):
        raise ValueError
    return math.nan if value != value else float(value) + 0.0


def _number(value: Any) -> float:
    if value != value:
        raise ValueError
    return _real(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.utcoffset() != timedelta(0):
        raise ValueError
    return value.astimezone(UTC).replace(fold=0)


def _many(plain: Plain) -> Plain:
    return lambda values: tuple(map(plain, values))


def _or_none(plain: Plain) -> Plain:
    return lambda value: None if value is None else plain(value)


TEXT = "text without NUL or lone surrogates"
WHOLE = "a whole number within +-(2^63 - 1)"
MOMENT = "an aware time in UTC"
_PLAIN: dict[Any, tuple[str, Plain]] = {
    str: (TEXT, _text),
    int: (WHOLE, _whole),
    float: ("a number", _real),
    bool: ("true or false", _flag),
    datetime: (MOMENT, _moment),
    Stage: ("a stage", Stage),
    tuple[int, ...]: ("whole numbers", _many(_whole)),
    tuple[str, ...]: ("texts", _many(_text)),
    tuple[datetime, ...]: ("aware times in UTC", _many(_moment)),
    frozenset({float, NoneType}): ("a number that is not NaN, or none", _or_none(_number)),
    frozenset({int, NoneType}): (f"{WHOLE}, or none", _or_none(_whole)),
    frozenset({datetime, NoneType}): (f"{MOMENT}, or none", _or_none(_moment)),
}
