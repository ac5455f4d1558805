"""numerapi's own test suites, run against a server of ours: none of their code is kept here.

Suites come with the sources of each version from PyPI. That of 2.20.8, and the integration mode that all are run in if
it is there (else a plugin of ours does the same), are only in numerapi's repository: CROWDALPHA_NUMERAPI_TESTS names a
clone of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from contests import COIN, IDS, upload, weekly

from crowdalpha.settings import initialise, open_engine
from crowdalpha.tournament.rounds import Round

CLONE = os.environ.get("CROWDALPHA_NUMERAPI_TESTS", "")
HERE = Path(__file__).parent
SERVE = [sys.executable, "-c", "from crowdalpha.cli import main; main()", "serve", "--port", "0", "--json"]
ROUNDS = 82
"""The suites expect more than 80 rounds, and one that is open of at least this number."""
SUITES = {"2.20.8": 33, "2.23.1": 48, "2.24.0": 66, "3.1.1": 64}
"""How many tests each version has."""
CLONED = {"2.20.8": "6fa221f"}
"""Versions whose suite is in the repository alone, and the commits of their release."""
MODE = "d131503"
"""A commit with a conftest that knows `--mode integration --api-url`."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def install(version: str, into: Path) -> Path:
    """A version of the client, unmodified, in a folder of its own; what it needs is here already."""
    pip(["install", "--no-deps", "--target", str(into), f"numerapi=={version}"])
    return into


def sources(version: str, into: Path) -> Path:
    """The sources of a version, as PyPI has them."""
    pip(["download", "--no-deps", "--no-binary", "numerapi", "--dest", str(into), f"numerapi=={version}"])
    with tarfile.open(into / f"numerapi-{version}.tar.gz") as archive:
        archive.extractall(into, filter="data")
    return into / f"numerapi-{version}" / "tests"


def cloned(commit: str, into: Path) -> Path:
    """The tests of a commit, without the client beside them."""
    archive = into / "tests.tar"
    command = ["git", "-C", CLONE, "archive", "--output", str(archive), commit, "tests"]
    subprocess.run(command, check=True, capture_output=True)
    with tarfile.open(archive) as file:
        file.extractall(into, filter="data")
    return into / "tests"


def pip(words: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words], check=True)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`crowdalpha serve`, on a tournament with many rounds, of which one was played and one is open."""
    folder = tmp_path_factory.mktemp("suites") / "cup"
    with open_engine(initialise(folder, name="cup", environ={})) as engine:
        now = datetime.now(UTC)
        began = now - (ROUNDS + 1) * DAY
        engine.deposit("treasury", 10**6 * COIN, began, into="treasury")
        for name in ("ada", "bob"):
            engine.open_account(name, name, began)
            engine.add_model(name, name, name, began)
            engine.deposit(name, 1000 * COIN, began, into=f"wallet:{name}")
            engine.stake_increase(name, name, 100 * COIN, began)
        for n in range(1, ROUNDS + 1):
            engine.schedule(daily(n, now), IDS, began)
        truth = dict(zip(IDS, (np.random.default_rng(1).integers(0, 5, len(IDS)) / 4).tolist(), strict=True))
        for day in (None, 1):
            engine.set_target(1, day, truth)
        for seed, name in enumerate(("ada", "bob")):
            engine.submit(name, name, upload(seed), daily(1, now).open_time + HOUR)
        engine.tick(now)
    with serving(folder) as url:
        yield url


def daily(n: int, now: datetime) -> Round:
    """A round a day; the last one opened an hour ago."""
    opens = now - HOUR - (ROUNDS - n) * DAY
    return Round(
        number=n, open_time=opens, close_time=opens + DAY, scoring_times=(opens + 2 * DAY,),
        resolve_time=opens + 2 * DAY + HOUR, rule=weekly(1).rule, commitment="0" * 64, n_bags=3, final_bags=3,
    )  # fmt: skip


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    command = [*SERVE, "--tournament", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = "".join(takewhile(lambda line: line != "}\n", process.stdout))
            yield json.loads(said + "}")["address"]
        finally:
            process.kill()


def passed(tests: Path, client: Path, url: str, *words: str) -> int:
    """How many tests of a suite pass; all others are failures, and none may be passed over."""
    report = client.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "numerapi_redirect", "-p", "no:xdist"]
    command += ["-p", "no:cacheprovider", f"--rootdir={tests}", f"--junitxml={report}", *words, str(tests)]
    said = {"CROWDALPHA_URL": url, "CROWDALPHA_CLIENT": str(client), "PYTHONPATH": f"{client}{os.pathsep}{HERE}"}
    keys = ("NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
    environment = {name: value for name, value in os.environ.items() if name not in keys}
    done = subprocess.run(
        command, env=environment | said, cwd=client.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout[-6000:]
    [suite] = ElementTree.parse(report).getroot().iter("testsuite")
    assert {suite.get(name) for name in ("failures", "errors", "skipped")} == {"0"}, done.stdout[-2000:]
    return int(suite.get("tests", 0))


def in_integration_mode(tests: Path, url: str) -> list[str]:
    """The words that turn it on, once the conftest that knows them stands beside the tests."""
    command = ["git", "-C", CLONE, "show", f"{MODE}:tests/conftest.py"]
    (tests / "conftest.py").write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return ["--mode", "integration", "--api-url", url]


@pytest.mark.slow
@pytest.mark.parametrize("version", [version for version in SUITES if CLONE or version not in CLONED])
def test_the_suite_of_a_version_passes(version: str, address: str, tmp_path: Path) -> None:
    client = install(version, tmp_path / "client")
    tests = cloned(CLONED[version], tmp_path) if version in CLONED else sources(version, tmp_path)
    mode = in_integration_mode(tests, address) if CLONE else []
    assert passed(tests, client, address, *mode) == SUITES[version]
