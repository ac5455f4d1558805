"""A world for each test that writes, and one that is played to its end for those that only look."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from contests import Asked, play_first, serving, weekly, world

from crowdalpha.server.service import Service
from crowdalpha.settings import open_engine, read


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tournament that is copied for each test."""
    folder = tmp_path_factory.mktemp("prepared") / "cup"
    with world(folder):
        pass
    return folder


@pytest.fixture
def service(prepared: Path, tmp_path: Path) -> Iterator[Service]:
    """A round is open and nobody has sent anything."""
    settings = read(shutil.copytree(prepared, tmp_path / "cup"), {})
    with open_engine(settings) as engine:
        yield serving(engine, settings)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The first round is over, the second has not opened. Not to be written to."""
    with world(tmp_path_factory.mktemp("played") / "cup") as (engine, settings):
        play_first(engine)
        yield serving(engine, settings, weekly(1).resolve_time)


@pytest.fixture
def asked(service: Service) -> Asked:
    """Clients of an app of its own, on a round that is open."""
    return Asked(service)


@pytest.fixture(scope="module")
def finished(played: Service) -> Asked:
    """Clients of an app whose first round is over. Not to be written to."""
    return Asked(played)
