"""The browser of this machine: a Chromium that is installed on it. None is downloaded."""

from __future__ import annotations

import subprocess
from functools import cache
from shutil import which

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ABSENT = "tests/browser was not collected: none of {} runs here".format(", ".join(NAMES))


@cache
def chromium() -> str:
    """Where it is; "" if there is none that starts."""
    return next((path for name in NAMES if (path := which(name)) and _runs(path)), "")


def _runs(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
