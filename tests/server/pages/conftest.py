"""A site at each moment of a tournament."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
from contests import PLAYERS, play_first, serving, target, upload, weekly, world

from crowdalpha.engine import Engine
from crowdalpha.server.service import Service
from crowdalpha.settings import Settings, open_engine, read

sys.path.append(str(Path(__file__).parent))
from sites import FEATURES, Site, public, site


@pytest.fixture
def new(service: Service) -> Site:
    """A round is open and nobody has sent anything."""
    return site(service)


@pytest.fixture(scope="module")
def over(played: Service) -> Site:
    """The first round is over, the second has not opened. Not to be written to."""
    return site(played)


@pytest.fixture(scope="module")
def featured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same with features. Not to be written to."""
    with world(tmp_path_factory.mktemp("featured") / "cup", features=FEATURES) as (engine, settings):
        play_first(engine)
        yield site(serving(engine, settings, weekly(1).resolve_time))


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """Two tournaments that are one until the second round opens: there, other files are sent and other things happen.

    The first round is over, the second scored for two days, the third not open yet. Not to be written to.
    """
    one = tmp_path_factory.mktemp("running") / "cup"
    other = one.parent / "other"
    with world(one, rounds=3) as (engine, _):
        play_first(engine)
    copytree(one, other)
    with open_engine(one) as engine, open_engine(other) as second:
        yield _play_on(engine, read(one), 10), _play_on(second, read(other), 50)


@pytest.fixture(scope="module")
def running(twins: tuple[Site, Site]) -> Site:
    """The first of them."""
    return twins[0]


def _play_on(engine: Engine, settings: Settings, seed: int) -> Site:
    for day in (1, 2):
        engine.set_target(2, day, target(seed + day))
    for k, name in enumerate(PLAYERS):
        engine.submit(f"second-{name}", f"{name}-1", upload(seed + k), weekly(2).open_time + timedelta(hours=1 + k))
    closed, now = weekly(2).close_time + timedelta(hours=1), weekly(2).scoring_times[1]
    engine.tick(closed)
    sealed = public(site(serving(engine, settings, closed)))
    engine.tick(now)
    found = site(serving(engine, settings, now))
    found.sealed = sealed
    return found
