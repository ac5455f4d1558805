"""A backup is one moment of a tournament, whatever is done meanwhile, and comes back in either kind of database."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Event as Flag
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import migrations
from crowdalpha.storage.archive import DIGITS
from crowdalpha.storage.audit import faults
from crowdalpha.storage.backup import backup, beside, check, restore
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.memory import MemoryFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.testing.stores import NOON, all_of, deposit, spend
from crowdalpha.testing.strategies import RECORDS, entries
from crowdalpha.tournament import ledger
from crowdalpha.tournament.events import Head
from crowdalpha.tournament.ports import PredictionStore
from crowdalpha.tournament.records import Submission, key_of
from servers import Postgres

Fresh = Callable[[], SqlStore]
NUMBERS = count()
WRITERS = 4
KINDS = [("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("postgres", "postgres")]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], SqlStore]]:
    """Makes stores of a kind, without a table in them."""
    opened, ending = [], []

    def make(kind: str) -> SqlStore:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path}/{next(NUMBERS)}.db"
        else:
            server: Postgres = request.getfixturevalue("postgres")
            database = server.database(empty=True)
            url = database.__enter__()
            ending.append(database)
        opened.append(SqlStore(url))
        return opened[-1]

    yield make
    for store in opened:
        store.close()
    for database in ending:
        database.__exit__(None, None, None)


@pytest.fixture
def written(fresh: Callable[[str], SqlStore], tmp_path: Path) -> tuple[Path, SqlStore, PredictionStore]:
    """A backup of a small tournament, and the tournament."""
    store, files = begun(fresh("sqlite"))
    for number in range(3):
        play(store, files, str(number))
    backup(store, files, tmp_path / "small.zip", NOON, beside={"settings.toml": b"name = 'small'"})
    return tmp_path / "small.zip", store, files


def begun(store: SqlStore) -> tuple[SqlStore, PredictionStore]:
    store.create()
    with store.transaction() as work:
        work.post(deposit("first", 10**9))
    return store, MemoryFiles()


def play(store: SqlStore, files: PredictionStore, name: str) -> None:
    """One deed: a file, and in one transaction a record that names it, an entry and an event."""
    file = f"ranks/{name}"
    digest = files.write(file, name.encode() * 100)
    with store.transaction() as work:
        work.insert(Submission(name, 1, "m", NOON, "on_time", digest, file, 100))
        work.post(spend(name, 1, target=f"stake:{name}"))
        work.append("submission.on_time", {"submission": name}, NOON)


def contents(files: PredictionStore) -> dict[str, bytes]:
    return {name: files.read(name) for name in files.names()}


@contextmanager
def played_by(store: SqlStore, files: PredictionStore) -> Iterator[None]:
    """Several threads at once play on until the block ends."""
    over = Flag()

    def go_on(writer: int) -> None:
        for number in count():
            if over.is_set():
                return
            play(store, files, f"{writer}-{number}")

    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(go_on, writer) for writer in range(WRITERS)]
        try:
            yield
        finally:
            over.set()
    for writer in writers:
        writer.result()


@pytest.mark.parametrize(("source", "target"), KINDS)
def test_what_is_restored_is_one_moment_of_what_was_backed_up_under_load_and_goes_on(
    source: str, target: str, fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    store, files = begun(fresh(source))
    with played_by(store, files):
        wait_for(store, events=20)
        made = backup(store, files, tmp_path / "moment.zip", NOON)
        wait_for(store, events=len(events_of(store)) + 5)
    copy, copied = fresh(target), FolderFiles(tmp_path / "files")
    assert restore(tmp_path / "moment.zip", copy, copied) == made == check(tmp_path / "moment.zip")
    with copy.reading() as then, store.reading() as later:
        moment = len(then.events())
        assert 20 <= moment < len(later.events())
        assert then.events() == later.events()[:moment]
        assert then.entries() == later.entries()[: moment + 1]  # and the first deposit
        assert then.balances() == ledger.balances(then.entries())
        named = {event.payload["submission"] for event in then.events()}
        assert then.find(Submission) == [s for s in later.find(Submission) if s.id in named]
        assert all(sha256(copied.read(s.predictions)).hexdigest() == s.content_hash for s in then.find(Submission))
    assert made.lost == ()
    assert contents(copied).items() <= contents(files).items()
    play(copy, copied, "afterwards")
    with copy.reading() as work:
        assert faults(work) == ()
        assert len(work.events()) == moment + 1


def wait_for(store: SqlStore, *, events: int) -> None:
    while len(events_of(store)) < events:
        pass


def events_of(store: SqlStore) -> Any:
    with store.reading() as work:
        return work.events()


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Records of every kind, and entries."""
    kept = [draw(st.lists(kind, max_size=4, unique_by=key_of)) for kind in RECORDS.values()]
    return [record for some in kept for record in some], [draw(entries(f"entry {n}")) for n in range(3)]


def emptied(store: SqlStore) -> SqlStore:
    """A PostgreSQL without tables; quicker than another one."""
    with store.alone() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    return store


@pytest.fixture
def reused(fresh: Callable[[str], SqlStore]) -> SqlStore:
    return fresh("postgres")


@given(world=worlds())
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_whatever_a_record_may_hold_comes_back_over_both_kinds_of_database(
    world: tuple[list[Any], list[Any]], reused: SqlStore, fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    store = fresh("sqlite")
    store.create()
    with store.transaction() as work:
        work.insert(*world[0])
        for entry in world[1]:
            work.post(entry)
        work.append("begun", {"é": "\U0001f41f"}, NOON)
    first, second = (tmp_path / f"{next(NUMBERS)}.zip" for _ in range(2))
    made = backup(store, MemoryFiles(), first, NOON)
    between, back = emptied(reused), fresh("sqlite")
    restore(first, between, MemoryFiles())
    assert repr(all_of(between)) == repr(all_of(store))  # repr: a NaN is not itself
    assert backup(between, MemoryFiles(), second, NOON) == made
    restore(second, back, MemoryFiles())
    assert repr(all_of(back)) == repr(all_of(store))


def test_two_backups_of_one_moment_are_the_same_bytes(
    written: tuple[Path, SqlStore, PredictionStore], tmp_path: Path
) -> None:
    path, store, files = written
    backup(store, files, tmp_path / "again.zip", NOON, beside=beside(path))
    assert (tmp_path / "again.zip").read_bytes() == path.read_bytes()


def test_a_backup_is_an_ordinary_zip_file_that_tells_what_is_in_it(
    written: tuple[Path, SqlStore, PredictionStore],
) -> None:
    with ZipFile(written[0]) as zipped:
        assert zipped.testzip() is None
        told = json.loads(zipped.read("manifest.json"))
        assert told["members"] == {
            name: sha256(zipped.read(name)).hexdigest() for name in zipped.namelist() if name != "manifest.json"
        }
        assert zipped.read("tables/event.jsonl").count(b"\n") == 1 + 3
    seal = written[0].read_bytes()[-DIGITS:]
    assert sha256(written[0].read_bytes()[:-DIGITS]).hexdigest().encode() == seal
    assert written[0].stat().st_mode & 0o777 == 0o600


def test_each_byte_that_is_changed_is_noticed_and_nothing_is_written(
    written: tuple[Path, SqlStore, PredictionStore], fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    content, broken = written[0].read_bytes(), tmp_path / "broken.zip"
    rng = random.Random(1)
    places = {*range(64), *range(len(content) - 200, len(content)), *rng.sample(range(len(content)), 200)}
    for place in sorted(places):
        broken.write_bytes(content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :])
        assert code_of(lambda: check(broken)) == "backup_damaged"
    store, files = fresh("sqlite"), MemoryFiles()
    assert code_of(lambda: restore(broken, store, files)) == "backup_damaged"
    assert is_empty(store)
    assert files.names() == []


@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 1000, -1])
def test_a_backup_that_is_cut_or_is_none_is_noticed(
    cut: int, written: tuple[Path, SqlStore, PredictionStore], tmp_path: Path
) -> None:
    (tmp_path / "cut.zip").write_bytes(written[0].read_bytes()[:cut])
    assert code_of(lambda: check(tmp_path / "cut.zip")) == "backup_damaged"
    assert code_of(lambda: check(tmp_path / "nowhere.zip")) == "backup_missing"


def reseal(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Change the members of a backup, and seal it again as if nothing had happened."""
    with ZipFile(path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
        comment = zipped.comment
    change(members)
    with ZipFile(path, "w") as zipped:
        zipped.comment = comment
        for name, content in members.items():
            zipped.writestr(name, content)
    unsealed = path.read_bytes()[:-DIGITS]
    path.write_bytes(unsealed + sha256(unsealed).hexdigest().encode())


def tell(**said: Any) -> Callable[[dict[str, bytes]], object]:
    """Let a manifest say something else."""
    return lambda members: members.update(
        {"manifest.json": json.dumps(json.loads(members["manifest.json"]) | said).encode()}
    )


def replace(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], object]:
    """Change a member, and its hash in the manifest."""

    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)
        hashes: Mapping[str, str] = json.loads(members["manifest.json"])["members"]
        tell(members={**hashes, name: sha256(members[name]).hexdigest()})(members)

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda members: members.update({"files/ranks/1.bin": b"other"}), "backup_damaged"),
        (lambda members: members.pop("files/ranks/1.bin"), "backup_damaged"),
        (lambda members: members.pop("manifest.json"), "backup_damaged"),
        (lambda members: members.update({"extra": b""}), "backup_damaged"),
        (tell(members=3), "backup_damaged"),
        (tell(format=2), "backup_newer"),
        (tell(revision="future"), "backup_newer"),
        (replace("tables/balance.jsonl", b"999999997", b"999999998"), "balance_astray"),
        (replace("tables/event.jsonl", b"on_time", b"too_late"), "event_changed"),
    ],
    ids=["another file", "no file", "no manifest", "one more", "nonsense", "format", "revision", "money", "log"],
)
def test_a_backup_that_was_tampered_with_and_sealed_again_is_refused_where_it_contradicts_itself(
    change: Callable[[dict[str, bytes]], object],
    code: str,
    written: tuple[Path, SqlStore, PredictionStore],
    fresh: Callable[[str], SqlStore],
) -> None:
    reseal(written[0], change)
    store = fresh("sqlite")
    assert code_of(lambda: restore(written[0], store, MemoryFiles())) == code
    assert is_empty(store)


def test_a_published_head_tells_a_backup_that_is_not_of_this_log(
    written: tuple[Path, SqlStore, PredictionStore], fresh: Callable[[str], SqlStore]
) -> None:
    heads = [Head(3, "0" * 64)]
    assert code_of(lambda: restore(written[0], fresh("sqlite"), MemoryFiles(), heads=heads)) == "event_changed"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_only_what_is_empty_is_restored_into(
    kind: str, written: tuple[Path, SqlStore, PredictionStore], fresh: Callable[[str], SqlStore]
) -> None:
    path, _, _ = written
    prepared = fresh(kind)
    prepared.create()
    restore(path, prepared, MemoryFiles())
    assert code_of(lambda: restore(path, prepared, MemoryFiles())) == "not_empty"
    bare = fresh(kind)
    assert code_of(lambda: restore(path, bare, with_file("ranks/other", b""))) == "not_empty"
    assert code_of(lambda: restore(path, bare, with_file("ranks/1", b"other"))) == "not_empty"
    with bare.alone() as connection:
        connection.execute(sa.text("CREATE TABLE account (id INTEGER)"))
    assert code_of(lambda: restore(path, bare, MemoryFiles())) == "not_empty"


def test_a_restore_that_was_stopped_half_way_is_done_again(
    written: tuple[Path, SqlStore, PredictionStore], fresh: Callable[[str], SqlStore]
) -> None:
    path, store, files = written
    half = with_file("ranks/1", files.read("ranks/1"))
    restore(path, copy := fresh("sqlite"), half)
    assert all_of(copy) == all_of(store)
    assert contents(half) == contents(files)


def test_a_file_that_was_lost_is_named_and_the_rest_is_backed_up(
    written: tuple[Path, SqlStore, PredictionStore], fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    _, store, files = written
    remaining = with_file("ranks/0", files.read("ranks/0"))
    assert backup(store, remaining, tmp_path / "rest.zip", NOON).lost == ("ranks/1", "ranks/2")
    assert restore(tmp_path / "rest.zip", fresh("sqlite"), MemoryFiles()).lost == ("ranks/1", "ranks/2")


def test_a_backup_never_replaces_another_and_leaves_nothing_when_it_fails(
    written: tuple[Path, SqlStore, PredictionStore], tmp_path: Path
) -> None:
    path, store, files = written
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        backup(store, files, path, NOON)
    assert path.read_bytes() == before

    class Broken(MemoryFiles):
        def read(self, name: str) -> bytes:
            raise OSError("gone")

    broken = Broken()
    broken.write("any", b"")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="gone"):
        backup(store, broken, tmp_path / "new.zip", NOON)
    assert sorted(tmp_path.iterdir()) == there


def test_a_database_of_an_older_form_is_not_backed_up_as_if_it_were_of_the_present_one(
    fresh: Callable[[str], SqlStore], tmp_path: Path
) -> None:
    assert code_of(lambda: backup(fresh("sqlite"), MemoryFiles(), tmp_path / "x.zip", NOON)) == "database_older"
    assert not (tmp_path / "x.zip").exists()


def test_what_was_put_beside_comes_back_as_it_was(written: tuple[Path, SqlStore, PredictionStore]) -> None:
    assert beside(written[0]) == {"settings.toml": b"name = 'small'"}


def with_file(name: str, content: bytes) -> MemoryFiles:
    files = MemoryFiles()
    files.write(name, content)
    return files


def code_of(deed: Callable[[], object]) -> str:
    with pytest.raises(InputError) as refused:
        deed()
    return refused.value.code


def is_empty(store: SqlStore) -> bool:
    with store.looking() as connection:
        return migrations.revision_of(connection) is None and sa.inspect(connection).get_table_names() == []
