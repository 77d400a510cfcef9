"""Tell each repository every record, in order, again until it has it.

The trail itself is the spool: a row of ``audit_sink`` remembers the position up to which a
repository was told. Syslog has no answers, so the position follows only when the repository's host
has confirmed every byte and the connection has held for ``SETTLE_S`` after that; what was sent and
not settled is sent again on the next connection. A repository may get a record twice, never not at
all; the record's number is in the message.
"""

import contextlib
import os
import socket
import threading
import time
from collections import deque
from typing import Any, Final

import psycopg
import structlog

from negatoscope.domain.identity import Actor
from negatoscope.infra import metrics
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.settings import AuditSinkSettings, Settings
from negatoscope.subscribers.audit.atna import syslog
from negatoscope.subscribers.audit.atna.message import Source, audit_message
from negatoscope.subscribers.audit.errors import SinkUnavailable
from negatoscope.subscribers.audit.model import AuditEvent, EventClass, Outcome, from_row
from negatoscope.subscribers.audit.trail import record

_LOG = structlog.get_logger(__name__)
_SQL = load_queries("negatoscope.subscribers.audit.sql", "sinks.sql")

BATCH: Final = 200
SETTLE_S: Final = 2.0
MAX_UNSETTLED: Final = 5000
LONGEST_PAUSE_S: Final = 300


def source_of(settings: Settings) -> Source:
    """Who we are for repositories."""
    return Source(
        source_id=settings.audit.source_id,
        site=settings.audit.enterprise_site_id,
        ae_title=settings.ae_title,
        host=socket.gethostname(),
    )


def frame(event: AuditEvent, source: Source) -> bytes:
    """The syslog message of an event."""
    severity = syslog.NOTICE if event.outcome == Outcome.SUCCESS else syslog.WARNING
    return syslog.syslog_message(
        audit_message(event, source),
        at=event.occurred_at,
        host=source.host,
        process_id=os.getpid(),
        severity=severity,
    )


class Forwarder:
    """Tells one repository; of all workers of a cluster one does.

    Args:
        database: Where the trail is.
        sink: The repository.
        source: Who we are.
        settle_s: How long a connection must have held before what was sent counts as told.
    """

    def __init__(
        self,
        database: Database,
        sink: AuditSinkSettings,
        source: Source,
        *,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._database = database
        self._sink = sink
        self._source = source
        self._settle_s = settle_s
        self._own: psycopg.Connection[tuple[Any, ...]] | None = None
        self._link: syslog.Connection | None = None
        self._sent = 0
        self._told = 0
        self._advanced = False
        self._unsettled: deque[tuple[int, int, float]] = deque()

    def run(self, stop: threading.Event) -> None:
        """Tell what there is to tell; return when there is nothing, or the repository is away."""
        try:
            connection = self._alone()
            if connection is None:
                return
            while not stop.is_set() and self._step(connection):
                if len(self._unsettled) * BATCH > MAX_UNSETTLED or not self._advanced:
                    stop.wait(0.2)
            if stop.is_set():
                self.close()
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        """Hang up, and let another worker tell."""
        self._hang_up()
        if self._own is not None:
            with contextlib.suppress(psycopg.Error):
                self._own.close()
            self._own = None

    def _alone(self) -> psycopg.Connection[tuple[Any, ...]] | None:
        """A connection that holds this repository's lock; None when another worker does."""
        if self._own is not None and not self._own.closed:
            return self._own
        self._hang_up()
        connection = self._database.connect(autocommit=True)
        row = connection.execute(_SQL["lock"], (f"audit sink {self._sink.name}",)).fetchone()
        if not (row and row[0]):
            connection.close()
            return None
        connection.execute(_SQL["add"], (self._sink.name,))
        self._own = connection
        return connection

    def _step(self, connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
        """One batch. Returns: whether there is more to do now."""
        row = connection.execute(_SQL["state"], (self._sink.name,)).fetchone()
        if row is None:
            return False
        told, is_due, attempt_count = row
        if self._link is None and not is_due:
            return False
        if told != self._told:  # begun, or set back by an administrator
            self._unsettled.clear()
            self._told = self._sent = told
        waiting = connection.execute(_SQL["next"], {"after": self._sent, "limit": BATCH}).fetchall()
        self._advanced = bool(waiting)
        if not waiting and not self._unsettled:
            return False
        try:
            self._tell(waiting)
            self._settle(connection)
        except SinkUnavailable as error:
            self._failed(connection, error, attempt_count)
            return False
        if attempt_count and self._link is not None and not self._unsettled:
            self._back(connection)
        return True

    def _tell(self, rows: list[tuple[Any, ...]]) -> None:
        if self._link is None:
            self._link = syslog.connect(self._sink)
        if rows and len(self._unsettled) * BATCH <= MAX_UNSETTLED:
            self._link.send([frame(from_row(row[1:]), self._source) for row in rows])
            self._sent = rows[-1][0]
            self._unsettled.append((self._sent, len(rows), time.monotonic()))

    def _settle(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        assert self._link is not None  # noqa: S101 - told a moment ago
        if not self._link.taken():
            return
        count = 0
        settled_s = time.monotonic() - self._settle_s
        while self._unsettled and self._unsettled[0][2] <= settled_s:
            self._told, some, _ = self._unsettled.popleft()
            count += some
        if count:
            connection.execute(
                _SQL["told"], {"name": self._sink.name, "position": self._told, "count": count}
            )

    def _failed(
        self, connection: psycopg.Connection[tuple[Any, ...]], error: SinkUnavailable, before: int
    ) -> None:
        self._hang_up()
        self._sent = self._told
        pause_s = min(LONGEST_PAUSE_S, 2 ** min(before, 9))
        metrics.AUDIT_SINK_FAILURES.labels(self._sink.name).inc()
        connection.execute(
            _SQL["failed"],
            {"name": self._sink.name, "pause_s": pause_s, "error": error.message[:500]},
        )
        _LOG.warning(
            "audit.sink_unavailable", sink=self._sink.name, reason=error.message, again_in_s=pause_s
        )
        if before == 0:
            self._record("audit repository lost", Outcome.FAILED, error.message)

    def _back(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        connection.execute(_SQL["back"], (self._sink.name,))
        _LOG.info("audit.sink_back", sink=self._sink.name)
        self._record("audit repository back", Outcome.SUCCESS, None)

    def _record(self, action: str, outcome: str, reason: str | None) -> None:
        record(
            self._database,
            actor=Actor.system("audit"),
            action=action,
            outcome=outcome,
            event_class=EventClass.SYSTEM,
            reason=reason,
            detail={"repository": self._sink.name},
        )

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
        self._unsettled.clear()


def forget_others(database: Database, names: list[str]) -> None:
    """Take away the rows of repositories that are not among the settings any more."""
    with database.connection() as connection:
        connection.execute(_SQL["forget"], (names,))


def told_position(database: Database) -> int | None:
    """Up to where every repository was told; None without any."""
    with database.connection() as connection:
        row = connection.execute(_SQL["least"]).fetchone()
    return None if row is None else row[0]


def measure(database: Database) -> None:
    """How many records each repository was not told yet."""
    with database.connection() as connection:
        for name, count in connection.execute(_SQL["waiting"]):
            metrics.AUDIT_SINK_WAITING.labels(name).set(count)


def set_back(database: Database, name: str, *, since: Any) -> int:
    """Have a repository told again of what was sealed since an instant.

    Returns: How many records; -1 when there is no such repository.
    """
    with database.connection() as connection:
        row = connection.execute(_SQL["set_back"], {"name": name, "since": since}).fetchone()
    return -1 if row is None else int(row[0])
