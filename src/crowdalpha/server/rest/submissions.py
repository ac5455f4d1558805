"""Submissions: in one call, or put behind a link and then named; and a try that keeps nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from crowdalpha.scoring.problems import Problem
from crowdalpha.server.catalogue import Refusal, refusal
from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Some, Who, next_link
from crowdalpha.server.submissions import Sent
from crowdalpha.server.written import listed
from crowdalpha.storage.intake import LIVE
from crowdalpha.tournament.submissions import Verdict

routes = APIRouter(route_class=Told, tags=["submissions"])
FILES = ("text/csv", "application/vnd.apache.parquet", "application/octet-stream")
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
        | {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
BODY_OR_NAME = {
    "requestBody": BODY["requestBody"]
    | {
        "content": BODY["requestBody"]["content"]
        | {"application/json": {"schema": shapes.UploadRef.model_json_schema()}}
    }
}
Words = Annotated[str, Query(max_length=100)]
SHOWN = 20


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a question."""

    name: str
    content: bytes


@routes.post(
    "/models/{model}/submissions", status_code=201, response_model=shapes.SubmissionOut, openapi_extra=BODY_OR_NAME
)
async def submit(
    model: str,
    request: Request,
    service: Serving,
    who: Who,
    once: Asking,
    filename: Words = "",
    trigger_id: Words = "",
    data_datestamp: Annotated[int | None, Query(ge=0, le=99991231)] = None,
) -> Response:
    """Hand in predictions for the open round: a file, a form with one, or the `upload_id` of one that was put.

    It is judged while you wait; a refusal lists everything that is wrong. Scope: upload_submission.
    """
    said: dict[str, Any] = {"trigger_id": trigger_id, "source": "rest", "data_datestamp": data_datestamp}
    await run_in_threadpool(service.models.own, who, model, "upload_submission")
    if request.headers.get("content-type", "").startswith("application/json"):
        ref = reference(await request.body())
        said |= {"trigger_id": ref.trigger_id or trigger_id, "data_datestamp": ref.data_datestamp or data_datestamp}

        def do() -> shapes.SubmissionOut:
            return _shaped(service.submissions.hand_in(who, ref.upload_id, model, **said))
    else:
        file = await _file(request)
        said |= {"filename": filename or file.name, "id": once.id}

        def do() -> shapes.SubmissionOut:
            return _shaped(service.submissions.submit(who, model, file.content, **said))

    return await run_in_threadpool(once.answer, 201, do)


@routes.get("/models/{model}/submissions")
def list_submissions(
    model: str, service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.SubmissionOut]:
    """What was sent for a model of one's own, newest first. Scope: read_submission_info."""
    items, cursor = some.of(service.submissions.of_model(who, model), lambda sent: [sent.submission.id])
    next_link(request, response, cursor)
    return shapes.Page[shapes.SubmissionOut](items=[_shaped(sent) for sent in items], next_cursor=cursor)


@routes.post("/submissions/validate", openapi_extra=BODY)
async def validate(request: Request, service: Serving, who: Who) -> shapes.VerdictOut:
    """Say what would become of a file in the open round; nothing is kept. Scope: upload_submission."""
    who.require("upload_submission")
    file = await _file(request)
    return _verdict(await run_in_threadpool(service.submissions.validate, who, file.content))


@routes.get("/submissions/{submission}")
def show_submission(submission: str, service: Serving, who: Who) -> shapes.SubmissionOut:
    """A submission of one's own. Scope: read_submission_info."""
    return _shaped(service.submissions.one(who, submission))


@routes.get(
    "/submissions/{submission}/file",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file, byte by byte."}},
)
def show_file(submission: str, service: Serving, who: Who) -> Response:
    """The file of a submission of one's own, as it came. Scope: download_submission."""
    content = service.submissions.file(who, submission)
    name = service.submissions.name_of(submission)
    said = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type="application/octet-stream", headers=said)


@routes.post("/uploads", status_code=201)
def make_upload(asked: shapes.NewUpload, request: Request, service: Serving, who: Who) -> shapes.SlotOut:
    """A link to PUT a file to, good for an hour and one file; then hand it in by its `upload_id`.

    Scope: upload_submission.
    """
    base = service.settings.server.url or str(request.base_url).rstrip("/")
    slots = service.diagnostics if asked.purpose == "diagnostics" else service.submissions
    slot = slots.slot(who, asked.filename, base, asked.model)
    return shapes.SlotOut(upload_id=slot.filename, filename=slot.filename, url=slot.url, expires=slot.expires)


@routes.put("/uploads/files/{object:path}", status_code=200, openapi_extra=BODY, response_class=Response)
async def put_file(
    object: str, request: Request, service: Serving, expires: Words = "", signature: Words = ""
) -> Response:
    """Put a file behind its link. The link is the permission: no token is looked at."""
    now = await run_in_threadpool(service.now)
    await service.submissions.put(object, expires, signature, request.stream(), now)
    return Response(status_code=200)


@routes.put("/uploads/past/{object:path}", status_code=200, openapi_extra=BODY, response_class=Response)
async def put_past_file(
    object: str, request: Request, service: Serving, expires: Words = "", signature: Words = ""
) -> Response:
    """Put a file with predictions of past eras behind its link. The link is the permission."""
    now = await run_in_threadpool(service.now)
    await service.diagnostics.put(object, expires, signature, request.stream(), now)
    return Response(status_code=200)


async def _file(request: Request) -> File:
    """The file in a question: its body, or the part `file` of a form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return File("", await _whole(request))
    async with request.form(max_files=1, max_fields=10) as form:
        part = form.get("file")
        if not isinstance(part, UploadFile):
            raise refusal("bad_type", expected="a form with a part called file")
        content = await part.read(LIVE.bytes + 1)
        _require_fitting(len(content))
        return File(part.filename or "", content)


async def _whole(request: Request) -> bytes:
    content = await request.body()
    _require_fitting(len(content))
    return content


def _require_fitting(size: int) -> None:
    if size > LIVE.bytes:
        raise refusal("too_large", limit=LIVE.bytes)


def reference(body: bytes) -> shapes.UploadRef:
    """What a body of JSON says of a file that was put."""
    try:
        return shapes.UploadRef.model_validate_json(body)
    except ValidationError as error:
        problems = tuple(
            Problem("bad_request", "what the API's description says", one["msg"], "correct it", str(one["loc"]))
            for one in error.errors()
        )
        said = refusal("bad_request", text="; ".join(one.found for one in problems))
        raise Refusal(said.code, said.message, said.status, problems) from None
    except (ValueError, json.JSONDecodeError):
        raise refusal("bad_request", text="JSON was expected") from None


def _shaped(sent: Sent) -> shapes.SubmissionOut:
    made, said = sent.submission, sent.delivery
    return shapes.SubmissionOut(
        id=made.id,
        model=made.model,
        round=made.round,
        filename=said.filename,
        status=made.status,
        selected=sent.selected,
        received_at=made.received_at,
        n_ids=made.n_ids,
        sha256=made.content_hash,
        trigger_id=said.trigger_id or None,
    )


def _verdict(verdict: Verdict) -> shapes.VerdictOut:
    wrong: list[Mapping[str, Any]] = [listed(fault) for fault in verdict.faults]
    return shapes.VerdictOut(
        accepted=verdict.accepted,
        n_ids=verdict.n_ids,
        n_unknown=len(verdict.unknown),
        unknown=list(verdict.unknown[:SHOWN]),
        errors=[shapes.Wrong(**one) for one in wrong],
    )
