"""Predictions of past eras: sent in one call or named after they were put, then asked for until they are done."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Some, Who, next_link
from crowdalpha.server.rest.submissions import FILES, Words, reference
from crowdalpha.tournament.people import Diagnostic

routes = APIRouter(route_class=Told, tags=["diagnostics"])
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES}
        | {"application/json": {"schema": shapes.UploadRef.model_json_schema()}},
    }
}


@routes.post("/models/{model}/diagnostics", status_code=202, response_model=shapes.DiagnosticOut, openapi_extra=BODY)
async def create(
    model: str, request: Request, service: Serving, who: Who, once: Asking, filename: Words = ""
) -> Response:
    """Hand in predictions of past eras: a file, or the `upload_id` of one that was put. Ask for what `Location` says.

    Scope: upload_submission.
    """
    own = await run_in_threadpool(service.models.own, who, model, "upload_submission")
    if request.headers.get("content-type", "").startswith("application/json"):
        name = reference(await request.body()).upload_id
    else:
        name = await service.diagnostics.keep(who, filename, request.stream())

    def do() -> shapes.DiagnosticOut:
        return _shaped(service.diagnostics.hand_in(who, name, own.id))

    answer = await run_in_threadpool(once.answer, 202, do)
    if answer.status_code == 202:  # another was given before, under the same key
        above = request.url.path.partition("/models/")[0]
        answer.headers["Location"] = f"{above}/diagnostics/{json.loads(bytes(answer.body))['id']}"
    return answer


@routes.get("/models/{model}/diagnostics")
def list_diagnostics(
    model: str, service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.DiagnosticOut]:
    """What was handed in for a model of one's own, newest first. Scope: read_submission_info."""
    items, cursor = some.of(service.diagnostics.of_model(who, model), lambda one: [one.id])
    next_link(request, response, cursor)
    return shapes.Page[shapes.DiagnosticOut](items=[_shaped(one) for one in items], next_cursor=cursor)


@routes.get("/diagnostics/{diagnostic}")
def show(diagnostic: str, service: Serving, who: Who) -> shapes.DiagnosticFound:
    """Predictions of past eras of one's own, and what was found in them. Scope: read_submission_info."""
    return _found(service.diagnostics.one(who, diagnostic))


@routes.delete("/diagnostics/{diagnostic}")
def delete(diagnostic: str, service: Serving, who: Who) -> shapes.DiagnosticOut:
    """Forget predictions of past eras and what was found in them. Scope: upload_submission."""
    return _shaped(service.diagnostics.delete(who, diagnostic))


def _shaped(one: Diagnostic) -> shapes.DiagnosticOut:
    return shapes.DiagnosticOut(**_said(one))


def _found(one: Diagnostic) -> shapes.DiagnosticFound:
    found = json.loads(one.content) if one.status == "done" else {"eras": [], "scores": {}, "figures": {}, "both": None}
    return shapes.DiagnosticFound(**_said(one), **{name: found[name] for name in ("eras", "scores", "figures", "both")})


def _said(one: Diagnostic) -> dict[str, Any]:
    return {
        "id": one.id,
        "model": one.model,
        "filename": one.filename,
        "status": one.status,
        "message": one.message or None,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }
