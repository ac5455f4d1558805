"""The steps of the migrations lead to what the tables say, in both kinds of database, and only forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import migrations, tables
from crowdalpha.storage.backup import backup, restore
from crowdalpha.storage.memory import MemoryFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.testing.stores import NOON, account
from servers import Postgres

MONEY = {"amount", "at_risk", "owed", "paid"}
COUNTS = {"number", "round", "n_bags", "final_bags", "n_ids", "effective_round", "release_round", "day"}
COUNTS |= {"status", "data_datestamp", "key_number", "tries", "event", "size"}


@pytest.fixture(params=["sqlite", "postgres"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """A database without a table."""
    if request.param == "sqlite":
        store = SqlStore(f"sqlite:///{tmp_path}/tournament.db")
        yield store
        store.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(empty=True) as url:
        store = SqlStore(url)
        yield store
        store.close()


def form(connection: sa.Connection) -> dict[str, Any]:
    """What Alembic does not compare: checks and triggers, as the database itself tells them."""
    told = sa.inspect(connection)
    checks = {
        (table, check["name"], check["sqltext"])
        for table in tables.metadata.tables
        for check in told.get_check_constraints(table)
    }
    if connection.dialect.name == "sqlite":
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    else:
        triggers = (
            "SELECT tgname, pg_get_triggerdef(pg_trigger.oid) || prosrc FROM pg_trigger "
            "JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal"
        )
    return {"checks": checks, "triggers": set(map(tuple, connection.execute(sa.text(triggers))))}


def test_the_steps_from_nothing_lead_to_the_tables_with_their_checks_and_triggers(bare: SqlStore) -> None:
    with bare.alone() as connection:
        migrations.upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.metadata) == []
        stepped = form(connection)
    with bare.alone() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(sa.text(f'DROP TABLE "{table.name}"'))
        if connection.dialect.name == "postgresql":
            for table in tables.GROWING:
                connection.execute(sa.text(f"DROP FUNCTION {table.name}_only_grows"))
        tables.metadata.create_all(connection)
        assert form(connection) == stepped
    assert len(stepped["checks"]) == 2
    assert len(stepped["triggers"]) == (6 if connection.dialect.name == "sqlite" else 3)


def test_making_the_tables_again_changes_nothing(bare: SqlStore) -> None:
    for _ in range(3):
        bare.create()
    with bare.looking() as connection:
        assert migrations.revision_of(connection) == migrations.NEWEST


def test_the_steps_are_all_taken_or_none(bare: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), bare.alone() as connection:  # noqa: PT012
        migrations.upgrade(connection)
        raise ZeroDivisionError
    with bare.looking() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_a_database_that_a_newer_version_has_changed_is_refused(bare: SqlStore) -> None:
    bare.create()
    with bare.alone() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'from the future'"))
    with pytest.raises(InputError) as refused:
        bare.create()
    assert refused.value.code == "database_newer"
    assert "from the future" in str(refused.value)


SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "second", "leases"


def upgrade():
    op.add_column("account", sa.Column("colour", sa.Text, nullable=False, server_default="red"))
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Installs a version that knows one step more."""

    def install() -> None:
        (tmp_path / "versions").mkdir()
        (tmp_path / "versions" / "second.py").write_text(SECOND)
        before, here = migrations._settings, Path(migrations.__file__).parent

        def settings(connection: Any) -> Any:
            found = before(connection)
            found.set_main_option("version_locations", f"{here / 'versions'};{tmp_path / 'versions'}")
            found.set_main_option("path_separator", ";")
            return found

        monkeypatch.setattr(migrations, "_settings", settings)
        monkeypatch.setattr(migrations, "NEWEST", "second")

    return install


def colours(store: SqlStore) -> list[str]:
    with store.looking() as connection:
        assert migrations.revision_of(connection) == "second"
        return list(connection.scalars(sa.text("SELECT colour FROM account")))


def test_a_database_and_a_backup_of_an_older_form_are_brought_to_the_newer_one(
    bare: SqlStore, next_version: Callable[[], None], tmp_path: Path
) -> None:
    old = SqlStore(f"sqlite:///{tmp_path}/old.db")
    old.create()
    with old.transaction() as work:
        work.insert(account("ada"))
    backup(old, MemoryFiles(), tmp_path / "old.zip", NOON)
    next_version()
    with pytest.raises(InputError, match="database_older"):
        backup(old, MemoryFiles(), tmp_path / "too late.zip", NOON)
    old.create()
    restore(tmp_path / "old.zip", bare, MemoryFiles())
    assert colours(old) == colours(bare) == ["red"]
    old.close()


def test_the_newest_revision_is_the_one_that_databases_are_known_by() -> None:
    assert migrations.known()[0] == migrations.NEWEST


def test_steps_lead_forward_only_in_one_line() -> None:
    steps = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert steps.get_heads() == [migrations.NEWEST]
    for step in steps.walk_revisions():
        assert not hasattr(step.module, "downgrade"), "the way back is a backup"
        assert not step.is_merge_point


def test_under_every_column_stands_what_it_holds_and_under_money_its_unit() -> None:
    for table in tables.metadata.tables.values():
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"
            if column.name in MONEY:
                assert column.comment.startswith(tables.UNITS)


def test_every_whole_number_is_money_or_known_to_be_none() -> None:
    wholes = {
        column.name
        for table in tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.BigInteger)
    }
    assert wholes == MONEY | COUNTS
