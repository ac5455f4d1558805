"""Diagnostics: predictions of past eras, handed in to be scored on what came true; worked on one after the other.

What is handed in is a record and a file that waits. Whoever works on it holds a lock on the file, which the system
takes away from a process that is killed: the next one to look begins it anew.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from crowdalpha.scoring.problems import InputError
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal, told
from crowdalpha.server.findings import findings
from crowdalpha.server.models import Models
from crowdalpha.server.names import own_name
from crowdalpha.server.office import Office, found, new_id
from crowdalpha.server.past import Past, has_past, past_eras
from crowdalpha.server.uploads import KEPT, Slot, Waiting
from crowdalpha.storage import intake
from crowdalpha.tournament.people import Diagnostic, DiagnosticStatus
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import Model
from crowdalpha.tournament.submissions import SubmissionRules, Verdict, check_eras

FOLDER, SEGMENT = "uploads-past", "v1/uploads/past"
MOST_WAITING = 3
"""What one account may have waiting at once."""
MOST_LYING = 10
"""Files that one account may have put, handed in or not."""
TRIES = 3
"""How often it is begun before it is given up: what kills a server must not kill it for ever."""
DATE = "era"
"""The column that tells eras apart; needed where an id comes in several."""
WAITS = ("pending", "running")


class Diagnostics:
    """Verbs about predictions of past eras: all are for their owners, but `work`, which is the server's own."""

    def __init__(self, office: Office, told: Callable[[], None] = lambda: None) -> None:
        self._office, self._models, self.wake = office, Models(office), told
        folder = office.settings.folder / FOLDER
        self._waiting = Waiting(folder, office.key + b"past", intake.DIAGNOSTICS.bytes, SEGMENT, MOST_LYING)

    # handed in

    def slot(self, who: Caller, filename: str, base: str, model: str | None = None) -> Slot:
        """A link below the address `base` to put a file to, for a model of the caller's."""
        self._models.own(who, model, "upload_submission")
        self._require_past()
        return self._waiting.slot(who.account, filename, base, who.now)

    async def put(self, object: str, expires: str, signature: str, chunks: AsyncIterator[bytes], now: datetime) -> int:
        """Take in what is put behind a link: nobody need say who they are. Returns its size."""
        return await self._waiting.put(object, expires, signature, chunks, now)

    async def keep(self, who: Caller, filename: str, chunks: AsyncIterator[bytes]) -> str:
        """Take in a file of the caller's piece by piece; the name to hand it in by."""
        who.require("upload_submission")
        name = own_name(filename)
        await self._waiting.keep(who.account, name, chunks)
        return name

    def hand_in(self, who: Caller, filename: str, model: str | None) -> Diagnostic:
        """Have a file that was put looked at, for a model of the caller's. Again is the same as once.

        Refused with `not_uploaded`, with `no_past` where nothing has come true yet, or `too_many_waiting`.
        """
        own = self._models.own(who, model, "upload_submission")
        self._require_past()
        with self._office.engine.store.transaction() as work:
            mine = _of_account(work, who.account)
            if before := [one for one in mine if one.filename == filename]:
                return before[0]
            self._waiting.require(who.account, filename)
            if sum(one.status in WAITS for one in mine) >= MOST_WAITING:
                raise refusal("too_many_waiting", most=MOST_WAITING)
            new = Diagnostic(new_id(), own.id, filename, "pending", "", "", who.now, who.now)
            work.insert(new)
        self.wake()
        return new

    # looked at

    def of_model(self, who: Caller, model: str | None) -> list[Diagnostic]:
        """What was handed in for a model of the caller's, newest first."""
        own = self._models.own(who, model, "read_submission_info")
        with self._office.engine.store.reading() as work:
            there = [one for one in work.find(Diagnostic, model=own.id) if one.status != "deleted"]
        return sorted(there, key=lambda one: (one.created_at, one.id), reverse=True)

    def one(self, who: Caller, id: str) -> Diagnostic:
        """One of the caller's; that of another is as unknown as one that never was."""
        who.require("read_submission_info")
        with self._office.engine.store.reading() as work:
            return _own(work, who, id)

    def delete(self, who: Caller, id: str) -> Diagnostic:
        """Forget the file and what was found in it."""
        who.require("upload_submission")
        with self._office.engine.store.transaction() as work:
            gone = replace(_own(work, who, id), status="deleted", message="", content="", updated_at=who.now)
            work.update(gone)
        self._waiting.drop(who.account, gone.filename)
        return gone

    # worked on

    def work(self, clock: Callable[[], datetime] | None = None, ended: Callable[[], bool] = lambda: False) -> list[str]:
        """Work on all that waits and that nobody else works on, until it is `ended`; their ids."""
        clock = clock or self._office.clock
        return [one.id for one in self._in_line() if not ended() and self._work_on(one, clock)]

    def waits(self) -> bool:
        """Whether something waits that could be worked on here."""
        return any(self._is_free(one) for one in self._in_line())

    def _in_line(self) -> list[Diagnostic]:
        with self._office.engine.store.reading() as work:
            waiting = [one for status in WAITS for one in work.find(Diagnostic, status=status)]
        return sorted(waiting, key=lambda one: (one.created_at, one.id))

    def _is_free(self, one: Diagnostic) -> bool:
        with self._waiting.held(self._account(one), one.filename) as path:
            return path is not None or self._office.clock() - one.created_at >= KEPT

    def sweep(self, now: datetime) -> int:
        """Forget files that were put and never handed in, or are done with; how many."""
        return self._waiting.sweep(now)

    def _work_on(self, one: Diagnostic, clock: Callable[[], datetime]) -> bool:
        """Whether it was worked on here. Its file may be with another server, or be held by one."""
        account = self._account(one)
        with self._waiting.held(account, one.filename) as path:
            if path is None:
                return self._give_up_if_old(one, clock())
            begun = self._begin(one.id, clock())
            if begun is not None:
                self._finish(one.id, clock, lambda: self._look(begun, path))
                self._waiting.drop(account, one.filename)
        return begun is not None

    def _begin(self, id: str, now: datetime) -> Diagnostic | None:
        """Say that it is being worked on; None if it is done or deleted meanwhile, or was begun too often.

        How often it was begun is kept where its findings will be.
        """
        with self._office.engine.store.transaction() as work:
            one = work.get(Diagnostic, id, lock=True)
            if one is None or one.status not in WAITS:
                return None
            if (tries := int(one.content or 0)) < TRIES:
                work.update(replace(one, status="running", content=str(tries + 1), updated_at=now))
                return one
            self._end(work, one, now, refusal("internal").message)
            return None

    def _look(self, one: Diagnostic, path: Path) -> dict[str, Any]:
        with self._office.engine.store.reading() as work:
            model = found(work.get(Model, one.model), "model", one.model)
        past = past_eras(self._office.engine, self._office.settings)
        return findings(past, judged(path, past, self._office.settings.rules), model.name)

    def _finish(self, id: str, clock: Callable[[], datetime], look: Callable[[], dict[str, Any]]) -> None:
        """Keep what was found, or what is wrong with the file; nothing if it was deleted meanwhile."""
        message, content = "", {}
        try:
            content = look()
        except InputError as error:
            message, content = told(error).message, {"errors": error.as_dicts()}
        with self._office.engine.store.transaction() as work:
            one = work.get(Diagnostic, id, lock=True)
            if one is not None and one.status == "running":
                self._end(work, one, clock(), message, content)

    def _end(
        self, work: Transaction, one: Diagnostic, now: datetime, message: str, content: Mapping[str, Any] | None = None
    ) -> None:
        """Keep how it ended: done, unless there is a message that says what is wrong."""
        said = json.dumps(content, allow_nan=False) if content else ""
        status: DiagnosticStatus = "error" if message else "done"
        work.update(replace(one, status=status, message=message, content=said, updated_at=now))

    def _give_up_if_old(self, one: Diagnostic, now: datetime) -> bool:
        """A file that nobody has had for a day is gone."""
        if now - one.created_at < KEPT or self._waiting.is_there(self._account(one), one.filename):
            return False
        with self._office.engine.store.transaction() as work:
            self._end(work, one, now, refusal("not_uploaded", filename=one.filename).message)
        return False

    def _account(self, one: Diagnostic) -> str:
        with self._office.engine.store.reading() as work:
            return found(work.get(Model, one.model), "model", one.model).account

    def _require_past(self) -> None:
        if not has_past(self._office.engine, self._office.settings):
            raise refusal("no_past")


def judged(path: Path, past: Past, rules: SubmissionRules) -> dict[str, Any]:
    """The ranks of each era in an upload, read by the limited process; refused with all that is wrong with it."""
    universe = past.universe
    known = {id for ids in universe.values() for id in ids}
    dates = (DATE, *(name for name in rules.headers.dates if name != DATE))
    again = len(known) < sum(map(len, universe.values()))
    dated = replace(rules, headers=replace(rules.headers, dates=dates, date_required=again))
    verdict = check_eras(intake.read(path, dated, intake.DIAGNOSTICS, known=known), universe, dated)
    if verdict.faults:
        raise InputError(*verdict.faults)
    assert verdict.predictions is not None
    parts = np.split(verdict.predictions, np.cumsum([len(ids) for ids in universe.values()])[:-1])
    sent = {era: part for era, part in zip(universe, parts, strict=True) if not np.isnan(part).all()}
    return {era: Verdict(predictions=part, fill=verdict.fill).ranks() for era, part in sent.items()}


def _of_account(work: Reading, account: str) -> list[Diagnostic]:
    return [one for model in work.find(Model, account=account) for one in work.find(Diagnostic, model=model.id)]


def _own(work: Reading, who: Caller, id: str) -> Diagnostic:
    one = found(work.get(Diagnostic, id), "diagnostics", id)
    model = found(work.get(Model, one.model), "model", one.model)
    if model.account != who.account or one.status == "deleted":
        raise refusal("unknown", what="diagnostics", id=id[:80])
    return one
