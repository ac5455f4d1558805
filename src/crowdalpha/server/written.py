"""How times and problems are written, whoever says them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crowdalpha.scoring.problems import Problem
from crowdalpha.tournament.faults import Fault


def zulu(moment: datetime) -> str:
    """A time as both APIs write it, in UTC.

    >>> zulu(datetime(2026, 1, 3, 18, tzinfo=UTC))
    '2026-01-03T18:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def listed(one: Problem) -> dict[str, Any]:
    """A problem as a part of a document; of a submission in the words participants know, with the row."""
    listed: dict[str, Any] = {"code": one.code, "pointer": one.where, "message": str(one)}
    listed |= {"expected": one.expected, "found": one.found, "fix": one.fix}
    if isinstance(one, Fault):
        listed |= {"message": one.message, "row": one.row or None}
    return listed
