"""The MLLP client: what is queued for a destination goes there, one message in flight.

A thread for each destination, and among all processes one that has it: it holds an advisory lock
of the database for as long as its connection to that lives. A receiver that does not answer is
called again, later and later, for ever; MSH-10 stays, so that it knows what it got already. An
answer counts when its MSA-2 is that of the message in flight; nothing that comes is acknowledged.
"""

import contextlib
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
import structlog

from negatoscope.domain.messages import Destination, Kind, OutboundState, UnknownDestination
from negatoscope.domain.messages import destinations as registry
from negatoscope.domain.messages import outbound as queue
from negatoscope.entrypoints.hl7v2 import placer_numbers
from negatoscope.infra import metrics
from negatoscope.infra.db import Database
from negatoscope.infra.errors import DatabaseUnavailable
from negatoscope.protocols.hl7v2 import (
    Acknowledgement,
    FrameReader,
    FrameTooLong,
    MalformedMessage,
    framed,
    parse,
    read_acknowledgement,
)

READ_BYTES: Final = 1 << 16
MAX_ANSWER_BYTES: Final = 1 << 20
FIRST_BACK_OFF_S: Final = 1.0
LONGEST_BACK_OFF_S: Final = 300.0
STOP_GRACE_S: Final = 5.0
"""How long an answer is waited for when the process ends."""
_LOOK_S: Final = 1.0
"""The queue is looked at so often, besides being told of each message."""
_ALIVE_S: Final = 10.0
_STANDBY_S: Final = 3.0
_RETRY_S: Final = 2.0
_log = structlog.get_logger(__name__)

TlsContexts = Callable[[bool], ssl.SSLContext]
"""Makes the context of a connection: whether the certificate must name the host."""


class NoAnswer(Exception):
    """The connection cannot be used any more."""


class Sender:
    """Looks after every active destination.

    Args:
        database: Where the queues are.
        tls: Of encrypted connections.
        first_back_off_s: Pause after the first failure, doubled each time.
    """

    def __init__(
        self, database: Database, tls: TlsContexts, *, first_back_off_s: float = FIRST_BACK_OFF_S
    ) -> None:
        self._database = database
        self._tls = tls
        self._first_back_off_s = first_back_off_s
        self._stop = threading.Event()
        self._lines: dict[int, Line] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work on threads of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="hl7-sender", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for the answers under way, then end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        lines = list(self._lines.values())
        for line in lines:
            line.end()
        for line in lines:
            line.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.connection() as connection:
                    wanted = {one.id for one in registry.active(connection)}
            except (DatabaseUnavailable, psycopg.OperationalError) as error:
                _log.warning("hl7.database_unavailable", reason=str(error).split("\n")[0])
                self._stop.wait(_RETRY_S)
                continue
            for number in wanted - set(self._lines):
                line = Line(self._database, number, self._tls, self._first_back_off_s)
                self._lines[number] = line
                line.start()
            for number in set(self._lines) - wanted:
                self._lines[number].end()
                if not self._lines[number].is_alive():
                    del self._lines[number]
            self._stop.wait(_LOOK_S)


class Line(threading.Thread):
    """The connection to one destination.

    Args:
        database: Where its queue is.
        number: Row of hl7_destination.
        tls: Of encrypted connections.
        first_back_off_s: Pause after the first failure, doubled each time.
    """

    def __init__(
        self, database: Database, number: int, tls: TlsContexts, first_back_off_s: float
    ) -> None:
        super().__init__(name=f"hl7-line-{number}", daemon=True)
        self._database = database
        self._number = number
        self._tls = tls
        self._first_back_off_s = first_back_off_s
        self._ending = threading.Event()
        self._socket: socket.socket | None = None
        self._frames = FrameReader(MAX_ANSWER_BYTES)
        self._address: tuple[object, ...] = ()
        self._failures = 0
        self._next_attempt_s = 0.0
        self._alive_s = 0.0
        self._wants_connection = True

    def end(self) -> None:
        """After the message in flight."""
        self._ending.set()

    def run(self) -> None:
        """Send what waits until `end`."""
        while not self._ending.is_set():
            try:
                with contextlib.closing(self._database.connect(autocommit=True)) as connection:
                    if not queue.claim(connection, self._number):
                        self._ending.wait(_STANDBY_S)
                        continue
                    connection.execute(f"LISTEN {registry.CHANNEL}")
                    try:
                        self._serve(connection)
                    finally:
                        self._hang_up()
                    self._note(connection, is_connected=False)
            except UnknownDestination:
                return
            except (DatabaseUnavailable, psycopg.OperationalError) as error:
                _log.warning("hl7.database_unavailable", reason=str(error).split("\n")[0])
                self._ending.wait(_RETRY_S)
            except Exception:  # noqa: BLE001 - a fault of ours must not silence a destination
                _log.exception("hl7.sender_failed", destination=self._number)
                self._ending.wait(_RETRY_S)

    def _serve(self, connection: psycopg.Connection[Any]) -> None:
        while not self._ending.is_set():
            destination = registry.get(connection, self._number)
            if not destination.is_active:
                return
            self._tell(connection, destination)
            address = (destination.host, destination.port, destination.tls, destination.check_host)
            if address != self._address or destination.is_paused:
                if self._socket is not None:
                    self._hang_up()
                    self._note(connection, is_connected=False)
                if address != self._address:
                    self._address, self._failures, self._next_attempt_s = address, 0, 0.0
                    self._wants_connection = True
            if destination.is_paused or time.monotonic() < self._next_attempt_s:
                self._wait(connection)
                continue
            due = queue.next_due(connection, self._number, holds=destination.holds_after_refusal)
            if due is None and not (self._wants_connection and self._socket is None):
                self._wait(connection)
                continue
            if self._socket is not None:
                self._listen(connection, 0.0)  # it may have hung up since
            if self._socket is None and not self._call(connection, destination):
                continue
            if due is not None:
                self._send(connection, destination, due)

    # -- the connection -----------------------------------------------------------------------

    def _call(self, connection: psycopg.Connection[Any], destination: Destination) -> bool:
        where = f"{destination.host}:{destination.port}"
        try:
            plain = socket.create_connection(
                (destination.host, destination.port), timeout=destination.connect_timeout_s
            )
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                self._socket = (
                    self._tls(destination.check_host).wrap_socket(
                        plain, server_hostname=destination.host
                    )
                    if destination.tls
                    else plain
                )
            except BaseException:
                plain.close()
                raise
        except (OSError, ValueError, UnicodeError) as error:
            self._failed(connection, f"{where}: {_told(error)}")
            return False
        self._frames = FrameReader(MAX_ANSWER_BYTES)
        self._wants_connection = False
        self._note(connection, is_connected=True)
        _log.info("hl7.connected", destination=destination.name, address=where)
        return True

    def _failed(self, connection: psycopg.Connection[Any], reason: str) -> None:
        """Call again later."""
        self._hang_up()
        delay_s = self._back_off(self._failures)
        self._failures += 1
        self._next_attempt_s = time.monotonic() + delay_s
        self._wants_connection = True
        self._note(connection, is_connected=False, error=reason, next_attempt_s=delay_s)
        _log.warning(
            "hl7.not_sent", destination=self._number, reason=reason, again_in_s=round(delay_s, 1)
        )

    def _back_off(self, failures: int) -> float:
        longest = min(self._first_back_off_s * 2.0 ** min(failures, 16), LONGEST_BACK_OFF_S)
        return float(longest * random.uniform(0.8, 1.0))

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _wait(self, connection: psycopg.Connection[Any]) -> None:
        """Until something is queued, the other side says something, or a second has passed."""
        self._listen(connection, _LOOK_S)

    def _listen(self, connection: psycopg.Connection[Any], patience_s: float) -> None:
        watched: list[Any] = [connection.fileno()]
        if self._socket is not None:
            watched.append(self._socket)
        ready, _, _ = select.select(watched, [], [], patience_s)
        for _ in connection.notifies(timeout=0):
            pass
        if self._socket is None or self._socket not in ready:
            return
        try:
            self._socket.settimeout(_LOOK_S)
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:  # a record of TLS that is no data
            return
        except OSError:
            data = b""
        if data:
            self._late(data)
        else:  # the other side hung up while nothing was to be said
            self._hang_up()
            self._note(connection, is_connected=False)

    def _late(self, data: bytes) -> None:
        """Something nobody waits for: never acknowledged, only noted."""
        with contextlib.suppress(FrameTooLong):
            for _ in self._frames.feed(data):
                _log.info("hl7.unexpected_answer", destination=self._number)

    # -- a message ----------------------------------------------------------------------------

    def _send(
        self, connection: psycopg.Connection[Any], destination: Destination, due: queue.Due
    ) -> None:
        queue.note_attempt(connection, due.id)
        assert self._socket is not None  # noqa: S101 - called before
        try:
            answer, content = self._exchange(self._socket, due, destination.answer_timeout_s)
        except (OSError, NoAnswer, FrameTooLong) as error:
            reason = _told(error)
            metrics.HL7_SENT.labels(destination.name, "none").inc()
            is_silent = isinstance(error, TimeoutError)
            # A receiver that takes connections and is silent about one message may take others:
            # that message waits, longer each time, its patient with it.
            delay_s = self._back_off(due.attempt_count) if is_silent else 0.0
            queue.postpone(connection, due.id, delay_s=delay_s, reason=reason)
            if is_silent:
                self._hang_up()  # an answer that comes late must not be taken for the next one's
                self._note(connection, is_connected=False, error=f"{due.control_id}: {reason}")
                self._wants_connection = True
            else:
                self._failed(connection, reason)
            return
        self._failures = 0
        metrics.HL7_SENT.labels(destination.name, answer.code).inc()
        # Of a test it is the answer that counts, whatever it says.
        is_good = answer.code.is_positive or due.kind == Kind.TEST
        state = OutboundState.ACKNOWLEDGED if is_good else OutboundState.REFUSED
        where = f"{answer.location}: " if answer.location else ""
        reason = f"{where}{answer.text}" if answer.text else ""
        with connection.transaction():
            if is_good and due.kind == Kind.ORDER_NUMBERS and due.request is not None:
                refusal = placer_numbers.take(
                    connection,
                    content,
                    destination=destination,
                    message=due.id,
                    order=due.request,
                )
                if refusal:
                    state, reason = OutboundState.REFUSED, refusal
            queue.finish_sent(
                connection,
                due.id,
                state=state,
                code=answer.code,
                error_code=answer.error_code,
                reason=reason,
                answer=content,
            )
        if state == OutboundState.REFUSED:
            _log.warning(
                "hl7.refused", destination=destination.name, message_id=due.id, code=answer.code
            )

    def _exchange(
        self, line: socket.socket, due: queue.Due, timeout_s: float
    ) -> tuple[Acknowledgement, bytes]:
        """Send a message and wait for its answer.

        Raises:
            TimeoutError: none came.
            NoAnswer: the connection was closed, or the process ends.
            OSError: the network.
        """
        line.settimeout(timeout_s)
        line.sendall(framed(due.content))
        deadline_s = time.monotonic() + timeout_s
        strange = 0
        while True:
            left_s = deadline_s - time.monotonic()
            if self._ending.is_set():
                deadline_s = min(deadline_s, time.monotonic() + STOP_GRACE_S)
            if left_s <= 0:
                raise TimeoutError(
                    f"no answer in {timeout_s:g} s"
                    + (f" ({strange} to other messages)" if strange else "")
                )
            line.settimeout(min(left_s, _LOOK_S))
            try:
                data = line.recv(READ_BYTES)
            except TimeoutError:
                continue
            if not data:
                raise NoAnswer("the connection was closed before the answer")
            for content in self._frames.feed(data):
                answer = _answer_in(content)
                if answer is not None and answer.control_id == due.control_id:
                    return answer, content
                strange += 1
                _log.info("hl7.unexpected_answer", destination=self._number)

    # -- for the page -------------------------------------------------------------------------

    def _note(
        self,
        connection: psycopg.Connection[Any],
        *,
        is_connected: bool,
        error: str = "",
        next_attempt_s: float | None = None,
    ) -> None:
        queue.note_connection(
            connection,
            self._number,
            is_connected=is_connected,
            error=error,
            next_attempt_s=next_attempt_s,
        )

    def _tell(self, connection: psycopg.Connection[Any], destination: Destination) -> None:
        """Now and then: that the sender lives, and how long the queue is."""
        now = time.monotonic()
        if now < self._alive_s:
            return
        self._alive_s = now + _ALIVE_S
        queue.note_alive(connection, self._number)
        waiting, oldest_s, refused = queue.figures(connection, self._number)
        metrics.HL7_OUTBOUND_WAITING.labels(destination.name).set(waiting)
        metrics.HL7_OUTBOUND_OLDEST_SECONDS.labels(destination.name).set(oldest_s)
        metrics.HL7_OUTBOUND_REFUSED.labels(destination.name).set(refused)


def _answer_in(content: bytes) -> Acknowledgement | None:
    try:
        return read_acknowledgement(parse(content))
    except MalformedMessage:
        return None


def _told(error: Exception) -> str:
    """In words for an administrator."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return "the host is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, FrameTooLong):
        return error.message
    if isinstance(error, TimeoutError):
        return str(error) if error.args and "answer" in str(error) else "no connection in time"
    return str(error) or type(error).__name__
