"""What the page on histories and clusters shows can be done as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from crowdalpha.cli import main
from crowdalpha.tables.files import write_table

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
STEPS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_a_history_is_packed_and_scored_by_the_commands_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, keys = np.random.default_rng(0), {"era": [1] * 9 + [2] * 9, "id": [f"id{i}" for i in range(9)] * 2}
    models = {f"model{j}": rng.random(18) for j in range(4)}
    write_table(pa.table(keys | models), tmp_path / "predictions.parquet")
    write_table(pa.table(keys | {"target": np.arange(18) % 5 / 4}), tmp_path / "targets.parquet")
    write_table(pa.table({"model": list(models), "stake": [1, 2, 3, 4]}), tmp_path / "stakes.parquet")
    monkeypatch.chdir(tmp_path)
    for step in STEPS[:2]:
        done = CliRunner().invoke(main, shlex.split(step)[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "scores.parquet").stat().st_size > 1000


def test_the_commands_of_the_page_that_start_a_cluster_have_only_options_that_there_are() -> None:
    from distributed.cli.dask_scheduler import main as scheduler
    from distributed.cli.dask_worker import main as worker

    known = {"scheduler": scheduler, "worker": worker}
    steps = [shlex.split(step) for step in STEPS if step.startswith("dask ")]
    assert len(steps) == 4
    for _, name, *arguments in steps:
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {each for each in arguments if each.startswith("--")} <= options
