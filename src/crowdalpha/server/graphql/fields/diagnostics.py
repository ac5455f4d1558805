"""Predictions of past eras."""

from __future__ import annotations

from typing import Any

from crowdalpha.server.catalogue import refusal
from crowdalpha.server.graphql.asked import Asked, answers


@answers("Query.diagnosticsUploadAuth", "Mutation.createDiagnostics", "Query.diagnostics")
def diagnostics(asked: Asked, **_: Any) -> Any:
    """Not here."""
    raise refusal("not_supported", what="diagnostics")
