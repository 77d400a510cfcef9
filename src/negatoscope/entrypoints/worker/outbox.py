"""Hands the events of the outbox to their subscribers: at least once, in their order, never lost.

A batch is one transaction: its events are locked (``SKIP LOCKED``: several workers share the
work), each is handed to each of its subscribers inside a savepoint, and those that went well are
deleted with whatever the subscribers wrote. When a subscriber fails, its own writes alone are taken
back; the event stays, with the names of those who have had it, and is tried again with the others
later and later. After ``MAX_ATTEMPTS`` it is parked: it stays in the table, out of the way, and a
task tells the administrator.
"""

import select
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psycopg
import structlog
from psycopg.types.json import Jsonb

from negatoscope.infra import metrics
from negatoscope.infra.db import Database, load_queries
from negatoscope.infra.events import CHANNEL, Event
from negatoscope.infra.logging import describe

_LOG = structlog.get_logger(__name__)

Subscriber = Callable[[psycopg.Connection[Any], Event], None]
"""Called in the batch's transaction; runs again for the same event after it failed."""

EVERY_KIND: Final = "*"
MAX_ATTEMPTS: Final = 8
BATCH_SIZE: Final = 200
POLL_INTERVAL_S: Final = 0.5
LONGEST_DELAY_S: Final = 600.0
_RECONNECT_DELAY_S: Final = 2.0
_OF_THE_EVENT: Final = frozenset({"40001", "40P01", "55P03", "57014"})
"""SQLSTATE of operational errors that a statement met, with the database well: serialization, deadlock, lock, time."""


class OutboxConsumer:
    """Delivers events until it is stopped.

    Args:
        database: Where the outbox is.
        subscribers: By kind of event; those under ``EVERY_KIND`` get all.
        first_delay_s: Wait after the first failure of an event; doubles each time.
    """

    def __init__(
        self,
        database: Database,
        subscribers: Mapping[str, Sequence[Subscriber]],
        *,
        first_delay_s: float = 1.0,
    ) -> None:
        self._database = database
        self._subscribers = subscribers
        self._first_delay_s = first_delay_s
        self._queries = load_queries("negatoscope.entrypoints.worker.sql", "outbox.sql")

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop`` is set; goes on after the database was away."""
        while not stop.is_set():
            try:
                with self._database.connect(autocommit=True) as listener:
                    listener.execute(f"LISTEN {CHANNEL}")
                    while not stop.is_set():
                        if self.deliver_batch() < BATCH_SIZE:
                            self._wait(listener)
            except Exception as error:  # noqa: BLE001 - a broken connection has many faces; events wait
                _LOG.warning("the outbox waits for the database", reason=describe(error))
                stop.wait(_RECONNECT_DELAY_S)

    def deliver_batch(self) -> int:
        """Hand on the events that are due.

        Returns: How many were looked at.
        """
        with self._database.connection() as connection:
            rows = connection.execute(self._queries["due"], {"limit": BATCH_SIZE}).fetchall()
            delivered: list[int] = []
            for ident, kind, payload, created_at, attempts, handled in rows:
                event = Event(
                    id=ident, kind=kind, payload=payload, created_at=created_at, attempts=attempts
                )
                if self._deliver(connection, event, handled):
                    delivered.append(ident)
            if delivered:
                connection.execute(self._queries["delete"], {"ids": delivered})
        return len(rows)

    def _deliver(
        self, connection: psycopg.Connection[Any], event: Event, handled: Sequence[str]
    ) -> bool:
        """Hand an event to those who have not had it.

        Returns: Whether all have had it.

        Raises:
            psycopg.OperationalError: the database failed, not a subscriber.
        """
        done = list(handled)
        failures: dict[str, Exception] = {}
        for subscriber in self._for(event.kind):
            name = name_of(subscriber)
            if name in handled:
                continue
            try:
                with connection.transaction():
                    subscriber(connection, event)
            except Exception as error:
                if connection.closed or _is_of_database(error):
                    raise
                failures[name] = error
            else:
                done.append(name)
        if failures:
            self._failed(connection, event, failures, done)
        return not failures

    def _for(self, kind: str) -> list[Subscriber]:
        return [*self._subscribers.get(kind, ()), *self._subscribers.get(EVERY_KIND, ())]

    def _failed(
        self,
        connection: psycopg.Connection[Any],
        event: Event,
        failures: Mapping[str, Exception],
        done: Sequence[str],
    ) -> None:
        attempts = event.attempts + 1
        reason = "; ".join(f"{name}: {describe(error)}" for name, error in failures.items())
        parameters = {
            "id": event.id, "attempts": attempts, "error": reason, "handled": list(done),
        }  # fmt: skip
        if attempts < MAX_ATTEMPTS:
            delay_s = min(self._first_delay_s * 2 ** (attempts - 1), LONGEST_DELAY_S)
            connection.execute(
                self._queries["postpone"],
                {**parameters, "delay_s": delay_s},
            )
            _LOG.warning(
                "an event failed and is tried again",
                kind=event.kind, id=event.id, attempts=attempts, reason=reason,
            )  # fmt: skip
            return
        connection.execute(self._queries["park"], parameters)
        connection.execute(
            self._queries["task"],
            {
                "subject": str(event.id),
                "detail": Jsonb({"kind": event.kind, "error": reason[:500]}),
            },
        )
        metrics.EVENTS_PARKED.labels(event.kind).inc()
        _LOG.error("an event is parked", kind=event.kind, id=event.id, reason=reason)

    @staticmethod
    def _wait(listener: psycopg.Connection[Any]) -> None:
        """Until somebody notifies, at most ``POLL_INTERVAL_S``."""
        select.select([listener.fileno()], [], [], POLL_INTERVAL_S)
        for _ in listener.notifies(timeout=0):
            pass


def name_of(subscriber: Subscriber) -> str:
    """What a subscriber is remembered by, from one delivery to the next."""
    module = subscriber.__module__.removeprefix("negatoscope.").removeprefix("subscribers.")
    return f"{module}.{subscriber.__qualname__}"


def _is_of_database(error: Exception) -> bool:
    return isinstance(error, psycopg.OperationalError) and error.sqlstate not in _OF_THE_EVENT
