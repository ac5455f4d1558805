"""What a resolver is given: the service, who asks, where the server is seen, and until when an answer is waited for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.service import Service

WORD = re.compile("(?<=.)(?=[A-Z])")
ANY = 0
"""The number by which clients mean whatever tournament there is."""
FORMER = {1: 8}
"""Numbers that tournaments had before: clients go on asking for rounds by them."""
Answer = Callable[..., Any]
ANSWERS: dict[str, Answer] = {}
"""What answers a field, by `Type.field`."""


@dataclass(frozen=True)
class Asked:
    """One operation on its way. `base` is the server's address, `until` on the monotonic clock when it is given up."""

    service: Service
    who: Caller
    base: str
    until: float

    @property
    def number(self) -> int:
        """The number of the tournament."""
        return self.service.settings.server.number

    def require_tournament(self, number: Any) -> None:
        """Refuse the number of a tournament that is not here; `unknown`. None and 0 mean the one that is."""
        if isinstance(number, int) and FORMER.get(number, number) not in (ANY, self.number) and number != self.number:
            raise refusal("unknown", what="tournament", id=number)

    def require_time(self) -> None:
        """Give up if the answer would come too late; `busy`."""
        if monotonic() > self.until:
            raise refusal("busy")


def snake(name: str) -> str:
    """An argument as functions here spell it.

    >>> snake("lastNRounds"), snake("modelId")
    ('last_n_rounds', 'model_id')
    """
    return WORD.sub("_", name).lower()


def answers(*fields: str) -> Callable[[Answer], Answer]:
    """Say that a function answers these fields: it is called with what was asked and the arguments, in snake case.

    Which tournament is meant is looked at before.
    """

    def keep(answer: Answer) -> Answer:
        def resolve(_parent: Any, info: Any, /, **given: Any) -> Any:
            asked: Asked = info.context
            asked.require_time()
            words = {snake(name): value for name, value in given.items()}
            for name in ("tournament", "tournament_number"):
                asked.require_tournament(words.pop(name, None))
            return answer(asked, **words)

        resolve.__wrapped__ = answer  # type: ignore[attr-defined]
        ANSWERS.update(dict.fromkeys(fields, resolve))
        return answer

    return keep


def late(answer: Callable[[], Any]) -> Callable[[Any], Any]:
    """A value that is only looked up if it is asked for."""

    def resolve(info: Any) -> Any:
        info.context.require_time()
        return answer()

    return resolve
