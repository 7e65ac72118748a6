"""Run by Alembic: migrate over the connection that migrate.py hands in, inside its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

if TYPE_CHECKING:
    from sqlalchemy import Connection


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, transactional_ddl=True)
    context.run_migrations()


_migrate(context.config.attributes["connection"])
