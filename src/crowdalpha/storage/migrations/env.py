"""What Alembic runs: the steps, on the connection that it was handed, in the transaction that this is in."""

from __future__ import annotations

from alembic import context

from crowdalpha.storage import tables


def run() -> None:
    """Take the steps; all of them or none, on SQLite too."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=tables.metadata,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # as Alembic calls this file when it runs it
    run()
