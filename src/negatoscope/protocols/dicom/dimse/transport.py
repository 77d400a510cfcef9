"""The socket under an association: blocking, with deadlines that cost no extra system call.

A Python socket with a timeout polls before every read and write. Here the socket is blocking and
the kernel limits each call (SO_RCVTIMEO, SO_SNDTIMEO) to one *tick*; whoever waits looks at the
clock between ticks. A read that finds data is one system call. Over TLS, Python's timeout is the
tick: decrypting costs more than the poll.
"""

import contextlib
import hashlib
import math
import select
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from negatoscope.protocols.dicom.dimse.errors import AssociationTimeout, ConnectionLost

Buffer = bytes | bytearray | memoryview

_MAX_IOVECS: Final = 512
_MAX_TICK_S: Final = 1.0
_WOULD_BLOCK: Final = (
    BlockingIOError,
    TimeoutError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Deadlines of an association, in seconds.

    Attributes:
        connect_s: TCP connection and TLS handshake of a requestor.
        artim_s: The standard's ARTIM: A-ASSOCIATE and A-RELEASE answers, transport close.
        dimse_s: Between two fragments of a message, and for a requestor until the next response.
        message_s: A whole message, first to last fragment.
        idle_s: For an acceptor until the next request.
        send_s: Until the peer has read what is being sent, per MiB.
        linger_s: After the last PDU, until the peer closes.
    """

    connect_s: float = 10.0
    artim_s: float = 30.0
    dimse_s: float = 60.0
    message_s: float = 3600.0
    idle_s: float = 600.0
    send_s: float = 60.0
    linger_s: float = 2.0

    @property
    def tick_s(self) -> float:
        """How long one system call may wait: a quarter of the shortest, at most a second."""
        shortest = min(self.artim_s, self.dimse_s, self.message_s, self.idle_s, self.send_s)
        return max(0.01, min(_MAX_TICK_S, shortest / 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCertificate:
    """What the peer's TLS certificate says; present when it sent one and it was verified."""

    subject: str
    issuer: str
    serial_number: str
    not_after: str
    subject_alternative_names: tuple[str, ...] = ()
    sha256: str = ""
    """Fingerprint of the whole certificate, lower case hexadecimal."""


def _timeval(seconds: float) -> bytes:
    fraction, whole = math.modf(seconds)
    return struct.pack("@ll", int(whole), int(fraction * 1_000_000))


def _distinguished_name(name: object) -> str:
    if not isinstance(name, tuple):
        return ""
    return ", ".join(f"{key}={value}" for relative in name for key, value in relative)


def peer_certificate(sock: socket.socket) -> PeerCertificate | None:
    """The verified certificate of the other side of a TLS socket, if there is one."""
    if not isinstance(sock, ssl.SSLSocket):
        return None
    certificate = sock.getpeercert()
    if not certificate:
        return None
    names = certificate.get("subjectAltName", ())
    return PeerCertificate(
        subject=_distinguished_name(certificate.get("subject")),
        issuer=_distinguished_name(certificate.get("issuer")),
        serial_number=str(certificate.get("serialNumber", "")),
        not_after=str(certificate.get("notAfter", "")),
        subject_alternative_names=tuple(f"{name[0]}:{name[1]}" for name in names),
        sha256=hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest(),
    )


class Transport:
    """A connected socket, plain or TLS with its handshake done. One thread uses it at a time."""

    def __init__(self, sock: socket.socket, *, tick_s: float) -> None:
        self._socket = sock
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        # A blocking TLS socket reads again by itself when the kernel's limit passes, for ever.
        sock.settimeout(None if self._tls is None else tick_s)
        with contextlib.suppress(OSError):  # not a TCP socket (tests over a socket pair)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(tick_s))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(tick_s))
        self._recv_into = sock.recv_into

    @property
    def tls_session(self) -> str:
        """Version and cipher suite, ``TLSv1.3 TLS_AES_256_GCM_SHA384``; empty in clear."""
        if self._tls is None:
            return ""
        cipher = self._tls.cipher()
        return f"{self._tls.version()} {cipher[0] if cipher else ''}".strip()

    def receive(self, buffer: memoryview, *, fill: bool = False) -> int | None:
        """Waits at most a tick. Bytes read, 0 when the peer closed, None when nothing came.

        Args:
            buffer: Where to.
            fill: Wait for as much as the buffer holds, where TLS allows it.

        Raises:
            ConnectionLost: The connection broke.
        """
        try:
            if fill and self._tls is None:
                return self._recv_into(buffer, 0, socket.MSG_WAITALL)
            return self._recv_into(buffer)
        except _WOULD_BLOCK:
            return None
        except InterruptedError:
            return None
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error}") from error

    def receive_now(self, buffer: memoryview) -> int | None:
        """As `receive`, without waiting."""
        if self._tls is not None:
            if not self._tls.pending() and not self._is_readable():
                return None
            return self.receive(buffer)
        try:
            return self._recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error}") from error

    def _is_readable(self) -> bool:
        poll = select.poll()  # select() cannot take descriptors above 1023
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def send(self, parts: Sequence[Buffer], timeout_s: float) -> None:
        """Sends all parts, gathered by the kernel where TLS allows it.

        Raises:
            AssociationTimeout: The peer did not read them in time.
            ConnectionLost: The connection broke.
        """
        deadline: float | None = None
        try:
            if self._tls is not None:
                self._send_tls(b"".join(parts), timeout_s)
                return
            pending = list(parts)
            while pending:
                batch = pending[:_MAX_IOVECS]
                try:
                    sent = self._socket.sendmsg(batch)
                except (BlockingIOError, InterruptedError):
                    sent = 0
                wanted = 0
                for index, part in enumerate(batch):
                    size = len(part)
                    if wanted + size > sent:
                        pending = pending[index:]
                        pending[0] = memoryview(part)[sent - wanted :]
                        now = time.monotonic()
                        if deadline is None:
                            deadline = now + timeout_s
                        elif now > deadline:
                            raise AssociationTimeout("send", timeout_s)
                        break
                    wanted += size
                else:
                    pending = pending[len(batch) :]
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error}") from error

    def _send_tls(self, data: bytes, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except _WOULD_BLOCK:
                if time.monotonic() > deadline:
                    raise AssociationTimeout("send", timeout_s) from None

    def send_if_possible(self, data: bytes) -> None:
        """One last PDU, dropped when it does not fit in the socket's buffer."""
        try:
            if self._tls is not None:
                poll = select.poll()
                poll.register(self._socket, select.POLLOUT)
                if poll.poll(0):
                    self._socket.send(data)
            else:
                self._socket.send(data, socket.MSG_DONTWAIT)
        except OSError:
            pass

    def finish(self, buffer: memoryview, linger_s: float) -> None:
        """Says we are done, waits for the peer to close, closes.

        Closing at once while bytes of the peer are unread would reset the connection and could
        destroy our last PDU before the peer reads it. What comes meanwhile is thrown away.
        """
        deadline = time.monotonic() + linger_s
        with contextlib.suppress(OSError, ConnectionLost):
            if self._tls is None:  # TLS cannot be closed in one direction only
                self._socket.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline and self.receive(buffer) != 0:
                pass
        self.close()

    def interrupt(self, last_words: bytes) -> None:
        """Makes the thread that uses the transport see the end of it. From any thread.

        ``last_words`` go out first, but not through TLS, which two threads cannot share.
        """
        if self._tls is None:
            self.send_if_possible(last_words)
        with contextlib.suppress(OSError):
            # not SSLSocket's: it drops the TLS state first, and the owner could then write in clear
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the socket; over TLS the peer is told (close_notify) but not waited for."""
        if self._tls is not None:
            with contextlib.suppress(OSError, ValueError):
                self._tls.settimeout(0)
                self._tls.unwrap()
        with contextlib.suppress(OSError):
            self._socket.close()
