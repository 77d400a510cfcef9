"""Breaks connections to a server that hangs.

A server that is stopped, or whose disk does not answer, keeps its connections open and says nothing: libpq waits for ever. A long
query looks the same from here, so nothing is broken before the server fails to greet a new connection.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
import structlog

from negatoscope.infra.errors import DatabaseUnavailable

PATIENCE_S: Final = 5.0
"""A connection borrowed for longer makes us look."""

Connection = psycopg.Connection[tuple[Any, ...]]
_LOG = structlog.get_logger(__name__)


class Line:
    """A second handle on the socket of a connection, which stays valid whatever libpq does to its own."""

    __slots__ = ("_socket", "borrowed_at_s")

    def __init__(self, connection: Connection) -> None:
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self.borrowed_at_s = 0.0

    def cut(self) -> None:
        """End the conversation: whoever waits for an answer is told that there is none."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the socket, after the connection did."""
        self._socket.close()


class Watchdog:
    """Looks after the borrowed connections of one pool, on a thread of its own.

    Args:
        greet: Makes and closes a new connection, in bounded time.
        patience_s: How long a connection may be borrowed before the server is greeted.
    """

    def __init__(self, greet: Callable[[], None], *, patience_s: float = PATIENCE_S) -> None:
        self._greet = greet
        self._patience_s = patience_s
        self._borrowed: set[Line] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def lent(self, line: Line) -> None:
        """A connection was borrowed."""
        line.borrowed_at_s = time.monotonic()
        with self._lock:
            self._borrowed.add(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="db-watchdog", daemon=True)
                self._thread.start()

    def returned(self, line: Line) -> None:
        """It came back."""
        with self._lock:
            self._borrowed.discard(line)

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._patience_s / 4):
            if not self._late():
                continue
            try:
                self._greet()
            except DatabaseUnavailable as error:
                with self._lock:
                    late = self._late_ones()
                    for line in late:
                        line.cut()
                _LOG.error("the database hangs", connections_cut=len(late), reason=error.message)

    def _late(self) -> bool:
        with self._lock:
            return bool(self._late_ones())

    def _late_ones(self) -> list[Line]:
        before_s = time.monotonic() - self._patience_s
        return [line for line in self._borrowed if line.borrowed_at_s < before_s]
