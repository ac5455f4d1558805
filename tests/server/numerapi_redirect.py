"""A plugin for numerapi's own test suites: the client that is installed asks the server that CROWDALPHA_URL names.

Suites that know `--mode integration --api-url` are given these as well; older ones know no other way.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from numerapi import base_api


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected: fixtures and mocks of the suites read the constant when they run."""
    base_api.API_TOURNAMENT_URL = os.environ["CROWDALPHA_URL"]
    config.addinivalue_line("markers", "live_api: asks a server")
    installed = Path(str(base_api.__file__))
    assert installed.is_relative_to(os.environ["CROWDALPHA_CLIENT"]), installed
