"""A pool of connections to one PostgreSQL database.

Everything here is synchronous; coroutines cross with ``kit.aio.run_blocking``. A transaction
never leaves the thread that opened it.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from negatoscope.infra.db.watchdog import PATIENCE_S, Line, Watchdog
from negatoscope.infra.errors import ConfigurationError, DatabaseUnavailable, UnsafeDatabase

_CONNECT_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "negatoscope",
    "options": "-c timezone=UTC",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

#: A server that restarts is waited for so long.
_CONNECT_PATIENCE_S = 1.0
#: One that hangs does not greet within this time (libpq counts whole seconds).
_GREETING_S = 3


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """One connection of one's own.

    Raises:
        ConfigurationError: the URL cannot be read.
        DatabaseUnavailable: nobody answers, or not yet.
    """
    try:
        return psycopg.connect(url, autocommit=autocommit, **connection_parameters(url))
    except psycopg.OperationalError as error:
        raise _unavailable(error) from error


@lru_cache(maxsize=16)
def connection_parameters(url: str) -> dict[str, Any]:
    """What is given beside a URL when connecting: our defaults, under what the URL says itself.

    Raises:
        ConfigurationError: the URL cannot be read.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        # libpq's own words may quote the URL, and with it a password.
        raise ConfigurationError(
            "the database URL cannot be read",
            hint="it looks like postgresql://user:password@host:5432/database.",
        ) from error
    parameters = {name: value for name, value in _CONNECT_DEFAULTS.items() if name not in given}
    if "options" in given:
        parameters["options"] = f"{_CONNECT_DEFAULTS['options']} {given['options']}"
    return parameters


class Database:
    """Connections to one database, for many threads.

    Kept here rather than by ``psycopg_pool``: that pool waits seconds between its attempts after a
    failed one, while every waiting sender is told "out of resources". Here who
    needs a connection makes it, and hears at once when the server is not there. A watchdog sees to
    it that nobody waits for ever for a server that hangs.

    Args:
        url: ``postgresql://…`` or any libpq connection string.
        max_size: Connections at most; further borrowers wait.
        timeout_s: How long they wait before ``DatabaseUnavailable``.
        patience_s: How long a server that hangs is waited for.
    """

    def __init__(
        self,
        url: str,
        *,
        max_size: int = 8,
        timeout_s: float = 10.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._slots = threading.BoundedSemaphore(max_size)
        self._idle: deque[tuple[psycopg.Connection[tuple[Any, ...]], Line]] = deque()
        self._watchdog = Watchdog(self._greet, patience_s=patience_s)
        self._closed = False

    def _greet(self) -> None:
        """Whether the server answers: one that refuses us does, one that is gone has ended its connections.

        Raises: DatabaseUnavailable: it says nothing.
        """
        parameters = connection_parameters(self.url) | {"connect_timeout": _GREETING_S}
        try:
            psycopg.connect(self.url, **parameters).close()
        except psycopg.errors.ConnectionTimeout as error:
            raise _unavailable(error) from error
        except psycopg.OperationalError:
            pass

    def hangs(self) -> bool:
        """Greet the server: whether it accepts connections and says nothing. For who waits on a connection of one's own."""
        return self._watchdog.look()

    def _refuse_while_it_hangs(self) -> None:
        if self._watchdog.hangs:
            raise DatabaseUnavailable(
                "the database hangs", hint="PostgreSQL accepts connections and does not answer."
            )

    def _borrow(self) -> tuple[psycopg.Connection[tuple[Any, ...]], Line]:
        self._refuse_while_it_hangs()
        while True:
            try:
                connection, line = self._idle.pop()
            except IndexError:
                break
            if _is_alive(connection):
                return connection, line
            connection.close()
            line.close()
        deadline = time.monotonic() + _CONNECT_PATIENCE_S
        while True:
            self._refuse_while_it_hangs()
            try:
                made = connect(self.url)
                return made, Line(made)
            except DatabaseUnavailable:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Borrow a connection for one transaction, committed when the block ends well.

        Raises:
            DatabaseUnavailable: no connection in time, or it broke in the block; whether a commit
                happened is then unknown.
        """
        self._refuse_while_it_hangs()
        if not self._slots.acquire(timeout=self._timeout_s):
            raise DatabaseUnavailable(
                "every database connection is in use",
                hint="is PostgreSQL overloaded, or locked by a long operation?",
            )
        try:
            connection, line = self._borrow()
            self._watchdog.lent(line)
            try:
                with connection.transaction():
                    yield connection
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if connection.closed:
                    raise _unavailable(error) from error
                raise
            finally:
                self._watchdog.returned(line)
                if connection.closed or self._closed:
                    connection.close()
                    line.close()
                else:
                    self._idle.append((connection, line))
        finally:
            self._slots.release()

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
        """A dedicated connection outside the pool; the caller closes it.

        Raises: DatabaseUnavailable.
        """
        self._refuse_while_it_hangs()
        return connect(self.url, autocommit=autocommit)

    def close(self) -> None:
        """Close every idle connection; borrowed ones when they come back."""
        self._closed = True
        self._watchdog.stop()
        while self._idle:
            connection, line = self._idle.pop()
            connection.close()
            line.close()

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


def _is_alive(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Look whether the server has hung up, before an idle connection is lent.

    An idle connection has nothing to read; when it has, the server closed it or says something,
    and one round trip tells which. It costs one system call, where a round trip each time would
    cost tens of microseconds on the path of every stored object.
    """
    if connection.closed:
        return False
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if not poller.poll(0):
        return True
    try:
        with connection.transaction():
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _unavailable(error: Exception) -> DatabaseUnavailable:
    reason = " ".join(str(error).split())
    return DatabaseUnavailable(
        f"the database does not answer: {reason}",
        hint="is PostgreSQL running, and is the database URL right? `negatoscope doctor` looks.",
    )
