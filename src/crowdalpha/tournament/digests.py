"""Digests of records: what the log says of them, so that nobody can change them unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from crowdalpha.tournament.events import canonical


def digest(records: Iterable[Any]) -> str:
    """SHA-256 of records as canonical JSON, in their order; floats in hexadecimal, so that no bit is lost.

    >>> from crowdalpha.tournament.stakes import AtRisk
    >>> digest([AtRisk(1, "ada", 5, 1.0, 0.0)])[:16]
    '03e19348b3d2057a'
    """
    return hashlib.sha256(canonical([as_json(record) for record in records])).hexdigest()


def as_json(record: Any) -> dict[str, Any]:
    """A record as text, whole numbers and lists: times in ISO 8601, floats in hexadecimal."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
