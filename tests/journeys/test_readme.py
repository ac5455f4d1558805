"""The README's commands and code run as printed, in order, in one empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def run(kind: str, text: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["sh", "-euc", text] if kind == "sh" else [sys.executable, "-c", text]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_and_program_of_the_readme_runs_in_order_and_does_what_it_says(folder: Path) -> None:
    assert len(BLOCKS) >= 6
    printed = [run(kind, text, folder) for kind, text in BLOCKS]
    for name in (
        "scores.parquet",
        "flusight.html",
        "metamodel.parquet",
        "boosting.html",
        "season.html",
        "neutral.parquet",
    ):
        assert (folder / name).stat().st_size > 1000, name
    for page in ("flusight.html", "boosting.html"):
        assert "All stakes are simulated" in (folder / page).read_text(encoding="utf-8"), page
    assert "All stakes are simulated" in printed[0]
    assert "boosting" in printed[1]
    last = printed[-3].splitlines()
    assert last == ["[0.9 0.8]", "[0.3 0.1 0.5 0.9 0.7]", "[0.62425684 0.        ]"]


@pytest.mark.parametrize("program", [text for kind, text in BLOCKS if kind == "python" and ")  # " in text])
def test_the_comments_of_the_readme_show_what_its_program_prints(folder: Path, program: str) -> None:
    promised = [line.split("#", 1)[1].strip() for line in program.splitlines() if line.startswith("print(")]
    assert promised
    for said, line in zip(promised, run("python", program, folder).splitlines(), strict=True):
        assert said.startswith(line)
