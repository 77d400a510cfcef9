"""Syslog: the frame of a message, and connections to a repository.

Standard: RFC 5424 (message), RFC 5425 (TLS), RFC 6587 §3.4.1 (TCP with octet counting), RFC 5426
(UDP), PS3.15 §A.6 and A.7 (facility, severity, MSGID).
"""

import contextlib
import errno
import fcntl
import re
import socket
import ssl
import struct
import termios
from datetime import UTC, datetime
from typing import Final, Protocol

from negatoscope.infra.settings import AuditSinkSettings
from negatoscope.subscribers.audit.errors import SinkUnavailable

FACILITY: Final = 10
"""Security and authorisation messages."""
NOTICE: Final = 5
WARNING: Final = 4
MSGID: Final = "DICOM+RFC3881"
CONNECT_TIMEOUT_S: Final = 10.0
SEND_TIMEOUT_S: Final = 20.0
UDP_BYTES: Final = 65_000
_UNPRINTABLE: Final = re.compile(r"[^!-~]")


def syslog_message(
    xml: bytes, *, at: datetime, host: str, process_id: int, severity: int = NOTICE
) -> bytes:
    """A syslog message around an audit message.

    Args:
        xml: The audit message.
        at: When it happened.
        host: Of this machine.
        process_id: Of this process.
        severity: ``NOTICE``, or ``WARNING`` for what was refused or failed.
    """
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name = _UNPRINTABLE.sub("", host)[:255] or "-"
    head = f"<{FACILITY * 8 + severity}>1 {stamp} {name} negatoscope {process_id} {MSGID} - "
    return head.encode("ascii") + b"\xef\xbb\xbf" + xml


class Connection(Protocol):
    """A way to a repository."""

    def send(self, messages: list[bytes]) -> None:
        """Hand messages over.

        Raises:
            SinkUnavailable: not all were.
        """

    def taken(self) -> bool:
        """Whether the other host has everything that was sent.

        Raises:
            SinkUnavailable: the other side has gone.
        """

    def close(self) -> None:
        """End it."""


def connect(sink: AuditSinkSettings) -> Connection:
    """Reach a repository.

    Raises:
        SinkUnavailable: it cannot be.
    """
    try:
        if sink.transport == "udp":
            return _Datagrams(sink)
        return _Stream(_open(sink))
    except (OSError, ssl.SSLError, ValueError) as error:
        raise SinkUnavailable(f"{sink.host}:{sink.port}: {_reason(error)}") from error


def _open(sink: AuditSinkSettings) -> socket.socket:
    plain = socket.create_connection((sink.host, sink.port), CONNECT_TIMEOUT_S)
    try:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_TIMEOUT_S * 1000))
        if sink.transport == "tcp":
            plain.settimeout(SEND_TIMEOUT_S)
            return plain
        context = ssl.create_default_context(cafile=None if sink.ca is None else str(sink.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if sink.certificate is not None and sink.key is not None:
            context.load_cert_chain(sink.certificate, sink.key)
        secured = context.wrap_socket(plain, server_hostname=sink.server_name or sink.host)
        secured.settimeout(SEND_TIMEOUT_S)
        return secured
    except BaseException:
        plain.close()
        raise


class _Stream:
    """TCP or TLS, each message after its length (octet counting)."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def send(self, messages: list[bytes]) -> None:
        try:
            self._socket.sendall(b"".join(b"%d %b" % (len(one), one) for one in messages))
        except (OSError, ssl.SSLError) as error:
            raise SinkUnavailable(_reason(error)) from error

    def taken(self) -> bool:
        """Syslog has no answers: what tells is that the peer's host has confirmed every byte."""
        self._socket.setblocking(False)
        try:
            if self._socket.recv(4096) == b"":
                raise SinkUnavailable("the repository ended the connection")
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except (OSError, ssl.SSLError) as error:
            raise SinkUnavailable(_reason(error)) from error
        finally:
            with contextlib.suppress(OSError):
                self._socket.settimeout(SEND_TIMEOUT_S)
        try:
            waiting = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError as error:
            raise SinkUnavailable(_reason(error)) from error
        return bool(struct.unpack("i", waiting)[0] == 0)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


class _Datagrams:
    """UDP: a message a datagram; nobody tells whether it arrived."""

    def __init__(self, sink: AuditSinkSettings) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(
            sink.host, sink.port, type=socket.SOCK_DGRAM
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.connect(address)

    def send(self, messages: list[bytes]) -> None:
        for one in messages:
            try:
                self._socket.send(one[:UDP_BYTES])
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    continue
                raise SinkUnavailable(_reason(error)) from error

    def taken(self) -> bool:
        return True

    def close(self) -> None:
        self._socket.close()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return getattr(error, "strerror", None) or str(error)
