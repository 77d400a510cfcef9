"""Alembic's entry: run on the connection ``infra.db.migrate`` opened."""

from typing import Any

from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl


class PlainSqlImpl(PostgresqlImpl):
    """Takes a string as the SQL it is: many statements, and neither ``:x`` nor ``%`` is special."""

    __dialect__ = "postgresql"

    def _exec(self, construct: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(construct, str) and self.connection is not None:
            driver_connection = self.connection.connection.driver_connection
            if driver_connection is not None:
                return driver_connection.execute(construct)
        return super()._exec(construct, *args, **kwargs)


connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
