"""What is sent in: links to put files to, submissions made of them, and what became of those."""

from __future__ import annotations

from typing import Any

from crowdalpha.server.graphql.asked import Asked, answers, late
from crowdalpha.server.submissions import Sent
from crowdalpha.tournament.rounds import Stage

MOST = 2000
"""Submissions of one answer."""


@answers("Query.submissionUploadAuth", "Query.submissionUploadSignalsAuth")
def upload_auth(asked: Asked, filename: str, model_id: str | None = None) -> dict[str, Any]:
    """A link to put a file to."""
    own = asked.service.models.own(asked.who, model_id, "upload_submission")
    slot = asked.service.submissions.slot(asked.who, filename, asked.base, own.id)
    return {"filename": slot.filename, "url": slot.url}


@answers("Mutation.createSubmission", "Mutation.createSignalsSubmission")
def create_submission(
    asked: Asked,
    filename: str,
    model_id: str | None = None,
    trigger_id: str | None = None,
    source: str | None = None,
    data_datestamp: int | None = None,
) -> dict[str, Any]:
    """A submission of a file that was put; judged before the answer."""
    sent = asked.service.submissions.hand_in(
        asked.who,
        filename,
        model_id,
        trigger_id=trigger_id or "",
        source=source or "",
        data_datestamp=data_datestamp,
    )
    return shown(asked, sent)


@answers("Query.submissions")
def submissions(asked: Asked, model_id: str | None = None, id: str | None = None) -> list[dict[str, Any]]:
    """What was sent for a model; the one with that id."""
    if id is not None:
        return [shown(asked, asked.service.submissions.one(asked.who, id))]
    return of_model(asked, model_id)


@answers("Query.submissionDownloadAuth")
def download_auth(asked: Asked, id: str | None = None) -> dict[str, Any]:
    """A link to a file that was sent in."""
    link = asked.service.downloads.submission(asked.who, id or "", asked.base)
    return {"filename": link.filename, "url": link.url}


def of_model(asked: Asked, model: str | None) -> list[dict[str, Any]]:
    """What was sent for a model, newest first."""
    sent = asked.service.submissions.of_model(asked.who, model)[:MOST]
    return [shown(asked, one) for one in sent]


def refused(asked: Asked, model: str) -> list[dict[str, Any]]:
    """What was sent for a model and not taken, newest first."""
    return [
        {
            "id": one.id,
            "filename": one.filename,
            "insertedAt": one.received_at,
            "size": one.size,
            "sha256": one.content_hash,
            "round": {"tournament": asked.number, "number": one.round} if one.round else None,
            "code": one.code,
            "message": one.message,
        }
        for one in asked.service.refusals.of_model(asked.who, model)[:MOST]
    ]


def latest(asked: Asked, model: str) -> list[dict[str, Any]]:
    """The newest submission of a model that counts in its round."""
    sent = asked.service.submissions.of_model(asked.who, model)
    return [shown(asked, one) for one in sent if one.selected][:1]


def shown(asked: Asked, sent: Sent) -> dict[str, Any]:
    """A submission."""
    made, said = sent.submission, sent.delivery
    return {
        "id": made.id,
        "filename": said.filename,
        "insertedAt": made.received_at,
        "selected": sent.selected,
        "status": late(lambda: _status(asked, sent)),
        "triggerId": said.trigger_id or None,
        "source": said.source or None,
        "dataDatestamp": said.data_datestamp,
        "round": {"tournament": asked.number, "number": made.round},
        "firstEffectiveDate": late(lambda: asked.service.rounds.one(asked.who, made.round).round.close_time),
    }


def _status(asked: Asked, sent: Sent) -> str:
    """On time; late, and waiting for the next round to close; or late, and past that."""
    if sent.submission.status != "late":
        return sent.submission.status
    waiting = (Stage.SCHEDULED, Stage.OPEN)
    states = asked.service.rounds.all(asked.who)
    closed = [state.round.number for state in states if state.stage(asked.who.now) not in waiting]
    return "queued" if sent.submission.round >= max(closed, default=0) else "late"
