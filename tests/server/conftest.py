"""A world for each test that writes, and one that is played to its end for those that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contests import play_first, serving, weekly, world

from crowdalpha.server.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A round is open and nobody has sent anything."""
    with world(tmp_path / "cup") as (engine, settings):
        yield serving(engine, settings)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The first round is over, the second has not opened. Not to be written to."""
    with world(tmp_path_factory.mktemp("played") / "cup") as (engine, settings):
        play_first(engine)
        yield serving(engine, settings, weekly(1).resolve_time)
