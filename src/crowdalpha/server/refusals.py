"""Files that were not taken: who sent what and what was wrong with it is remembered, what was in it is not."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from crowdalpha.scoring.problems import InputError
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal, told
from crowdalpha.server.models import Models
from crowdalpha.server.names import bare_name
from crowdalpha.server.notices.telling import Teller, named
from crowdalpha.server.office import Office, found, new_id
from crowdalpha.server.written import listed
from crowdalpha.tournament.notices import Refused, Wish
from crowdalpha.tournament.ports import BusyError, Transaction
from crowdalpha.tournament.records import Model, Progress
from crowdalpha.tournament.rounds import Round, Stage

LOG = logging.getLogger("crowdalpha.server")
MOST = 50
"""Refusals of one model and round that are remembered: the next one takes the place of the oldest."""
SHOWN = 20
"""Problems of one refusal that are remembered."""
NOT_OF_THE_FILE = ("id_taken", "unknown")


class Refusals:
    """Verbs about files that were not taken: all are for their owners."""

    def __init__(self, office: Office) -> None:
        self._office, self._models = office, Models(office)

    def remember(self, who: Caller, model: Model, filename: str, content: bytes, error: InputError) -> None:
        """Keep what was wrong, and tell its owner if they wish. If the store is busy, the refusal itself goes first."""
        said = told(error)
        if said.code in NOT_OF_THE_FILE:
            return
        problems = json.dumps([listed(one) for one in error.problems[:SHOWN]])
        hash = sha256(content).hexdigest()
        new = Refused(
            new_id(), model.id, who.account, 0, who.now, bare_name(filename), len(content), hash, said.code,
            said.message[:4000], problems,
        )  # fmt: skip
        try:
            with self._office.engine.store.transaction() as work:
                self._keep(work, replace(new, round=_running(work, who.now)), model)
        except BusyError:
            LOG.warning("a refusal could not be remembered")

    def of_model(self, who: Caller, model: str | None) -> list[Refused]:
        """What was not taken for a model of the caller's, newest first."""
        own = self._models.own(who, model, "read_submission_info")
        with self._office.engine.store.reading() as work:
            return _newest_first(work.find(Refused, model=own.id))

    def mine(self, who: Caller) -> list[Refused]:
        """What was not taken for all models of the caller's, newest first."""
        who.require("read_submission_info")
        with self._office.engine.store.reading() as work:
            models = work.find(Model, account=who.account)
            return _newest_first([one for model in models for one in work.find(Refused, model=model.id)])

    def one(self, who: Caller, id: str) -> Refused:
        """A refusal of the caller's; that of another is as unknown as one that never was."""
        who.require("read_submission_info")
        with self._office.engine.store.reading() as work:
            one = found(work.get(Refused, id), "refusal", id)
        if one.account != who.account:
            raise refusal("unknown", what="refusal", id=id[:80])
        return one

    def _keep(self, work: Transaction, new: Refused, model: Model) -> None:
        before = work.find(Refused, model=model.id, round=new.round)
        if len(before) >= MOST:
            work.update(replace(new, id=_newest_first(before)[-1].id))
            return
        work.insert(new)
        wish = work.get(Wish, new.account)
        if wish is not None:
            said = {"id": new.id, "round": new.round, "models": [named(model)], "filename": new.filename}
            said |= {"code": new.code, "message": new.message}
            Teller(work, self._office.settings, new.received_at).tell(wish, "refused", new.id, said)


def _running(work: Transaction, now: datetime) -> int:
    """The round that takes submissions, or 0."""
    rounds = [
        work.get(Round, one.round)
        for stage in (Stage.SCHEDULED, Stage.OPEN)
        for one in work.find(Progress, stage=stage)
    ]
    return next((round.number for round in rounds if round is not None and round.accepts(now)), 0)


def _newest_first(found: Sequence[Refused]) -> list[Refused]:
    return sorted(found, key=lambda one: (one.received_at, one.id), reverse=True)
