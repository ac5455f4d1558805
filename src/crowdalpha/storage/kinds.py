"""What columns hold, whatever the database: times, texts, whole numbers, lists, and each with its unit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.types import TypeDecorator

from crowdalpha.tournament.rounds import Stage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNITS = "whole units, 10^-9 coin"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
BY_CODE_POINT = sa.Text().with_variant(TEXT(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(constraint_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970."""

    impl = WHOLE
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        """To the database."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + value * MICROSECOND


class Numbers(TypeDecorator[tuple[int, ...]]):
    """A tuple of whole numbers as a JSON list."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Any) -> str:
        """To the database."""
        return json.dumps(list(value or ()))

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[int, ...]:
        """From the database."""
        return tuple(json.loads(value or "[]"))


class Texts(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts as a JSON list."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Any) -> str:
        """To the database."""
        return json.dumps(list(value or ()))

    def process_result_value(self, value: str | None, dialect: Any) -> tuple[str, ...]:
        """From the database."""
        return tuple(json.loads(value or "[]"))


class Moments(Numbers):
    """A tuple of datetimes as a JSON list of whole microseconds since 1970."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        """To the database."""
        return super().process_bind_param(tuple((moment - EPOCH) // MICROSECOND for moment in value), dialect)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """From the database."""
        return tuple(EPOCH + number * MICROSECOND for number in super().process_result_value(value, dialect))


class StageName(TypeDecorator[Stage]):
    """A stage as its name."""

    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Any) -> Stage:
        """From the database."""
        return Stage(value or "")


class Flag(TypeDecorator[bool]):
    """True or false; a whole number where the database has no such type."""

    impl = sa.Boolean().with_variant(sa.Integer(), "sqlite")
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> bool:
        """From the database."""
        return bool(value)


def text(name: str, comment: str, *more: Any, **settings: Any) -> sa.Column[Any]:
    """A column of text that is always there."""
    return sa.Column(name, BY_CODE_POINT, *more, nullable=False, comment=comment, **settings)


def whole(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    """A column of 64-bit whole numbers."""
    return sa.Column(name, WHOLE, nullable=settings.pop("nullable", False), comment=comment, **settings)


def real(name: str, comment: str, **settings: Any) -> sa.Column[Any]:
    """A column of float64. NaN is kept as null, for SQLite has no other way."""
    return sa.Column(name, REAL, nullable=True, comment=comment, **settings)


def moment(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A column of times."""
    return sa.Column(name, Moment, nullable=nullable, comment=f"{comment}; microseconds since 1970 UTC")


def table(name: str, *columns: Any) -> sa.Table:
    """A table whose columns hold what their types say."""
    return sa.Table(name, metadata, *columns, sqlite_strict=True)
