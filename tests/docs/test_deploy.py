"""What is in deploy/ can be read by what it is for, and asks for nothing that does not exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import click
import pytest
import yaml

from crowdalpha.cli import main

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def understood(words: list[str]) -> bool:
    """Whether the command line knows these words: commands, options, and what else stands there."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            return False
        command, words = found, words[1:]
    names = {name for option in command.params for name in option.opts}
    return all(word in names for word in words if word.startswith("--"))


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    assert understood(["serve", "--port", "1"])
    assert not understood(["serve", "--prot", "1"])
    assert not understood(["servo"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists(path: Path) -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)
    words = shlex.split(unit["Service"]["ExecStart"])
    if words[0] == "/bin/sh":
        words = shlex.split(words[2].removeprefix("exec "))
    assert words[0] == "/opt/crowdalpha/bin/crowdalpha"
    assert understood(words[1:])


def test_the_operators_command_is_done_as_the_user_of_the_unit_in_its_tournament(tmp_path: Path) -> None:
    stub = tmp_path / "runuser"
    stub.write_text('#!/bin/sh\necho "$CROWDALPHA_TOURNAMENT" "$@"\n')
    stub.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["sh", str(DEPLOY / "crowdalpha"), "account", "deposit", "two words", "5"]
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    unit = (DEPLOY / "crowdalpha.service").read_text()
    user, folder = re.findall(r"^User=(.*)$|CROWDALPHA_TOURNAMENT=(\S+)", unit, re.MULTILINE)
    program = "/opt/crowdalpha/bin/crowdalpha"
    assert said == f"{folder[1]} -u {user[0]} -- {program} account deposit two words 5\n"
    assert "/etc/crowdalpha.env" in unit
    assert os.access(DEPLOY / "crowdalpha", os.X_OK)


def test_the_timer_starts_the_backup() -> None:
    assert (DEPLOY / "crowdalpha-backup.timer").with_suffix(".service") in UNITS


def test_the_services_of_compose_are_whole() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    needed = {name for service in services.values() for name in service.get("depends_on", ())}
    assert needed <= set(services)
    assert understood(services["init"]["command"])
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert {name for name in mounted if not name.startswith(".")} == set(compose["volumes"])
    assert all((DEPLOY / name).exists() for name in mounted if name.startswith("."))
    built = services["server"]["build"]
    assert (DEPLOY / built["context"] / built["dockerfile"]).exists()


def test_the_container_serves_and_copies_what_there_is() -> None:
    said = (DEPLOY / "Containerfile").read_text()
    command = re.search(r"^CMD (\[.*\])$", said, re.MULTILINE)
    assert command is not None
    assert understood(yaml.safe_load(command[1]))
    copied = [word for line in re.findall(r"^COPY (?!--)(.*)$", said, re.MULTILINE) for word in line.split()[:-1]]
    assert copied
    assert all((DEPLOY.parent / name).exists() for name in copied)
