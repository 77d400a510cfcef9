"""The index as ingest uses it: a record is sent, the segment is flushed, the answer is read.

The transaction commits asynchronously (``synchronous_commit = off``): the segment is the index's log. What PostgreSQL loses in
a crash is found again by looking at the open segments (``recovery``), which happens when a process starts and each time this
writer gets a new connection after having lost one. Sealing a segment commits synchronously and so flushes all that came before.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
import structlog
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from negatoscope.domain.archive.errors import IndexUnavailable
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.errors import DatabaseUnavailable

_SQL = load_queries("negatoscope.domain.archive.sql", "index.sql")
#: Advisory lock of the index: shared by all who write to it, exclusive for who rebuilds it.
INDEX_LOCK = 0x4E656761_0001
_TEXT = 25  # pg_type.oid
_MAX_UID_CODES = 30_000
#: A database that restarts is waited for so long before a sender is told to come again.
RECONNECT_BUDGET_S = 1.5
_LOCK_TIMEOUT_S = 5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index's answer for one record."""

    outcome: str
    study_id: int | None
    series_id: int | None


class UidCodes:
    """Interned UIDs (``uid_code``), remembered for the life of the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, int] = {}

    def code(self, uid: str) -> int:
        """The code of a UID, made when absent.

        Raises: DatabaseUnavailable; ValueError: too many different ones, which only an attacker sends.
        """
        known = self._known.get(uid)
        if known is not None:
            return known
        with self._database.connection() as connection:
            row = connection.execute(_SQL["find_uid_code"], {"uid": uid}).fetchone()
            if row is None:
                if len(self._known) >= _MAX_UID_CODES:
                    raise ValueError("too many SOP classes and transfer syntaxes")
                connection.execute(_SQL["add_uid_code"], {"uid": uid})
                row = connection.execute(_SQL["find_uid_code"], {"uid": uid}).fetchone()
        assert row is not None  # noqa: S101 - just made
        self._known[uid] = row[0]
        return int(row[0])


class IndexWriter:
    """Connections that take records, one each at a time, without a thread of its own.

    ``submit`` sends a record and returns; the sender flushes its segment while PostgreSQL works, then asks for the answer. No
    thread stands between them: on two processors each hand-over costs more than what batching would save.

    Args:
        database: Where the index is.
        on_reconnect: Called after a lost connection was replaced and before anything else is committed: rows committed
            asynchronously may have vanished.
        connections: At most; a sender that finds all in use waits.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_reconnect: Callable[[], None] | None = None,
        connections: int = 16,
    ) -> None:
        self._database = database
        self.on_reconnect = on_reconnect
        self._slots = threading.BoundedSemaphore(connections)
        self._idle: deque[_Connection] = deque()
        self._lock = threading.RLock()
        self._lost = False
        self._closed = False

    def submit(self, payload: dict[str, Any]) -> "Ticket":
        """Send one record (keys as ``archive_ingest`` names them); every ticket must be waited for.

        Raises: IndexUnavailable: it was not sent.
        """
        ticket = Ticket(self, payload)
        ticket.send(time.monotonic() + RECONNECT_BUDGET_S)
        return ticket

    def borrow(self, timeout_s: float) -> "_Connection":
        """A connection of one's own until ``give_back``.

        Raises: DatabaseUnavailable; IndexUnavailable: all are in use for too long.
        """
        if not self._slots.acquire(timeout=timeout_s):
            raise IndexUnavailable("every connection to the index is in use", outcome_unknown=False)
        try:
            while True:
                try:
                    return self._idle.pop()
                except IndexError:
                    return self._connect()
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: "_Connection", *, lost: bool = False) -> None:
        """Return a connection; a lost one is thrown away, with the idle ones, which are its age."""
        if lost:
            self._forget_all(connection)
        elif self._closed:
            connection.close()
        else:
            self._idle.append(connection)
        self._slots.release()

    def _forget_all(self, connection: "_Connection") -> None:
        with self._lock:
            self._lost = True
            connection.close()
            while self._idle:
                self._idle.pop().close()

    def _connect(self) -> "_Connection":
        with self._lock:
            connection = _Connection(self._database)
            if self._lost and self.on_reconnect is not None:
                try:
                    self.on_reconnect()
                except BaseException:
                    connection.close()
                    raise
            self._lost = False
            return connection

    def watch(self) -> None:
        """Notice a database that crashed in a quiet moment: what it lost is indexed again now, not with the next image."""
        try:
            connection = self._idle.pop()
        except IndexError:
            if self._lost:
                self.give_back(self.borrow(0.0))
            return
        if connection.is_alive():
            self._idle.append(connection)
        else:
            self._forget_all(connection)

    def close(self) -> None:
        """Close what is idle; the rest is closed when it is given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class Ticket:
    """One record on its way into the index."""

    __slots__ = ("_connection", "_message", "_name", "_payload", "_writer")

    def __init__(self, writer: IndexWriter, payload: dict[str, Any]) -> None:
        self._writer = writer
        self._payload = payload
        self._name = b"ingest_known" if "series_fk" in payload else b"ingest"
        self._message = orjson.dumps([payload])
        self._connection: _Connection | None = None

    def send(self, deadline: float, *, sent_before: bool = False) -> None:
        """Send, on a new connection if need be.

        Args:
            deadline: On the monotonic clock, for a database that does not answer.
            sent_before: The record may be in the index already.
        Raises: IndexUnavailable.
        """
        while True:
            connection = None
            try:
                connection = self._writer.borrow(max(0.0, deadline - time.monotonic()) + 0.5)
                connection.send(self._name, self._message)
                self._connection = connection
                return
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable) as error:
                if connection is not None:
                    sent_before = True
                    self._writer.give_back(connection, lost=True)
                if time.monotonic() >= deadline:
                    _log.warning("index.unavailable", error=str(error)[:200])
                    raise IndexUnavailable(
                        "the database does not answer", outcome_unknown=sent_before
                    ) from error
                time.sleep(0.1)
            except IndexUnavailable as error:
                raise IndexUnavailable(str(error), outcome_unknown=sent_before) from error

    def wait(self, timeout_s: float) -> Indexed:
        """The outcome.

        Raises: IndexUnavailable: also when no answer came in time (the outcome is then unknown).
        """
        deadline = time.monotonic() + timeout_s
        reconnect_until: float | None = None
        while True:
            connection = self._connection
            assert connection is not None  # noqa: S101 - sent
            self._connection = None
            try:
                rows = connection.receive(deadline)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                self._writer.give_back(connection)
                self.send(deadline)
                continue
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                self._writer.give_back(connection)
                _log.warning("index.record_refused", error=str(error).splitlines()[0][:200])
                return Indexed("REFUSED", None, None)
            except IndexUnavailable:
                self._writer.give_back(connection, lost=True)
                raise
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self._writer.give_back(connection, lost=True)
                reconnect_until = reconnect_until or time.monotonic() + RECONNECT_BUDGET_S
                self.send(reconnect_until, sent_before=True)
                continue
            except BaseException:
                self._writer.give_back(connection, lost=True)
                raise
            self._writer.give_back(connection)
            return self._answer(rows)

    def forget(self) -> None:
        """Nobody will wait for the answer; what became of the record is not known."""
        if self._connection is not None:
            self._writer.give_back(self._connection, lost=True)
            self._connection = None

    def _answer(self, rows: list[tuple[Any, ...]]) -> Indexed:
        if self._name == b"ingest":
            return Indexed(*rows[0])
        if rows:
            return Indexed("STORED", self._payload["study_fk"], self._payload["series_fk"])
        return Indexed("AGAIN WITH ATTRIBUTES", None, None)


class _Connection:
    """A connection with its statements prepared, used by the shortest way: this runs for every stored object."""

    __slots__ = ("_connection", "_pgconn", "_poller")

    def __init__(self, database: Database) -> None:
        connection = database.connect(autocommit=True)
        try:
            connection.execute("SET synchronous_commit TO off")
            connection.execute(f"SET lock_timeout TO '{_LOCK_TIMEOUT_S}s'")
            connection.execute("SET plan_cache_mode TO force_generic_plan")
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (INDEX_LOCK,))
            for name in (b"ingest_known", b"ingest"):
                statement = _SQL[name.decode()].replace("%s", "$1").encode()
                _check(connection.pgconn.prepare(name, statement, [_TEXT]))
        except psycopg.OperationalError as error:
            connection.close()
            raise DatabaseUnavailable(f"the index cannot be written: {error}") from error
        self._connection = connection
        self._pgconn = connection.pgconn
        self._poller = select.poll()
        self._poller.register(connection.fileno(), select.POLLIN)

    def send(self, name: bytes, message: bytes) -> None:
        """Send a prepared statement and its argument.

        Raises: psycopg.OperationalError.
        """
        self._pgconn.send_query_prepared(name, [message])

    def receive(self, deadline: float) -> list[tuple[Any, ...]]:
        """The rows of the answer.

        Raises: psycopg.Error, as ``Connection.execute`` would; IndexUnavailable: none came in time.
        """
        pgconn = self._pgconn
        while pgconn.is_busy():
            left = deadline - time.monotonic()
            if left <= 0 or not self._poller.poll(left * 1000):
                raise IndexUnavailable("the index did not answer in time", outcome_unknown=True)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            raise psycopg.OperationalError("the connection to the index is lost")
        while pgconn.get_result() is not None:
            pass
        _check(result)
        columns = range(result.nfields)
        return [
            tuple(_value(result.get_value(row, column), result.ftype(column)) for column in columns)
            for row in range(result.ntuples)
        ]

    def is_alive(self) -> bool:
        """One round trip."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Close."""
        self._connection.close()


def _value(value: bytes | None, kind: int) -> str | int | None:
    if value is None:
        return None
    return value.decode() if kind == _TEXT else int(value)


def _check(result: PGresult) -> None:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    if not result.error_field(DiagnosticField.SQLSTATE):  # libpq itself: the connection is lost
        raise psycopg.OperationalError(result.get_error_message("utf-8"))
    raise error_from_result(result, encoding="utf-8")
