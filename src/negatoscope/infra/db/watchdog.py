"""Breaks connections to a server that hangs, and lets nobody wait for it until it answers again.

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

PATIENCE_S: Final = 2.0
"""A connection borrowed for longer makes us look."""
_LOOKS_EVERY_S: Final = 0.5

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
        self._hangs = False
        self._looked = 0
        self._looking = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def hangs(self) -> bool:
        """The server did not greet us when we looked last, and we look again every half second."""
        return self._hangs

    def lent(self, line: Line) -> None:
        """A connection was borrowed."""
        line.borrowed_at_s = time.monotonic()
        with self._lock:
            self._borrowed.add(line)
            self._begin()

    def returned(self, line: Line) -> None:
        """It came back."""
        with self._lock:
            self._borrowed.discard(line)

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def look(self) -> bool:
        """Greet the server now. Returns: whether it hangs; connections borrowed for long are cut then."""
        seen = self._looked
        with self._looking:
            if self._looked != seen:  # another thread has just asked
                return self._hangs
            try:
                self._greet()
            except DatabaseUnavailable as error:
                with self._lock:
                    late = self._late_ones()
                    for line in late:
                        line.cut()
                    self._begin()
                if not self._hangs:
                    _LOG.error(
                        "the database hangs", connections_cut=len(late), reason=error.message
                    )
                self._hangs = True
            else:
                self._hangs = False
            self._looked += 1
            return self._hangs

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="db-watchdog", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(min(self._patience_s, _LOOKS_EVERY_S)):
            if self._hangs or self._late():
                self.look()

    def _late(self) -> bool:
        with self._lock:
            return bool(self._late_ones())

    def _late_ones(self) -> list[Line]:
        before_s = time.monotonic() - self._patience_s
        return [line for line in self._borrowed if line.borrowed_at_s < before_s]
