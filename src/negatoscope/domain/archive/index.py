"""The index as ingest uses it: one thread that commits what several associations submit together.

The transaction commits asynchronously (``synchronous_commit = off``): the segment is the index's log. What PostgreSQL loses in
a crash is found again by looking at the open segments (``recovery``), which happens when a process starts and each time this
writer gets a new connection after having lost one. Sealing a segment commits synchronously and so flushes all that came before.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
_MAX_BATCH = 64
_TEXT = 25  # pg_type.oid
_MAX_UID_CODES = 30_000
_RECONNECT_BUDGET_S = 1.5
_WATCH_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index's answer for one record."""

    outcome: str
    study_id: int | None
    series_id: int | None


@dataclass(slots=True)
class Ticket:
    """One record on its way into the index."""

    payload: dict[str, Any]
    _gate: threading.Lock = field(default_factory=threading.Lock)
    _answer: Indexed | IndexUnavailable | None = None

    def __post_init__(self) -> None:
        """Closed until answered."""
        self._gate.acquire()

    def answer(self, answer: Indexed | IndexUnavailable) -> None:
        """Set the outcome and wake the association."""
        self._answer = answer
        self._gate.release()

    def wait(self, timeout_s: float) -> Indexed:
        """The outcome.

        Raises: IndexUnavailable: also when no answer came in time (the outcome is then unknown).
        """
        if not self._gate.acquire(timeout=timeout_s):
            raise IndexUnavailable("the index did not answer in time", outcome_unknown=True)
        if isinstance(self._answer, IndexUnavailable):
            raise self._answer
        assert self._answer is not None  # noqa: S101 - set before the gate opens
        return self._answer


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
    """Commits submitted records in batches.

    Args:
        database: Where the index is.
        on_reconnect: Called in the writer's thread, with the fresh connection's time, after a lost connection was replaced and
            before anything else is committed: rows committed asynchronously may have vanished.
    """

    def __init__(
        self, database: Database, *, on_reconnect: Callable[[], None] | None = None
    ) -> None:
        self._database = database
        self.on_reconnect = on_reconnect
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._had_connection = False
        self._thread = threading.Thread(target=self._run, name="index-writer", daemon=True)
        self._started = False
        self._start_lock = threading.Lock()

    def submit(self, payload: dict[str, Any]) -> Ticket:
        """Queue one record (keys as ``archive_ingest`` names them)."""
        if not self._started:
            with self._start_lock:
                if not self._started:
                    self._thread.start()
                    self._started = True
        ticket = Ticket(payload)
        self._queue.put(ticket)
        return ticket

    def close(self) -> None:
        """Commit what is queued and stop."""
        if self._started:
            self._queue.put(None)
            self._thread.join(timeout=30)
        if self._connection is not None:
            self._connection.close()

    def _run(self) -> None:
        while True:
            first = self._next()
            if first is None:
                return
            batch = [first]
            stop = False
            while len(batch) < _MAX_BATCH:
                try:
                    ticket = self._queue.get_nowait()
                except queue.Empty:
                    break
                if ticket is None:
                    stop = True
                    break
                batch.append(ticket)
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happens to one batch
                _log.exception("index.batch_failed")
                for ticket in batch:
                    ticket.answer(IndexUnavailable(str(error), outcome_unknown=True))
            if stop:
                return

    def _next(self) -> Ticket | None:
        """The next record. While none comes, the connection is watched."""
        while True:
            try:
                return self._queue.get(timeout=_WATCH_S)
            except queue.Empty:
                self._watch()

    def _watch(self) -> None:
        """Notice a database that crashed in a quiet moment: what it lost is indexed again now, not with the next image."""
        if not self._had_connection:
            return
        try:
            self._connect().execute("SELECT 1")
        except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable):
            self._drop()
        except Exception:  # noqa: BLE001 - tried again in a moment
            _log.exception("index.watch_failed")

    def _commit(self, batch: list[Ticket]) -> None:
        """Known families in one statement, the others by the function that makes their rows."""
        known = [ticket for ticket in batch if "series_fk" in ticket.payload]
        if known:
            self._try(known, b"ingest_known", _answer_known)
        new = [ticket for ticket in batch if "series_fk" not in ticket.payload]
        if new:
            self._try(new, b"ingest", _answer_new)

    def _try(
        self,
        batch: list[Ticket],
        name: bytes,
        answer: Callable[[list[Ticket], list[tuple[Any, ...]]], None],
    ) -> None:
        payload = orjson.dumps([ticket.payload for ticket in batch])
        sent = False
        deadline = time.monotonic() + _RECONNECT_BUDGET_S
        while True:
            try:
                connection = self._connect()
                sent = True
                rows = _ask(connection, name, payload)
                break
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                continue
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseUnavailable) as error:
                self._drop()
                if time.monotonic() >= deadline:
                    for ticket in batch:
                        ticket.answer(
                            IndexUnavailable("the database does not answer", outcome_unknown=sent)
                        )
                    _log.warning("index.unavailable", records=len(batch), error=str(error)[:200])
                    return
                time.sleep(0.1)
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                self._isolate(batch, error)
                return
        answer(batch, rows)

    def _isolate(self, batch: list[Ticket], error: psycopg.Error) -> None:
        """One record that the database cannot take must not fail its neighbours."""
        if len(batch) == 1:
            _log.error("index.record_refused", error=str(error).splitlines()[0][:200])
            batch[0].answer(Indexed("REFUSED", None, None))
            return
        for ticket in batch:
            self._commit([ticket])

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            connection = self._database.connect(autocommit=True)
            connection.execute("SET synchronous_commit TO off")
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (INDEX_LOCK,))
            for name in (b"ingest_known", b"ingest"):
                statement = _SQL[name.decode()].replace("%s", "$1").encode()
                _check(connection.pgconn.prepare(name, statement, [_TEXT]))
            if self._had_connection and self.on_reconnect is not None:
                self.on_reconnect()
            self._connection = connection
            self._had_connection = True
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _answer_new(batch: list[Ticket], rows: list[tuple[Any, ...]]) -> None:
    for ticket, row in zip(batch, rows, strict=True):
        ticket.answer(Indexed(*row))


def _answer_known(batch: list[Ticket], rows: list[tuple[Any, ...]]) -> None:
    added = set(rows)
    for ticket in batch:
        payload = ticket.payload
        if (payload["seg"], payload["off"]) in added:
            ticket.answer(Indexed("STORED", payload["study_fk"], payload["series_fk"]))
        else:
            ticket.answer(Indexed("AGAIN WITH ATTRIBUTES", None, None))


def _ask(
    connection: psycopg.Connection[tuple[Any, ...]], name: bytes, payload: bytes
) -> list[tuple[Any, ...]]:
    """Run a prepared statement by the shortest way: this is called for every stored object.

    Raises: psycopg.Error, as ``Connection.execute`` would.
    """
    result = connection.pgconn.exec_prepared(name, [payload])
    _check(result)
    columns = range(result.nfields)
    return [
        tuple(_value(result.get_value(row, column), result.ftype(column)) for column in columns)
        for row in range(result.ntuples)
    ]


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
