"""One operation from what came in to what goes out: always an answer, never an exception."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLError, execute

from crowdalpha.scoring.problems import Problem
from crowdalpha.server.catalogue import Refusal, refusal, told
from crowdalpha.server.graphql.asked import Asked
from crowdalpha.server.graphql.tolerant import document_of, is_query, schema
from crowdalpha.tournament.faults import Fault

LOG = logging.getLogger("crowdalpha.server")
Answer = dict[str, Any]
MOST = 5
"""Errors of one answer: clients show the last."""


def run(asked: Asked, content: Any, *, only_queries: bool = False) -> Answer:
    """The answer to `{"query": ..., "variables": ..., "operationName": ...}`."""
    try:
        query, variables, name = _read(content)
        document = document_of(query)
        if only_queries and not is_query(document):
            raise refusal("bad_request", text="A mutation has to be sent with POST.")
        result = execute(schema(), document, None, asked, variables, name)
        assert isinstance(result, ExecutionResult)
        return _answer(result)
    except Exception as error:
        return refused(error)


def refused(error: Exception) -> Answer:
    """The answer to an operation that was not begun."""
    return {"data": None, "errors": [_told(error)]}


def _read(content: Any) -> tuple[str, dict[str, Any], str | None]:
    """The text, the variables and the name of the operation that is meant; refused with `bad_request`."""
    if not isinstance(content, Mapping) or not isinstance(content.get("query"), str):
        raise refusal("bad_request", text='An object such as {"query": "...", "variables": {...}} was expected.')
    variables, name = content.get("variables"), content.get("operationName")
    if not isinstance(variables or {}, Mapping) or not isinstance(name or "", str):
        raise refusal("bad_request", text="variables has to be an object, operationName a text.")
    return content["query"], dict(variables or {}), name or None


def _answer(result: ExecutionResult) -> Answer:
    """Data, and errors if there are any; the same is said once, and what came first stands last, where clients look."""
    said = {error["message"]: error for error in map(_located, reversed(result.errors or []))}
    return {"data": result.data} | ({"errors": list(said.values())[-MOST:]} if said else {})


def _located(error: GraphQLError) -> Answer:
    """An error with the field it came from."""
    cause: Any = error.original_error
    if cause is None or isinstance(cause, GraphQLError):  # a value that does not fit where it was sent
        cause = refusal("bad_request", text=error.message)
    said = _told(cause)
    return said | ({"path": list(error.path)} if error.path else {})


def _told(error: Exception) -> Answer:
    """A refusal: its words, its code, and every problem behind it."""
    said: Refusal = told(error)
    if said.code == "internal":
        LOG.error("graphql", exc_info=error)
    extensions: Answer = {"code": said.code}
    if said.problems:
        extensions["problems"] = [_problem(one) for one in said.problems]
    return {"message": said.message, "extensions": extensions}


def _problem(one: Problem) -> Answer:
    message = one.message if isinstance(one, Fault) else str(one)
    return {
        "code": one.code,
        "message": message,
        "expected": one.expected,
        "found": one.found,
        "fix": one.fix,
        "where": one.where,
    }
