"""Records as canonical JSON, and digests of them: what the log says, so that nobody can change them unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from crowdalpha.tournament.events import canonical

Record = TypeVar("Record")


def digest(records: Iterable[Any]) -> str:
    """SHA-256 of records as canonical JSON, in their order; floats in hexadecimal, so that no bit is lost.

    >>> from crowdalpha.tournament.stakes import AtRisk
    >>> digest([AtRisk(1, "ada", 5, 1.0, 0.0)])[:16]
    '03e19348b3d2057a'
    """
    return hashlib.sha256(canonical([as_json(record) for record in records])).hexdigest()


def digest_of(amounts: Mapping[str, int]) -> str:
    """SHA-256 of amounts by name, as canonical JSON."""
    return hashlib.sha256(canonical({name: str(amount) for name, amount in amounts.items()})).hexdigest()


def as_json(record: Any) -> dict[str, Any]:
    """A record as text, whole numbers and lists: times in ISO 8601, floats in hexadecimal."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def from_json(kind: type[Record], found: Any) -> Record:
    """The record that `as_json` wrote; ValueError for anything else.

    >>> from crowdalpha.tournament.stakes import AtRisk
    >>> from_json(AtRisk, as_json(AtRisk(1, "ada", 5, 0.1, 0.0)))
    AtRisk(round=1, model='ada', amount=5, corr_multiplier=0.1, mmc_multiplier=0.0)
    """
    readers: dict[str, Callable[[Any], Any]] = _readers(kind)  # type: ignore[arg-type]
    if not isinstance(found, dict) or found.keys() != readers.keys():
        raise ValueError(f"not the fields of {kind.__name__}")
    record = kind(**{name: read(found[name]) for name, read in readers.items()})
    if as_json(record) != found:
        raise ValueError(f"another spelling of {kind.__name__}")
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@cache
def _readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """What reads a value of a type, and refuses others with ValueError."""
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return lambda value: _checked(value, value in parts)
    if NoneType in parts:
        inner = _reader(parts[0])
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        inner = _reader(parts[0])
        return lambda value: tuple(map(inner, _checked(value, isinstance(value, list))))
    if hint is float:
        return lambda value: float.fromhex(_checked(value, isinstance(value, str)))
    if hint is datetime:
        return _moment
    if hint in (str, int, bool):
        return lambda value: _checked(value, type(value) is hint)
    return lambda value: hint(_checked(value, isinstance(value, str)))


def _moment(value: Any) -> datetime:
    time = datetime.fromisoformat(_checked(value, isinstance(value, str)))
    return _checked(time, time.utcoffset() == timedelta(0)).astimezone(UTC)


def _checked(value: Any, fits: bool) -> Any:
    if not fits:
        raise ValueError(f"{value!r:.60} is of another type")
    return value
