"""Submissions: sent in one call, or put behind a link and then handed in; looked at by nobody but their owner."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore

from crowdalpha.engine.desk import upload_name
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.models import Models
from crowdalpha.server.names import bare_name
from crowdalpha.server.office import Office, found, new_id
from crowdalpha.server.refusals import Refusals
from crowdalpha.server.rounds import Rounds
from crowdalpha.server.uploads import FOLDER, Slot, Waiting
from crowdalpha.storage.intake import LIVE, judge
from crowdalpha.tournament.people import Delivery
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import Model, Submission
from crowdalpha.tournament.scoringday import selected
from crowdalpha.tournament.submissions import Verdict

READERS = max(2, os.cpu_count() or 1)
"""Files that are read at once, each in a process of its own: the others wait, so that each gets its share of time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission, how it came, and whether it is the one of its model that counts in its round."""

    submission: Submission
    delivery: Delivery
    selected: bool


class Submissions:
    """Verbs about submissions: all are for their owners."""

    def __init__(self, office: Office) -> None:
        self._office, self._models, self._rounds = office, Models(office), Rounds(office)
        self._refusals = Refusals(office)
        self._readers = BoundedSemaphore(READERS)
        self._waiting = Waiting(office.settings.folder / FOLDER, office.key, LIVE.bytes)

    def submit(
        self,
        who: Caller,
        model: str | None,
        content: bytes,
        *,
        filename: str = "",
        trigger_id: str = "",
        source: str = "",
        data_datestamp: int | None = None,
        id: str = "",
    ) -> Sent:
        """Hand in a file for a model of the caller's; refused with everything that is wrong with it.

        `id` is the receipt's number, chosen by whoever may have to ask again; the same one hands in once.
        """
        own = self._models.own(who, model, "upload_submission")
        receipt = self._taken(who, own, id or new_id(), content, filename)
        said = Delivery(receipt.id, bare_name(filename), trigger_id[:100], source[:100], data_datestamp)
        with self._office.engine.store.transaction() as work:
            if work.get(Delivery, receipt.id) is None:
                work.insert(said)
        return self._sent([receipt.id])[0]

    def validate(self, who: Caller, content: bytes) -> Verdict:
        """The verdict on a file, by the ids of the open round; nothing is kept."""
        who.require("upload_submission")
        round = self._rounds.current(who).round
        universe = self._office.engine.universe(round)
        with self._readers:
            return judge(content, universe, self._office.settings.rules)

    # in two steps: put, then hand in

    def slot(self, who: Caller, filename: str, base: str, model: str | None = None) -> Slot:
        """A link below the address `base` to put a file to, for a model of the caller's if one is named."""
        who.require("upload_submission")
        if model is not None:
            self._models.own(who, model, "upload_submission")
        return self._waiting.slot(who.account, filename, base, who.now)

    async def put(self, object: str, expires: str, signature: str, chunks: AsyncIterator[bytes], now: datetime) -> int:
        """Take in what is put behind a link: nobody need say who they are. Returns its size."""
        return await self._waiting.put(object, expires, signature, chunks, now)

    def waiting(self, who: Caller, filename: str) -> bytes:
        """A file of the caller's that was put and waits."""
        who.require("upload_submission")
        return self._waiting.take(who.account, filename)

    def hand_in(
        self,
        who: Caller,
        filename: str,
        model: str | None,
        *,
        trigger_id: str = "",
        source: str = "",
        data_datestamp: int | None = None,
    ) -> Sent:
        """Make a submission of a file that was put; `not_uploaded` if none was. Again is the same as once."""
        self._models.own(who, model, "upload_submission")
        if before := self._handed_in(who, filename):
            return before
        content = self._waiting.take(who.account, filename)
        said = {"filename": filename, "trigger_id": trigger_id, "source": source}
        sent = self.submit(who, model, content, data_datestamp=data_datestamp, **said)
        self._waiting.drop(who.account, filename)
        return sent

    def sweep(self, now: datetime) -> int:
        """Forget files that were put and never handed in; how many."""
        return self._waiting.sweep(now)

    # what was sent

    def of_model(self, who: Caller, model: str | None) -> list[Sent]:
        """What was sent for a model of the caller's, newest first."""
        own = self._models.own(who, model, "read_submission_info")
        with self._office.engine.store.reading() as work:
            ids = [submission.id for submission in work.find(Submission, model=own.id)]
        return sorted(self._sent(ids), key=_newest, reverse=True)

    def mine(self, who: Caller) -> list[Sent]:
        """What was sent for all models of the caller's, newest first."""
        who.require("read_submission_info")
        mine = [sent for shown in self._models.mine(who) for sent in self.of_model(who, shown.model.id)]
        return sorted(mine, key=_newest, reverse=True)

    def one(self, who: Caller, id: str) -> Sent:
        """A submission of the caller's; that of another is as unknown as one that never was."""
        who.require("read_submission_info")
        self._require_own(who, id)
        return self._sent([id])[0]

    def file(self, who: Caller, id: str) -> bytes:
        """The file of a submission of the caller's, byte by byte as it came."""
        who.require("download_submission")
        submission = self._require_own(who, id)
        return self._office.engine.files.read(upload_name(submission.content_hash))

    def name_of(self, id: str) -> str:
        """What the file of a submission is called."""
        return self._sent([id])[0].delivery.filename

    def _taken(self, who: Caller, own: Model, id: str, content: bytes, filename: str) -> Submission:
        try:
            with self._readers:
                return self._office.engine.submit(id, own.id, content, who.now)
        except InputError as error:
            self._refusals.remember(who, own, filename, content, error)
            raise

    def _require_own(self, who: Caller, id: str) -> Submission:
        with self._office.engine.store.reading() as work:
            submission = found(work.get(Submission, id), "submission", id)
            model = found(work.get(Model, submission.model), "model", submission.model)
        if model.account != who.account:
            raise refusal("unknown", what="submission", id=id[:80])
        return submission

    def _handed_in(self, who: Caller, filename: str) -> Sent | None:
        with self._office.engine.store.reading() as work:
            for delivery in work.find(Delivery, filename=filename):
                submission = work.get(Submission, delivery.submission)
                model = None if submission is None else work.get(Model, submission.model)
                if submission is not None and model is not None and model.account == who.account:
                    return _sent_of(work, submission)
        return None

    def _sent(self, ids: list[str]) -> list[Sent]:
        with self._office.engine.store.reading() as work:
            return [_sent_of(work, found(work.get(Submission, id), "submission", id)) for id in ids]


def _sent_of(work: Reading, submission: Submission) -> Sent:
    """A submission with what goes with it. One that waited for a later round came as the one it was late as."""
    said = work.get(Delivery, submission.id) or work.get(Delivery, submission.id.partition(":")[0])
    others = work.find(Submission, round=submission.round, model=submission.model)
    counts = selected(others, max(other.received_at for other in others))
    return Sent(submission, said or Delivery(submission.id, "predictions"), submission in counts)


def _newest(sent: Sent) -> tuple[datetime, str]:
    return sent.submission.received_at, sent.submission.id
