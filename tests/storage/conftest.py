"""Lets the tests of this folder import its hostile files by name, and gives them buckets."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from buckets import Service, service


@pytest.fixture(scope="session")
def s3() -> Iterator[Service]:
    with service() as running:
        yield running
