"""What shapes are made of: amounts are texts in coins, times RFC 3339 in UTC, scores numbers or null."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from crowdalpha.server.written import zulu
from crowdalpha.tournament.money import format_amount

Amount = Annotated[int, PlainSerializer(format_amount, return_type=str)]
Moment = Annotated[datetime, PlainSerializer(zulu, return_type=str)]
Number = Annotated[
    float | None, PlainSerializer(lambda value: value if value == value else None, return_type=float | None)
]
Text = Annotated[str, StringConstraints(max_length=2000)]
Coins = Annotated[str, StringConstraints(max_length=60), Field(examples=["12.5"])]
Stage = Literal["scheduled", "open", "closed", "scoring", "resolved"]
Scope = Literal["upload_submission", "download_submission", "read_submission_info", "read_user_info", "stake", "admin"]
Item = TypeVar("Item")


class Shape(BaseModel):
    """What is given."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What is taken: no other fields than those that are known."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Page(BaseModel, Generic[Item]):
    """A part of a list, and where the next part begins (null: it was the last)."""

    items: list[Item]
    next_cursor: str | None = None


class Wrong(BaseModel):
    """One thing that is wrong."""

    code: str
    pointer: str
    message: str
    expected: str
    found: str
    fix: str
    row: int | None = None


class ProblemDocument(BaseModel):
    """A refusal, as RFC 9457 has it; `code` is stable, `errors` is everything that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[Wrong] = []
