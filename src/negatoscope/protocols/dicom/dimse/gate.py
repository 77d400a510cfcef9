"""The front gate: every connection that has not yet earned an association.

One thread and one selector hold all half-open connections, whatever their number: TLS handshakes,
A-ASSOCIATE-RQ PDUs that trickle in, refused peers that have yet to close. A connection costs its
socket and at most one A-ASSOCIATE-RQ; it leaves when the request is whole, when the ARTIM timer
expires, or when it is the oldest of the host that holds most while room is needed. A newcomer is
never the one that goes: a thousand stalled sockets do not keep a modality out.
"""

import contextlib
import errno
import itertools
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from negatoscope.protocols.dicom.ul.connection import (
    NEED_DATA,
    AssociationRequested,
    Connection,
    ProviderAborted,
)
from negatoscope.protocols.dicom.ul.pdu import AssociateRequest

_log = structlog.get_logger(__name__)

_ACCEPTS_PER_WAKE: Final = 64
_DISCARD_BYTES: Final = 65_536
_PAUSE_S: Final = 0.2
_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listening socket, and the TLS context of its connections if any."""

    socket: socket.socket
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """Bounds on connections that are not associations.

    Attributes:
        max_half_open: In total.
        max_half_open_per_host: Of one address.
        max_associate_pdu_bytes: Longest A-ASSOCIATE-RQ (its length field).
        max_pdu_bytes: Longest P-DATA-TF the associations will accept.
        artim_s: From the connection to a whole A-ASSOCIATE-RQ, TLS handshake included.
        linger_s: From our A-ASSOCIATE-RJ or A-ABORT until we close ourselves.
    """

    max_half_open: int = 512
    max_half_open_per_host: int = 64
    max_associate_pdu_bytes: int = 65_536
    max_pdu_bytes: int = 262_144
    artim_s: float = 30.0
    linger_s: float = 2.0


class Phase(StrEnum):
    """What a half-open connection is doing."""

    HANDSHAKE = "handshake"
    REQUEST = "request"
    JUDGED = "judged"  # its request is whole; somebody else decides; the gate does not touch it
    CLOSING = "closing"
    GONE = "gone"


class HalfOpen:
    """A connection on its way to an association."""

    __slots__ = ("connection", "host", "phase", "port", "sock")

    def __init__(self, sock: socket.socket, host: str, port: int, connection: Connection) -> None:
        self.sock = sock
        self.host = host
        self.port = port
        self.connection = connection
        self.phase = Phase.REQUEST


class FrontGate:
    """Accepts connections and gives out whole A-ASSOCIATE-RQ. `run` is the body of its thread."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        limits: GateLimits,
        on_request: Callable[[HalfOpen, AssociateRequest], None],
        on_tls_refused: Callable[[HalfOpen, str], None],
    ) -> None:
        """Nothing is accepted before `run`.

        Args:
            listeners: Listening sockets; the gate closes them when it stops.
            limits: Bounds.
            on_request: Called on the gate's thread with a connection that is no longer watched;
                must not block. Ends with `let_in` or `turn_away`, from any thread.
            on_tls_refused: Likewise, with a connection whose handshake failed, and why.
        """
        self._listeners = listeners
        self._limits = limits
        self._tls: ssl.SSLContext | None = None
        self._on_request = on_request
        self._on_tls_refused = on_tls_refused
        self._selector = selectors.DefaultSelector()
        # Deadlines, each dictionary in the order of its deadlines: they all have the same length.
        self._half_open: dict[HalfOpen, float] = {}
        self._closing: dict[HalfOpen, float] = {}
        self._per_host: Counter[str] = Counter()
        self._returned: deque[tuple[HalfOpen, bytes | None]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._paused_until = 0.0
        self._stopping = threading.Event()
        self.evicted = 0
        self.timed_out = 0
        self.refused_handshakes = 0

    @property
    def half_open(self) -> int:
        """Connections held now."""
        return len(self._half_open) + len(self._closing)

    # ---- from any thread

    def reconfigure(self, limits: GateLimits, tls: ssl.SSLContext | None) -> None:
        """Take other limits and, for listeners over TLS, another context; both from now on."""
        self._limits = limits
        self._tls = tls or self._tls

    def let_in(self, half_open: HalfOpen) -> None:
        """The connection became an association: the gate forgets it."""
        self._returned.append((half_open, None))
        self._wake()

    def turn_away(self, half_open: HalfOpen, answer: bytes) -> None:
        """Sends the answer (A-ASSOCIATE-RJ) and waits a little for the peer to close."""
        if self._stopping.is_set():
            with contextlib.suppress(OSError):
                half_open.sock.send(answer)
            half_open.sock.close()
            return
        self._returned.append((half_open, answer))
        self._wake()

    def stop(self) -> None:
        """Closes the listeners and every half-open connection; `run` returns."""
        self._stopping.set()
        self._wake()

    def _wake(self) -> None:
        try:
            self._wake_in.send(b"\0")
        except OSError:  # full: it will wake anyway; closed: it is gone
            return

    # ---- the gate's thread

    def run(self) -> None:
        """Runs until `stop`."""
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        for listener in self._listeners:
            listener.socket.setblocking(False)
            self._selector.register(listener.socket, selectors.EVENT_READ, listener)
        try:
            while not self._stopping.is_set():
                self._step()
        finally:
            for listener in self._listeners:
                listener.socket.close()
            for half_open in [*self._closing, *self._half_open]:
                if half_open.phase is not Phase.JUDGED:
                    self._drop(half_open)
            self._selector.close()
            self._wake_in.close()
            self._wake_out.close()

    def _step(self) -> None:
        for key, _ in self._selector.select(self._wait_s()):
            owner = key.data
            try:
                if owner is None:
                    self._wake_out.recv(4096)
                elif isinstance(owner, Listener):
                    self._accept(owner)
                elif owner.phase is not Phase.GONE:
                    self._advance(owner)
            except _WOULD_BLOCK:
                continue
            except Exception:  # noqa: BLE001 - one connection's trouble, never the gate's
                _log.exception("gate step failed")
                if isinstance(owner, HalfOpen):
                    self._drop(owner)
        while self._returned:
            self._take_back(*self._returned.popleft())
        self._expire()

    def _wait_s(self) -> float | None:
        now = time.monotonic()
        if self._paused_until:
            if now < self._paused_until:
                return self._paused_until - now
            self._paused_until = 0.0
            for listener in self._listeners:
                self._selector.register(listener.socket, selectors.EVENT_READ, listener)
        deadline = min((at for _, at in self._next_to_expire()), default=None)
        return None if deadline is None else max(0.0, deadline - now)

    def _accept(self, listener: Listener) -> None:
        for _ in range(_ACCEPTS_PER_WAKE):
            try:
                sock, address = listener.socket.accept()
            except _WOULD_BLOCK:
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                    continue  # that connection was gone before we took it
                _log.warning("cannot accept a connection", error=str(error))
                if not self._evict(None):
                    self._pause()
                return
            tls = listener.tls and (self._tls or listener.tls)
            self._admit(sock, address[0], address[1], tls)

    def _pause(self) -> None:
        """Out of descriptors: the listening sockets would be readable for ever."""
        self._paused_until = time.monotonic() + _PAUSE_S
        for listener in self._listeners:
            self._selector.unregister(listener.socket)

    def _admit(self, sock: socket.socket, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        if self._per_host[host] >= self._limits.max_half_open_per_host:
            self._evict(host)
        elif self.half_open >= self._limits.max_half_open:
            self._evict(self._per_host.most_common(1)[0][0])
        sock.setblocking(False)
        if tls is not None:
            try:
                sock = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            except (OSError, ValueError):
                sock.close()
                return
        connection = Connection(
            is_requestor=False,
            max_pdu_bytes=self._limits.max_pdu_bytes,
            max_associate_pdu_bytes=self._limits.max_associate_pdu_bytes,
        )
        connection.transport_opened()
        half_open = HalfOpen(sock, host, port, connection)
        if tls is not None:
            half_open.phase = Phase.HANDSHAKE
        self._half_open[half_open] = time.monotonic() + self._limits.artim_s
        self._per_host[host] += 1
        self._selector.register(sock, selectors.EVENT_READ, half_open)

    def _evict(self, host: str | None) -> bool:
        """Drops the oldest connection (of a host) that is not about to become an association."""
        for half_open in itertools.chain(self._closing, self._half_open):
            if half_open.phase is not Phase.JUDGED and host in (None, half_open.host):
                self.evicted += 1
                _log.info("half-open connection evicted", peer_host=half_open.host)
                self._drop(half_open)
                return True
        return False

    def _advance(self, half_open: HalfOpen) -> None:
        try:
            match half_open.phase:
                case Phase.HANDSHAKE:
                    self._handshake(half_open)
                case Phase.REQUEST:
                    self._read_request(half_open)
                case Phase.CLOSING:
                    if not half_open.sock.recv(_DISCARD_BYTES):
                        self._drop(half_open)
                case _:
                    pass
        except (*_WOULD_BLOCK, ssl.SSLWantReadError):
            return
        except ssl.SSLWantWriteError:
            self._selector.modify(half_open.sock, selectors.EVENT_WRITE, half_open)
        except OSError as error:
            if half_open.phase is Phase.HANDSHAKE:
                self.refused_handshakes += 1
                _log.warning("tls handshake failed", peer_host=half_open.host, error=str(error))
                self._on_tls_refused(half_open, str(error))
            self._drop(half_open)

    def _handshake(self, half_open: HalfOpen) -> None:
        assert isinstance(half_open.sock, ssl.SSLSocket)  # noqa: S101 - the phase says so
        half_open.sock.do_handshake()
        half_open.phase = Phase.REQUEST
        self._selector.modify(half_open.sock, selectors.EVENT_READ, half_open)
        self._read_request(half_open)

    def _read_request(self, half_open: HalfOpen) -> None:
        """Reads no further than the A-ASSOCIATE-RQ, until the socket has no more."""
        connection = half_open.connection
        while True:
            data = half_open.sock.recv(connection.bytes_wanted)
            if not data:
                self._drop(half_open)
                return
            connection.receive(data)
            event = connection.next_event()
            if event is NEED_DATA:
                continue
            if isinstance(event, AssociationRequested):
                half_open.phase = Phase.JUDGED
                self._selector.unregister(half_open.sock)
                self._on_request(half_open, event.request)
            elif isinstance(event, ProviderAborted):
                _log.info("connection refused", peer_host=half_open.host, error=str(event.error))
                self._close_later(half_open, connection.take_output())
            else:
                self._drop(half_open)
            return

    def _take_back(self, half_open: HalfOpen, answer: bytes | None) -> None:
        if answer is None:
            self._forget(half_open)
            return
        try:
            self._selector.register(half_open.sock, selectors.EVENT_READ, half_open)
        except (OSError, ValueError):
            self._drop(half_open)
            return
        self._close_later(half_open, answer)

    def _close_later(self, half_open: HalfOpen, answer: bytes) -> None:
        """Our last PDU, then the peer closes, or the deadline does it."""
        half_open.phase = Phase.CLOSING
        if self._half_open.pop(half_open, None) is not None:
            self._closing[half_open] = time.monotonic() + self._limits.linger_s
        try:
            half_open.sock.send(answer)
            if not isinstance(half_open.sock, ssl.SSLSocket):
                half_open.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(half_open)

    def _next_to_expire(self) -> Iterator[tuple[HalfOpen, float]]:
        """The first of each kind whose deadline counts; what is being judged has none."""
        for deadlines in (self._half_open, self._closing):
            for half_open, at in deadlines.items():
                if half_open.phase is not Phase.JUDGED:
                    yield half_open, at
                    break

    def _expire(self) -> None:
        now = time.monotonic()
        while expired := [half_open for half_open, at in self._next_to_expire() if at <= now]:
            for half_open in expired:
                if half_open.phase is not Phase.CLOSING:
                    self.timed_out += 1
                    _log.info("half-open connection timed out", peer_host=half_open.host)
                half_open.connection.artim_expired()
                self._drop(half_open)

    def _drop(self, half_open: HalfOpen) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(half_open.sock)
        half_open.sock.close()
        self._forget(half_open)

    def _forget(self, half_open: HalfOpen) -> None:
        half_open.phase = Phase.GONE
        known = self._half_open.pop(half_open, None) or self._closing.pop(half_open, None)
        if known is not None:
            self._per_host[half_open.host] -= 1
            if not self._per_host[half_open.host]:
                del self._per_host[half_open.host]
