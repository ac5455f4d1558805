"""What is to be told to whom: written down once for each event of the log, and once for each close that comes near.

    next event = cursor + 1;   the messages and the cursor are kept in one transaction

So whoever is killed has told nothing twice and left nothing out. What cannot be helped any more is not told: that a
round was open, or would close.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from crowdalpha.server.written import zulu
from crowdalpha.settings import Settings
from crowdalpha.tournament.events import Event
from crowdalpha.tournament.money import format_amount
from crowdalpha.tournament.notices import Channel, Cursor, Notice, NoticeKind, Wish
from crowdalpha.tournament.people import Login, Profile
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.scoringday import final_day
from crowdalpha.tournament.settlement import Payout

READ = "notices"
"""The name of the cursor in the log."""
TELLING = ("round.open", "round.scored", "round.settled")
Said = dict[str, Any]


@dataclass(frozen=True)
class Teller:
    """What is told in a transaction, at a time."""

    work: Transaction
    settings: Settings
    now: datetime

    def wishes(self, kind: NoticeKind) -> list[Wish]:
        """Who wishes to hear of that."""
        return [wish for wish in self.work.find(Wish) if kind in (*wish.mail, *wish.hook)]

    def tell(self, wish: Wish, kind: NoticeKind, key: str, said: Said, until: datetime | None = None) -> list[Notice]:
        """Write down what an account is to be told, for each channel that it wishes; `key` names the occasion."""
        content = json.dumps({"type": kind, "timestamp": zulu(self.now), "data": said}, allow_nan=False)
        ways: list[tuple[Channel, str]] = []
        if kind in wish.hook and wish.webhook:
            ways.append(("webhook", wish.webhook))
        if kind in wish.mail and (address := mailbox(self.work, wish)):
            ways.append(("mail", address))
        made = [notice(wish.account, kind, key, way, to, content, self.now, until) for way, to in ways]
        return [one for one in made if self.add(one)]

    def add(self, one: Notice) -> bool:
        """Keep a message, unless it is kept already."""
        if self.work.get(Notice, one.id) is not None:
            return False
        self.work.insert(one)
        return True

    # by the log

    def event(self, event: Event) -> None:
        """Tell of an event."""
        round = self.work.get(Round, event.payload["round"])
        if round is None:
            return
        if event.kind == "round.open":
            self._opened(round)
        elif event.kind == "round.settled":
            self._results(round, final_day(round), "settled", {})
        elif event.payload["day"] != final_day(round):
            self._results(round, event.payload["day"], "scored", {"day": event.payload["day"]})

    def _opened(self, round: Round) -> None:
        if round.close_time <= self.now:
            return
        for wish in self.wishes("round_open"):
            self.tell(wish, "round_open", f"{round.number}", window(round), round.close_time)
        for profile in self.work.find(Profile):
            if profile.webhook and not profile.archived:
                self.trigger(profile, f"{round.number}", round.close_time)

    def trigger(self, profile: Profile, key: str, until: datetime | None = None) -> Notice | None:
        """Have a model's own webhook called: it is time to submit."""
        model = self.work.get(Model, profile.model)
        if model is None:
            return None
        id = id_of("trigger", key, model.id, "webhook")
        content = json.dumps({"triggerId": id})
        one = Notice(
            id, model.account, model.id, "trigger", "webhook", profile.webhook, content, self.now, self.now, until
        )
        return one if self.add(one) else None

    def _results(self, round: Round, day: int, kind: NoticeKind, more: Said) -> None:
        """Tell everybody what their models scored on a day and, at the end, were paid; and nobody of others."""
        if not (wishes := self.wishes(kind)):
            return
        scores: dict[str, dict[str, float | None]] = {}
        for one in self.work.find(Score, round=round.number, rule_set=round.rule_set, day=day):
            scores.setdefault(one.model, {})[one.metric] = one.value if one.value == one.value else None
        paid = {one.model: one for one in self.work.find(Payout, round=round.number)} if kind == "settled" else {}
        for wish in wishes:
            models = [model for model in self.work.find(Model, account=wish.account) if model.id in scores]
            told = [named(model) | {"scores": scores[model.id]} | self._paid(paid, model, kind) for model in models]
            if told:
                self.tell(wish, kind, f"{round.number} {day}", {"round": round.number, **more, "models": told})

    @staticmethod
    def _paid(paid: Mapping[str, Payout], model: Model, kind: NoticeKind) -> Said:
        if kind != "settled":
            return {}
        one = paid.get(model.id)
        return {name: format_amount(getattr(one, name)) if one else None for name in ("at_risk", "paid")}

    # by the clock

    def closing(self, round: Round) -> None:
        """Tell those whose models have sent nothing for a round that it closes soon."""
        sent = {one.model for one in self.work.find(Submission, round=round.number, status="on_time")}
        away = {one.model for one in self.work.find(Profile, archived=True)}
        for wish in self.wishes("closing_soon"):
            mine = self.work.find(Model, account=wish.account)
            missing = [named(one) for one in mine if not one.benchmark and one.id not in sent | away]
            if missing:
                said = window(round) | {"models": missing}
                self.tell(wish, "closing_soon", f"{round.number}", said, round.close_time)


def due(work: Reading, settings: Settings, now: datetime) -> bool:
    """Whether there is anything new to tell of."""
    cursor = work.get(Cursor, READ)
    return cursor is None or bool(work.events(cursor.event)) or bool(list(_closing(work, settings, now)))


def tell_all(work: Transaction, settings: Settings, now: datetime) -> None:
    """Write down all that is to be told and has not been. Who has never told begins with what comes next."""
    teller = Teller(work, settings, now)
    cursor = work.get(Cursor, READ, lock=True)
    events = work.events(cursor.event if cursor else 0)
    newest = Cursor(READ, max((event.number for event in events), default=cursor.event if cursor else 0))
    if cursor is None:
        work.insert(newest)
    else:
        for event in (one for one in events if one.kind in TELLING):
            teller.event(event)
        work.update(replace(cursor, event=newest.event))
    for round in list(_closing(work, settings, now)):
        teller.closing(round)
        work.insert(Cursor(_name(round), newest.event))


def _closing(work: Reading, settings: Settings, now: datetime) -> Iterator[Round]:
    """The rounds that close soon, of which nobody has been told so."""
    for progress in work.find(Progress, stage=Stage.OPEN):
        round = work.get(Round, progress.round)
        if round is None or work.get(Cursor, _name(round)) is not None:
            continue
        hours = timedelta(hours=settings.notices.closing_hours)
        if round.close_time - min(hours, (round.close_time - round.open_time) / 2) <= now < round.close_time:
            yield round


def _name(round: Round) -> str:
    return f"closing:{round.number}"


def notice(
    account: str, kind: NoticeKind, key: str, way: Channel, to: str, content: str, now: datetime, until: datetime | None
) -> Notice:
    """A message to all of an account, due at once."""
    return Notice(id_of(kind, key, account, way), account, "", kind, way, to, content, now, now, until)


def id_of(*words: str) -> str:
    """The id of a message, the same whenever and wherever it is made of the same."""
    return str(uuid5(NAMESPACE_URL, "\0".join(("crowdalpha", *words))))


def mailbox(work: Reading, wish: Wish) -> str:
    """Where mail goes to: the address of the login, if that has been confirmed."""
    login = work.get(Login, wish.account)
    return login.email if login is not None and login.email == wish.confirmed else ""


def named(model: Model) -> Said:
    """A model by its id and its name."""
    return {"id": model.id, "name": model.name}


def window(round: Round) -> Said:
    """When a round takes submissions."""
    return {"round": round.number, "open_time": zulu(round.open_time), "close_time": zulu(round.close_time)}
