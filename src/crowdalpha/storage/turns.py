"""What all stores keep alike: a transaction in which something failed is over, and no thread waits for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import local
from typing import Any, TypeVar, cast

from crowdalpha.tournament.ports import SpoiledError

Method = TypeVar("Method", bound=Callable[..., Any])


class Spoilable:
    """The work of a transaction. `spoiled_by` is what went wrong in it, None while all is well."""

    spoiled_by: BaseException | None = None

    def require_unspoiled(self) -> None:
        """Refuse to go on after something went wrong."""
        if self.spoiled_by is not None:
            raise SpoiledError(f"went on after {self.spoiled_by!r}") from self.spoiled_by


def verb(method: Method) -> Method:
    """A method of a `Spoilable` that spoils it by raising, and does nothing once it is spoiled."""

    @wraps(method)
    def done(self: Spoilable, *args: Any, **kwargs: Any) -> Any:
        self.require_unspoiled()
        try:
            return method(self, *args, **kwargs)
        except BaseException as error:
            self.spoiled_by = error
            raise

    return cast(Method, done)


class Turns(local):
    """Whether this thread is inside a transaction of a store."""

    inside = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """A transaction of this thread; a second one inside it would wait for the first for ever."""
        if self.inside:
            raise RuntimeError("this thread is inside a transaction already; do both in one")
        self.inside = True
        try:
            yield
        finally:
            self.inside = False
