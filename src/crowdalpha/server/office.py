"""What every verb of the service works with: engine, settings, clock, the key of links; and who owns what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from crowdalpha.engine import Engine
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.settings import Settings
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import Model

Record = TypeVar("Record")


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Office:
    """An engine with the settings it was opened by, a clock that requests are timed by, and the key of links."""

    engine: Engine
    settings: Settings
    clock: Callable[[], datetime] = utc_now
    key: bytes = field(default=b"", repr=False)


def new_id() -> str:
    """A name that nothing else has: a random UUID."""
    return str(uuid4())


def found(record: Record | None, what: str, id: object) -> Record:
    """The record, or the refusal that there is none."""
    if record is None:
        raise refusal("unknown", what=what, id=str(id)[:80])
    return record


def own_model(work: Reading, who: Caller, id: str) -> Model:
    """A model of the caller's; `not_yours` if it is somebody else's: models are public, what they do is not."""
    model = found(work.get(Model, id), "model", id)
    if model.account != who.account:
        raise refusal("not_yours", what="model", id=id)
    return model
