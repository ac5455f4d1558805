"""What every question brings along: who asks, which part of a list, and a key under which it is asked once."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from fastapi import Depends, Query, Request, Response

from crowdalpha.server.callers import Caller, anybody
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.rest.answers import document, seen
from crowdalpha.server.service import Service
from crowdalpha.tournament.people import Answered

Item = TypeVar("Item")
KEY = re.compile(r"[\x21-\x7e]{1,64}")
KEPT, ABANDONED = timedelta(days=1), timedelta(seconds=30)
"""How long an answer is given again, and after how long one is not to be waited for: whoever worked on it was killed.

If not, no harm is done: what is made twice has the same id, and is made once."""
AT_WORK, OPEN_AGAIN = 0, -1


async def service_of(request: Request) -> Service:
    """The service that the app was made for."""
    found: Service = request.app.state.service
    return found


def caller_of(request: Request) -> Caller:
    """Who asks: by a token, or nobody. A token that does not count is refused, also where none is needed."""
    service: Service = request.app.state.service
    now = service.now()
    header = request.headers.get("authorization")
    return anybody(now) if header is None else service.people.by_token(header, now)


Serving = Annotated[Service, Depends(service_of)]
Who = Annotated[Caller, Depends(caller_of)]


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list: at most `limit` items, after the one that `cursor` names."""

    limit: int
    cursor: str | None

    def of(self, items: Sequence[Item], key: Callable[[Item], Sequence[Any]]) -> tuple[list[Item], str | None]:
        """That part of a list, and the cursor of the next; `key` names an item whatever is before it.

        An item that is gone is looked for by those that are left: nothing is shown twice and nothing is left out.
        """
        start = 0
        if self.cursor is not None:
            after = _read(self.cursor)
            named = {json.dumps(list(key(item))): place for place, item in enumerate(items)}
            if json.dumps(after) not in named:
                raise refusal("bad_cursor")
            start = named[json.dumps(after)] + 1
        shown = list(items[start : start + self.limit])
        more = start + self.limit < len(items)
        return shown, _written(key(shown[-1])) if more and shown else None


def part_of(
    limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[str | None, Query(max_length=300)] = None
) -> Part:
    """The part of a list that is asked for."""
    return Part(limit, cursor)


Some = Annotated[Part, Depends(part_of)]


def next_link(request: Request, response: Response, cursor: str | None) -> None:
    """Say where the next part is, as browsers and crawlers read it."""
    if cursor is not None:
        response.headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'


def _written(key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def _read(cursor: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise refusal("bad_cursor") from None


@dataclass(frozen=True)
class Once:
    """A question with the key it was asked under ("" for none), to be answered once."""

    service: Service
    who: Caller
    key: str
    body_hash: str
    path: str

    @property
    def id(self) -> str:
        """A name for what is made of the question: the same for the same account and key."""
        return str(uuid5(NAMESPACE_URL, f"{self.who.account}\0{self.key}")) if self.key else ""

    def require_key(self) -> None:
        """Refuse a question without a key."""
        if not self.key:
            raise refusal("idempotency_missing")

    def answer(self, status: int, do: Callable[[], Any], *, aside: tuple[str, ...] = ()) -> Response:
        """Do it and keep the answer, without the fields in `aside`; or give the answer that was given before."""
        if not self.key or not self.who.account:
            return _json(do(), status)
        before = self._begin()
        if before is not None:
            kind = "application/problem+json" if before.status >= 400 else "application/json"
            return Response(before.content, before.status, {"Idempotency-Replayed": "true"}, kind)
        try:
            made = do()
        except Exception as error:
            said = seen(error)
            content = json.dumps(document(said) | {"instance": self.path})
            self._end(said.status if said.status < 500 else OPEN_AGAIN, content)
            raise
        content = made.model_dump(mode="json")
        self._end(status, json.dumps(content | dict.fromkeys(aside)))
        return _json(made, status)

    def _begin(self) -> Answered | None:
        """The answer that was given before; None, and it is at work from now on, if there is none."""
        mine = Answered(self.who.account, self.key, self.body_hash, AT_WORK, "", self.who.now)
        with self.service.engine.store.transaction() as work:
            before = work.get(Answered, self.who.account, self.key, lock=True)
            if before is None:
                work.insert(mine)
                return None
            age = self.who.now - before.at
            if age >= KEPT or before.status == OPEN_AGAIN or (before.status == AT_WORK and age >= ABANDONED):
                work.update(mine)
                return None
        if before.body_hash != self.body_hash:
            raise refusal("idempotency_mismatch")
        if before.status == AT_WORK:
            raise refusal("in_flight")
        return before

    def _end(self, status: int, content: str) -> None:
        with self.service.engine.store.transaction() as work:
            work.update(Answered(self.who.account, self.key, self.body_hash, status, content, self.who.now))


async def once_of(request: Request, service: Serving, who: Who) -> Once:
    """The question's key, and what it is told from another by: verb, address and content."""
    key = request.headers.get("idempotency-key", "")
    if "idempotency-key" in request.headers and not KEY.fullmatch(key):
        raise refusal("idempotency_missing")
    asked = sha256(f"{request.method} {request.url.path}?{request.url.query}\0".encode())
    if key:
        asked.update(await request.body())
    return Once(service, who, key, asked.hexdigest(), request.url.path)


Asking = Annotated[Once, Depends(once_of)]


def _json(made: Any, status: int) -> Response:
    return Response(made.model_dump_json(), status, media_type="application/json")
