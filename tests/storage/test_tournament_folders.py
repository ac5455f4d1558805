"""A tournament's folder: made once, opened often, restored elsewhere, with nothing lost and nothing told."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from buckets import Service
from seasons import IDS, START, WEEK, judge, play, prepare, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.settings import FILE, SECRET, back_up, initialise, open_engine, read, restore
from crowdalpha.storage import backup
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.objects import ObjectFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.testing.stores import all_of
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.submissions import FLAVOURS

PASSWORD = "correct-horse"
ROUNDS = 2
NOW = START + 3 * WEEK
NO_VARIABLES: Mapping[str, str] = {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tournament that was just made."""
    initialise(tmp_path / "season")
    return tmp_path / "season"


@pytest.fixture
def bucket(s3: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket as operators have it: where it is and how to come in say the usual variables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.options["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.options["key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.options["secret"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return f"{s3.bucket()}/season"


def codes_of(deed: Callable[[], object]) -> list[str]:
    with pytest.raises(InputError) as refused:
        deed()
    return [problem.code for problem in refused.value.problems]


def opened(folder: Path) -> None:
    with open_engine(folder):
        pass


def everything(engine: Engine) -> tuple[Any, dict[str, bytes]]:
    return all_of(engine.store), {name: engine.files.read(name) for name in engine.files.names()}


def test_a_new_tournament_is_a_folder_that_can_be_played_in(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {FILE, SECRET, "tournament.db", "files"}
    with open_engine(folder, judge=judge) as engine:
        prepare(engine, 1)
        assert play(engine, rounds=1, until=2 * WEEK)
        before = everything(engine)
    with open_engine(folder) as engine:
        assert everything(engine) == before


def test_an_upload_is_judged_by_the_rules_of_the_settings_in_a_process_of_its_own(folder: Path) -> None:
    (folder / FILE).write_text("[submissions]\nmin_ids = 2\nhighest = 5\n")
    with open_engine(folder) as engine:
        prepare(engine, 1)
        engine.tick(weekly(1).open_time)
        receipt = engine.submit("s", "ada", f"id,prediction\n{IDS[0]},1\n{IDS[1]},5\n".encode(), weekly(1).open_time)
    assert receipt.n_ids == 2


def test_the_secret_is_for_its_owner_alone_and_is_told_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "season"
    settings = initialise(folder)
    secret = (folder / SECRET).read_bytes()
    with open_engine(folder) as engine:
        prepare(engine, 1)
        made = back_up(folder, tmp_path / "backup.zip", NOW)
        told = [repr(settings), repr(engine), repr(vars(engine)), repr(made), caplog.text, *capfd.readouterr()]
        told += [repr(event) for event in all_of(engine.store)[-1]]
    assert len(secret) == 32
    assert (folder / SECRET).stat().st_mode & 0o777 == 0o600
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    for form in (secret, secret.hex().encode(), repr(secret).encode()):
        assert not [text for text in told if form in text.encode()]
        for path in folder.rglob("*"):
            assert path.is_dir() or path.name == SECRET or form not in path.read_bytes(), path
        assert form not in (tmp_path / "backup.zip").read_bytes()
    assert list(backup.beside(tmp_path / "backup.zip")) == ["settings.toml"]


def test_a_folder_that_is_a_tournament_already_stays_as_it_is(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert codes_of(lambda: initialise(folder, name="another")) == ["settings_taken"]
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_folder_that_was_made_half_way_is_made_with_the_secret_it_has(folder: Path) -> None:
    secret = (folder / SECRET).read_bytes()
    (folder / FILE).unlink()
    initialise(folder)
    assert (folder / SECRET).read_bytes() == secret


def test_a_database_and_files_that_are_somebodys_are_not_taken_for_new(folder: Path, tmp_path: Path) -> None:
    with open_engine(folder) as engine:
        prepare(engine, 1)
    theirs = {"database": f"sqlite:///{folder}/tournament.db", "files": str(folder / "files")}
    assert codes_of(lambda: initialise(tmp_path / "other", **theirs)) == ["not_empty", "not_empty"]
    assert not (tmp_path / "other" / FILE).exists()


def test_a_place_that_is_asked_for_goes_before_that_of_the_environment(folder: Path, tmp_path: Path) -> None:
    environ = {"CROWDALPHA_DATABASE": f"sqlite:///{folder}/tournament.db", "CROWDALPHA_FILES": str(folder / "files")}
    with open_engine(folder) as engine:
        prepare(engine, 1)
    back_up(folder, tmp_path / "backup.zip", NOW, secret=True)
    copy = tmp_path / "copy"
    assert "not_empty" in codes_of(lambda: restore(tmp_path / "backup.zip", copy, environ=environ))
    restore(tmp_path / "backup.zip", copy, database="sqlite:///tournament.db", files="files", environ=environ)
    made = initialise(tmp_path / "new", database="sqlite:///new.db", files="own", environ=environ)
    assert (made.database, made.files) == (f"sqlite:///{tmp_path}/new/new.db", f"{tmp_path}/new/own")
    with open_engine(copy) as engine, open_engine(folder) as original:
        assert everything(engine) == everything(original)


def test_everything_that_is_wrong_with_settings_is_said_at_once(folder: Path) -> None:
    (folder / FILE).write_text(
        'nmae = "x"\ndatabase = "mysql://x/y"\nfiles = 3\n'
        '[submissions]\nflavour = "sweet"\nlowest = 2\nspread = 1\n'
        '[rounds]\nrule = "none"\nmetrics = ["corr", "luck"]\nn_bags = 0\nties = true\n[extra]\nx = 1\n'
    )
    with pytest.raises(InputError) as refused:
        read(folder)
    found = {problem.where.removeprefix(f"{FILE}, "): problem.code for problem in refused.value.problems}
    unknown = {"nmae", "extra.x"}
    assert found == {name: "unknown_setting" if name in unknown else "bad_setting" for name in found}
    assert found.keys() == unknown | {
        *("database", "files", "submissions", "submissions.flavour", "submissions.spread"),
        *("rounds.rule", "rounds.metrics", "rounds.n_bags", "rounds.ties"),
    }
    assert "did you mean name?" in str(refused.value)


@pytest.mark.parametrize("content", [b"name = ", b"name = x", b"\xff", b"[a\n", b"name = 'a'\nname = 'b'"])
def test_settings_that_are_no_toml_are_refused_where_they_are_not(content: bytes, folder: Path) -> None:
    (folder / FILE).write_bytes(content)
    assert codes_of(lambda: read(folder)) == ["settings_unreadable"]


def test_a_folder_without_settings_is_no_tournament(tmp_path: Path) -> None:
    assert codes_of(lambda: read(tmp_path)) == ["settings_missing"]
    assert codes_of(lambda: opened(tmp_path / "nowhere")) == ["settings_missing"]


@pytest.mark.parametrize(
    "url",
    [
        *("", "tournament.db", "sqlite://", "sqlite:///:memory:", "sqlite://host/x", "mysql://u@h/d", "postgresql://h"),
        *("postgresql+asyncpg://h/d", "memory://x", "postgresql://h:port/d", 5, True, ["sqlite:///x"]),
    ],
)
def test_what_is_no_database_of_a_tournament_is_refused(url: Any, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"database = {str(url).lower() if isinstance(url, bool) else url!r}\n")
    assert codes_of(lambda: read(tmp_path)) == ["bad_setting"]


def test_a_password_is_shown_to_nobody(tmp_path: Path) -> None:
    good, bad = (f"{kind}://ada:{PASSWORD}@127.0.0.1:1/season" for kind in ("postgresql", "oracle"))
    settings = initialise_without_database(tmp_path, good)
    assert PASSWORD in settings.database
    assert PASSWORD not in repr(settings)
    for deed in (lambda: opened(tmp_path), lambda: read(tmp_path, {"CROWDALPHA_DATABASE": bad})):
        with pytest.raises(InputError) as refused:
            deed()
        assert PASSWORD not in str(refused.value) + str(refused.value.as_dicts())
        assert refused.value.code in ("database_unreachable", "bad_setting")


def initialise_without_database(folder: Path, url: str) -> Any:
    initialise(folder)
    (folder / FILE).write_text(f'database = "{url}"\n')
    return read(folder)


def test_the_environment_goes_before_the_file(folder: Path, tmp_path: Path) -> None:
    variables = {
        "CROWDALPHA_DATABASE": "postgres://ada@db.example/season",
        "CROWDALPHA_FILES": "s3://bucket/season",
        "CROWDALPHA_SECRET_FILE": str(tmp_path / "kept apart"),
    }
    found = read(folder, variables)
    assert found.database == "postgresql+psycopg://ada@db.example/season"
    assert (found.files, found.secret) == ("s3://bucket/season", tmp_path / "kept apart")
    with pytest.raises(InputError, match="CROWDALPHA_DATABASE: expected"):
        read(folder, {"CROWDALPHA_DATABASE": "nonsense"})
    assert read(folder, {"CROWDALPHA_DATABASE": ""}) == read(folder, NO_VARIABLES)


def test_paths_are_looked_for_from_the_folder(folder: Path) -> None:
    assert read(folder).database == f"sqlite:///{folder}/tournament.db"
    assert read(folder).files == str(folder / "files")
    (folder / FILE).write_text('database = "sqlite:////var/season.db"\nfiles = "/var/files"\n')
    assert (read(folder).database, read(folder).files) == ("sqlite:////var/season.db", "/var/files")


def test_settings_make_the_rules_of_submissions_and_rounds(folder: Path) -> None:
    (folder / FILE).write_text(
        '[submissions]\nflavour = "signals"\nmin_ids = 7\n[rounds]\nmetrics = ["corr", "fnc"]\nn_bags = 500\n'
    )
    found = read(folder)
    assert (found.rules.headers, found.rules.min_ids) == (FLAVOURS["signals"].headers, 7)
    assert (found.rounds.metrics, found.rounds.n_bags, found.rounds.final_bags) == (("corr", "fnc"), 500, 500)
    assert set(vars(Round)["__slots__"]) >= set(type(found.rounds).__slots__)


def test_root_does_nothing_in_the_folder_of_another_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder / SECRET, os.geteuid() or 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert codes_of(lambda: opened(folder)) == ["not_its_owner"]


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    initialise(tmp_path / "some" / "cup")
    assert (tmp_path / "some" / "cup").stat().st_mode & 0o777 == 0o700


def test_a_secret_that_is_none_or_no_secret_or_another_is_refused(folder: Path) -> None:
    with open_engine(folder) as engine:
        prepare(engine, 1)
    path, secret = folder / SECRET, (folder / SECRET).read_bytes()
    path.chmod(0o640)
    assert codes_of(lambda: opened(folder)) == ["secret_exposed"]
    path.chmod(0o600)
    path.write_bytes(secret[:-1])
    assert codes_of(lambda: opened(folder)) == ["bad_secret"]
    path.write_bytes(bytes([secret[0] ^ 1]) + secret[1:])
    assert codes_of(lambda: opened(folder)) == ["secret_changed"]
    path.unlink()
    assert codes_of(lambda: opened(folder)) == ["secret_missing"]


def test_a_database_that_is_gone_is_not_begun_anew_in_silence(folder: Path) -> None:
    (folder / "tournament.db").unlink()
    assert codes_of(lambda: opened(folder)) == ["database_empty"]


def test_a_database_that_a_newer_version_has_changed_is_not_touched(folder: Path) -> None:
    store = SqlStore(read(folder).database)
    with store.alone() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    store.close()
    assert codes_of(lambda: opened(folder)) == ["database_newer"]


def test_what_speaks_to_a_database_or_a_bucket_is_named_if_it_is_not_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("psycopg", "s3fs"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(import_module("fsspec.registry")._registry, "s3", raising=False)
    for line, extra in (('database = "postgresql://h/d"', "postgres"), ('files = "s3://bucket/x"', "s3")):
        (folder / FILE).write_text(line)
        with pytest.raises(InputError, match=rf"crowdalpha\[{extra}\].*driver_missing"):
            opened(folder)


def test_a_bucket_that_is_not_there_is_told(folder: Path, bucket: str) -> None:
    (folder / FILE).write_text('files = "s3://never-made/x"')
    assert codes_of(lambda: opened(folder)) == ["files_unreachable"]
    (folder / FILE).write_text(f'files = "file://{folder}/files"')
    assert codes_of(lambda: opened(folder)) == ["not_durable"]


def test_a_tournament_in_memory_is_played_and_never_backed_up(tmp_path: Path) -> None:
    initialise(tmp_path, database="memory://", files="memory://")
    with open_engine(tmp_path, judge=judge) as engine:
        prepare(engine, 1)
        assert play(engine, rounds=1, until=WEEK)
    assert codes_of(lambda: back_up(tmp_path, tmp_path / "x.zip", NOW)) == ["nothing_kept"]


def test_a_season_that_moves_from_a_folder_to_postgresql_and_a_bucket_and_back_ends_as_if_it_had_stayed(
    tmp_path: Path, postgres_url: str, bucket: str
) -> None:
    stays, there, home = (tmp_path / name for name in ("stays", "there", "home"))
    initialise(stays, name="Frühling")
    with open_engine(stays, judge=judge) as engine:
        prepare(engine, ROUNDS)
        play(engine, rounds=ROUNDS, until=2 * WEEK)
    back_up(stays, tmp_path / "first.zip", NOW, secret=True)
    restore(tmp_path / "first.zip", there, database=postgres_url, files=bucket)
    with open_engine(there, judge=judge) as engine:
        assert isinstance(engine.files, ObjectFiles)
        play(engine, rounds=ROUNDS, until=3 * WEEK)
    back_up(there, tmp_path / "second.zip", NOW, secret=True)
    restore(tmp_path / "second.zip", home)
    assert (read(home).name, read(home).files) == ("Frühling", str(home / "files"))
    with open_engine(home, judge=judge) as ours, open_engine(stays, judge=judge) as theirs:
        assert isinstance(ours.files, FolderFiles)
        for engine in (ours, theirs):
            play(engine, rounds=ROUNDS, until=7 * WEEK)
        assert everything(ours) == everything(theirs)
        assert "round.resolve" in {event.kind for event in all_of(ours.store)[-1]}


def test_a_backup_without_the_secret_goes_on_once_the_secret_is_put_there(folder: Path, tmp_path: Path) -> None:
    with open_engine(folder) as engine:
        prepare(engine, 1)
        before = everything(engine)
    back_up(folder, tmp_path / "backup.zip", NOW)
    restore(tmp_path / "backup.zip", tmp_path / "copy")
    assert codes_of(lambda: opened(tmp_path / "copy")) == ["secret_missing"]
    (tmp_path / "copy" / SECRET).write_bytes((folder / SECRET).read_bytes())
    (tmp_path / "copy" / SECRET).chmod(0o600)
    with open_engine(tmp_path / "copy") as engine:
        assert everything(engine) == before


def test_a_restore_that_was_stopped_anywhere_is_done_again_and_a_finished_one_is_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_engine(folder) as engine:
        prepare(engine, 1)
        before = everything(engine)
    back_up(folder, tmp_path / "backup.zip", NOW, secret=True)
    for place in ("settings.keeping.open_database", "storage.rows.load", "storage.audit.faults"):
        with monkeypatch.context() as patched:
            patched.setattr(f"crowdalpha.{place}", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                restore(tmp_path / "backup.zip", tmp_path / "copy")
    restore(tmp_path / "backup.zip", tmp_path / "copy")
    with open_engine(tmp_path / "copy") as engine:
        assert everything(engine) == before
    assert "not_empty" in codes_of(lambda: restore(tmp_path / "backup.zip", tmp_path / "copy"))


def test_a_folder_of_another_tournament_is_not_restored_over(folder: Path, tmp_path: Path) -> None:
    back_up(folder, tmp_path / "backup.zip", NOW, secret=True)
    initialise(tmp_path / "other", name="other")
    found = codes_of(lambda: restore(tmp_path / "backup.zip", tmp_path / "other"))
    assert found == ["settings_taken", "settings_taken"]


def test_a_backup_takes_no_name_that_is_taken(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").write_bytes(b"mine")
    assert codes_of(lambda: back_up(folder, tmp_path / "backup.zip", NOW)) == ["backup_taken"]
    assert (tmp_path / "backup.zip").read_bytes() == b"mine"
