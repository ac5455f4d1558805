"""A small tournament as files, one that is run by its commands, and the command line run in this process."""

import json
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from worlds import World, long, world

sys.path.append(str(Path(__file__).parent))

from cups import Cup, play, prepare

from crowdalpha.cli import main
from crowdalpha.tables.files import write_table

KINDS = ("csv", "parquet", "feather")


@dataclass(frozen=True)
class Tournament:
    """A tournament of 14 eras, 12 ids, 5 models and 3 features; one model misses an era, one has no stake."""

    folder: Path
    world: World

    def __getitem__(self, name):
        return str(self.folder / name)


@pytest.fixture(scope="session")
def tournament(tmp_path_factory):
    folder, w = tmp_path_factory.mktemp("tournament"), world(3, n_eras=14, n_ids=12, n_models=5)
    stakes = pa.table({"model": list(w.stakes), "stake": list(w.stakes.values())})
    tables = {"wide": w.predictions, "long": long(w.predictions), "targets": w.targets, "features": w.features}
    for name, table in (tables | {"stakes": stakes}).items():
        for kind in KINDS:
            write_table(table, folder / f"{name}.{kind}")
    (folder / "submissions").mkdir()
    by_model = pl.from_arrow(long(w.predictions)).partition_by("model", as_dict=True, include_key=False)
    for (model,), rows in by_model.items():
        rows.write_csv(folder / "submissions" / f"{model}.csv")
    return Tournament(folder, w)


@pytest.fixture
def run():
    """Run a command as a user would; the result has exit_code, stdout and stderr. Nothing but exits is caught."""

    def invoke(*arguments):
        return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)

    return invoke


@pytest.fixture
def document(run):
    """What a command prints with --json, read to the letter: JSON knows no NaN."""

    def read(*arguments, code=0):
        done = run(*arguments, "--json")
        assert done.exit_code == code, done.stderr
        return json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    return read


@pytest.fixture
def twenty(tmp_path):
    """A folder with twenty submissions, that of model07 bad in two rows, beside its targets and stakes."""
    rng, ids = np.random.default_rng(5), [f"id{i:02d}" for i in range(30)]
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for k in range(20):
        rows = [f"{name},{value!r}" for name, value in zip(ids, rng.random(30).tolist(), strict=True)]
        if k == 7:
            rows[3], rows[5] = "id03,a lot", "id05,inf"
        (crowd / f"model{k:02d}.csv").write_text("\n".join(["id,prediction", *rows]) + "\n")
    outcomes = rng.choice([0, 0.25, 0.5, 0.75, 1], 30).tolist()
    targets = [f"{name},{value}" for name, value in zip(ids, outcomes, strict=True)]
    (tmp_path / "targets.csv").write_text("\n".join(["id,target", *targets]) + "\n")
    stakes = [f"model{k:02d},{10 * k}" for k in range(20)]
    (tmp_path / "stakes.csv").write_text("\n".join(["model,stake", *stakes]) + "\n")
    return crowd


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def played(tmp_path_factory, prepared):
    home = tmp_path_factory.mktemp("played") / "home"
    shutil.copytree(prepared.home, home)
    play(Cup(home))
    return Cup(home)


@pytest.fixture
def cup(prepared, tmp_path):
    """A tournament of one's own, before its first round."""
    shutil.copytree(prepared.home, tmp_path / "home")
    return Cup(tmp_path / "home")


@pytest.fixture
def spoiled(played, tmp_path):
    """A played tournament of one's own, and a way to change its records behind its back."""
    shutil.copytree(played.home, tmp_path / "home")
    cup = Cup(tmp_path / "home")

    def change(statement):
        with sqlite3.connect(cup.folder / "tournament.db") as database:
            for (guard,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                database.execute(f"drop trigger {guard}")
            assert database.execute(statement).rowcount >= 1
        database.close()
        return cup

    return change
