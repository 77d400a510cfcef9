"""The index as ingest uses it: a record is sent, the segment is flushed, the answer is read.

The transaction commits asynchronously (``synchronous_commit = off``): the segment is the index's log. What PostgreSQL loses in
a crash is found again by looking at the open segments (``recovery``), which happens when a process starts and each time this
writer gets a new connection after having lost one. Sealing a segment commits synchronously and so flushes all that came before.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
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
from negatoscope.infra.db.watchdog import PATIENCE_S
from negatoscope.infra.errors import DatabaseUnavailable

_SQL = load_queries("negatoscope.domain.archive.sql", "index.sql")
#: Advisory lock of the index: shared by all who write to it, exclusive for who rebuilds it.
INDEX_LOCK = 0x4E656761_0001
_MAX_BATCH = 64
_OVERTAKE_AFTER_S = 0.02
_TEXT = 25  # pg_type.oid
_MAX_UID_CODES = 30_000
#: A database that restarts is waited for so long before a sender is told to come again.
RECONNECT_BUDGET_S = 1.5
#: Parameters of ``ingest_one``, by their keys in a record.
_ONE = (
    "series_fk", "seg", "off", "size", "po", "dso", "cls", "ts", "num", "frames", "fl", "nrows", "ncols", "bits", "crc",
    "received", "sop", "sha", "fi", "study_fk", "ae", "actor",
)  # fmt: skip
_LOCK_TIMEOUT_S = 5
_WAIT_FOR_LOCKS = b"NG001"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index's answer for one record."""

    outcome: str
    study_id: int | None
    series_id: int | None


class _LocksTaken(Exception):
    """Somebody has locks of patients that a batch needs: it has to begin again by waiting for them.

    Args:
        detail: Their keys, as PostgreSQL writes an array.
    """

    def __init__(self, detail: bytes) -> None:
        super().__init__("locks of patients are taken")
        self.keys = {int(key) for key in detail.strip(b"{}").split(b",") if key}


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
    """Takes records from many associations over a few connections, without a thread of its own.

    ``submit`` sends a record and returns; the sender flushes its segment while PostgreSQL works, then asks for the answer. Who
    finds a batch under way leaves its record in the queue; who has read an answer sends what has gathered there as one batch
    and names the first of its senders to read the next answer. So one association pays for no hand-over, and sixteen share
    their transactions: a batch of four costs the database half as much for each record as one alone. Only a batch that is not
    answered in a moment (it waits for a lock, or its sender for a slow disk) is overtaken over another connection.

    Args:
        database: Where the index is.
        on_reconnect: Called after a lost connection was replaced and before anything else is committed: rows committed
            asynchronously may have vanished.
        connections: At most.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_reconnect: Callable[[], None] | None = None,
        connections: int = 2,
    ) -> None:
        self._database = database
        self.on_reconnect = on_reconnect
        self._lock = threading.Lock()
        self._connect_lock = threading.Lock()
        self._connections = self._free = connections
        self._sent_at_s = 0.0
        self._idle: deque[_Connection] = deque()
        self._queue: deque[Ticket] = deque()
        self._lost = False
        self._closed = False

    def submit(self, payload: dict[str, Any]) -> "Ticket":
        """Send one record (keys as ``archive_ingest`` names them), or queue it; every ticket must be waited for."""
        return self.submit_all((payload,))[0]

    def submit_all(self, payloads: Sequence[dict[str, Any]]) -> "list[Ticket]":
        """Send several records at once, or queue them; every ticket must be waited for, in their order."""
        tickets = [Ticket(self, payload) for payload in payloads]
        batches = []
        with self._lock:
            self._queue.extend(tickets)
            while (batch := self._next_batch()) is not None:
                batches.append(batch)
        for batch in batches:
            batch.send()
        return tickets

    def _next_batch(self) -> "_Batch | None":
        """What is queued for one statement, if its turn has come. The lock is held."""
        if not self._queue or self._free <= 0:
            return None
        now = time.monotonic()
        if self._free < self._connections and now - self._sent_at_s < _OVERTAKE_AFTER_S:
            return None
        self._sent_at_s = now
        self._free -= 1
        name = self._queue[0].name
        tickets = [t for t in self._queue if t.name == name][:_MAX_BATCH]
        taken = set(map(id, tickets))
        self._queue = deque(t for t in self._queue if id(t) not in taken)
        return _Batch(self, tickets)

    def go_on(self) -> None:
        """A connection became free: send what has gathered."""
        with self._lock:
            self._free += 1
            batch = self._next_batch()
        if batch is not None:
            batch.send()

    def overtake(self) -> None:
        """What is under way takes long: send what has gathered, if another connection is free."""
        with self._lock:
            batch = self._next_batch()
        if batch is not None:
            batch.send()

    def hold(self) -> None:
        """Take one more of the connections into account, for a batch that is sent in parts."""
        with self._lock:
            self._free -= 1

    def withdraw(self, ticket: "Ticket") -> bool:
        """Take a record back. Returns: False when it was sent already."""
        with self._lock:
            try:
                self._queue.remove(ticket)
            except ValueError:
                return False
            return True

    def connection(self) -> "_Connection":
        """An idle connection, or a new one.

        Raises: DatabaseUnavailable.
        """
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> "_Connection":
        with self._connect_lock:
            connection = _Connection(self._database)
            if self._lost and self.on_reconnect is not None:
                try:
                    self.on_reconnect()
                except BaseException:
                    connection.close()
                    raise
            self._lost = False
            return connection

    def keep(self, connection: "_Connection") -> None:
        """A connection that may be used again."""
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def lose(self, connection: "_Connection") -> None:
        """Throw a connection away, and the idle ones, which are its age."""
        self._lost = True
        connection.close()
        while self._idle:
            self._idle.pop().close()

    def watch(self) -> None:
        """Notice a database that crashed in a quiet moment: what it lost is indexed again now, not with the next image."""
        try:
            connection = self._idle.pop()
        except IndexError:
            if self._lost:
                self.keep(self._connect())
            return
        if connection.is_alive():
            self.keep(connection)
        else:
            self.lose(connection)

    def close(self) -> None:
        """Close what is idle; the rest is closed when it is kept."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class Ticket:
    """One record on its way into the index."""

    __slots__ = ("_answer", "_gate", "_writer", "batch", "name", "payload")

    def __init__(self, writer: IndexWriter, payload: dict[str, Any]) -> None:
        self._writer = writer
        self.payload = payload
        self.name = b"ingest_known" if "series_fk" in payload else b"ingest"
        self.batch: _Batch | None = None
        self._answer: Indexed | IndexUnavailable | None = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def lead(self, batch: "_Batch") -> None:
        """This ticket's sender reads the batch's answer."""
        self.batch = batch
        self._gate.release()

    def answer(self, answer: Indexed | IndexUnavailable) -> None:
        """Set the outcome and wake the sender."""
        self._answer = answer
        if self.batch is None:
            self._gate.release()

    def wait(self, timeout_s: float) -> Indexed:
        """The outcome.

        Raises: IndexUnavailable: also when no answer came in time (the outcome is then unknown).
        """
        deadline = time.monotonic() + timeout_s
        # Again and again: at the first look another batch may have left a moment before, or no connection be free.
        while not self._gate.acquire(
            timeout=max(0.0, min(_OVERTAKE_AFTER_S, deadline - time.monotonic()))
        ):
            if time.monotonic() >= deadline:
                raise IndexUnavailable(
                    "the index did not answer in time",
                    outcome_unknown=not self._writer.withdraw(self),
                )
            self._writer.overtake()
        if self.batch is not None:
            self.batch.receive(deadline)
        if isinstance(self._answer, IndexUnavailable):
            raise self._answer
        assert self._answer is not None  # noqa: S101 - set before the gate opens, or by our own batch
        return self._answer

    def forget(self) -> None:
        """Nobody will wait for the answer; what became of the record is not known."""
        if not self._writer.withdraw(self) and self.batch is not None:
            self.batch.give_up("its sender is gone")


class _Batch:
    """Records sent together, and who reads the answer."""

    __slots__ = ("_connection", "_keys", "_sent", "_tickets", "_writer")

    def __init__(self, writer: IndexWriter, tickets: list[Ticket]) -> None:
        self._writer = writer
        self._tickets = tickets
        self._connection: _Connection | None = None
        self._keys: set[int] = set()
        self._sent = False

    def send(self) -> None:
        """Send if the database is there; whoever leads finds out otherwise."""
        try:
            self._send()
        except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable):
            self._drop()
        except Exception:  # noqa: BLE001 - its senders must hear of it, not whoever happened to send for them
            _log.exception("index.send_failed")
            self._drop()
        self._tickets[0].lead(self)

    def _send(self) -> None:
        connection = self._writer.connection()
        self._connection = connection
        self._sent = True
        self._send_over(connection)

    def _send_over(self, connection: "_Connection") -> None:
        name = self._tickets[0].name
        if len(self._tickets) == 1 and name == b"ingest_known" and not self._keys:
            record = self._tickets[0].payload.get
            connection.send(b"ingest_one", [_parameter(record(key)) for key in _ONE])
            return
        records = orjson.dumps([ticket.payload for ticket in self._tickets])
        if not self._keys:
            connection.send(name, [records])
            return
        keys = orjson.dumps(sorted(self._keys))
        connection.send(b"ingest_after", [b'{"records":' + records + b',"keys":' + keys + b"}"])

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._writer.lose(connection)

    def receive(self, deadline: float) -> None:
        """Read the answer, sending again over a new connection if the first is lost, and give each sender its outcome."""
        reconnect_until: float | None = None
        while True:
            try:
                if self._connection is None:
                    self._send()
                assert self._connection is not None  # noqa: S101 - just sent
                rows = self._connection.receive(deadline)
                break
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                self._again()
            except _LocksTaken as error:
                self._keys |= error.keys
                self._again()
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                self._isolate(error, deadline)
                return
            except IndexUnavailable as error:
                self.give_up(str(error))
                return
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable) as error:
                self._drop()
                now = time.monotonic()
                reconnect_until = reconnect_until or now + RECONNECT_BUDGET_S
                if now >= min(reconnect_until, deadline):
                    _log.warning("index.unavailable", error=str(error)[:200])
                    self.give_up("the database does not answer")
                    return
                time.sleep(0.1)
            except BaseException:
                self.give_up("interrupted")
                raise
        self._finish()
        for ticket, indexed in zip(self._tickets, self._outcomes(rows), strict=True):
            ticket.answer(indexed)

    def _again(self) -> None:
        """The same connection, the same message: the transaction was undone in favour of another."""
        assert self._connection is not None  # noqa: S101 - it answered
        self._send_over(self._connection)

    def _finish(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._writer.keep(connection)
        self._writer.go_on()

    def give_up(self, reason: str) -> None:
        """No answer will come."""
        self._drop()
        self._writer.go_on()
        for ticket in self._tickets:
            ticket.answer(IndexUnavailable(reason, outcome_unknown=self._sent))

    def _isolate(self, error: psycopg.Error, deadline: float) -> None:
        """One record that the database cannot take must not fail its neighbours."""
        if len(self._tickets) == 1:
            _log.warning("index.record_refused", error=str(error).splitlines()[0][:200])
            self._finish()
            self._tickets[0].answer(Indexed("REFUSED", None, None))
            return
        connection, self._connection = self._connection, None
        for position, ticket in enumerate(self._tickets):
            alone = _Batch(self._writer, [ticket])
            alone._connection, connection = connection, None
            alone._sent = True
            if position:
                self._writer.hold()
            try:
                if alone._connection is not None:
                    alone._again()
            except psycopg.OperationalError:
                alone._drop()
            alone.receive(deadline)

    def _outcomes(self, rows: list[tuple[Any, ...]]) -> list[Indexed]:
        if self._tickets[0].name == b"ingest":
            return [Indexed(*row) for row in rows]
        added = set(rows)
        return [
            Indexed("STORED", ticket.payload["study_fk"], ticket.payload["series_fk"])
            if (ticket.payload["seg"], ticket.payload["off"]) in added
            else Indexed("AGAIN WITH ATTRIBUTES", None, None)
            for ticket in self._tickets
        ]


class _Connection:
    """A connection with its statements prepared, used by the shortest way: this runs for every stored object."""

    __slots__ = ("_connection", "_database", "_pgconn", "_poller")

    def __init__(self, database: Database) -> None:
        self._database = database
        connection = database.connect(autocommit=True)
        try:
            connection.execute("SET synchronous_commit TO off")
            connection.execute(f"SET lock_timeout TO '{_LOCK_TIMEOUT_S}s'")
            connection.execute("SET plan_cache_mode TO force_generic_plan")
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (INDEX_LOCK,))
            for name in (b"ingest_known", b"ingest", b"ingest_after"):
                statement = _SQL[name.decode()].replace("%s", "$1").encode()
                _check(connection.pgconn.prepare(name, statement, [_TEXT]))
            _check(connection.pgconn.prepare(b"ingest_one", _SQL["ingest_one"].encode()))
        except psycopg.OperationalError as error:
            connection.close()
            raise DatabaseUnavailable(f"the index cannot be written: {error}") from error
        self._connection = connection
        self._pgconn = connection.pgconn
        self._poller = select.poll()
        self._poller.register(connection.fileno(), select.POLLIN)

    def send(self, name: bytes, parameters: Sequence[bytes | None]) -> None:
        """Send a prepared statement and its parameters, as text.

        Raises: psycopg.OperationalError.
        """
        self._pgconn.send_query_prepared(name, parameters)

    def receive(self, deadline: float) -> list[tuple[Any, ...]]:
        """The rows of the answer.

        Raises: psycopg.Error, as ``Connection.execute`` would; IndexUnavailable: none came in time.
        """
        pgconn = self._pgconn
        while pgconn.is_busy():
            left = deadline - time.monotonic()
            if self._poller.poll(max(0.0, min(left, PATIENCE_S)) * 1000):
                pgconn.consume_input()
            elif left <= PATIENCE_S:
                raise IndexUnavailable("the index did not answer in time", outcome_unknown=True)
            elif self._database.hangs():
                raise IndexUnavailable("the database hangs", outcome_unknown=True)
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


def _parameter(value: str | int | None) -> bytes | None:
    return None if value is None else str(value).encode()


def _value(value: bytes | None, kind: int) -> str | int | None:
    if value is None:
        return None
    return value.decode() if kind == _TEXT else int(value)


def _check(result: PGresult) -> None:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    if result.error_field(DiagnosticField.SQLSTATE) == _WAIT_FOR_LOCKS:
        raise _LocksTaken(result.error_field(DiagnosticField.MESSAGE_DETAIL) or b"{}")
    if not result.error_field(DiagnosticField.SQLSTATE):  # libpq itself: the connection is lost
        raise psycopg.OperationalError(result.get_error_message("utf-8"))
    raise error_from_result(result, encoding="utf-8")
