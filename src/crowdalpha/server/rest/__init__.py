"""The REST API, /api/v1: each handler is a question to the service and the shape of its answer."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter

from crowdalpha.server.rest import (
    accounts,
    datasets,
    diagnostics,
    models,
    notices,
    results,
    stakes,
    submissions,
    tournaments,
)
from crowdalpha.server.rest.answers import PROBLEM, Told
from crowdalpha.server.rest.shapes import ProblemDocument

PREFIX = "/api/v1"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused: `code` says why.", "model": ProblemDocument},
    "5XX": {"description": "Not now: try again later.", "model": ProblemDocument},
}


def router() -> APIRouter:
    """All routes of the API."""
    whole = APIRouter(prefix=PREFIX, route_class=Told, responses=PROBLEMS)
    for part in (tournaments, datasets, results, accounts, models, submissions, diagnostics, stakes, notices):
        whole.include_router(part.routes)
    return whole


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The description of the API, completed: problems are `application/problem+json`, and none is FastAPI's own; the
    scope that an operation needs is the last word of its text; what is made may be asked for under a key.
    """
    document["components"]["securitySchemes"] = {"token": TOKEN}
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            _correct_answers(operation["responses"])
            scope = SCOPE.search(operation.get("description", ""))
            if scope:
                operation["security"], operation["x-scope"] = [{"token": []}], scope[1]
            if verb == "post" and path not in UNKEYED:
                operation.setdefault("parameters", []).append(KEY | {"required": path.endswith("/changes")})
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return document


def _correct_answers(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    for status, answer in responses.items():
        if status in PROBLEMS and "application/json" in answer.get("content", {}):
            answer["content"] = {PROBLEM: answer["content"]["application/json"]}


TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "`Bearer ID.SECRET`, or `Token ID$SECRET` as numerapi sends it. `x-scope` is the scope it needs.",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Whoever asks again with the same key within a day gets the first answer again.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
}
UNKEYED = (f"{PREFIX}/submissions/validate", f"{PREFIX}/uploads")
"""Where nothing is made that would harm twice."""
SCOPE = re.compile(r"Scope: (\w+)\.$")
