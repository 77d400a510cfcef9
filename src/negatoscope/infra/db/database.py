"""A pool of connections to one PostgreSQL database.

Everything here is synchronous; coroutines cross with ``kit.aio.run_blocking``. A transaction
never leaves the thread that opened it.
"""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from negatoscope.infra.errors import DatabaseUnavailable, UnsafeDatabase

_CONNECT_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "negatoscope",
    "options": "-c timezone=UTC",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """One connection of one's own.

    Raises:
        DatabaseUnavailable: nobody answers, or not yet.
    """
    try:
        return psycopg.connect(url, autocommit=autocommit, **_CONNECT_DEFAULTS)
    except psycopg.OperationalError as error:
        raise _unavailable(error) from error


class Database:
    """Connections to one database, for many threads.

    Args:
        url: ``postgresql://…`` or any libpq connection string.
        min_size: Connections kept ready.
        max_size: Connections at most; further borrowers wait.
        timeout_s: How long they wait before ``DatabaseUnavailable``.
    """

    def __init__(
        self, url: str, min_size: int = 1, max_size: int = 8, *, timeout_s: float = 10.0
    ) -> None:
        self.url = url
        self._pool = ConnectionPool(
            url,
            kwargs=_CONNECT_DEFAULTS,
            min_size=min_size,
            max_size=max_size,
            timeout=timeout_s,
            open=False,
            check=_check,
            reconnect_timeout=60.0,
            name="negatoscope",
        )
        self._pool.open(wait=False)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Borrow a connection for one transaction, committed when the block ends well.

        Raises:
            DatabaseUnavailable: no connection within the pool's time-out, or it broke in the
                block; whether a commit happened is then unknown.
        """
        try:
            connection = self._pool.getconn()
        except (PoolTimeout, psycopg.OperationalError) as error:
            raise _unavailable(error) from error
        try:
            with connection.transaction():
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection.closed:
                raise _unavailable(error) from error
            raise
        finally:
            self._pool.putconn(connection)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """A dedicated connection outside the pool; the caller closes it."""
        return connect(self.url, autocommit=autocommit)

    def close(self) -> None:
        """Close every pooled connection; borrowed ones when they come back."""
        self._pool.close(timeout=5.0)

    def __enter__(self) -> Self:
        """The database itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close."""
        self.close()


def check_durability(url: str) -> dict[str, str]:
    """Refuse a server that may lose a commit it acknowledged.

    Returns: The settings looked at.
    Raises:
        UnsafeDatabase: fsync, full_page_writes or synchronous_commit is off.
        DatabaseUnavailable: nobody answers.
    """
    names = ["fsync", "full_page_writes", "synchronous_commit", "data_checksums", "server_version"]
    with connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (names,)
        ).fetchall()
    settings = {str(name): str(setting) for name, setting in rows}
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if settings.get(name) == "off":
            raise UnsafeDatabase(
                f"the PostgreSQL server runs with {name}=off and may lose acknowledged images",
                hint=f"set {name}=on in its postgresql.conf and reload it.",
            )
    return settings


def _check(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Look whether the server has hung up, before a pooled connection is lent.

    An idle connection has nothing to read; when it has, the server closed it or says something,
    and one round trip tells which. It costs one system call, where a round trip each time would
    cost tens of microseconds on the path of every stored object.
    """
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poller.poll(0):
        ConnectionPool.check_connection(connection)


def _unavailable(error: Exception) -> DatabaseUnavailable:
    reason = " ".join(str(error).split())
    return DatabaseUnavailable(
        f"the database does not answer: {reason}",
        hint="is PostgreSQL running, and is the database URL right? `negatoscope doctor` looks.",
    )
