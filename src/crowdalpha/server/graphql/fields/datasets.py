"""Files to work with."""

from __future__ import annotations

from typing import Any

from crowdalpha.server.graphql.asked import Asked, answers


@answers("Query.listDatasets")
def list_datasets(asked: Asked, round: int | None = None) -> list[str]:
    """The names of all files; those of one round."""
    return asked.service.datasets.names(asked.who, round)


@answers("Query.dataset")
def dataset(asked: Asked, filename: str, round: int | None = None) -> str:
    """A link to a file."""
    return asked.service.downloads.dataset(asked.who, filename, asked.base, round).url


@answers("Query.computePickleDataVersions", "Query.computePickleDockerImages")
def nothing(asked: Asked) -> list[Any]:
    """What models could be run with, if this server ran any."""
    return []
