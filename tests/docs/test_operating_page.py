"""What the page on operating a tournament shows can be done as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from crowdalpha.settings import open_engine, read
from crowdalpha.settings.checks import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_steps_of_the_page_make_open_back_up_and_restore_a_tournament(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for step in blocks("python"):
        exec(step, {})
    secret = Path("elsewhere/master.secret")
    secret.write_bytes(Path("season/master.secret").read_bytes())
    secret.chmod(0o600)
    with open_engine("elsewhere") as engine:
        assert engine.files.names() == []


def test_the_settings_on_the_page_are_all_there_are_and_nothing_is_wrong_with_them(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    (tmp_path / "crowdalpha.toml").write_text(shown)
    assert read(tmp_path).name == "Season 2026"
    flat = {
        f"{table}.{name}" if isinstance(values, dict) else table
        for table, values in tomllib.loads(shown).items()
        for name in (values if isinstance(values, dict) else [""])
    }
    assert flat == set(CHECKS)
