"""Lets the tests of this folder import the play and those who watch it, and plays it once undisturbed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from stagehand import ALONE, Stagehand
from undisturbed import Undisturbed


@pytest.fixture(scope="session")
def stagehand() -> Iterator[Stagehand]:
    hand = Stagehand()
    yield hand
    hand.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ALONE.items():
            environment.setenv(name, value)
        return Undisturbed(tmp_path_factory.mktemp("plays")).play()
